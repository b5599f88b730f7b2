//! Rows that may not be on the disk yet, kept in the catalog until they are.
//!
//! A commit of durability `power` has to be on the disk when it returns. Its rows stand in another file than its log, and to wait
//! for both takes twice as long. So the rows go into the catalog too, in the same transaction, and their own file is synced once
//! for many of them. The table is a ring: row `n` takes slot `n % SLOTS` from a row that is on the disk.
//!
//! - Rows below `memory.synced_rows` are on the disk.
//! - A row from there on that was committed with `power` stands in its slot: no two of them are `SLOTS` or more apart.
//!
//! After a power cut, whoever opens the memory first finds that the file lacks some of them, and puts them back.

use std::path::Path;

use rusqlite::{Connection, params};

use super::catalog::{self, State, count, signed};
use super::error::Result;
use super::segment::Segment;

/// How many rows the catalog keeps. Once for so many, the file of rows is synced.
pub(super) const SLOTS: u64 = 64;

/// Whether the rows from `first` to `state.rows` can be kept; if not, the file has to be synced.
pub(super) fn can_keep(first: u64, state: &State) -> bool {
    // A few at a time: to sync a file is cheaper than to write very much twice.
    state.rows - first <= SLOTS / 4 && state.rows - state.synced_rows <= SLOTS
}

/// Keeps `rows`, which are rows of `stride` bytes from `first` on.
pub(super) fn keep(transaction: &Connection, first: u64, rows: &[u8], stride: usize) -> Result<()> {
    let mut statement =
        transaction.prepare_cached("INSERT OR REPLACE INTO pending_row (slot, row, vector) VALUES (?1, ?2, ?3)")?;
    for (row, bytes) in (first..).zip(rows.chunks_exact(stride)) {
        statement.execute(params![signed(row % SLOTS), signed(row), bytes])?;
    }
    Ok(())
}

/// Forgets all rows: the file that holds them now is on the disk.
pub(super) fn clear(transaction: &Connection) -> Result<()> {
    transaction.execute("DELETE FROM pending_row", [])?;
    Ok(())
}

/// Writes the rows that are not surely on the disk into the file once more, before it is synced.
///
/// They are there already. But a sync that failed, in whatever process, may have dropped them, and the next one would not say so.
pub(super) fn write_again(transaction: &Connection, state: &State, segment: &Segment) -> Result<()> {
    for_each(transaction, state, |row, bytes| segment.write(row, bytes))
}

/// Puts back what a power cut has taken from the file of rows, and syncs it.
///
/// No lock is needed: what is put back was committed, so nobody writes anything else in its place.
pub(super) fn put_back(connection: &Connection, directory: &Path, segment: &Segment) -> Result<()> {
    let transaction = connection.unchecked_transaction()?;
    let state = catalog::state(&transaction)?;
    if state.segment != segment.number {
        // It was compacted in this moment: the new file is whole.
        return Ok(());
    }
    let mut writable = None;
    for_each(&transaction, &state, |row, bytes| {
        if segment.holds(row, bytes)? {
            return Ok(());
        }
        let writable = match &writable {
            Some(writable) => writable,
            None => writable.insert(Segment::open(directory, &state, true)?),
        };
        writable.write(row, bytes)
    })?;
    writable.map_or(Ok(()), |writable| writable.sync())
}

/// Hands every row that is not surely on the disk to `visit`.
fn for_each(transaction: &Connection, state: &State, mut visit: impl FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
    let mut statement = transaction
        .prepare_cached("SELECT row, vector FROM pending_row WHERE row >= ?1 AND row < ?2 AND length(vector) = ?3")?;
    let stride = u64::from(state.dimension) * size_of::<f32>() as u64;
    let mut kept = statement.query(params![signed(state.synced_rows), signed(state.rows), signed(stride)])?;
    while let Some(row) = kept.next()? {
        visit(count(row, 0)?, row.get_ref(1)?.as_blob().unwrap_or_default())?;
    }
    Ok(())
}
