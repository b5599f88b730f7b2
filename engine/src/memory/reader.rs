//! Reading: views of the memory, kept for as long as nothing is committed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use porism_native::simd::Routines;
use porism_native::sqlite::commit_stamp;
use rusqlite::Connection;

use super::Options;
use super::admission::{Admissions, Admitted};
use super::catalog::{self, State};
use super::create;
use super::error::{MemoryError, Result};
use super::filter::Filter;
use super::index;
use super::pending;
use super::segment::Segment;
use super::view::View;

/// How often a reader looks again because the rows were written anew between two looks.
const LOOKS: u32 = 5;

/// The reading half of a memory.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) connection: Connection,
    eye: Eye,
}

/// What was seen of a memory.
#[derive(Debug)]
struct Eye {
    directory: PathBuf,
    embedder: String,
    dimension: u32,
    routines: &'static Routines,
    /// All rows get their codes before the first search: nobody will make an index.
    patient: bool,
    segment: Arc<Segment>,
    /// Whether the catalog can tell that something was committed.
    stamped: bool,
    current: Option<Current>,
    admissions: Admissions,
    /// Set when an index was made.
    new_index: Arc<AtomicBool>,
    /// The numbers of indexes of this file of rows that were found to be damaged.
    damaged_indexes: BTreeSet<u32>,
}

/// A view, and the stamp of the memory before it was made.
#[derive(Debug)]
struct Current {
    view: Arc<View>,
    stamp: Option<[u64; 6]>,
}

impl Reader {
    /// Opens the memory in `directory` for reading, and checks that its committed rows are there.
    ///
    /// If any embedder will do, `options` names the memory's afterwards. Whoever makes an index sets `new_index`.
    pub(super) fn open(directory: &Path, options: &mut Options, new_index: Arc<AtomicBool>) -> Result<Self> {
        let (connection, shared) = catalog::open_reader(directory, options.read_only, options.timeout)?;
        if options.any_embedder {
            let state = catalog::state(&connection)?;
            (options.embedder, options.dimension) = (state.embedder, state.dimension);
        }
        Self::over(connection, shared, directory, options, new_index)
    }

    /// Another one, with a connection of its own.
    pub(super) fn again(directory: &Path, options: &Options) -> Result<Self> {
        let (connection, shared) = catalog::open_reader(directory, options.read_only, options.timeout)?;
        Self::over(connection, shared, directory, options, Arc::default())
    }

    fn over(
        connection: Connection,
        shared: bool,
        directory: &Path,
        options: &Options,
        new_index: Arc<AtomicBool>,
    ) -> Result<Self> {
        let state = catalog::state(&connection)?;
        create::check_embedder(directory, &state, &options.embedder, options.dimension)?;
        let segment = Arc::new(open_segment(directory, &connection)?);
        pending::put_back(&connection, directory, &segment)?;
        // A truncated file is reported now, not at the first recall. The rows themselves are read when they are needed.
        segment.map(state.rows)?;
        let eye = Eye {
            directory: directory.to_owned(),
            embedder: options.embedder.clone(),
            dimension: options.dimension,
            routines: routines()?,
            patient: options.read_only,
            segment,
            stamped: shared,
            current: None,
            admissions: Admissions::default(),
            new_index,
            damaged_indexes: BTreeSet::new(),
        };
        Ok(Self { connection, eye })
    }

    /// The newest generation.
    pub(super) fn view(&mut self) -> Result<Arc<View>> {
        match self.unchanged() {
            Some(view) => Ok(view),
            None => self.look(&Filter::default()).map(|(view, _)| view),
        }
    }

    /// The newest generation, with an index that is sound in all its parts, or without one.
    pub(super) fn sound_view(&mut self) -> Result<Arc<View>> {
        loop {
            let view = self.view()?;
            if view.sealed.as_ref().is_none_or(|sealed| sealed.verify().is_ok()) {
                return Ok(view);
            }
            self.discard_index(&view);
        }
    }

    /// The newest generation, and which of its rows pass `filter`.
    pub(super) fn look(&mut self, filter: &Filter) -> Result<(Arc<View>, Admitted)> {
        if let Some(view) = self.unchanged()
            && let Some(admitted) = self.eye.admissions.known(filter, &view)
        {
            return Ok((view, admitted));
        }
        self.look_with(filter, |_, _| Ok(())).map(|(view, admitted, ())| (view, admitted))
    }

