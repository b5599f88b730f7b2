//! Several opinions on one probability, and what they say together.

use std::collections::{HashMap, VecDeque};

use super::logistic::{Row, sigmoid};

/// How many opinions there are.
pub(super) const EXPERTS: usize = 3;
/// What part of the trust is shared out anew after each outcome, so that an expert that was bad long ago can come back.
const SHARE: f64 = 0.005;
/// No opinion is surer than this, so that one surprise ruins nobody.
const SURE: f64 = 0.999;

/// Opinions that are averaged with the trust that their past earned them: the logarithmic loss of the average is at most that of the best
/// expert and a constant (Vovk: A Game of Prediction with Expert Advice, 1998; with a fixed share, Herbster, Warmuth, 1998).
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    trust: [f64; EXPERTS],
}

impl Default for Mixture {
    fn default() -> Self {
        Self { trust: [1.0 / EXPERTS as f64; EXPERTS] }
    }
}

impl Mixture {
    /// The average opinion.
    pub fn predict(&self, opinions: [f64; EXPERTS]) -> f64 {
        self.trust.iter().zip(opinions).map(|(trust, opinion)| trust * sure(opinion)).sum()
    }

    /// Takes in an outcome.
    pub fn learn(&mut self, opinions: [f64; EXPERTS], outcome: bool) {
        for (trust, opinion) in self.trust.iter_mut().zip(opinions) {
            *trust *= if outcome { sure(opinion) } else { 1.0 - sure(opinion) };
        }
        let total: f64 = self.trust.iter().sum();
        self.trust.iter_mut().for_each(|trust| *trust = (1.0 - SHARE) * *trust / total + SHARE / EXPERTS as f64);
    }

    /// How much each expert is trusted; they sum to 1.
    pub fn trust(&self) -> [f64; EXPERTS] {
        self.trust
    }
}

fn sure(opinion: f64) -> f64 {
    opinion.clamp(1.0 - SURE, SURE)
}

/// How often a record was used when it was considered, by the features of the pair: naive Bayes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bayes {
    /// Outcomes with a feature: not used, used.
    counts: HashMap<u32, [f64; 2]>,
    totals: [f64; 2],
}

impl Bayes {
    pub(super) fn predict(&self, row: &Row) -> f64 {
        let [rest, used] = self.totals;
        let mut odds = libm::log((used + 0.5) / (rest + 0.5));
        for (feature, _) in row {
            let [without, with] = self.counts.get(feature).copied().unwrap_or_default();
            odds += libm::log((with + 0.5) / (used + 1.0) * (rest + 1.0) / (without + 0.5));
        }
        sigmoid(odds)
    }

    pub(super) fn learn(&mut self, row: &Row, outcome: bool) {
        self.totals[usize::from(outcome)] += 1.0;
        for &(feature, _) in row {
            self.counts.entry(feature).or_default()[usize::from(outcome)] += 1.0;
        }
    }
}

/// How many goals are remembered, and how many of them have a say.
const REMEMBERED: usize = 1024;
const NEAREST: usize = 32;

/// What the proofs of goals like this one used: nearest neighbours.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Neighbours {
    /// The vector of each goal, what was considered for it, and whether it was used.
    goals: VecDeque<(Vec<f32>, HashMap<i64, bool>)>,
}

impl Neighbours {
    /// The goals nearest to `goal` with their cosines, best first.
    pub(super) fn near(&self, goal: &[f32]) -> Vec<(f64, &HashMap<i64, bool>)> {
        let cosine = |other: &[f32]| f64::from(goal.iter().zip(other).map(|(x, y)| x * y).sum::<f32>());
        let mut near: Vec<_> = self.goals.iter().map(|(other, used)| (cosine(other), used)).collect();
        // A stable sort: equal ones stay in the order in which they came.
        near.sort_by(|left, right| right.0.total_cmp(&left.0));
        near.truncate(NEAREST);
        near
    }

    /// How probable it is that `record` is used, by what its use was in goals that are `near`; `usual` where none of them knew it.
    pub(super) fn predict(near: &[(f64, &HashMap<i64, bool>)], record: i64, usual: f64) -> f64 {
        let (mut used, mut all) = (usual, 1.0);
        for (cosine, outcomes) in near.iter().filter(|(cosine, _)| *cosine > 0.0) {
            if let Some(&outcome) = outcomes.get(&record) {
                all += cosine * cosine;
                used += cosine * cosine * f64::from(u8::from(outcome));
            }
        }
        used / all
    }

    pub(super) fn learn(&mut self, goal: Vec<f32>, outcomes: HashMap<i64, bool>) {
        if self.goals.len() == REMEMBERED {
            self.goals.pop_front();
        }
        self.goals.push_back((goal, outcomes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Chance;

    #[test]
    fn the_mixture_is_hardly_worse_than_the_best_expert() {
        let (mut mixture, mut chance) = (Mixture::default(), Chance::new(1));
        let (mut ours, mut best, mut trust) = (0.0, 0.0, 0.0);
        for _ in 0..1000 {
            let outcome = chance.happens(0.8);
            let opinions = [0.1, 0.8, 0.5];
            let loss = |opinion: f64| -if outcome { opinion.ln() } else { (1.0 - opinion).ln() };
            ours += loss(mixture.predict(opinions));
            best += loss(0.8);
            // A run of bad luck moves trust for a while, so its mean is looked at.
            trust += mixture.trust()[1] / 1000.0;
            mixture.learn(opinions, outcome);
        }
        assert!(ours < best + 15.0, "{ours} against {best}");
        assert!(trust > 0.8, "the best expert is trusted with {trust} in the mean");
    }

    #[test]
    fn neighbours_say_what_was_used_near() {
        let mut neighbours = Neighbours::default();
        neighbours.learn(vec![1.0, 0.0], HashMap::from([(1, true), (2, false)]));
        let near = neighbours.near(&[1.0, 0.0]);
        let [one, two, unknown] = [1, 2, 3].map(|record| Neighbours::predict(&near, record, 0.1));
        assert!(one > 0.5 && two < 0.1 && (unknown - 0.1).abs() < 1e-12);
    }
}
