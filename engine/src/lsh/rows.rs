//! Rows, sets of rows, and the best of them.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Unit vectors of one dimension, as they lie in a file.
pub trait Rows: Sync {
    /// All rows, one behind the other, each of little-endian `f32`.
    fn bytes(&self) -> &[u8];

    /// Whether `row` is what was once stored; asked before each use of it, so it has to be quick from the second time on.
    fn sound(&self, row: u32) -> bool;
}

/// The numbers of a row, or of several.
pub fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// A set of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowSet {
    words: Vec<u64>,
    rows: usize,
    count: usize,
}

impl RowSet {
    /// No row of `rows`.
    pub fn none(rows: usize) -> Self {
        Self { words: vec![0; rows.div_ceil(64)], rows, count: 0 }
    }

    /// Every row of `rows`.
    pub fn all(rows: usize) -> Self {
        let mut set = Self::none(0);
        set.grow(rows, true);
        set
    }

    /// Makes room for `rows` rows in all; the new ones are in it, or not.
    pub fn grow(&mut self, rows: usize, member: bool) {
        let old = self.rows;
        self.rows = rows.max(old);
        self.words.resize(self.rows.div_ceil(64), 0);
        if member {
            (old..rows).for_each(|row| self.set(row as u64, true));
        }
    }

    /// Puts `row` in or takes it out; a row beyond the last is none of ours.
    pub fn set(&mut self, row: u64, member: bool) {
        let Some(row) = usize::try_from(row).ok().filter(|&row| row < self.rows) else {
            return;
        };
        let (word, bit) = (&mut self.words[row / 64], 1 << (row % 64));
        match (*word & bit != 0, member) {
            (false, true) => self.count += 1,
            (true, false) => self.count -= 1,
            _ => return,
        }
        *word ^= bit;
    }

    /// Whether `row` is in it.
    pub fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word & (1 << (row % 64)) != 0)
    }

    /// How many rows are in it.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether no row is in it.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The rows that are in it, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(place, &word)| {
            let mut word = word;
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros();
                (bit < 64).then(|| {
                    word &= word - 1;
                    place * 64 + bit as usize
                })
            })
        })
    }
}

/// A row and its score. Greater is better: the higher score, then the earlier row.
#[derive(Clone, Copy, Debug)]
pub struct Scored {
    /// Which row.
    pub row: u32,
    /// Its product with the query.
    pub score: f32,
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

/// The best `k` of what was pushed.
#[derive(Debug)]
pub(crate) struct Best {
    k: usize,
    /// The worst of the best is on top.
    heap: BinaryHeap<Reverse<Scored>>,
}

impl Best {
    pub(crate) fn new(k: usize) -> Self {
        Self { k, heap: BinaryHeap::new() }
    }

    pub(crate) fn push(&mut self, scored: Scored) {
        if self.heap.len() < self.k {
            self.heap.push(Reverse(scored));
        } else if let Some(mut worst) = self.heap.peek_mut()
            && worst.0 < scored
        {
            worst.0 = scored;
        }
    }

    /// What a score must reach to be among them.
    pub(crate) fn bar(&self) -> f32 {
        match self.heap.peek() {
            Some(worst) if self.heap.len() == self.k => worst.0.score,
            _ => f32::NEG_INFINITY,
        }
    }

    /// The best first.
    pub(crate) fn into_sorted(self) -> Vec<Scored> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(scored)| scored).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_of_rows_is_a_set(changes in prop::collection::vec((0_u32..200, any::<bool>()), 0..300)) {
            let mut set = RowSet::none(150);
            let mut expected = std::collections::BTreeSet::new();
            for (row, member) in changes {
                set.set(row.into(), member);
                if row < 150 && member { expected.insert(row as usize); } else { expected.remove(&(row as usize)); }
            }
            prop_assert_eq!(set.len(), expected.len());
            prop_assert!(set.iter().eq(expected.iter().copied()));
        }

        #[test]
        fn the_best_are_the_first_of_all_sorted(scores in prop::collection::vec(-3_i8..3, 0..40), k in 0_usize..20) {
            let scored = scores.iter().zip(0..).map(|(&score, row)| Scored { row, score: f32::from(score) });
            let mut best = Best::new(k);
            scored.clone().for_each(|one| best.push(one));
            let mut all: Vec<Scored> = scored.collect();
            all.sort_by(|left, right| right.cmp(left));
            all.truncate(k);
            prop_assert_eq!(best.into_sorted(), all);
        }
    }

    #[test]
    fn a_grown_set_has_the_new_rows() {
        let mut set = RowSet::all(70);
        set.set(3, false);
        set.grow(130, true);
        assert_eq!(set.len(), 129);
        assert!(set.contains(129) && !set.contains(3) && !set.contains(130));
    }
}
