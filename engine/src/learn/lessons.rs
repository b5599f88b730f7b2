//! Everything that follows from the log: densities, models and how far they can be believed.

use std::collections::{BTreeMap, HashMap};

use super::calibration::{Calibration, Skill};
use super::chance::Chance;
use super::density::{Count, Density, Local};
use super::experts::{Bayes, EXPERTS, Mixture, Neighbours};
use super::family::Family;
use super::logistic::Logistic;
use super::uplift::{Effect, Exposure, FACTORS, Uplift};

/// The seed of the hash functions.
const SEED: u64 = 0x706f_7269_736d;
/// What was asked for half a year ago counts a sixty-fourth.
const HALF_LIFE_MS: i64 = 30 * 86_400_000;
/// Below this number, features are numbers of their own; above it, they are hashes.
const OWN_FEATURES: u32 = 16;
/// Of a row of features, these come first: they are amounts. The others are there or not.
const AMOUNTS: usize = 4;

/// A record that was considered for a goal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Considered {
    /// Which.
    pub record: i64,
    /// How well it suited.
    pub score: f64,
    /// Whether it was shown.
    pub shown: bool,
    /// How probable it was that this would be done with it.
    pub propensity: f64,
    /// Whether the checked proof uses it.
    pub used: bool,
}

/// A recall with its outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Case<'a> {
    /// The vector of the goal.
    pub goal: &'a [f32],
    /// What was considered, best first.
    pub considered: &'a [Considered],
    /// Whether it was proved; `None` when that says nothing of the goal: the prover died, or the caller stopped it.
    pub proved: Option<bool>,
    /// When it was recalled, in Unix milliseconds.
    pub at_ms: i64,
}

/// What was learnt from cases, as a function of them and of their order alone.
#[derive(Clone, Debug)]
pub struct Lessons {
    family: Family,
    density: Density,
    logistic: Logistic,
    bayes: Bayes,
    neighbours: Neighbours,
    mixture: Mixture,
    used: Calibration,
    uplift: Uplift,
    /// For each record, how often it was shown to a goal that was proved, and how often the proof used it.
    records: BTreeMap<i64, [f64; 2]>,
    totals: [f64; 2],
    outcomes: [f64; 2],
    cases: u64,
}

impl Lessons {
    /// Nothing yet, about goals with vectors of `dimension` places.
    pub fn new(dimension: usize) -> Result<Self, porism_native::isa::IsaError> {
        Ok(Self {
            family: Family::new(dimension, SEED)?,
            density: Density::new(SEED, HALF_LIFE_MS),
            logistic: Logistic::default(),
            bayes: Bayes::default(),
            neighbours: Neighbours::default(),
            mixture: Mixture::default(),
            used: Calibration::default(),
            uplift: Uplift::default(),
            records: BTreeMap::new(),
            totals: [0.0; 2],
            outcomes: [0.0; 2],
            cases: 0,
        })
    }

    /// Takes in a case.
    ///
    /// *Used* is learnt from proved goals alone: what a search that failed would have used, nobody knows. *Uplift* is learnt from every
    /// goal with an outcome. Each prediction is judged before its outcome is learnt.
    pub fn learn(&mut self, case: &Case<'_>) {
        self.cases += 1;
        let cells = self.family.cells(case.goal);
        let expected = self.expected(case.goal, case.at_ms);
        if let Some(cells) = &cells {
            self.density.ask(cells, case.at_ms);
        }
        let Some(proved) = case.proved else { return };
        for (rank, considered) in case.considered.iter().enumerate() {
            self.uplift.learn(&Exposure {
                record: considered.record,
                factors: self.factors(considered.record, considered.score, rank),
                shown: considered.shown,
                propensity: considered.propensity,
                success: proved,
                expected,
            });
        }
        self.outcomes[usize::from(proved)] += 1.0;
        if let Some(cells) = &cells {
            self.density.add(Count::Attempts, cells, 1.0, case.at_ms);
            self.density.add(Count::Successes, cells, f64::from(u8::from(proved)), case.at_ms);
        }
        if proved {
            self.learn_used(case);
        }
    }

