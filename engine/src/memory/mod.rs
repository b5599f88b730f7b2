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

mod admission;
mod base64;
mod blocks;
mod builder;
mod catalog;
mod changes;
mod clock;
mod compact;
mod create;
mod durability;
mod error;
mod event;
mod events;
mod evidence;
mod export;
mod filter;
mod group;
mod import;
mod incoming;
mod index;
mod indexer;
mod indexing;
mod keyword;
mod lessons;
mod operations;
mod pending;
mod reader;
mod recall;
mod record;
mod records;
mod sample;
mod segment;
mod snapshots;
mod stats;
mod take_over;
mod tombstones;
mod transaction;
mod turnstile;
mod upgrade;
mod verify;
mod view;
mod writer;

#[cfg(test)]
mod durability_tests;
#[cfg(test)]
mod index_tests;
#[cfg(test)]
mod lifecycle_tests;
#[cfg(test)]
mod take_over_tests;
#[cfg(test)]
mod tests;

use std::io::Write as Sink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) use catalog::immutable_uri;
pub use catalog::sqlite_version;
pub use changes::{Action, Change};
pub use clock::{Clock, SystemClock};
pub use compact::{Compaction, Purged};
pub(crate) use create::{sync_directory, sync_file};
pub use durability::Durability;
pub use error::{MemoryError, Result};
pub use event::{Candidate, Event, EventId, Evidence, EvidenceId, NewEvent, NewEvidence, Receipt, Settlement};
pub use filter::Filter;
pub use import::Imported;
pub use indexing::{IndexReport, Measurement, isa};
pub use lessons::{Progress, RecordEffect, SkillNumbers};
pub use operations::{Operation, Outcome};
pub use recall::{Hit, Query, RECALL, Recall, View};
pub use record::{FactKey, Inserted, Kind, MAX_LABEL_BYTES, MAX_STATEMENT_BYTES, NewRecord, Record, RecordId, Status};
pub use snapshots::Snapshot;
pub use stats::Stats;
pub use upgrade::upgrade;
pub use verify::{Finding, Report};

pub use crate::verdict::Verdict;

use crate::features;
use group::Group;
use indexer::Indexer;
use reader::Reader;
use writer::{Write, Writer};

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
    /// Take the embedder that an existing memory was made with, whichever it is.
    pub any_embedder: bool,
    /// What an acknowledged write survives.
    pub durability: Durability,
    /// How many bytes the files of the memory may have; a write beyond is refused.
    pub budget_bytes: Option<u64>,
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
            any_embedder: false,
            durability: Durability::Process,
            budget_bytes: None,
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
    group: Group,
    indexer: Indexer,
}

impl Memory {
    /// Opens the memory at `path`, in a time that does not depend on its size.
    pub fn open(path: &Path, mut options: Options) -> Result<Self> {
        if options.create && !options.read_only {
            create::if_missing(path, &options.embedder, options.dimension)?;
        }
        create::check_directory(path)?;
        let indexer = Indexer::default();
        let new_index = Arc::clone(&indexer.new_index);
        let reader =
            Reader::open(path, &mut options, new_index).map_err(|error| error.within(path, options.timeout))?;
        Ok(Self {
            directory: path.into(),
            options,
            reader: Mutex::new(reader),
            writer: Mutex::default(),
            group: Group::default(),
            indexer,
        })
    }

