//! Which rows may be found: conditions are asked of the catalog once, and then only about what is new.

use std::sync::Arc;

use rusqlite::{Connection, params_from_iter};

use super::catalog::count;
use super::error::Result;
use super::filter::Filter;
use super::record::RecordId;
use super::view::View;
use crate::lsh::RowSet;

/// How many conditions are remembered.
const REMEMBERED: usize = 16;

/// The rows that pass conditions, of those that were asked lately.
#[derive(Debug, Default)]
pub(super) struct Admissions(Vec<Admission>);

#[derive(Debug)]
struct Admission {
    filter: Filter,
    generation: i64,
    rows: Arc<RowSet>,
    /// The last record, and the last change of a record, that was looked at.
    last: (RecordId, i64),
}

/// The rows that may be found; `None` when all may.
pub(super) type Admitted = Option<Arc<RowSet>>;

impl Admissions {
    /// The rows of `view` that pass `filter`, if that is known; the one that was asked last comes first.
    pub(super) fn known(&mut self, filter: &Filter, view: &View) -> Option<Admitted> {
        let place = self.0.iter().position(|known| known.filter == *filter)?;
        self.0[..=place].rotate_right(1);
        let known = &self.0[0];
        (known.generation == view.state.generation).then(|| known.admitted(view))
    }

    /// The rows of `view` that pass `filter`; `connection` sees the same generation.
    pub(super) fn find(&mut self, connection: &Connection, filter: &Filter, view: &View) -> Result<Admitted> {
        if let Some(known) = self.known(filter, view) {
            return Ok(known);
        }
        // If it is known, it now comes first, and is taken out while it is brought up to date: after an error it is gone.
        let older =
            if self.0.first().is_some_and(|known| known.filter == *filter) { Some(self.0.remove(0)) } else { None };
        let change = connection.query_one("SELECT ifnull(max(id), 0) FROM change", [], |row| row.get(0))?;
        let record = view.last_record()?;
        let rows = match older {
            Some(mut older) => {
                let rows = Arc::make_mut(&mut older.rows);
                rows.grow(view.rows.len(), false);
                update(connection, filter, older.last, rows)?;
                older.rows
            }
            None => Arc::new(all(connection, filter, view.rows.len())?),
        };
        let admission =
            Admission { filter: filter.clone(), generation: view.state.generation, rows, last: (record, change) };
        let admitted = admission.admitted(view);
        self.0.truncate(REMEMBERED - 1);
        self.0.insert(0, admission);
        Ok(admitted)
    }

    /// Forgets everything: rows have other numbers now.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Admission {
    fn admitted(&self, view: &View) -> Admitted {
        (self.rows.len() < view.rows.len()).then(|| Arc::clone(&self.rows))
    }
}

/// Asks about every record.
fn all(connection: &Connection, filter: &Filter, rows: usize) -> Result<RowSet> {
    // The dead have an index of their own, and are few.
    let plain = filter.is_plain();
    let (condition, values) =
        if plain { ("record.died IS NOT NULL".to_owned(), Vec::new()) } else { filter.condition() };
    let mut set = if plain { RowSet::all(rows) } else { RowSet::none(rows) };
    let mut statement = connection.prepare(&format!("SELECT row FROM record WHERE {condition}"))?;
    let mut found = statement.query(params_from_iter(values))?;
    while let Some(row) = found.next()? {
        set.set(count(row, 0)?, !plain);
    }
    Ok(set)
}

/// Asks about the records that came or changed since `last`.
fn update(
    connection: &Connection,
    filter: &Filter,
    (record, change): (RecordId, i64),
    rows: &mut RowSet,
) -> Result<()> {
    let (condition, values) = filter.condition();
    let mut statement = connection.prepare(&format!(
        "SELECT row, ifnull({condition}, false) FROM record WHERE id IN
             (SELECT id FROM record WHERE id > {record} UNION SELECT record FROM change WHERE id > {change})"
    ))?;
    let mut found = statement.query(params_from_iter(values))?;
    while let Some(row) = found.next()? {
        rows.set(count(row, 0)?, row.get(1)?);
    }
    Ok(())
}