    fn learn_used(&mut self, case: &Case<'_>) {
        let shown = || case.considered.iter().enumerate().filter(|(_, considered)| considered.shown);
        // All of a case are predicted before the first of them is learnt: their outcomes become known together.
        let near = self.neighbours.near(case.goal);
        let opinions: Vec<_> = shown()
            .map(|(rank, one)| {
                let row = self.row(one.record, one.score, rank);
                let opinions = self.opinions(&row, one.record, &near);
                (opinions, row)
            })
            .collect();
        let outcomes = shown().map(|(_, considered)| (considered.record, considered.used)).collect();
        self.neighbours.learn(case.goal.to_vec(), outcomes);
        for ((_, one), (opinions, row)) in shown().zip(opinions) {
            self.used.add(self.mixture.predict(opinions), one.used);
            self.mixture.learn(opinions, one.used);
            self.logistic.learn(&row, one.used, 1.0 / one.propensity);
            self.bayes.learn(&row[AMOUNTS..], one.used);
            let counts = self.records.entry(one.record).or_default();
            for counts in [counts, &mut self.totals] {
                counts[0] += 1.0;
                counts[1] += f64::from(u8::from(one.used));
            }
        }
    }

    /// How probable it is that each record, given with its score and best first, is used in a proof of `goal`; whether or not the gate is
    /// open.
    pub fn used(&self, goal: &[f32], records: &[(i64, f64)]) -> Vec<f64> {
        let near = self.neighbours.near(goal);
        let predict = |(rank, &(record, score)): (usize, &(i64, f64))| {
            self.mixture.predict(self.opinions(&self.row(record, score, rank), record, &near))
        };
        records.iter().enumerate().map(predict).collect()
    }

    /// How good the predictions of *used* were; `None` while there are too few.
    pub fn skill(&self) -> Option<Skill> {
        self.used.skill()
    }

    /// Whether predictions of *used* may have a say: they are better than the base rate, beyond chance.
    pub fn trusted(&self) -> bool {
        self.used.opens_the_gate()
    }

    /// How much logistic regression, naive Bayes and nearest neighbours are trusted.
    pub fn trust(&self) -> [f64; EXPERTS] {
        self.mixture.trust()
    }

    /// What it does to the success of goals that each of `records` is shown; `None` while nothing was withheld by chance.
    pub fn effects(&self, records: &[i64]) -> Vec<Option<Effect>> {
        let fit = self.uplift.fit();
        records.iter().map(|&record| fit.effect(record, &self.factors(record, 0.0, 0))).collect()
    }

    /// What is known near `goal`; `None` for the zero vector.
    pub fn near(&self, goal: &[f32], now_ms: i64) -> Option<Local> {
        Some(self.density.at(&self.family.cells(goal)?, now_ms))
    }

    /// How probable it is that a goal like `goal` is proved.
    pub fn expected(&self, goal: &[f32], now_ms: i64) -> f64 {
        let [failed, proved] = self.outcomes;
        let prior = (proved + 1.0) / (failed + proved + 2.0);
        self.near(goal, now_ms).map_or(prior, |local| local.success_rate(prior))
    }

    /// How many cases there were.
    pub fn cases(&self) -> u64 {
        self.cases
    }

    fn usual(&self) -> f64 {
        (self.totals[1] + 0.5) / (self.totals[0] + 1.0)
    }

    /// How often the record was used when it was shown, drawn towards what is usual.
    fn use_rate(&self, record: i64) -> f64 {
        let [shown, used] = self.records.get(&record).copied().unwrap_or_default();
        (used + 4.0 * self.usual()) / (shown + 4.0)
    }

    fn opinions(&self, row: &[(u32, f64)], record: i64, near: &[(f64, &HashMap<i64, bool>)]) -> [f64; EXPERTS] {
        let neighbours = Neighbours::predict(near, record, self.use_rate(record));
        [self.logistic.predict(row), self.bayes.predict(&row[AMOUNTS..]), neighbours]
    }

    /// The features of a record at a rank: four amounts, then what is there or not.
    fn row(&self, record: i64, score: f64, rank: usize) -> [(u32, f64); AMOUNTS + 3] {
        [
            (0, 1.0),
            (1, score.clamp(-10.0, 10.0)),
            (2, 1.0 / (1.0 + rank as f64)),
            (3, self.use_rate(record)),
            (hashed(1, record), 1.0),
            (hashed(2, i64::from((rank + 1).ilog2())), 1.0),
            (hashed(3, bucket(score)), 1.0),
        ]
    }