    /// The name of its embedder, and how many places the vectors have.
    pub fn embedder(&self) -> (&str, u32) {
        (&self.options.embedder, self.options.dimension)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Stores a record; a statement that is known under the same name and namespace is counted instead.
    pub fn insert(&self, record: &NewRecord) -> Result<Inserted> {
        self.insert_many(std::slice::from_ref(record), None).map(|inserted| inserted[0])
    }

    /// Stores records in one commit: all of them or, on error, none. Inserts of other threads may share it.
    ///
    /// `vectors` holds the vector of each record, one behind the other; without it, the built-in embedder makes them.
    pub fn insert_many(&self, records: &[NewRecord], vectors: Option<&[f32]>) -> Result<Vec<Inserted>> {
        records.iter().try_for_each(NewRecord::check)?;
        let dimension = self.options.dimension as usize;
        if let Some(vectors) = vectors {
            if vectors.len() != records.len() * dimension {
                return Err(MemoryError::Input(format!(
                    "{} records need {} numbers of vectors of {dimension} dimensions, {} were handed over",
                    records.len(),
                    records.len() * dimension,
                    vectors.len()
                )));
            }
            vectors.chunks(dimension).try_for_each(|vector| record::check_vector(vector, dimension))?;
        }
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let made: Vec<f32>;
        let vectors = if let Some(vectors) = vectors {
            vectors
        } else {
            made = records.iter().map(|record| self.embed(&record.statement)).collect::<Result<Vec<_>>>()?.concat();
            &made
        };
        self.group.store(
            records,
            vectors,
            || self.write(|write| write.insert_all(records, vectors)),
            |requests| {
                self.write(|write| requests.iter().map(|one| write.insert_all(&one.records, &one.vectors)).collect())
            },
        )
    }

    /// The records `ids`, in that order, the dead as well; as they are now, or were at a generation.
    pub fn get(&self, ids: &[RecordId], at: Option<i64>) -> Result<Vec<Record>> {
        self.read(|reader| {
            let transaction = consistent(reader)?;
            reader::check_at(&catalog::state(&transaction)?, at)?;
            records::get(&transaction, ids, at)
        })
    }

    /// The records that pass `filter`, in the order of their numbers.
    pub fn find(&self, filter: &Filter) -> Result<Vec<Record>> {
        self.read(|reader| {
            let transaction = consistent(reader)?;
            reader::check_at(&catalog::state(&transaction)?, filter.at)?;
            records::find(&transaction, filter)
        })
    }

    /// What happened to the record `id`, oldest first.
    pub fn history(&self, id: RecordId) -> Result<Vec<Change>> {
        let found = self.read(|reader| changes::find(&*consistent(reader)?, Some(id)))?;
        if found.is_empty() { Err(records::missing(id)) } else { Ok(found) }
    }

    /// Records evidence for a goal. A proof makes the goal checked; with a receipt, verified.
    pub fn add_evidence(&self, evidence: &NewEvidence) -> Result<EvidenceId> {
        evidence.check()?;
        self.write(|write| evidence::insert(&write.transaction, evidence, write.moment()))
    }

    /// The evidence for `goal` and what was merged into it, or all of it.
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

    /// Brings every acknowledged write to the disk, whatever the durability.
    pub fn flush(&self) -> Result<()> {
        self.with_writer(|writer, _| writer.flush()).map_err(|error| self.complete(error))
    }

    /// Writes everything that it holds as lines of JSON, of one generation; vectors only if asked.
    pub fn export(&self, out: &mut dyn Sink, vectors: bool) -> Result<()> {
        // A connection of its own: an export takes long, and recalls of other threads need not wait for it.
        let mut reader = Reader::again(&self.directory, &self.options).map_err(|error| self.complete(error))?;
        let mut export = || {
            if vectors {
                // Whose rows are may stand in the index: a damaged one is done without.
                reader.sound_view()?;
                let all = Filter::default();
                return reader.look_with(&all, |catalog, view| export::export(catalog, Some(view), out)).map(drop);
            }
            export::export(&*consistent(&mut reader)?, None, out)
        };
        export().map_err(|error| self.complete(error))
    }

    /// Checks everything that it holds.
    pub fn verify(&self) -> Result<Report> {
        let mut reader = Reader::again(&self.directory, &self.options).map_err(|error| self.complete(error))?;
        verify::verify(&mut reader, &self.directory).map_err(|error| self.complete(error))
    }

    fn read<T>(&self, action: impl FnOnce(&mut Reader) -> Result<T>) -> Result<T> {
        action(&mut lock(&self.reader)).map_err(|error| self.complete(error))
    }

    /// Runs `action` in one transaction, and commits it as the next generation.
    fn write<T>(&self, action: impl FnOnce(&mut Write<'_>) -> Result<T>) -> Result<T> {
        let written = self.with_writer(|writer, options| {
            let mut write = writer.begin(options)?;
            let outcome = action(&mut write)?;
            self.check_budget(&write)?;
            let rows = write.commit()?;
            writer.committed(rows)?;
            Ok(outcome)
        });
        written.map_err(|error| self.complete(error))
    }

    /// The same, but the commit is on the disk when this returns: afterwards what it replaced may be deleted.
    fn write_through<T>(&self, action: impl FnOnce(&mut Write<'_>) -> Result<T>) -> Result<T> {
        let written = self.with_writer(|writer, options| {
            writer.fully_synced(|writer| {
                let mut write = writer.begin(options)?;
                let outcome = action(&mut write)?;
                write.commit()?;
                Ok(outcome)
            })
        });
        written.map_err(|error| self.complete(error))
    }

    /// Runs `action`, which changes nothing that can be seen, in one transaction.
    fn maintain<T>(&self, action: impl FnOnce(&Write<'_>) -> Result<T>) -> Result<T> {
        let written = self.with_writer(|writer, options| {
            let write = writer.begin(options)?;
            let outcome = action(&write)?;
            write.commit_unseen()?;
            Ok(outcome)
        });
        written.map_err(|error| self.complete(error))
    }

    fn with_writer<T>(&self, action: impl FnOnce(&mut Writer, &Options) -> Result<T>) -> Result<T> {
        let mut writer = lock(&self.writer);
        let writer = match &mut *writer {
            Some(writer) => writer,
            closed => closed.insert(Writer::open(&self.directory, &self.options)?),
        };
        action(writer, &self.options)
    }

    /// Refuses a write that would make the files larger than they may be; what makes them smaller is always allowed.
    fn check_budget(&self, write: &Write<'_>) -> Result<()> {
        let Some(budget) = self.options.budget_bytes.filter(|_| write.state.rows > write.first) else {
            return Ok(());
        };
        // What stands behind the committed rows may be what a refused write has left: the next write overwrites it.
        let mut sizes = stats::sizes(&self.directory)?;
        sizes.remove(&segment::file_name(write.state.segment));
        let size = sizes.values().sum::<u64>() + write.segment.size_bytes(write.state.rows);
        if size > budget {
            return Err(MemoryError::Budget { path: self.directory.clone(), size, budget });
        }
        Ok(())
    }

    fn complete(&self, error: MemoryError) -> MemoryError {
        error.within(&self.directory, self.options.timeout)
    }
}

/// Everything read through the result is of one generation.
fn consistent(reader: &mut Reader) -> Result<rusqlite::Transaction<'_>> {
    catalog::begin_read(&mut reader.connection)
}

/// A panic in another thread cannot leave half a write behind: a transaction that is dropped is rolled back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
