//! Reading rows: mapped once, checked on first touch, named by the catalog.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use porism_native::map::MappedRows;
use rusqlite::{Connection, Transaction, params_from_iter};

use super::Options;
use super::blocks;
use super::catalog::{self, State, count};
use super::create;
use super::error::{CATALOG, MemoryError, Result};
use super::filter::Filter;
use super::numbers::Numbers;
use super::pending;
use super::record::RecordId;
use super::rows::{RowSet, Scored};
use super::segment::Segment;

/// The reading half of a memory.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) connection: Connection,
    pub(super) segment: Segment,
    directory: PathBuf,
    embedder: String,
    dimension: u32,
    /// The rows as last mapped; all of them agree with their checksums.
    rows: Arc<MappedRows>,
    /// Whose they are.
    numbers: Numbers,
    /// The rows of records that are alive, at a generation; `None` when all are.
    alive: (i64, Option<Arc<RowSet>>),
}

/// One generation of a memory.
pub(super) struct View<'a> {
    pub(super) transaction: Transaction<'a>,
    pub(super) state: State,
    pub(super) rows: Arc<MappedRows>,
    alive: &'a mut (i64, Option<Arc<RowSet>>),
}

impl Reader {
    /// Opens the memory in `directory` for reading, and checks that its committed rows are there.
    ///
    /// If any embedder will do, `options` names the memory's afterwards.
    pub(super) fn open(directory: &Path, options: &mut Options) -> Result<Self> {
        let connection = catalog::open_reader(directory, options.read_only, options.timeout)?;
        if options.any_embedder {
            let state = catalog::state(&connection)?;
            (options.embedder, options.dimension) = (state.embedder, state.dimension);
        }
        Self::over(connection, directory, options)
    }

    /// Another one, with a connection of its own.
    pub(super) fn again(directory: &Path, options: &Options) -> Result<Self> {
        Self::over(catalog::open_reader(directory, options.read_only, options.timeout)?, directory, options)
    }

    fn over(connection: Connection, directory: &Path, options: &Options) -> Result<Self> {
        let state = catalog::state(&connection)?;
        create::check_embedder(directory, &state, &options.embedder, options.dimension)?;
        let segment = open_segment(directory, &connection)?;
        pending::put_back(&connection, directory, &segment)?;
        // A truncated file is reported now, not at the first recall. The rows themselves are read when they are needed.
        segment.map(state.rows)?;
        let rows = Arc::new(segment.map(0)?);
        let (directory, embedder) = (directory.to_owned(), options.embedder.clone());
        let alive = (-1, None);
        Ok(Self {
            connection,
            segment,
            directory,
            embedder,
            dimension: options.dimension,
            rows,
            numbers: Numbers::default(),
            alive,
        })
    }

