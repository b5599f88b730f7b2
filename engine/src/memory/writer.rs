//! Writing: one transaction at a time, in this process and in all others.

use std::path::Path;

use rusqlite::{Connection, Transaction};

use super::Options;
use super::catalog::{self, State};
use super::error::{MemoryError, Result};
use super::record::{Inserted, NewRecord};
use super::records;
use super::segment::{self, Segment};

/// The writing half of a memory.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    segment: Segment,
}

impl Writer {
    pub(super) fn open(directory: &Path, options: &Options) -> Result<Self> {
        if options.read_only {
            let reason = "it was opened read-only".to_owned();
            return Err(MemoryError::Io { path: directory.into(), action: "write", reason });
        }
        let connection = catalog::open_writer(directory, options.timeout)?;
        let segment = Segment::open(directory, options.dimension, true)?;
        Ok(Self { connection, segment })
    }

    /// Begins a write, after those of other processes.
    pub(super) fn begin(&mut self, now_ms: i64) -> Result<Write<'_>> {
        let transaction = catalog::begin_write(&mut self.connection)?;
        let State { rows, .. } = catalog::state(&transaction)?;
        Ok(Write { transaction, segment: &self.segment, rows, now_ms })
    }
}

/// A write under way. Dropped without [`Write::commit`], it has never been.
pub(super) struct Write<'a> {
    pub(super) transaction: Transaction<'a>,
    pub(super) now_ms: i64,
    segment: &'a Segment,
    /// How many rows there are, with those of this write.
    rows: u64,
}

impl Write<'_> {
    /// Stores a record and its row, or counts a known record.
    pub(super) fn insert(&mut self, new: &NewRecord) -> Result<Inserted> {
        if let Some(known) = records::count_insert(&self.transaction, new)? {
            return Ok(known);
        }
        let bytes = segment::unit_row(&new.vector);
        self.segment.write(self.rows, &bytes)?;
        let inserted = records::insert(&self.transaction, new, self.now_ms, self.rows, crc32fast::hash(&bytes))?;
        self.rows += 1;
        Ok(inserted)
    }

    /// Makes it true: the catalog names the new rows.
    pub(super) fn commit(self) -> Result<()> {
        catalog::commit(self.transaction, self.rows)
    }
}
