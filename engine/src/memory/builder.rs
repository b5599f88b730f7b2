//! Making an index, while others search, write, and write the rows anew.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::catalog::State;
use super::error::{MemoryError, Result};
use super::index;
use super::reader::{Reader, routines};
use super::record::RecordId;
use super::view::{View, seed};
use super::writer::{Write, Writer};
use super::{Options, blocks};
use crate::lsh::{SealError, Sealed, Source, Workers, carry, seal};

/// Whoever makes an index holds this file.
const LOCK: &str = "index.lock";
/// An index that is made has this name until it gets its own.
const DRAFT: &str = "index.lsh";
/// How often a finished index waits for other writers, each time as long as a write does: it took longer to make.
const ATTEMPTS: u32 = 12;

/// Makes an index of all rows that are committed now; says whether there was anything to do.
///
/// Searches and writes go on meanwhile. Another process that is making one is an error of the kind `Locked`.
pub(super) fn build(directory: &Path, options: &Options, queries: &[Vec<f32>], workers: &Workers<'_>) -> Result<bool> {
    let mut builder = Builder::begin(directory, options)?;
    let Some(draft) = builder.seal(queries, workers)? else {
        return Ok(false);
    };
    builder.place(&draft)?;
    Ok(true)
}

/// The right to make an index.
pub(super) struct Builder<'a> {
    directory: &'a Path,
    options: &'a Options,
    writer: Writer,
    reader: Reader,
    /// Held until the builder goes.
    _lock: File,
}

/// An index that has no name of its own yet.
pub(super) struct Draft {
    /// The memory whose rows it has.
    state: State,
    number: u32,
    /// For each of its rows, the record and the checksum.
    records: Vec<(i64, u32)>,
}

impl<'a> Builder<'a> {
    pub(super) fn begin(directory: &'a Path, options: &'a Options) -> Result<Self> {
        let writer = Writer::open(directory, options)?;
        let path = directory.join(LOCK);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|error| MemoryError::io(&path, "open the file", &error))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => MemoryError::Locked { path: path.clone(), waited: Duration::ZERO },
            TryLockError::Error(error) => MemoryError::io(&path, "lock the file", &error),
        })?;
        let reader = Reader::again(directory, options)?;
        Ok(Self { directory, options, writer, reader, _lock: lock })
    }

    /// Makes an index of all rows that are committed now, if there are any that none has.
    pub(super) fn seal(&mut self, queries: &[Vec<f32>], workers: &Workers<'_>) -> Result<Option<Draft>> {
        // One that is damaged where nobody has looked yet is made anew too, although it has all rows.
        let view = self.reader.sound_view()?;
        if view.unsealed() == 0 || !crate::lsh::can_index(view.state.dimension) {
            return Ok(None);
        }
        // After a power cut the catalog must not have other rows than the index, so what is indexed is brought to the disk first.
        self.writer.flush()?;
        let state = view.state.clone();
        let number = index::next_number(self.directory, state.segment)?;
        let records = view.all_records()?;
        let source = Source {
            belonging: index::belonging(&state),
            number,
            seed: seed(&state),
            rows: &*view,
            records: &records,
            queries,
            routines: view.routines(),
        };
        let path = self.draft();
        seal(&source, &path, workers).map_err(|error| failed(&path, error, &view))?;
        Ok(Some(Draft { state, number, records }))
    }

    /// Gives the index its name, and lets others know. If the rows were written anew meanwhile, it is taken along: what was worked out
    /// is not lost, however often that happens.
    pub(super) fn place(&mut self, draft: &Draft) -> Result<()> {
        let path = self.draft();
        let write = begin_patiently(&mut self.writer, self.options)?;
        let segment = write.state.segment;
        if segment == draft.state.segment {
            let place = self.directory.join(index::file_name(segment, draft.number));
            fs::rename(&path, &place).map_err(|error| MemoryError::io(&place, "name the index", &error))?;
        } else {
            let outcome = take_along(draft, &path, &write);
            index::remove(&path).map_err(|error| MemoryError::io(&path, "remove the draft", &error))?;
            outcome?;
        }
        index::remove_older(self.directory, segment)?;
        // Who looks at the log sees that something happened, and looks for the index.
        write.touch()?;
        write.commit_unseen()
    }

    fn draft(&self) -> PathBuf {
        self.directory.join(DRAFT)
    }
}

/// Begins a write, however busy others are.
fn begin_patiently<'a>(writer: &'a mut Writer, options: &Options) -> Result<Write<'a>> {
    for _ in 1..ATTEMPTS {
        // What is begun here cannot be returned from within the loop, so it is begun once more.
        match writer.begin(options).map(drop) {
            Err(MemoryError::Locked { .. }) => {}
            outcome => {
                outcome?;
                break;
            }
        }
    }
    writer.begin(options)
}

/// Writes the index at `path` anew, with the numbers that its rows have now. Where other vectors have come meanwhile, or few rows are
/// left, nothing is written.
fn take_along(draft: &Draft, path: &Path, write: &Write<'_>) -> Result<()> {
    if write.state.dimension != draft.state.dimension {
        return Ok(());
    }
    let mut renumbered = vec![None; draft.records.len()];
    let mut old = (0..).zip(&draft.records).peekable();
    let (mut records, mut same) = (Vec::new(), true);
    blocks::for_each(&write.transaction, 0, RecordId(0), |row, entry| {
        while old.next_if(|(_, record)| record.0 < entry.number.0).is_some() {}
        if let Some((before, record)) = old.next_if(|(_, record)| record.0 == entry.number.0) {
            same &= record.1 == entry.checksum;
            renumbered[before] = u32::try_from(row).ok();
            records.push(*record);
        }
        Ok(())
    })?;
    if !same {
        return Ok(());
    }
    let file = File::open(path).map_err(|error| MemoryError::io(path, "open the draft", &error))?;
    let number = index::next_number(write.directory, write.state.segment)?;
    let place = write.directory.join(index::file_name(write.state.segment, number));
    let failed = |error| MemoryError::io(&place, "write the index", &io::Error::other(format!("{error}")));
    let sealed = Sealed::open(&file, &index::belonging(&draft.state), routines()?);
    let sealed = sealed.map_err(|damage| failed(SealError::Damaged(damage)))?;
    carry(&sealed, index::belonging(&write.state), number, &renumbered, &records, &place).map_err(failed)
}

fn failed(path: &Path, error: SealError, view: &View) -> MemoryError {
    match error {
        SealError::Row(row) => view.damaged_row(row),
        SealError::Io(error) => MemoryError::io(path, "write the index", &error),
        other => MemoryError::io(path, "write the index", &io::Error::other(other.to_string())),
    }
}
