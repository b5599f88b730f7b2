//! What happens near a place: how much is asked, how much of it succeeds, what is known and what helped.

use super::family::Cells;
use super::sketch::{Mismatch, Sketch};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Goals that were asked for.
    Demand,
    /// Goals whose outcome is known.
    Attempts,
    /// Those that were proved.
    Successes,
    /// Verified facts; they do not fade.
    Verified,
    /// Records that a checked proof used.
    Uses,
    /// Goals that failed with a record and succeed without.
    Harms,
}

impl Count {
    const ALL: [Self; 6] = [Self::Demand, Self::Attempts, Self::Successes, Self::Verified, Self::Uses, Self::Harms];
}

/// How many of the latest demands say what is usual.
const USUAL: usize = 256;
/// Below this share of them, a place counts as out of distribution.
const RARE: f64 = 0.05;

/// Six densities over the same cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Density {
    counts: Vec<Sketch>,
    /// How much demand the latest queries met when they came, as a ring.
    met: Vec<f64>,
    asked: usize,
}

impl Density {
    /// Nothing yet, over the cells of the family of `seed`.
    ///
    /// # Panics
    /// When the half-life is not over 0.
    pub fn new(seed: u64, half_life_ms: i64) -> Self {
        let sketch = |count| Sketch::new(seed, (count != Count::Verified).then_some(half_life_ms));
        Self { counts: Count::ALL.map(sketch).into(), met: Vec::new(), asked: 0 }
    }

    /// Adds to one of the counts; a negative weight at the same time takes it back.
    pub fn add(&mut self, count: Count, cells: &Cells, weight: f64, at_ms: i64) {
        self.counts[count as usize].add(cells, weight, at_ms);
    }

    /// Notes that something near `cells` was asked for.
    pub fn ask(&mut self, cells: &Cells, at_ms: i64) {
        let before = self.counts[Count::Demand as usize].near(cells, at_ms);
        if self.met.len() < USUAL {
            self.met.push(before);
        } else {
            self.met[self.asked % USUAL] = before;
        }
        self.asked += 1;
        self.add(Count::Demand, cells, 1.0, at_ms);
    }

    /// What is known of the place of `cells`.
    pub fn at(&self, cells: &Cells, now_ms: i64) -> Local {
        let near = |count: Count| self.counts[count as usize].near(cells, now_ms).max(0.0);
        let demand = near(Count::Demand);
        let below = self.met.iter().filter(|&&usual| usual < demand).count();
        Local {
            demand,
            attempts: near(Count::Attempts),
            successes: near(Count::Successes),
            verified: near(Count::Verified),
            uses: near(Count::Uses),
            harms: near(Count::Harms),
            // Before there is anything usual, nothing is unusual.
            unusual: self.met.len() == USUAL && (below as f64) < RARE * USUAL as f64,
        }
    }

    /// Adds everything that `other` counted; what is usual stays that of `self`.
    pub fn merge(&mut self, other: &Self) -> Result<(), Mismatch> {
        self.counts.iter_mut().zip(&other.counts).try_for_each(|(mine, its)| mine.merge(its))
    }

    /// Takes everything that `other` counted out.
    pub fn subtract(&mut self, other: &Self) -> Result<(), Mismatch> {
        self.counts.iter_mut().zip(&other.counts).try_for_each(|(mine, its)| mine.subtract(its))
    }
}

/// The densities at one place; each entry counts with its kernel, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Local {
    /// Of what was asked for.
    pub demand: f64,
    /// Of what has an outcome.
    pub attempts: f64,
    /// Of what was proved.
    pub successes: f64,
    /// Of verified facts.
    pub verified: f64,
    /// Of records that were used.
    pub uses: f64,
    /// Of records that did harm.
    pub harms: f64,
    /// Whether fewer than one in twenty of the latest queries met so little demand: then counts near it say little.
    pub unusual: bool,
}

impl Local {
    /// How many attempts the prior rate counts for.
    const PRIOR_ATTEMPTS: f64 = 4.0;
    /// How many verified facts nearby halve the novelty.
    const USUAL_VERIFIED: f64 = 1.0;

    /// The share of attempts nearby that succeed, drawn towards `prior` where there are few.
    pub fn success_rate(&self, prior: f64) -> f64 {
        let rate = (Self::PRIOR_ATTEMPTS * prior + self.successes) / (Self::PRIOR_ATTEMPTS + self.attempts);
        rate.clamp(0.0, 1.0)
    }

    /// From 1, where no verified fact is near, towards 0.
    pub fn novelty(&self) -> f64 {
        1.0 / (1.0 + self.verified / Self::USUAL_VERIFIED)
    }

    /// How much is asked for here and fails.
    pub fn need(&self, prior: f64) -> f64 {
        self.demand * (1.0 - self.success_rate(prior))
    }
}

/// How much of a record is kept, and for how long: what is rare, in need and small is kept with a higher probability.
///
/// The probability is written down with what it decided, and counts are then weighted by its inverse (Horvitz, Thompson, 1952), so that
/// they stay unbiased.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strength {
    /// The log-odds of one byte in a place where everything is known.
    pub base: f64,
    /// What novelty counts.
    pub novelty: f64,
    /// What need counts.
    pub need: f64,
    /// What size costs.
    pub size: f64,
    /// The least probability: everything can be kept, so everything can be counted.
    pub least: f64,
}

impl Default for Strength {
    fn default() -> Self {
        Self { base: 4.0, novelty: 0.5, need: 0.5, size: 0.5, least: 0.05 }
    }
}

impl Strength {
    /// With which probability the extra content of a record (not its statement, nor its proof) is kept.
    pub fn keep(&self, local: &Local, prior: f64, size_bytes: u64) -> f64 {
        let size = libm::log(size_bytes.max(1) as f64);
        let need = libm::log1p(local.need(prior));
        let odds = self.base + self.novelty * libm::log(local.novelty()) + self.need * need - self.size * size;
        (1.0 / (1.0 + libm::exp(-odds))).clamp(self.least, 1.0)
    }

    /// The half-life of a record of this `uplift`, from the usual one: what is rare or useful lives longer.
    pub fn half_life_ms(&self, usual_ms: i64, local: &Local, uplift: f64) -> i64 {
        let factor = (1.0 + local.novelty()) * libm::exp(uplift.clamp(-1.0, 1.0));
        #[allow(clippy::cast_possible_truncation, reason = "the cast saturates")]
        let scaled = (usual_ms as f64 * factor) as i64;
        scaled.max(1)
    }
}
