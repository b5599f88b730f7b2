//! The memory of what was proved: records, evidence, and recalls with what became of them.
//!
//! A memory is a directory with a catalog (`SQLite`), which is the single source of truth, and a file of vectors that only grows.
//! A write appends its rows beyond the committed length and then commits one transaction that names the new length; what lies
//! beyond does not exist. `docs/format.md` describes every byte.
//!
//! ```
//! use porism_engine::memory::{Kind, Memory, NewRecord, Options};
//!
//! # let directory = tempfile::tempdir()?;
//! let memory = Memory::open(&directory.path().join("lemmas.porism"), Options::default())?;
//! let lemma = memory.insert(&NewRecord::new(Kind::Lemma, "![X]: f(X, e) = X").named("right_identity"))?;
//! let found = memory.recall(&porism_engine::features::embed("![X]: f(e, X) = X"), 8)?;
//! assert_eq!(found.hits[0].id, lemma.id);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod catalog;
mod clock;
mod create;
mod error;
mod event;
mod events;
mod evidence;
mod export;
mod reader;
mod recall;
mod record;
mod records;
mod segment;
mod stats;
mod verify;
mod words;
mod writer;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use catalog::sqlite_version;
pub use clock::{Clock, SystemClock};
pub use error::{MemoryError, Result};
pub use event::{Candidate, Event, EventId, Evidence, EvidenceId, NewEvent, NewEvidence, Receipt, Settlement, Verdict};
pub use recall::{Hit, Recall};
pub use record::{FactKey, Inserted, Kind, MAX_LABEL_BYTES, MAX_STATEMENT_BYTES, NewRecord, Record, RecordId, Status};
pub use records::Filter;
pub use stats::Stats;
pub use verify::{Finding, Report};

use crate::features;
use reader::Reader;
use writer::{Write as Writing, Writer};

/// How to open a memory.
#[derive(Debug)]
pub struct Options {
    /// Make it if the path does not exist.
    pub create: bool,
    /// Refuse every write.
    pub read_only: bool,
    /// How long a write waits for writers of other processes.
    pub timeout: Duration,
    /// The name of the embedder that makes the vectors.
    pub embedder: String,
    /// How many places they have.
    pub dimension: u32,
    /// What stamps records.
    pub clock: Box<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            create: true,
            read_only: false,
            timeout: Duration::from_secs(5),
            embedder: features::EMBEDDER.to_owned(),
            dimension: u32::try_from(features::DIMENSION).expect("the built-in rows are short"),
            clock: Box::new(SystemClock),
        }
    }
}

/// An open memory. Threads may share it; several processes may open the same one.
#[derive(Debug)]
pub struct Memory {
    directory: PathBuf,
    options: Options,
    reader: Mutex<Reader>,
    /// Opened by the first write, so that a memory on a read-only disk can be read.
    writer: Mutex<Option<Writer>>,
}

