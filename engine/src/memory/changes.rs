//! What happened to records after they were inserted.

use rusqlite::{Connection, params};
use serde::Serialize;

use super::catalog::list;
use super::error::Result;
use super::record::RecordId;
use super::tombstones::Moment;
use crate::words::words;

words! {
    /// What happened to a record.
    Action, "action" {
        /// It was stored.
        Inserted = "inserted",
        /// More is known of it; the detail is the status before.
        Raised = "raised",
        /// It is seen no more; the detail is the reason.
        Forgotten = "forgotten",
        /// It became one with another; the detail is that record's number.
        Merged = "merged",
        /// It is seen again.
        Restored = "restored",
        /// Its bytes are gone for good.
        Purged = "purged",
    }
}

/// One change of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which record.
    pub record: RecordId,
    /// The generation from which on it is so.
    pub generation: i64,
    /// What happened.
    pub action: Action,
    /// More about it, as the action says.
    pub detail: String,
    /// When, in Unix milliseconds.
    pub created_ms: i64,
}

/// Writes down that the same happened to all of `records`.
pub(super) fn note(
    connection: &Connection,
    records: &[RecordId],
    action: Action,
    detail: &str,
    moment: Moment,
) -> Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    connection
        .prepare_cached(
            "INSERT INTO change (record, generation, action, detail, created_ms)
             SELECT value, ?2, ?3, ?4, ?5 FROM json_each(?1)",
        )?
        .execute(params![list(records.iter().map(|id| id.0)), moment.generation, action, detail, moment.now_ms])?;
    Ok(())
}

/// What happened to `record`, or to all of them, oldest first; that it was inserted comes first.
pub(super) fn find(connection: &Connection, record: Option<RecordId>) -> Result<Vec<Change>> {
    let mut statement = connection.prepare_cached(
        "SELECT id AS record, born AS generation, 'inserted' AS action, '' AS detail, created_ms, 0 AS place FROM record
         WHERE ?1 IS NULL OR id = ?1
         UNION ALL
         SELECT record, generation, action, detail, created_ms, id FROM change WHERE ?1 IS NULL OR record = ?1
         ORDER BY generation, place, record",
    )?;
    let found = statement.query_map([record], |row| {
        Ok(Change {
            record: row.get(0)?,
            generation: row.get(1)?,
            action: row.get(2)?,
            detail: row.get(3)?,
            created_ms: row.get(4)?,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
