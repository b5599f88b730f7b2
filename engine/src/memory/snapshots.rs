//! Generations with a name, which compaction keeps visible.

use rusqlite::{Connection, params};
use serde::Serialize;

use super::Memory;
use super::error::{MemoryError, Result};
use super::record::check_label;
use super::tombstones::Moment;

/// A generation with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// What it is called.
    pub name: String,
    /// The generation, for `at`.
    pub generation: i64,
    /// When it was named, in Unix milliseconds.
    pub created_ms: i64,
}

impl Memory {
    /// Names the generation that stands now, and returns it; a name is given once.
    pub fn snapshot(&self, name: &str) -> Result<i64> {
        check_label("name", name)?;
        // The name itself changes nothing that is seen, so it makes no generation.
        self.maintain(|write| {
            let moment = Moment { generation: write.state.generation, now_ms: write.now_ms };
            insert(&write.transaction, name, moment)
        })
    }

    /// Takes a name away: what only it kept visible may then be compacted.
    pub fn drop_snapshot(&self, name: &str) -> Result<()> {
        self.maintain(|write| match write.transaction.execute("DELETE FROM snapshot WHERE name = ?1", [name])? {
            0 => Err(MemoryError::Input(format!("there is no snapshot {name:?}"))),
            _ => Ok(()),
        })
    }

    /// The named generations, oldest first.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>> {
        self.read(|reader| all(&reader.connection))
    }
}

pub(super) fn insert(connection: &Connection, name: &str, moment: Moment) -> Result<i64> {
    let inserted = connection.execute(
        "INSERT OR IGNORE INTO snapshot (name, generation, created_ms) VALUES (?1, ?2, ?3)",
        params![name, moment.generation, moment.now_ms],
    )?;
    if inserted == 0 {
        return Err(MemoryError::Input(format!(
            "there is a snapshot {name:?} already: drop it, or choose another name"
        )));
    }
    Ok(moment.generation)
}

pub(super) fn all(connection: &Connection) -> Result<Vec<Snapshot>> {
    let mut statement =
        connection.prepare_cached("SELECT name, generation, created_ms FROM snapshot ORDER BY generation, name")?;
    let found = statement
        .query_map([], |row| Ok(Snapshot { name: row.get(0)?, generation: row.get(1)?, created_ms: row.get(2)? }))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The oldest generation that compaction has to keep visible.
pub(super) fn oldest(connection: &Connection) -> Result<Option<i64>> {
    Ok(connection.query_row("SELECT min(generation) FROM snapshot", [], |row| row.get(0))?)
}