impl Memory {
    /// Opens the memory at `path`, in a time that does not depend on its size.
    pub fn open(path: &Path, options: Options) -> Result<Self> {
        if options.create && !options.read_only {
            create::if_missing(path, &options.embedder, options.dimension)?;
        }
        create::check_directory(path)?;
        let reader = open_reader(path, &options).map_err(|error| error.within(path, options.timeout))?;
        Ok(Self { directory: path.into(), options, reader: Mutex::new(reader), writer: Mutex::default() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Stores a record; a statement that is known under the same name and namespace is counted instead.
    pub fn insert(&self, record: &NewRecord) -> Result<Inserted> {
        self.insert_many(std::slice::from_ref(record)).map(|inserted| inserted[0])
    }

    /// Stores records in one commit: all of them or, on error, none.
    pub fn insert_many(&self, records: &[NewRecord]) -> Result<Vec<Inserted>> {
        records.iter().try_for_each(|record| record.check(self.options.dimension as usize))?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        self.write(|write| records.iter().map(|record| write.insert(record)).collect())
    }

    /// The records `ids`, in that order.
    pub fn get(&self, ids: &[RecordId]) -> Result<Vec<Record>> {
        self.read(|reader| records::get(&reader.connection, ids))
    }

    /// The records that pass `filter`, in the order of their numbers.
    pub fn find(&self, filter: &Filter) -> Result<Vec<Record>> {
        self.read(|reader| records::find(&reader.connection, filter))
    }

    /// The `k` records nearest to `vector` by cosine. The zero vector is near to nothing.
    pub fn recall(&self, vector: &[f32], k: usize) -> Result<Recall> {
        record::check_vector(vector, self.options.dimension as usize)?;
        let query = segment::unit(vector);
        let (snapshot, rows) = self.read(Reader::rows)?;
        if query.iter().all(|&x| x == 0.0) {
            return Ok(Recall { snapshot, hits: Vec::new() });
        }
        // The scan holds no lock: rows that were mapped never change.
        let found = recall::nearest(&rows, &query, k);
        let hits = self.read(|reader| reader.hits(&rows, &found))?;
        Ok(Recall { snapshot, hits })
    }

    /// Records evidence for a goal. A proof makes the goal checked; with a receipt, verified.
    pub fn add_evidence(&self, evidence: &NewEvidence) -> Result<EvidenceId> {
        evidence.check()?;
        self.write(|write| evidence::insert(&write.transaction, evidence, write.now_ms))
    }

    /// The evidence for `goal`, or all of it.
    pub fn evidence(&self, goal: Option<RecordId>) -> Result<Vec<Evidence>> {
        self.read(|reader| evidence::find(&*consistent(reader)?, goal))
    }

    /// Writes a recall down before its outcome is known.
    pub fn log_event(&self, event: &NewEvent) -> Result<EventId> {
        self.write(|write| events::insert(&write.transaction, event, write.now_ms))
    }

    /// The event `id`, or all of them.
    pub fn events(&self, id: Option<EventId>) -> Result<Vec<Event>> {
        self.read(|reader| events::find(&*consistent(reader)?, id))
    }

    /// Says what became of an event. To say the same again is allowed and changes nothing; to say something else is an error.
    pub fn settle(&self, event: EventId, settlement: &Settlement) -> Result<Settlement> {
        settlement.check()?;
        let mut settlement = settlement.clone();
        settlement.used.sort_unstable();
        settlement.used.dedup();
        self.write(|write| events::settle(&write.transaction, event, &settlement, write.now_ms))
    }

    /// How many writes were committed: the number of the snapshot that a read sees now.
    pub fn generation(&self) -> Result<i64> {
        self.read(|reader| Ok(catalog::state(&*consistent(reader)?)?.generation))
    }

    /// What it holds, in numbers.
    pub fn stats(&self) -> Result<Stats> {
        self.read(|reader| stats::stats(&*consistent(reader)?, &self.directory))
    }

    /// Writes everything that it holds as lines of JSON, of one generation; vectors only if asked.
    pub fn export(&self, out: &mut dyn Write, vectors: bool) -> Result<()> {
        // A connection of its own: an export takes long, and recalls of other threads need not wait for it.
        let mut reader = open_reader(&self.directory, &self.options).map_err(|error| self.complete(error))?;
        let mut export = || {
            if vectors {
                let (transaction, rows) = reader.snapshot()?;
                return export::export(&transaction, Some(&rows), out);
            }
            export::export(&*consistent(&mut reader)?, None, out)
        };
        export().map_err(|error| self.complete(error))
    }

    /// Checks everything that it holds.
    pub fn verify(&self) -> Result<Report> {
        let mut reader = open_reader(&self.directory, &self.options).map_err(|error| self.complete(error))?;
        verify::verify(&mut reader).map_err(|error| self.complete(error))
    }

    fn read<T>(&self, action: impl FnOnce(&mut Reader) -> Result<T>) -> Result<T> {
        action(&mut lock(&self.reader)).map_err(|error| self.complete(error))
    }

    /// Runs `action` in one transaction, and commits it as the next generation.
    fn write<T>(&self, action: impl FnOnce(&mut Writing<'_>) -> Result<T>) -> Result<T> {
        self.write_inner(action).map_err(|error| self.complete(error))
    }

    fn write_inner<T>(&self, action: impl FnOnce(&mut Writing<'_>) -> Result<T>) -> Result<T> {
        let mut writer = lock(&self.writer);
        if writer.is_none() {
            *writer = Some(Writer::open(&self.directory, &self.options)?);
        }
        let writer = writer.as_mut().expect("it was just opened");
        let mut write = writer.begin(self.options.clock.now_ms())?;
        let outcome = action(&mut write)?;
        write.commit()?;
        Ok(outcome)
    }

    fn complete(&self, error: MemoryError) -> MemoryError {
        error.within(&self.directory, self.options.timeout)
    }
}

/// Everything read through the result is of one generation.
fn consistent(reader: &mut Reader) -> Result<rusqlite::Transaction<'_>> {
    catalog::begin_read(&mut reader.connection)
}

fn open_reader(directory: &Path, options: &Options) -> Result<Reader> {
    let connection = catalog::open_reader(directory, options.read_only, options.timeout)?;
    let state = catalog::state(&connection)?;
    create::check_embedder(directory, &state, &options.embedder, options.dimension)?;
    Reader::open(directory, connection, &state)
}

/// A panic in another thread cannot leave half a write behind: a transaction that is dropped is rolled back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
