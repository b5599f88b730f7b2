//! Whose rows are, and their checksums, by the thousand: what a reader compares at its first touch, without reading the records.
//!
//! A block is written by the commit that fills it, so an insert mostly writes none. The rows behind the last block are looked up
//! in the records.

use rusqlite::{Connection, params};

use super::catalog::{count, signed};
use super::error::{CATALOG, MemoryError, Result};
use super::record::RecordId;

/// How many rows a block has.
pub(super) const ROWS: u64 = 1024;
/// A record's number as `i64`, then its row's checksum as `u32`, both little-endian.
const ENTRY_BYTES: usize = 12;

/// The record of a row, and the row's checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) number: RecordId,
    pub(super) checksum: u32,
}

/// Hands the rows from `first` to the last to `visit`, in order, with what the catalog says of them. `last` is the record of the
/// row before `first`, or 0.
pub(super) fn for_each(
    connection: &Connection,
    first: u64,
    last: RecordId,
    mut visit: impl FnMut(u64, Entry) -> Result<()>,
) -> Result<()> {
    let (mut next, mut last) = (first, last);
    let mut blocks =
        connection.prepare_cached("SELECT block, entries FROM row_block WHERE block >= ?1 ORDER BY block")?;
    let mut stored = blocks.query([signed(first / ROWS)])?;
    while let Some(block) = stored.next()? {
        let (number, entries) = (count(block, 0)?, entries(block)?);
        if number != next / ROWS {
            return Err(damaged(number, "the blocks before it are missing"));
        }
        for entry in entries.skip(usize::try_from(next % ROWS).unwrap_or(usize::MAX)) {
            visit(next, entry)?;
            (next, last) = (next + 1, entry.number);
        }
    }
    let mut records =
        connection.prepare_cached("SELECT row, id, row_checksum FROM record WHERE id > ?1 ORDER BY id")?;
    let mut stored = records.query([last])?;
    while let Some(row) = stored.next()? {
        visit(count(row, 0)?, Entry { number: row.get(1)?, checksum: row.get(2)? })?;
    }
    Ok(())
}

/// Writes the blocks of the first `rows` rows that are full and not there yet.
pub(super) fn fill(transaction: &Connection, rows: u64) -> Result<()> {
    let there: u64 =
        transaction.query_one("SELECT ifnull(max(block) + 1, 0) FROM row_block", [], |row| count(row, 0))?;
    let last = match there.checked_sub(1) {
        Some(block) => transaction
            .query_one("SELECT block, entries FROM row_block WHERE block = ?1", [signed(block)], |row| {
                Ok(entries(row).map(Iterator::last))
            })??
            .map_or(RecordId(0), |entry| entry.number),
        None => RecordId(0),
    };
    let mut insert = transaction.prepare_cached("INSERT INTO row_block (block, entries) VALUES (?1, ?2)")?;
    let mut bytes = Vec::new();
    let mut next = there * ROWS;
    let end = rows - rows % ROWS;
    let mut records =
        transaction.prepare_cached("SELECT row, id, row_checksum FROM record WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let mut stored = records.query([last.0, signed(end.saturating_sub(next))])?;
    while let Some(row) = stored.next()? {
        if count(row, 0)? != next {
            return Err(damaged(next / ROWS, "the rows are not in the order of the records"));
        }
        bytes.extend_from_slice(&row.get::<_, i64>(1)?.to_le_bytes());
        bytes.extend_from_slice(&row.get::<_, u32>(2)?.to_le_bytes());
        next += 1;
        if next.is_multiple_of(ROWS) {
            insert.execute(params![signed(next / ROWS - 1), bytes])?;
            bytes.clear();
        }
    }
    Ok(())
}

/// Forgets all blocks: the rows are other ones now.
pub(super) fn clear(transaction: &Connection) -> Result<()> {
    transaction.execute("DELETE FROM row_block", [])?;
    Ok(())
}

/// The entries of a block; one that is not as long as a block is damage.
fn entries<'a>(row: &'a rusqlite::Row<'_>) -> Result<impl Iterator<Item = Entry> + use<'a>> {
    let bytes = row.get_ref(1)?.as_blob().unwrap_or_default();
    if bytes.len() as u64 != ROWS * ENTRY_BYTES as u64 {
        return Err(damaged(count(row, 0)?, "it has another length than a block"));
    }
    Ok(bytes.chunks_exact(ENTRY_BYTES).filter_map(|entry| {
        let (number, checksum) = entry.split_first_chunk()?;
        Some(Entry {
            number: RecordId(i64::from_le_bytes(*number)),
            checksum: u32::from_le_bytes(*checksum.first_chunk()?),
        })
    }))
}

fn damaged(block: u64, reason: &str) -> MemoryError {
    MemoryError::damaged(CATALOG, format!("block {block} of rows"), reason)
}
