//! The statements of a library as weighted sparse rows.

use std::collections::HashMap;

use super::{Pool, Ranking};
use crate::features::Counts;

/// Features of one formula by their numbers in the corpus, each with its count; ascending.
pub type SparseRow = Vec<(u32, f32)>;

/// How much each feature tells: the inverse document frequency `ln((n + 1) / (df + 1))` over the formulas before a goal.
#[derive(Clone, Debug)]
pub struct Weights {
    idf: Vec<f32>,
    unseen: f32,
}

impl Weights {
    fn of(&self, feature: u32) -> f32 {
        self.idf.get(feature as usize).copied().unwrap_or(self.unseen)
    }

    /// The weight of a feature that occurs `count` times: sublinear in the count, linear in the inverse frequency.
    pub(super) fn weigh(&self, feature: u32, count: f32) -> f32 {
        (1.0 + count.ln()) * self.of(feature)
    }
}

/// The formulas of a library in order, by their features.
///
/// Rows lie in one array (compressed sparse rows), and each feature knows the positions where it occurs, ascending: so the
/// frequencies *before a goal*, which is all that a goal may know, are a binary search away.
#[derive(Debug, Default)]
pub struct Corpus {
    numbers: HashMap<Box<str>, u32>,
    entries: SparseRow,
    ends: Vec<usize>,
    occurrences: Vec<Vec<u32>>,
}

impl Corpus {
    /// Appends a formula; its position is the number of formulas before it.
    pub fn push(&mut self, counts: &Counts) {
        let position = u32::try_from(self.ends.len()).expect("a library has fewer than 2^32 formulas");
        for (feature, &count) in counts {
            let number = self.number(feature);
            self.entries.push((number, count as f32));
            self.occurrences[number as usize].push(position);
        }
        self.ends.push(self.entries.len());
    }

    fn number(&mut self, feature: &str) -> u32 {
        if let Some(&number) = self.numbers.get(feature) {
            return number;
        }
        let number = u32::try_from(self.occurrences.len()).expect("a library has fewer than 2^32 features");
        self.numbers.insert(feature.into(), number);
        self.occurrences.push(Vec::new());
        number
    }

    /// How many formulas there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The features of the formula at `position`.
    pub fn row(&self, position: usize) -> &[(u32, f32)] {
        let start = position.checked_sub(1).map_or(0, |previous| self.ends[previous]);
        &self.entries[start..self.ends[position]]
    }

    /// The rows at `positions` as one, counts added: a goal that is several clauses.
    pub fn sum(&self, positions: &[u32]) -> SparseRow {
        if let [position] = positions {
            return self.row(*position as usize).to_vec();
        }
        let mut counts = std::collections::BTreeMap::new();
        for &(feature, count) in positions.iter().flat_map(|&position| self.row(position as usize)) {
            *counts.entry(feature).or_insert(0.0) += count;
        }
        counts.into_iter().collect()
    }

    /// Feature weights as the formulas before `before` show them.
    pub fn weights(&self, before: usize) -> Weights {
        let whole = before >= self.len();
        let total = (before.min(self.len()) + 1) as f32;
        let frequency = |positions: &Vec<u32>| {
            if whole { positions.len() } else { positions.partition_point(|&position| (position as usize) < before) }
        };
        let idf = self.occurrences.iter().map(|positions| (total / (frequency(positions) + 1) as f32).ln()).collect();
        Weights { idf, unseen: total.ln() }
    }

    /// Ranks `pool` by the cosine between each formula's weighted features and those of `goal`.
    pub fn similarity(&self, goal: &[(u32, f32)], pool: Pool<'_>) -> Ranking {
        let before = pool.before.min(self.len());
        let weights = self.weights(before);
        let mut wanted = vec![0.0_f32; self.occurrences.len()];
        for &(feature, count) in goal {
            wanted[feature as usize] = weights.weigh(feature, count);
        }
        let mut scores = Vec::with_capacity(before);
        for position in 0..before {
            let (mut dot, mut square) = (0.0_f32, 0.0_f32);
            for &(feature, count) in self.row(position) {
                let weight = weights.weigh(feature, count);
                dot += weight * wanted[feature as usize];
                square += weight * weight;
            }
            scores.push(if square > 0.0 { dot / square.sqrt() } else { 0.0 });
        }
        Ranking::of(&scores, pool)
    }
}

#[cfg(test)]
mod tests {
    use super::{Corpus, Pool};
    use crate::features::word_features;

    fn corpus(texts: &[&str]) -> Corpus {
        let mut corpus = Corpus::default();
        texts.iter().for_each(|text| corpus.push(&word_features(text)));
        corpus
    }

    fn ranked(corpus: &Corpus, goal: usize, before: usize) -> Vec<u32> {
        corpus.similarity(corpus.row(goal), Pool { before, usable: &[], except: &[] }).positions
    }

    #[test]
    fn rare_shared_features_count_most() {
        let corpus = corpus(&["common a", "common rare", "common b", "common c", "common rare"]);
        assert_eq!(ranked(&corpus, 4, 4)[0], 1);
    }

    #[test]
    fn what_comes_later_changes_nothing() {
        let short = corpus(&["a b", "b c", "c d", "a d"]);
        let long = corpus(&["a b", "b c", "c d", "a d", "d d", "a", "a c"]);
        assert_eq!(ranked(&short, 3, 3), ranked(&long, 3, 3));
    }

    #[test]
    fn rows_are_summed_for_a_goal_of_several_clauses() {
        let corpus = corpus(&["a b", "b c"]);
        assert_eq!(corpus.sum(&[0, 1]), [(0, 1.0), (1, 2.0), (2, 1.0)]);
    }

    #[test]
    fn a_formula_without_features_scores_nothing() {
        let corpus = corpus(&["", "a", "a"]);
        assert_eq!(ranked(&corpus, 2, 2), [1, 0]);
    }
}
