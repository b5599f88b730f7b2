//! k-nearest neighbours over proofs: what proved similar goals will help here.

use std::collections::HashMap;

use super::{Corpus, Pool, Ranking};

/// A goal that was proved, and what its proof used; all by position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The goal.
    pub goal: u32,
    /// The premises of its checked proof.
    pub premises: Vec<u32>,
}

/// What the premises of a neighbour count together, beside the neighbour itself (Blanchette et al., A Learning-Based Fact
/// Selector for Isabelle/HOL, JAR 2016, section 4.2).
const PREMISES_SHARE: f32 = 2.7;
/// How steeply a neighbour's say falls with its distance.
const STEEPNESS: i32 = 2;

/// Ranks `pool` by the proofs of goals like `goal`: every proof votes for its premises, and its theorem for itself, with the
/// similarity of its goal.
///
/// A neighbour need not be in the pool; only what it votes for must be.
pub fn nearest_proofs(corpus: &Corpus, goal: &[(u32, f32)], proofs: &[Proof], k: usize, pool: Pool<'_>) -> Ranking {
    let known = proved_goals(corpus, proofs);
    let everything = Pool { before: corpus.len(), usable: &known, except: pool.except };
    let near = corpus.similarity(goal, everything);
    let by_goal: HashMap<u32, &Proof> = proofs.iter().map(|proof| (proof.goal, proof)).collect();
    let norm = near.scores.first().copied().filter(|&best| best > 0.0).unwrap_or(1.0);

    let mut votes = vec![0.0_f32; corpus.len()];
    for (&neighbour, &score) in near.positions.iter().zip(&near.scores).take(k) {
        let say = (score / norm).powi(STEEPNESS);
        votes[neighbour as usize] += say;
        let premises = &by_goal[&neighbour].premises;
        for &premise in premises {
            votes[premise as usize] += PREMISES_SHARE * say / premises.len() as f32;
        }
    }
    let eligible: Vec<bool> = votes.iter().enumerate().map(|(at, &vote)| vote > 0.0 && pool.contains(at)).collect();
    Ranking::of(&votes, Pool { usable: &eligible, ..pool })
}

fn proved_goals(corpus: &Corpus, proofs: &[Proof]) -> Vec<bool> {
    let mut proved = vec![false; corpus.len()];
    proofs.iter().for_each(|proof| proved[proof.goal as usize] = true);
    proved
}

#[cfg(test)]
mod tests {
    use super::{Corpus, Pool, Proof, nearest_proofs};
    use crate::features::word_features;

    fn corpus() -> Corpus {
        let mut corpus = Corpus::default();
        for text in ["x", "y", "z", "ring unit", "group inverse", "ring unit again"] {
            corpus.push(&word_features(text));
        }
        corpus
    }

    #[test]
    fn the_premises_of_a_similar_goal_come_first() {
        let corpus = corpus();
        let proofs = [Proof { goal: 3, premises: vec![1] }, Proof { goal: 4, premises: vec![0] }];
        let pool = Pool { before: 5, usable: &[], except: &[5] };
        let ranking = nearest_proofs(&corpus, corpus.row(5), &proofs, 1, pool);
        assert_eq!(ranking.positions, [1, 3]);
    }

    #[test]
    fn without_proofs_nothing_is_ranked() {
        let corpus = corpus();
        let pool = Pool { before: 5, usable: &[], except: &[] };
        assert!(nearest_proofs(&corpus, corpus.row(5), &[], 8, pool).positions.is_empty());
    }

    #[test]
    fn premises_outside_the_pool_are_left_out() {
        let corpus = corpus();
        let proofs = [Proof { goal: 3, premises: vec![1, 4] }];
        let pool = Pool { before: 3, usable: &[], except: &[] };
        assert_eq!(nearest_proofs(&corpus, corpus.row(5), &proofs, 8, pool).positions, [1]);
    }
}
