//! Reading rows: mapped once, checked on first touch, named by the catalog.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use porism_native::map::MappedRows;
use rusqlite::{Connection, Transaction};

use super::catalog::{self, State, count};
use super::error::{CATALOG, MemoryError, Result};
use super::recall::{Hit, Scored};
use super::segment::Segment;

/// The reading half of a memory.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) connection: Connection,
    pub(super) segment: Segment,
    /// The rows as last mapped; all of them agree with their checksums.
    rows: Arc<MappedRows>,
}

impl Reader {
    /// Opens the rows beside the catalog, and checks that the committed ones are there.
    pub(super) fn open(directory: &Path, connection: Connection, state: &State) -> Result<Self> {
        let segment = Segment::open(directory, state.dimension, false)?;
        // A truncated file is reported now, not at the first recall. The rows themselves are read when they are needed.
        segment.map(state.rows)?;
        let rows = Arc::new(segment.map(0)?);
        Ok(Self { connection, segment, rows })
    }

    /// The committed rows and their generation.
    pub(super) fn rows(&mut self) -> Result<(i64, Arc<MappedRows>)> {
        let (transaction, rows) = self.snapshot()?;
        Ok((catalog::state(&transaction)?.generation, rows))
    }

    /// A view of one generation of the catalog, and its rows.
    pub(super) fn snapshot(&mut self) -> Result<(Transaction<'_>, Arc<MappedRows>)> {
        let transaction = catalog::begin_read(&mut self.connection)?;
        let committed = catalog::state(&transaction)?.rows;
        let known = self.rows.len() as u64;
        if committed > known {
            let rows = self.segment.map(committed)?;
            check_rows(&transaction, &self.segment, &rows, known)?;
            self.rows = Arc::new(rows);
        }
        Ok((transaction, Arc::clone(&self.rows)))
    }

    /// The records of the rows that were found, in the same order, with a last look at their checksums.
    pub(super) fn hits(&self, rows: &MappedRows, found: &[Scored]) -> Result<Vec<Hit>> {
        let wanted = catalog::list(found.iter().map(|scored| catalog::signed(scored.row as u64)));
        let mut statement = self
            .connection
            .prepare("SELECT row, id, row_checksum FROM record WHERE row IN (SELECT value FROM json_each(?1))")?;
        let records = statement
            .query_map([wanted], |row| Ok((count(row, 0)?, (row.get(1)?, row.get(2)?))))?
            .collect::<rusqlite::Result<HashMap<_, _>>>()?;
        found
            .iter()
            .map(|scored| {
                let index = scored.row as u64;
                let &(id, checksum) = records.get(&index).ok_or_else(|| unnamed(index))?;
                self.segment.check(index, rows.row(scored.row).unwrap_or_default(), checksum)?;
                Ok(Hit { id, score: scored.score })
            })
            .collect()
    }
}

/// Compares the rows from `first` on with the checksums in the catalog.
///
/// A damaged row could score too low and be missed without a word, so it is not enough to check what is found.
fn check_rows(connection: &Connection, segment: &Segment, rows: &MappedRows, first: u64) -> Result<()> {
    let mut statement = connection.prepare("SELECT row, row_checksum FROM record WHERE row >= ?1 ORDER BY row")?;
    let mut stored = statement.query([catalog::signed(first)])?;
    for (index, bytes) in (first..).zip(rows.iter().skip(usize::try_from(first).unwrap_or(usize::MAX))) {
        let row = stored.next()?.ok_or_else(|| unnamed(index))?;
        if count(row, 0)? != index {
            return Err(unnamed(index));
        }
        segment.check(index, bytes, row.get(1)?)?;
    }
    Ok(())
}

/// The catalog has no record for a row that it committed.
fn unnamed(row: u64) -> MemoryError {
    MemoryError::damaged(CATALOG, format!("row {row}"), "no record names this row")
}