    /// A view of one generation, with its rows mapped and checked.
    pub(super) fn view(&mut self) -> Result<View<'_>> {
        // A compaction may replace the rows between any two looks at the catalog; the next look then sees the new ones.
        let (transaction, state) = loop {
            let transaction = self.connection.unchecked_transaction()?;
            let state = catalog::state(&transaction)?;
            if state.segment == self.segment.number {
                break (transaction, state);
            }
            create::check_embedder(&self.directory, &state, &self.embedder, self.dimension)?;
            drop(transaction);
            self.segment = open_segment(&self.directory, &self.connection)?;
            self.rows = Arc::new(self.segment.map(0)?);
            self.numbers = Numbers::default();
            self.alive = (-1, None);
        };
        let known = self.rows.len() as u64;
        if state.rows > known {
            let rows = self.segment.map(state.rows)?;
            check_rows(&transaction, &self.segment, &rows, known, &mut self.numbers)?;
            self.rows = Arc::new(rows);
        }
        Ok(View { transaction, state, rows: Arc::clone(&self.rows), alive: &mut self.alive })
    }

    /// The numbers of the records of the rows that were found in the file `segment`, in the same order, with a last look at their
    /// checksums; `None` if the memory was compacted since.
    pub(super) fn ids(&self, segment: u32, rows: &MappedRows, found: &[Scored]) -> Result<Option<Vec<RecordId>>> {
        let transaction = self.connection.unchecked_transaction()?;
        if catalog::state(&transaction)?.segment != segment || self.segment.number != segment {
            return Ok(None);
        }
        let wanted = catalog::list(found.iter().filter_map(|scored| self.numbers.of(scored.row as u64)).map(|id| id.0));
        let mut statement = transaction
            .prepare_cached("SELECT row, id, row_checksum FROM record WHERE id IN (SELECT value FROM json_each(?1))")?;
        let records = statement
            .query_map([wanted], |row| Ok((count(row, 0)?, (row.get(1)?, row.get(2)?))))?
            .collect::<rusqlite::Result<HashMap<_, _>>>()?;
        let ids = found.iter().map(|scored| {
            let index = scored.row as u64;
            let &(id, checksum) = records.get(&index).ok_or_else(|| unnamed(index))?;
            self.segment.check(index, rows.row(scored.row).unwrap_or_default(), checksum)?;
            Ok(id)
        });
        ids.collect::<Result<Vec<_>>>().map(Some)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // With nothing in the log there is nothing to fold, and the last to close may clear it away. That it stays is no harm.
        if catalog::has_log(&self.directory).is_ok_and(|log| !log) {
            let _ = catalog::clear_log_on_close(&self.connection);
        }
    }
}

impl View<'_> {
    /// An error if the generation `at` cannot be seen.
    pub(super) fn check_at(&self, at: Option<i64>) -> Result<()> {
        check_at(&self.state, at)
    }

    /// The rows of the records that pass `filter`; `None` when all do.
    pub(super) fn admitted(&mut self, filter: &Filter) -> Result<Option<Arc<RowSet>>> {
        self.check_at(filter.at)?;
        if !filter.is_plain() {
            let (condition, values) = filter.condition();
            let sql = format!("SELECT row FROM record WHERE {condition}");
            let mut admitted = RowSet::none(self.rows.len());
            let mut statement = self.transaction.prepare(&sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                admitted.set(count(row, 0)?, true);
            }
            return Ok(Some(Arc::new(admitted)));
        }
        if self.alive.0 != self.state.generation {
            let mut statement = self.transaction.prepare_cached("SELECT row FROM record WHERE died IS NOT NULL")?;
            let mut dead = statement.query_map([], |row| count(row, 0))?.peekable();
            let mut alive = None;
            if dead.peek().is_some() {
                let mut rows = RowSet::all(self.rows.len());
                dead.try_for_each(|row| row.map(|row| rows.set(row, false)))?;
                alive = Some(Arc::new(rows));
            }
            *self.alive = (self.state.generation, alive);
        }
        Ok(self.alive.1.clone())
    }
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
    const LOOKS: u32 = 5;
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

/// Compares the rows from `first` on with the checksums in the catalog, and notes whose they are in `numbers`.
///
/// A damaged row could score too low and be missed without a word, so it is not enough to check what is found.
fn check_rows(
    connection: &Connection,
    segment: &Segment,
    rows: &MappedRows,
    first: u64,
    numbers: &mut Numbers,
) -> Result<()> {
    let last = first.checked_sub(1).and_then(|last| numbers.of(last)).unwrap_or(RecordId(0));
    let mut next = first;
    blocks::for_each(connection, first, last, |row, entry| {
        if row != next {
            return Err(unnamed(next));
        }
        next += 1;
        numbers.push(row, entry.number)?;
        let bytes = usize::try_from(row).ok().and_then(|row| rows.row(row)).unwrap_or_default();
        segment.check(row, bytes, entry.checksum)
    })?;
    if next == rows.len() as u64 { Ok(()) } else { Err(unnamed(next)) }
}

/// The catalog has no record for a row that it committed.
fn unnamed(row: u64) -> MemoryError {
    MemoryError::damaged(CATALOG, format!("row {row}"), "no record names this row")
}
