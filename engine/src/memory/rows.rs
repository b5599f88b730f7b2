//! The exact scan: the rows that are nearest to a query.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use porism_native::map::MappedRows;

/// How many sums run side by side: enough to fill the vector registers of any machine, and the same on all of them, so that
/// every machine rounds alike.
const LANES: usize = 16;

/// A set of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowSet {
    words: Vec<u64>,
    rows: usize,
}

impl RowSet {
    /// No row of `rows`.
    pub(super) fn none(rows: usize) -> Self {
        Self { words: vec![0; rows.div_ceil(64)], rows }
    }

    /// Every row of `rows`.
    pub(super) fn all(rows: usize) -> Self {
        Self { words: vec![u64::MAX; rows.div_ceil(64)], rows }
    }

    /// Puts `row` in or takes it out; a row beyond the last is none of ours.
    pub(super) fn set(&mut self, row: u64, member: bool) {
        let Some(row) = usize::try_from(row).ok().filter(|&row| row < self.rows) else {
            return;
        };
        let bit = 1 << (row % 64);
        if member {
            self.words[row / 64] |= bit;
        } else {
            self.words[row / 64] &= !bit;
        }
    }

    /// Whether `row` is in it.
    pub(super) fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word & (1 << (row % 64)) != 0)
    }
}

/// A row and its score. Greater is better: the higher score, then the earlier row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scored {
    pub(super) row: usize,
    pub(super) score: f32,
}

impl Ord for Scored {
    fn cmp(&self, other: &Self) -> Ordering {
        // A damaged row may score NaN. `total_cmp` puts that first or last, never astray.
        self.score.total_cmp(&other.score).then_with(|| other.row.cmp(&self.row))
    }
}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scored {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Scored {}

/// The `k` rows among those `admitted` (`None`: all) with the greatest product with `query`, best first.
pub(super) fn nearest(rows: &MappedRows, query: &[f32], k: usize, admitted: Option<&RowSet>) -> Vec<Scored> {
    let k = k.min(rows.len());
    let mut best = BinaryHeap::with_capacity(k + 1);
    for (row, bytes) in rows.iter().enumerate() {
        if admitted.is_some_and(|admitted| !admitted.contains(row)) {
            continue;
        }
        // The heap holds the worst of the best on top.
        best.push(std::cmp::Reverse(Scored { row, score: dot(query, bytes) }));
        if best.len() > k {
            best.pop();
        }
    }
    best.into_sorted_vec().into_iter().map(|reversed| reversed.0).collect()
}

/// The product of `query` with a row of little-endian `f32`.
fn dot(query: &[f32], row: &[u8]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (row, _) = row.as_chunks::<4>();
    let (query_blocks, query_rest) = query.as_chunks::<LANES>();
    let (row_blocks, row_rest) = row.as_chunks::<LANES>();
    for (query, row) in query_blocks.iter().zip(row_blocks) {
        for lane in 0..LANES {
            sums[lane] += query[lane] * f32::from_le_bytes(row[lane]);
        }
    }
    for ((query, row), sum) in query_rest.iter().zip(row_rest).zip(&mut sums) {
        *sum += query * f32::from_le_bytes(*row);
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn mapped(rows: &[Vec<f32>]) -> MappedRows {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = rows.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
        file.write_all(&bytes).unwrap();
        MappedRows::open(&file, 0, rows[0].len() * 4, rows.len() as u64).unwrap()
    }

    fn numbers(rows: &[Vec<f32>], query: &[f32], k: usize) -> Vec<usize> {
        nearest(&mapped(rows), query, k, None).iter().map(|scored| scored.row).collect()
    }

    #[test]
    fn equal_scores_come_in_the_order_of_their_rows() {
        let rows = vec![vec![0.0, 1.0], vec![1.0, 0.0], vec![0.0, 1.0], vec![1.0, 0.0]];
        assert_eq!(numbers(&rows, &[0.0, 1.0], 3), [0, 2, 1]);
    }

    #[test]
    fn no_more_rows_are_found_than_there_are() {
        assert_eq!(numbers(&[vec![1.0]], &[1.0], usize::MAX), [0]);
        assert_eq!(numbers(&[vec![1.0]], &[1.0], 0), [0; 0]);
    }

    #[test]
    fn what_is_not_admitted_is_not_found() {
        let rows = mapped(&[vec![3.0], vec![2.0], vec![1.0]]);
        let mut admitted = RowSet::all(3);
        admitted.set(0, false);
        admitted.set(99, true);
        let found: Vec<usize> = nearest(&rows, &[1.0], 9, Some(&admitted)).iter().map(|scored| scored.row).collect();
        assert_eq!(found, [1, 2]);
        assert!(nearest(&rows, &[1.0], 9, Some(&RowSet::none(3))).is_empty());
    }

    proptest! {
        // Small whole numbers: every order of summation gives the same, so the plain sum is the oracle.
        #[test]
        fn the_scan_agrees_with_sorting_everything(
            (query, rows) in (1_usize..40).prop_flat_map(|dimension| {
                let row = prop::collection::vec((-4_i8..=4).prop_map(f32::from), dimension);
                (row.clone(), prop::collection::vec(row, 1..30))
            }),
            k in 0_usize..40,
        ) {
            let mut expected: Vec<Scored> = rows.iter().enumerate().map(|(row, vector)| Scored {
                row,
                // Beginning at +0.0 as the scan does: the sum of nothing but zeros is otherwise -0.0.
                score: vector.iter().zip(&query).fold(0.0, |sum, (x, y)| sum + x * y),
            }).collect();
            expected.sort_by(|left, right| right.cmp(left));
            let expected: Vec<usize> = expected.iter().take(k).map(|scored| scored.row).collect();
            prop_assert_eq!(numbers(&rows, &query, k), expected);
        }
    }
}
