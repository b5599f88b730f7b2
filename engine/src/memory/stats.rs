//! What a memory holds, in numbers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde::Serialize;

use super::catalog::{self, count};
use super::error::{MemoryError, Result};

/// What a memory holds, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Records that are alive.
    pub records: u64,
    /// Records of each kind.
    pub by_kind: BTreeMap<String, u64>,
    /// Records of each status.
    pub by_status: BTreeMap<String, u64>,
    /// Pieces of evidence.
    pub evidence: u64,
    /// Events whose outcome is not known.
    pub events_pending: u64,
    /// Events whose outcome is known.
    pub events_settled: u64,
    /// Records that were forgotten or merged away, and not compacted yet.
    pub dead: u64,
    /// Committed rows of vectors.
    pub rows: u64,
    /// Bytes of each file.
    pub size_bytes: BTreeMap<String, u64>,
    /// How many writes there were.
    pub generation: i64,
    /// The oldest generation that can still be seen.
    pub horizon: i64,
    /// Who made the vectors.
    pub embedder: String,
    /// How many places they have.
    pub dimension: u32,
}

impl Stats {
    /// The numbers as a JSON object.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| MemoryError::io("the statistics", "write them", &error.into()))
    }
}

/// Counts what the catalog holds and weighs the files of `directory`.
pub(super) fn stats(connection: &Connection, directory: &Path) -> Result<Stats> {
    let state = catalog::state(connection)?;
    let number = |sql: &str| connection.query_one(sql, [], |row| count(row, 0));
    let events_settled = number("SELECT count(*) FROM settlement")?;
    Ok(Stats {
        records: number("SELECT count(*) FROM record WHERE died IS NULL")?,
        by_kind: grouped(connection, "kind")?,
        by_status: grouped(connection, "status")?,
        evidence: number("SELECT count(*) FROM evidence")?,
        events_pending: number("SELECT count(*) FROM event")?.saturating_sub(events_settled),
        events_settled,
        dead: number("SELECT count(*) FROM record WHERE died IS NOT NULL")?,
        rows: state.rows,
        size_bytes: sizes(directory)?,
        generation: state.generation,
        horizon: state.horizon,
        embedder: state.embedder,
        dimension: state.dimension,
    })
}

fn grouped(connection: &Connection, column: &str) -> Result<BTreeMap<String, u64>> {
    let mut statement =
        connection.prepare(&format!("SELECT {column}, count(*) FROM record WHERE died IS NULL GROUP BY {column}"))?;
    let groups = statement.query_map([], |row| Ok((row.get(0)?, count(row, 1)?)))?;
    Ok(groups.collect::<rusqlite::Result<_>>()?)
}

/// The bytes of each file in `directory`.
pub(super) fn sizes(directory: &Path) -> Result<BTreeMap<String, u64>> {
    let weigh = || {
        fs::read_dir(directory)?
            .map(|entry| {
                let entry = entry?;
                Ok(match entry.metadata() {
                    Ok(metadata) => Some((entry.file_name().to_string_lossy().into_owned(), metadata.len())),
                    // Logs and old rows come and go.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                    Err(error) => return Err(error),
                })
            })
            .filter_map(std::io::Result::transpose)
            .collect::<std::io::Result<_>>()
    };
    weigh().map_err(|error| MemoryError::io(directory, "weigh the files", &error))
}
