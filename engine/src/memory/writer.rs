//! Writing: one transaction at a time, in this process and in all others.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::Options;
use super::blocks;
use super::catalog::{self, State};
use super::create;
use super::durability::Durability;
use super::error::{MemoryError, Result};
use super::pending;
use super::record::{Inserted, NewRecord, RecordId};
use super::records::{self, Origin};
use super::segment::{self, Segment};
use super::snapshots;
use super::transaction::WriteTransaction;
use super::turnstile::Turnstile;

/// After how much work the log is folded into the catalog: a write counts one, and each of its rows one more.
const FOLD_AFTER: u64 = 16_000;
/// The same where syncing is to be rare.
const FOLD_RARELY: u64 = 500_000;
/// How many bytes of rows are gathered before they are written.
const ROWS_AT_ONCE: usize = 1 << 20;

/// The writing half of a memory.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    directory: PathBuf,
    segment: Segment,
    turnstile: Turnstile,
    durability: Durability,
    /// What was done since the log was last folded.
    work: u64,
}

impl Writer {
    pub(super) fn open(directory: &Path, options: &Options) -> Result<Self> {
        if options.read_only {
            let reason = "it was opened read-only".to_owned();
            return Err(MemoryError::Io { path: directory.into(), action: "write", reason });
        }
        let turnstile = Turnstile::open(directory)?;
        let connection = catalog::open_writer(directory, options.durability, options.timeout)?;
        let segment = Segment::open(directory, &catalog::state(&connection)?, true)?;
        let directory = directory.to_owned();
        Ok(Self { connection, directory, segment, turnstile, durability: options.durability, work: 0 })
    }

    /// Begins a write, after those of other processes.
    pub(super) fn begin(&mut self, options: &Options) -> Result<Write<'_>> {
        let inside = self.turnstile.enter(options.timeout)?;
        let transaction = WriteTransaction::begin(&mut self.connection)?;
        drop(inside);
        let state = catalog::state(&transaction)?;
        create::check_embedder(&self.directory, &state, &options.embedder, options.dimension)?;
        if state.segment != self.segment.number {
            self.segment = Segment::open(&self.directory, &state, true)?;
        }
        Ok(Write {
            transaction,
            directory: &self.directory,
            segment: &self.segment,
            durability: self.durability,
            first: state.rows,
            state,
            gathered: Vec::new(),
            now_ms: options.clock.now_ms(),
        })
    }

    /// Notes that a write of `rows` rows was committed, and tidies up now and then.
    ///
    /// Rows are synced before the catalog that names them can be: after a power cut the catalog then knows less than is there,
    /// not more.
    pub(super) fn committed(&mut self, rows: u64) -> Result<()> {
        self.work += 1 + rows;
        let much = if self.durability == Durability::None { FOLD_RARELY } else { FOLD_AFTER };
        if self.work >= much {
            self.fold(false)?;
        }
        Ok(())
    }

    /// Brings everything to the disk, whatever the durability.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.segment.sync()?;
        self.fully_synced(|writer| {
            // Folding syncs the log first. With nothing to fold, a commit of nothing new syncs it.
            catalog::fold_log(&writer.connection, false)?;
            let transaction = WriteTransaction::begin(&mut writer.connection)?;
            touch(&transaction)?;
            transaction.commit()
        })
    }

    /// Runs `action` with every commit synced before it returns.
    pub(super) fn fully_synced<T>(&mut self, action: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.connection.pragma_update(None, "synchronous", "full")?;
        let outcome = action(self);
        if self.durability != Durability::Power {
            self.connection.pragma_update(None, "synchronous", "normal")?;
        }
        outcome
    }

    /// Folds the log into the catalog, after the rows that it names have been synced.
    pub(super) fn fold(&mut self, truncate: bool) -> Result<()> {
        self.segment.sync()?;
        self.work = 0;
        catalog::fold_log(&self.connection, truncate)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The connection folds its log when it closes: the rows have to be there first. Nobody is left to hear of an error; the
        // rows are then reported as damaged when they are read.
        if self.work > 0 {
            let _ = self.segment.sync();
        }
    }
}

/// A write under way. Dropped without [`Write::commit`], it has never been.
pub(super) struct Write<'a> {
    pub(super) transaction: WriteTransaction<'a>,
    pub(super) now_ms: i64,
    /// What stood when it began, but for `rows` and `next_record`, which count those of this write too.
    pub(super) state: State,
    pub(super) directory: &'a Path,
    pub(super) segment: &'a Segment,
    durability: Durability,
    /// How many rows there were before.
    pub(super) first: u64,
    /// Rows that are not in the file yet: the last ones.
    gathered: Vec<u8>,
}

