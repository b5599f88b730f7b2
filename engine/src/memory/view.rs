//! One generation of a memory, as searches see it: its rows, whose they are, and their codes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use porism_native::map::MappedRows;
use rusqlite::Connection;

use super::blocks;
use super::catalog::State;
use super::error::{CATALOG, MemoryError};
use super::recall::Hit;
use super::record::RecordId;
use super::segment::Segment;
use crate::lsh::{
    Damage, Promises, Reach, RowSet, Rows, Scope, Sealed, Tail, Trouble, can_index, exact, floats, search,
};
use porism_native::simd::Routines;

/// One generation of a memory. What a search needs of it never changes, so that searches hold no lock.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) state: State,
    pub(super) segment: Arc<Segment>,
    pub(super) rows: MappedRows,
    pub(super) sealed: Option<Arc<Sealed>>,
    /// For each row that `sealed` does not have: its record, and its checksum.
    records: Vec<(RecordId, u32)>,
    /// The codes of the first of them, or of all: they are not made while somebody waits if they are too many.
    codes: Option<Tail>,
    checked: Arc<Checked>,
    routines: &'static Routines,
}

/// Which rows were compared with their checksums since the memory was opened.
#[derive(Debug, Default)]
struct Checked(Vec<AtomicU64>);

/// How many rows without codes get them at once, before the first search.
const CODED_AT_ONCE: usize = 4_096;

/// Fewer rows are searched without an index in the time that it takes to look at one.
const LEAST_INDEXED: u64 = 2_048;

impl View {
    /// A view of no row yet.
    pub(super) fn empty(
        state: State,
        segment: Arc<Segment>,
        sealed: Option<Arc<Sealed>>,
        routines: &'static Routines,
    ) -> Result<Self, MemoryError> {
        let dimension = state.dimension;
        let codes = can_index(dimension).then(|| match &sealed {
            Some(sealed) => Tail::behind(sealed),
            None => Tail::alone(dimension as usize, seed(&state), routines),
        });
        let rows = segment.map(0)?;
        Ok(Self { state, segment, rows, sealed, records: Vec::new(), codes, checked: Arc::default(), routines })
    }

    /// Sees what is committed by now, in the same file of rows.
    ///
    /// With `patient`, all rows get their codes, however long it takes.
    pub(super) fn grow(&mut self, connection: &Connection, state: State, patient: bool) -> Result<(), MemoryError> {
        self.rows = self.segment.grown(&self.rows, state.rows)?;
        self.state = state;
        if self.checked.0.len() * 64 < self.rows.len() {
            self.checked = Arc::new(self.checked.grown(self.rows.len()));
        }
        self.read_records(connection)?;
        self.make_codes(patient)
    }

    /// Reads whose the new rows are.
    fn read_records(&mut self, connection: &Connection) -> Result<(), MemoryError> {
        let first = self.sealed_rows() + self.records.len() as u64;
        if first == self.state.rows {
            return Ok(());
        }
        let last = match (self.records.last(), &self.sealed) {
            (Some(&(id, _)), _) => id,
            (None, Some(sealed)) => RecordId(sealed.record(sealed.rows() - 1).map_err(|it| MemoryError::index(&it))?.0),
            (None, None) => RecordId(0),
        };
        let mut next = first;
        blocks::for_each(connection, first, last, |row, entry| {
            if row != next {
                let reason = format!("row {row} comes where row {next} was to come");
                return Err(MemoryError::damaged(CATALOG, format!("record {}", entry.number), reason));
            }
            next += 1;
            self.records.push((entry.number, entry.checksum));
            Ok(())
        })?;
        if next == self.state.rows { Ok(()) } else { Err(unnamed(next)) }
    }

    /// Makes the codes of rows that have none, and compares these rows with their checksums first.
    fn make_codes(&mut self, patient: bool) -> Result<(), MemoryError> {
        let Some(mut codes) = self.codes.take() else {
            return Ok(());
        };
        let missing = self.rows.len() - codes.end() as usize;
        if patient || missing <= CODED_AT_ONCE {
            for row in codes.end()..u32::try_from(self.rows.len()).unwrap_or(u32::MAX) {
                if !self.sound(row) {
                    return Err(self.damaged_row(row));
                }
                codes.push(&floats(self.rows.row(row as usize).unwrap_or_default()));
            }
        }
        self.codes = Some(codes);
        Ok(())
    }

    fn sealed_rows(&self) -> u64 {
        self.sealed.as_ref().map_or(0, |sealed| u64::from(sealed.rows()))
    }

    /// How many rows no index has.
    pub(super) fn unsealed(&self) -> u64 {
        self.records.len() as u64
    }

    /// Whether so many rows have no index that one is worth making, or looking for.
    pub(super) fn wants_index(&self) -> bool {
        self.codes.is_some() && self.unsealed() > LEAST_INDEXED.max(self.sealed_rows() / 8)
    }

    /// The record of `row`, and the checksum of the row.
    fn record(&self, row: u32) -> Result<(RecordId, u32), Damage> {
        match &self.sealed {
            Some(sealed) if row < sealed.rows() => sealed.record(row).map(|(id, checksum)| (RecordId(id), checksum)),
            sealed => {
                let first = sealed.as_ref().map_or(0, |sealed| sealed.rows());
                Ok(self.records[(row - first) as usize])
            }
        }
    }

