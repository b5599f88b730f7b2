//! Search by words and by symbols, through the catalog's full-text index.
//!
//! The index is brought up to date when it is asked, not when records are written: it would cost a write several times its price.

use std::collections::HashSet;
use std::fmt::Write;

use rusqlite::{Connection, params, params_from_iter};

use super::error::Result;
use super::filter::Filter;
use super::record::RecordId;
use crate::features::{symbol_features, word_features};
use crate::tptp::{Limits, parse_formula};

/// How many different words or symbols of a query are looked up.
const MAX_TERMS: usize = 256;

/// A column of the full-text index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Name and statement, as words.
    Words,
    /// Symbols and walks of a formula.
    Symbols,
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Words => "statement",
            Self::Symbols => "features",
        }
    }

    /// What is looked up for `text`.
    fn terms(self, text: &str) -> Vec<String> {
        match self {
            Self::Words => word_features(text).into_keys().map(Into::into).collect(),
            Self::Symbols => symbol_terms(text),
        }
    }
}

/// How many records are not in the index yet.
pub(super) fn behind(connection: &Connection) -> Result<i64> {
    Ok(connection
        .prepare_cached("SELECT ifnull((SELECT max(id) FROM record), 0) - indexed FROM memory")?
        .query_row([], |row| row.get(0))?)
}

/// Puts every record that is missing into the index.
pub(super) fn catch_up(connection: &Connection) -> Result<()> {
    let mut pending = connection.prepare_cached(
        "SELECT id, ifnull(name, ''), statement FROM record WHERE id > (SELECT indexed FROM memory) ORDER BY id",
    )?;
    let mut insert = connection.prepare_cached("INSERT INTO words (rowid, statement, features) VALUES (?1, ?2, ?3)")?;
    let mut rows = pending.query([])?;
    while let Some(row) = rows.next()? {
        let (id, name, statement): (RecordId, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        insert.execute(params![id, format!("{name} {statement}"), symbol_terms(&statement).join(" ")])?;
    }
    connection.execute("UPDATE memory SET indexed = ifnull((SELECT max(id) FROM record), 0)", [])?;
    Ok(())
}

/// Takes records out of the index.
pub(super) fn remove(connection: &Connection, ids: &[RecordId]) -> Result<()> {
    let mut statement = connection.prepare_cached("DELETE FROM words WHERE rowid = ?1")?;
    ids.iter().try_for_each(|id| Ok(statement.execute([id]).map(drop)?))
}

/// The records that pass `filter` and share words or symbols with `text`, best first (Okapi BM25, as FTS5 computes it); equal ones
/// in the order of their numbers.
pub(super) fn search(
    connection: &Connection,
    column: Column,
    text: &str,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<RecordId>> {
    let terms = column.terms(text);
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let (condition, values) = filter.condition();
    let mut statement = connection.prepare(&format!(
        "SELECT record.id FROM words JOIN record ON record.id = words.rowid
         WHERE words MATCH ? AND {condition} ORDER BY words.rank, record.id LIMIT ?"
    ))?;
    let expression = rusqlite::types::Value::from(expression(column, &terms));
    let limit_value = rusqlite::types::Value::from(i64::try_from(limit).unwrap_or(i64::MAX));
    let parameters = std::iter::once(expression).chain(values).chain([limit_value]);
    let found = statement.query_map(params_from_iter(parameters), |row| row.get(0))?;
    let mut found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    if found.len() < limit && behind(connection)? > 0 {
        found.extend(search_tail(connection, column, &terms, filter)?);
        found.truncate(limit);
    }
    Ok(found)
}

/// The same among the records that are not in the index yet, by the number of shared terms: for a handle that cannot write.
fn search_tail(connection: &Connection, column: Column, terms: &[String], filter: &Filter) -> Result<Vec<RecordId>> {
    let wanted: HashSet<&str> = terms.iter().map(String::as_str).collect();
    let (condition, values) = filter.condition();
    let text = match column {
        Column::Words => "ifnull(name, '') || ' ' || statement",
        Column::Symbols => "statement",
    };
    let mut statement = connection.prepare(&format!(
        "SELECT record.id, {text} FROM record
         WHERE id > (SELECT indexed FROM memory) AND {condition}"
    ))?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut scored = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, text): (RecordId, String) = (row.get(0)?, row.get(1)?);
        let shared = column.terms(&text).iter().filter(|term| wanted.contains(term.as_str())).count();
        if shared > 0 {
            scored.push((std::cmp::Reverse(shared), id));
        }
    }
    scored.sort_unstable();
    Ok(scored.into_iter().map(|(_, id)| id).collect())
}

/// An FTS5 query for any of `terms`. Each is quoted, so that none is read as an operator.
fn expression(column: Column, terms: &[String]) -> String {
    let mut expression = format!("{} : (", column.name());
    for (place, term) in terms.iter().take(MAX_TERMS).enumerate() {
        let or = if place == 0 { "" } else { " OR " };
        write!(expression, "{or}\"{}\"", term.replace('"', "\"\"")).expect("a string takes any text");
    }
    expression.push(')');
    expression
}

/// The features of a formula as words for the index: names of symbols may hold anything, their hashes do not.
fn symbol_terms(text: &str) -> Vec<String> {
    let Ok(formula) = parse_formula(text, &Limits::default()) else {
        return Vec::new();
    };
    let hashed = |feature: Box<str>| format!("f{}", &blake3::hash(feature.as_bytes()).to_hex()[..16]);
    symbol_features(&formula).into_keys().map(hashed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_cannot_smuggle_operators() {
        let terms = ["near".to_owned(), "a\" OR \"b".to_owned()];
        assert_eq!(expression(Column::Words, &terms), r#"statement : ("near" OR "a"" OR ""b")"#);
    }

    #[test]
    fn only_formulas_have_symbols() {
        assert!(symbol_terms("no formula at all").is_empty());
        assert_eq!(symbol_terms("![X]: p(X)"), symbol_terms("![Y]: p(Y)"));
    }
}