impl Write<'_> {
    /// The generation that this write will be.
    pub(super) fn generation(&self) -> i64 {
        self.state.generation + 1
    }

    /// Whether nothing was ever written before, and nothing was named.
    pub(super) fn is_first(&self) -> Result<bool> {
        Ok(self.state.generation == 0 && self.state.next_record == 1 && snapshots::oldest(&self.transaction)?.is_none())
    }

    /// Stores records and their vectors, which stand one behind the other.
    pub(super) fn insert_all(&mut self, records: &[NewRecord], vectors: &[f32]) -> Result<Vec<Inserted>> {
        let vectors = vectors.chunks_exact(self.state.dimension as usize);
        records.iter().zip(vectors).map(|(record, vector)| self.insert(record, vector)).collect()
    }

    /// Stores a record and its row, or counts a known record.
    pub(super) fn insert(&mut self, new: &NewRecord, vector: &[f32]) -> Result<Inserted> {
        let origin = Origin { id: RecordId(self.state.next_record), born: self.generation(), created_ms: self.now_ms };
        self.insert_as(new, origin, |row| segment::push_unit_row(row, vector))
    }

    /// The same for a record that has its number already: no smaller one than that of the next record. `push_row` writes the row.
    pub(super) fn insert_as(
        &mut self,
        new: &NewRecord,
        origin: Origin,
        push_row: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Inserted> {
        debug_assert!(origin.id.0 >= self.state.next_record, "rows are in the order of numbers");
        let start = self.gathered.len();
        push_row(&mut self.gathered);
        let (row, checksum) = (self.state.rows, crc32fast::hash(&self.gathered[start..]));
        let place = records::Place { origin, row, checksum };
        let inserted = records::insert(&self.transaction, new, &place)?;
        if !inserted.new {
            self.gathered.truncate(start);
            return Ok(inserted);
        }
        self.state.next_record = origin.id.0 + 1;
        self.state.rows += 1;
        if self.gathered.len() >= ROWS_AT_ONCE {
            self.write_rows()?;
        }
        Ok(inserted)
    }

    /// Lets this write be seen in the log although it changes nothing.
    pub(super) fn touch(&self) -> Result<()> {
        touch(&self.transaction)
    }

    /// Ends it without a new generation: what it did changes nothing that can be seen.
    pub(super) fn commit_unseen(self) -> Result<()> {
        self.transaction.commit()
    }

    /// Makes it true: the catalog names the new rows. Returns how many there are.
    pub(super) fn commit(mut self) -> Result<u64> {
        let rows = self.state.rows - self.first;
        if self.durability == Durability::Power && rows > 0 {
            self.write_through()?;
        } else {
            self.write_rows()?;
        }
        if self.first / blocks::ROWS != self.state.rows / blocks::ROWS {
            blocks::fill(&self.transaction, self.state.rows)?;
        }
        catalog::commit(self.transaction, &self.state)?;
        Ok(rows)
    }

    /// Writes what was gathered into the file, and sees to it that the commit brings all rows of this write to the disk.
    fn write_through(&mut self) -> Result<()> {
        let stride = self.stride();
        let rows = (self.gathered.len() / stride) as u64;
        if rows == self.state.rows - self.first && pending::can_keep(self.first, &self.state) {
            pending::keep(&self.transaction, self.first, &self.gathered, stride)?;
            return self.write_rows();
        }
        self.write_rows()?;
        pending::write_again(&self.transaction, &State { rows: self.first, ..self.state.clone() }, self.segment)?;
        self.segment.sync()?;
        self.state.synced_rows = self.state.rows;
        Ok(())
    }

    fn stride(&self) -> usize {
        self.state.dimension as usize * size_of::<f32>()
    }

    /// Writes what was gathered into the file.
    pub(super) fn write_rows(&mut self) -> Result<()> {
        let rows = (self.gathered.len() / self.stride()) as u64;
        self.segment.write(self.state.rows - rows, &self.gathered)?;
        self.gathered.clear();
        Ok(())
    }
}

/// Changes something and changes it back: `SQLite` writes nothing where a row stays the same to the byte, and syncs nothing then.
fn touch(connection: &Connection) -> Result<()> {
    for sql in ["UPDATE memory SET rows = rows + 1", "UPDATE memory SET rows = rows - 1"] {
        let changed = connection.execute(sql, [])?;
        debug_assert_eq!(changed, 1, "a memory has one row of its own");
    }
    Ok(())
}