    /// The record of the last row.
    pub(super) fn last_record(&self) -> Result<RecordId, MemoryError> {
        match u32::try_from(self.rows.len()).unwrap_or(u32::MAX).checked_sub(1) {
            Some(row) => Ok(self.record(row).map_err(|damage| MemoryError::index(&damage))?.0),
            None => Ok(RecordId(0)),
        }
    }

    /// The records nearest to `query`, as `setting` finds them; `None`: exactly.
    pub(super) fn nearest(
        &self,
        query: &[f32],
        k: usize,
        setting: Option<Reach>,
        admitted: Option<&RowSet>,
    ) -> Result<Vec<Hit>, Trouble> {
        if query.iter().all(|&x| x == 0.0) {
            // Near to nothing.
            return Ok(Vec::new());
        }
        let found = match (setting, self.complete_codes()) {
            (Some(setting), Some(tail)) => {
                let scope = Scope { sealed: self.sealed.as_deref(), tail, rows: self, admitted };
                search(&scope, query, k, setting).map(|found| found.best)
            }
            _ => exact(self.routines, self, query, k, admitted),
        };
        let best = found.map_err(|trouble| match trouble {
            // A row whose checksum is not known because the index is damaged may be sound.
            Trouble::Row(row) => self.record(row).err().map_or(Trouble::Row(row), Trouble::Index),
            damage @ Trouble::Index(_) => damage,
        })?;
        best.iter().map(|scored| Ok(Hit { id: self.record(scored.row)?.0, score: scored.score })).collect()
    }

    fn complete_codes(&self) -> Option<&Tail> {
        self.codes.as_ref().filter(|codes| codes.end() as usize == self.rows.len())
    }

    /// How to search for `k` of the rows that are `admitted` so that `recall` is kept; `None`: exactly.
    pub(super) fn setting(&self, k: usize, recall: f32, admitted: Option<&RowSet>) -> Option<Reach> {
        if recall >= 1.0 || self.complete_codes().is_none() {
            return None;
        }
        let rows = self.rows.len();
        let admitted = admitted.map_or(rows, RowSet::len);
        Some(match &self.sealed {
            Some(sealed) => Promises(sealed.promises()).setting_among(k, recall, admitted, rows),
            None => Tail::setting(recall).into(),
        })
    }

    /// Takes over which rows were compared with their checksums.
    pub(super) fn checked_as(mut self, other: &Self) -> Self {
        self.checked = Arc::clone(&other.checked);
        self
    }

    /// All rows, each compared with its checksum.
    pub(super) fn checked_rows(&self) -> impl Iterator<Item = Result<&[u8], MemoryError>> {
        (0..)
            .zip(self.rows.iter())
            .map(|(row, bytes)| if self.sound(row) { Ok(bytes) } else { Err(self.damaged_row(row)) })
    }

    /// What a memory says when a row is not what was stored.
    pub(super) fn damaged_row(&self, row: u32) -> MemoryError {
        let bytes = self.rows.row(row as usize).unwrap_or_default();
        match self.record(row) {
            Ok((_, checksum)) => {
                self.segment.check(row.into(), bytes, checksum).err().unwrap_or_else(|| unnamed(row.into()))
            }
            Err(damage) => MemoryError::index(&damage),
        }
    }

    /// The records of all rows.
    pub(super) fn all_records(&self) -> Result<Vec<(i64, u32)>, MemoryError> {
        let rows = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let record = |row| self.record(row).map(|(id, checksum)| (id.0, checksum));
        (0..rows).map(record).collect::<Result<_, Damage>>().map_err(|damage| MemoryError::index(&damage))
    }

    pub(super) fn routines(&self) -> &'static Routines {
        self.routines
    }
}

impl Rows for View {
    fn bytes(&self) -> &[u8] {
        self.rows.bytes()
    }

    fn sound(&self, row: u32) -> bool {
        if self.checked.contains(row as usize) {
            return true;
        }
        let Some(bytes) = self.rows.row(row as usize) else {
            return false;
        };
        let sound = self.record(row).is_ok_and(|(_, checksum)| crc32fast::hash(bytes) == checksum);
        if sound {
            self.checked.set(row as usize);
        }
        sound
    }
}

impl Checked {
    /// One for `rows` rows and some to come, with what this one knows.
    fn grown(self: &Arc<Self>, rows: usize) -> Self {
        let words = self.0.iter().map(|word| AtomicU64::new(word.load(Ordering::Relaxed)));
        let mut words: Vec<AtomicU64> = words.collect();
        words.resize_with((rows * 2).div_ceil(64), AtomicU64::default);
        Self(words)
    }

    fn contains(&self, row: usize) -> bool {
        self.0.get(row / 64).is_some_and(|word| word.load(Ordering::Relaxed) >> (row % 64) & 1 == 1)
    }

    fn set(&self, row: usize) {
        if let Some(word) = self.0.get(row / 64) {
            word.fetch_or(1 << (row % 64), Ordering::Relaxed);
        }
    }
}

/// The seed of everything random in the indexes of a memory.
pub(super) fn seed(state: &State) -> u64 {
    let (words, _) = state.identity.as_chunks::<8>();
    words.iter().map(|word| u64::from_le_bytes(*word)).fold(0, |seed, word| seed ^ word)
}

/// The catalog has no record for a row that it committed.
fn unnamed(row: u64) -> MemoryError {
    MemoryError::damaged(CATALOG, format!("row {row}"), "no record names this row")
}