    /// What an effect may follow from; places are left for more.
    fn factors(&self, record: i64, score: f64, rank: usize) -> [f64; FACTORS] {
        let near = 1.0 / (1.0 + rank as f64);
        [1.0, score.clamp(-10.0, 10.0), near, self.use_rate(record), 0.0, 0.0, 0.0, 0.0]
    }
}

/// The number of a feature of some sort.
fn hashed(sort: u64, value: i64) -> u32 {
    let word = Chance::new(value.cast_unsigned() ^ (sort << 56)).word();
    #[allow(clippy::cast_possible_truncation, reason = "the low bits of a hash are a hash")]
    let number = word as u32;
    number.max(OWN_FEATURES)
}

/// Scores in tenths; what is far off is one bucket.
#[allow(clippy::cast_possible_truncation, reason = "at most a hundred tenths")]
fn bucket(score: f64) -> i64 {
    (score.clamp(-10.0, 10.0) * 10.0).floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIMENSION: usize = 64;

    /// Goals of eight topics. Two records of a topic are used by its proofs, among sixteen that are shown; record 0 helps all goals.
    fn lessons(cases: i64, shuffled: bool) -> Lessons {
        let mut lessons = Lessons::new(DIMENSION).unwrap();
        let mut chance = Chance::new(4);
        for number in 0..cases {
            let topic = i64::try_from(chance.word() % 8).unwrap();
            let helps = chance.happens(0.8);
            let rate = if helps { 0.9 } else { 0.5 };
            let proved = chance.happens(if shuffled { 0.7 } else { rate });
            let considered: Vec<Considered> = (0..16)
                .map(|record| {
                    let shown = record > 0 || helps;
                    let used = if shuffled { chance.happens(0.125) } else { record / 2 == topic };
                    let propensity = if record > 0 {
                        1.0
                    } else if helps {
                        0.8
                    } else {
                        0.2
                    };
                    Considered { record, score: chance.share(), shown, propensity, used: proved && shown && used }
                })
                .collect();
            let case =
                Case { goal: &goal(topic), considered: &considered, proved: Some(proved), at_ms: number * 60_000 };
            lessons.learn(&case);
        }
        lessons
    }

    fn goal(topic: i64) -> Vec<f32> {
        let mut goal = vec![0.0; DIMENSION];
        goal[usize::try_from(topic).unwrap()] = 1.0;
        goal
    }

    #[test]
    fn what_proofs_use_is_learnt_and_trusted() {
        let lessons = lessons(300, false);
        assert!(lessons.trusted(), "{:?}", lessons.skill());
        let records: Vec<(i64, f64)> = (0..16).map(|record| (record, 0.5)).collect();
        let used = lessons.used(&goal(3), &records);
        let mut order: Vec<usize> = (0..16).collect();
        order.sort_by(|&left, &right| used[right].total_cmp(&used[left]));
        order.truncate(2);
        order.sort_unstable();
        assert_eq!(order, [6, 7]);
    }

    #[test]
    fn shuffled_outcomes_keep_the_gate_shut() {
        assert!(!lessons(300, true).trusted());
    }

    #[test]
    fn a_record_that_helps_is_told_from_others() {
        let lessons = lessons(600, false);
        let effect = lessons.effects(&[0])[0].unwrap();
        assert!(effect.mean > 0.15 && effect.exposures == 600, "{effect:?}");
    }

    #[test]
    fn the_same_cases_give_the_same_bits() {
        let [one, other] = [lessons(120, false), lessons(120, false)];
        assert_eq!(one.logistic, other.logistic);
        assert_eq!((&one.bayes, &one.neighbours, &one.mixture), (&other.bayes, &other.neighbours, &other.mixture));
        assert_eq!((&one.uplift, &one.density, one.skill()), (&other.uplift, &other.density, other.skill()));
    }

    #[test]
    fn what_says_nothing_of_the_goal_is_only_asked() {
        let mut lessons = Lessons::new(DIMENSION).unwrap();
        let considered = [Considered { record: 1, score: 0.5, shown: true, propensity: 0.5, used: false }];
        lessons.learn(&Case { goal: &goal(1), considered: &considered, proved: None, at_ms: 0 });
        let local = lessons.near(&goal(1), 0).unwrap();
        assert!(local.demand > 0.9 && local.attempts == 0.0);
        assert_eq!(lessons.effects(&[1]), [None]);
    }
}
