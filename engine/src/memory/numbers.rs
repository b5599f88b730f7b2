//! Which record a row belongs to, without a look at the catalog.
//!
//! Rows are in the order of the numbers of their records: an insert gives out both in ascending order, and whoever writes the rows
//! anew goes by the numbers. So rows and numbers go up together but where records were purged or compacted away, and it is enough
//! to know those places.

use super::error::{CATALOG, MemoryError, Result};
use super::record::RecordId;

/// The numbers of the records of the first rows.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// The first row and its record of every run in which both go up by one.
    runs: Vec<(u64, i64)>,
    rows: u64,
}

impl Numbers {
    /// The record of `row`.
    pub(super) fn of(&self, row: u64) -> Option<RecordId> {
        let run = self.runs.partition_point(|&(first, _)| first <= row).checked_sub(1)?;
        let (first, number) = self.runs[run];
        if row < self.rows { number.checked_add_unsigned(row - first).map(RecordId) } else { None }
    }

    /// Notes that `number` has the row behind the last, or one that is known; anything else is damage.
    pub(super) fn push(&mut self, row: u64, number: RecordId) -> Result<()> {
        if row < self.rows && self.of(row) == Some(number) {
            return Ok(());
        }
        let last = row.checked_sub(1).and_then(|before| self.of(before)).map_or(0, |last| last.0);
        if row != self.rows || number.0 <= last {
            let reason = "rows are not in the order of the records";
            return Err(MemoryError::damaged(CATALOG, format!("record {number}"), reason));
        }
        if row == 0 || number.0 - last > 1 {
            self.runs.push((row, number.0));
        }
        self.rows += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_know_their_records_across_gaps() {
        let mut numbers = Numbers::default();
        let records = [1, 2, 5, 6, 7, 9];
        for (row, &number) in (0..).zip(&records) {
            numbers.push(row, RecordId(number)).unwrap();
            numbers.push(0, RecordId(1)).unwrap();
        }
        for (row, &number) in (0..).zip(&records) {
            assert_eq!(numbers.of(row), Some(RecordId(number)));
        }
        assert_eq!(numbers.of(6), None);
        assert_eq!(numbers.runs.len(), 3);
        for (row, number) in [(6, 9), (6, 3), (7, 10), (2, 6)] {
            assert!(numbers.push(row, RecordId(number)).is_err(), "row {row} of record {number}");
        }
    }
}