    /// The same, and what `more` reads of that generation.
    pub(super) fn look_with<T>(
        &mut self,
        filter: &Filter,
        more: impl FnOnce(&Connection, &View) -> Result<T>,
    ) -> Result<(Arc<View>, Admitted, T)> {
        let mut look = 1;
        let (transaction, view) = loop {
            // The stamp is taken first: what is read afterwards is of this commit or a later one.
            let stamp = self.stamp();
            let transaction = self.connection.unchecked_transaction()?;
            let state = catalog::state(&transaction)?;
            let segment = state.segment;
            match self.eye.see(&transaction, state, stamp) {
                Ok(view) => break (transaction, view),
                Err(error) => {
                    drop(transaction);
                    // A compaction may have replaced the rows between the look at the catalog and the look at them.
                    if look == LOOKS || catalog::state(&self.connection)?.segment == segment {
                        return Err(error);
                    }
                    look += 1;
                }
            }
        };
        check_at(&view.state, filter.at)?;
        let admitted = self.eye.admissions.find(&transaction, filter, &view)?;
        let more = more(&transaction, &view)?;
        Ok((view, admitted, more))
    }

    /// The view, if nothing was committed since it was made.
    fn unchanged(&self) -> Option<Arc<View>> {
        let current = self.eye.current.as_ref().filter(|_| !self.eye.new_index.load(Ordering::Relaxed))?;
        let now = self.stamp()?;
        (current.stamp == Some(now)).then(|| Arc::clone(&current.view))
    }

    fn stamp(&self) -> Option<[u64; 6]> {
        if self.eye.stamped { commit_stamp(&self.connection) } else { None }
    }

    /// Does without the index of a view from now on: it is damaged.
    pub(super) fn discard_index(&mut self, view: &View) {
        if let Some(sealed) = &view.sealed {
            self.eye.damaged_indexes.insert(sealed.number());
        }
        self.eye.current = None;
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // With nothing in the log there is nothing to fold, and the last to close may clear it away. That it stays is no harm.
        if catalog::has_log(&self.eye.directory).is_ok_and(|log| !log) {
            let _ = catalog::clear_log_on_close(&self.connection);
        }
    }
}

impl Eye {
    /// Sees the generation that `transaction` reads.
    fn see(&mut self, transaction: &Connection, state: State, stamp: Option<[u64; 6]>) -> Result<Arc<View>> {
        if state.segment != self.segment.number {
            create::check_embedder(&self.directory, &state, &self.embedder, self.dimension)?;
            self.segment = Arc::new(Segment::open(&self.directory, &state, false)?);
            self.current = None;
            self.admissions.clear();
            self.damaged_indexes.clear();
        }
        let new_index = self.new_index.swap(false, Ordering::Relaxed);
        // Nobody else may hold the view any more: then it grows where it is.
        let older = self.current.take().map(|current| Arc::unwrap_or_clone(current.view));
        let mut view = match older {
            Some(older) if !new_index && !self.expects_index(&older, &state) => older,
            older => self.begin(transaction, state.clone(), older)?,
        };
        view.grow(transaction, state, self.patient)?;
        let view = Arc::new(view);
        self.current = Some(Current { view: Arc::clone(&view), stamp });
        Ok(view)
    }

    /// Whether to look for another index than that of a view, now that something was committed: many rows have none, its own one has
    /// been replaced, or what was committed is nothing else.
    fn expects_index(&self, view: &View, state: &State) -> bool {
        view.wants_index()
            || match &view.sealed {
                Some(sealed) => index::is_replaced(&self.directory, state.segment, sealed.number()),
                None => view.state.generation == state.generation,
            }
    }

    /// A view with the newest index that there is, or `older` if it has that one.
    fn begin(&self, transaction: &Connection, state: State, older: Option<View>) -> Result<View> {
        let number = older.as_ref().and_then(|older| Some(older.sealed.as_ref()?.number()));
        let sealed = index::newest(&self.directory, transaction, &state, number, &self.damaged_indexes, self.routines)?;
        Ok(match (older, sealed) {
            (Some(older), None) => older,
            (Some(older), Some(sealed)) => {
                View::empty(state, Arc::clone(&self.segment), Some(sealed), self.routines)?.checked_as(&older)
            }
            (None, sealed) => View::empty(state, Arc::clone(&self.segment), sealed, self.routines)?,
        })
    }
}

/// The routines of this machine.
pub(super) fn routines() -> Result<&'static Routines> {
    Routines::chosen().map_err(|error| MemoryError::input(error.to_string()))
}

/// An error if the generation `at` of a memory cannot be seen.
pub(super) fn check_at(state: &State, at: Option<i64>) -> Result<()> {
    match at {
        Some(at) if !(state.horizon..=state.generation).contains(&at) => Err(MemoryError::Input(format!(
            "generation {at} cannot be seen: this memory reaches from {} to {}",
            state.horizon, state.generation
        ))),
        _ => Ok(()),
    }
}

/// Opens the file of rows that the catalog names. It may be replaced between the look and the opening, but then it is named anew.
fn open_segment(directory: &Path, connection: &Connection) -> Result<Segment> {
    let mut look = 1;
    loop {
        let state = catalog::state(connection)?;
        match Segment::open(directory, &state, false) {
            Err(MemoryError::Damaged { .. })
                if look < LOOKS && catalog::state(connection)?.segment != state.segment =>
            {
                look += 1;
            }
            opened => return opened,
        }
    }
}
