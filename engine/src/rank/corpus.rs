//! The statements of a library as weighted sparse rows.

use std::collections::{BTreeMap, HashMap};

use super::{Pool, Ranking};
use crate::features::Counts;

/// Features of one formula by their numbers in the corpus, each with how much it occurs (see [`sublinear`]); ascending.
pub type SparseRow = Vec<(u32, f32)>;

/// How much each feature tells: the inverse document frequency `ln((n + 1) / (df + 1))` over the formulas before a goal.
#[derive(Clone, Debug)]
pub struct Weights(Vec<f32>);

/// The formulas of a library in order, by their features.
///
/// Rows lie in one array (compressed sparse rows), and each feature knows the positions where it occurs, ascending: so the
/// frequencies *before a goal*, which is all that a goal may know, are a binary search away, and a goal meets only the rows
/// that share something with it.
#[derive(Debug, Default)]
pub struct Corpus {
    numbers: HashMap<Box<str>, u32>,
    rows: SparseRow,
    ends: Vec<usize>,
    occurrences: Vec<Vec<(u32, f32)>>,
}

impl Corpus {
    /// Appends a formula; its position is the number of formulas before it.
    pub fn push(&mut self, counts: &Counts) {
        let position = u32::try_from(self.ends.len()).expect("a library has fewer than 2^32 formulas");
        for (feature, &count) in counts {
            let number = self.number(feature);
            self.rows.push((number, sublinear(count as f32)));
            self.occurrences[number as usize].push((position, sublinear(count as f32)));
        }
        self.ends.push(self.rows.len());
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
        &self.rows[start..self.ends[position]]
    }

    /// The rows at `positions` as one: a goal that is several clauses.
    pub fn sum(&self, positions: &[u32]) -> SparseRow {
        let mut summed = BTreeMap::new();
        for &(feature, amount) in positions.iter().flat_map(|&position| self.row(position as usize)) {
            *summed.entry(feature).or_insert(0.0) += amount;
        }
        summed.into_iter().collect()
    }

    /// Feature weights as the formulas before `before` show them.
    pub fn weights(&self, before: usize) -> Weights {
        let total = (before.min(self.len()) + 1) as f32;
        let idf = |met: &Vec<(u32, f32)>| (total / (self.frequency(met, before) + 1) as f32).ln();
        Weights(self.occurrences.iter().map(idf).collect())
    }

    /// How many formulas before `before` have a feature that occurs at `met`.
    fn frequency(&self, met: &[(u32, f32)], before: usize) -> usize {
        if before >= self.len() {
            return met.len();
        }
        met.partition_point(|&(position, _)| (position as usize) < before)
    }

    /// Ranks `pool` by the cosine between each formula's weighted features and those of `goal`.
    pub fn similarity(&self, goal: &[(u32, f32)], pool: Pool<'_>) -> Ranking {
        let before = pool.before.min(self.len());
        let Weights(idf) = self.weights(before);
        let mut scores = vec![0.0_f32; before];
        for &(feature, wanted) in goal {
            let weight = wanted * idf[feature as usize] * idf[feature as usize];
            let met = &self.occurrences[feature as usize];
            for &(position, amount) in &met[..self.frequency(met, before)] {
                scores[position as usize] += weight * amount;
            }
        }
        for (position, score) in scores.iter_mut().enumerate().filter(|(_, score)| **score > 0.0) {
            let weigh = |&(feature, amount): &(u32, f32)| amount * idf[feature as usize];
            *score /= self.row(position).iter().map(weigh).map(|weight| weight * weight).sum::<f32>().sqrt();
        }
        Ranking::of(&scores, pool)
    }
}

/// What an occurrence `count` times over counts: less each time.
fn sublinear(count: f32) -> f32 {
    1.0 + count.ln()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Corpus, Pool, Weights};
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

    /// The definition of the cosine, written down plainly: the oracle of the routine.
    fn cosines(corpus: &Corpus, goal: usize, before: usize) -> Vec<f32> {
        let Weights(idf) = corpus.weights(before);
        let weigh = |position: usize| {
            let mut dense = vec![0.0_f32; idf.len()];
            corpus.row(position).iter().for_each(|&(feature, amount)| {
                dense[feature as usize] = amount * idf[feature as usize];
            });
            dense
        };
        let dot = |left: &[f32], right: &[f32]| left.iter().zip(right).map(|(x, y)| x * y).sum::<f32>();
        let wanted = weigh(goal);
        let cosine = |other: Vec<f32>| dot(&wanted, &other) / dot(&other, &other).sqrt().max(f32::MIN_POSITIVE);
        (0..before).map(|position| cosine(weigh(position))).collect()
    }

    proptest! {
        #[test]
        fn scores_are_cosines(texts in vec("[a-e]( [a-e]){0,6}", 2..20)) {
            let corpus = corpus(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            let before = corpus.len() - 1;
            let ranking = corpus.similarity(corpus.row(before), Pool { before, usable: &[], except: &[] });
            let expected = cosines(&corpus, before, before);
            for (&position, &score) in ranking.positions.iter().zip(&ranking.scores) {
                prop_assert!((score - expected[position as usize]).abs() < 1e-4);
            }
        }
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
