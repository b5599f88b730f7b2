//! What it does to a goal's success that a record is shown: an effect, not a correlation.

use std::collections::BTreeMap;

/// How many features an effect may follow from.
pub const FACTORS: usize = 8;
/// The ridge: how many exposures the guess that no feature matters counts for.
const RIDGE: f64 = 10.0;
/// The least that effects are taken to vary by beyond what features explain.
const LEAST_VARIANCE: f64 = 1e-4;
/// The half-width of an interval of 95 %, in standard deviations.
const WIDTH: f64 = 1.96;

/// A record that was shown or withheld by chance, and what became of the goal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exposure {
    /// Which record.
    pub record: i64,
    /// What its effect may follow from.
    pub factors: [f64; FACTORS],
    /// Whether it was shown.
    pub shown: bool,
    /// How probable it was that this would be done with it.
    pub propensity: f64,
    /// Whether the goal was proved.
    pub success: bool,
    /// How probable success was, by what is near: it takes the difficulty of goals out.
    pub expected: f64,
}

impl Exposure {
    /// An unbiased estimate of the effect, from this exposure alone (Athey, Imbens: Machine Learning Methods for Estimating
    /// Heterogeneous Causal Effects, 2015); `None` when there was no chance in it, and so nothing to learn.
    fn outcome(&self) -> Option<f64> {
        let known = self.propensity > 0.0 && self.propensity < 1.0 && self.expected.is_finite();
        let sign = if self.shown { 1.0 } else { -1.0 };
        known.then(|| sign * (f64::from(u8::from(self.success)) - self.expected) / self.propensity)
    }
}

/// An effect on the probability of success, with the ends of its interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// The best guess.
    pub mean: f64,
    /// Almost certainly at least this.
    pub low: f64,
    /// Almost certainly at most this.
    pub high: f64,
    /// From how many exposures of the record itself.
    pub exposures: u64,
}

/// The effects of records, pooled: features say what records of their kind do, and the record's own exposures correct it as far as
/// they are many (empirical Bayes; Efron, Morris, 1975).
#[derive(Clone, Debug, PartialEq)]
pub struct Uplift {
    products: [[f64; FACTORS]; FACTORS],
    sums: [f64; FACTORS],
    squares: f64,
    exposures: u64,
    records: BTreeMap<i64, Own>,
}

/// The exposures of one record.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Own {
    exposures: u64,
    outcomes: f64,
    factors: [f64; FACTORS],
}

impl Default for Uplift {
    fn default() -> Self {
        Self {
            products: [[0.0; FACTORS]; FACTORS],
            sums: [0.0; FACTORS],
            squares: 0.0,
            exposures: 0,
            records: BTreeMap::new(),
        }
    }
}

impl Uplift {
    /// Takes in an exposure. One without chance teaches nothing.
    pub fn learn(&mut self, exposure: &Exposure) {
        let Some(outcome) = exposure.outcome() else { return };
        let factors = &exposure.factors;
        if factors.iter().any(|factor| !factor.is_finite()) {
            return;
        }
        for (row, one) in self.products.iter_mut().zip(factors) {
            row.iter_mut().zip(factors).for_each(|(product, other)| *product += one * other);
        }
        self.sums.iter_mut().zip(factors).for_each(|(sum, factor)| *sum += factor * outcome);
        self.squares += outcome * outcome;
        self.exposures += 1;
        let own = self.records.entry(exposure.record).or_default();
        own.exposures += 1;
        own.outcomes += outcome;
        own.factors.iter_mut().zip(factors).for_each(|(sum, factor)| *sum += factor);
    }

    /// What is known now.
    pub fn fit(&self) -> Fit<'_> {
        let weights = solve(self.products, self.sums);
        let explained = product(&weights, &self.sums);
        let noise = ((self.squares - explained) / (self.exposures.max(2) - 1) as f64).max(1e-6);
        // Method of moments: what the means of records vary by, beyond the noise of so few exposures.
        let (mut spread, mut chance, mut records) = (0.0, 0.0, 0.0);
        for own in self.records.values().filter(|own| own.exposures >= 2) {
            spread += own.residual(&weights).powi(2);
            chance += noise / own.exposures as f64;
            records += 1.0;
        }
        let between = if records > 1.0 { ((spread - chance) / records).max(LEAST_VARIANCE) } else { LEAST_VARIANCE };
        Fit { uplift: self, weights, noise, between }
    }
}

impl Own {
    /// By how much the outcomes differ from what the factors say, in the mean.
    fn residual(&self, weights: &[f64; FACTORS]) -> f64 {
        (self.outcomes - product(weights, &self.factors)) / self.exposures as f64
    }
}

/// The effects at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Fit<'a> {
    uplift: &'a Uplift,
    weights: [f64; FACTORS],
    /// The variance of one outcome, and that of effects beyond what features explain.
    noise: f64,
    between: f64,
}

impl Fit<'_> {
    /// The effect of `record`; `None` while nothing was withheld or shown by chance: then it cannot be identified.
    pub fn effect(&self, record: i64, factors: &[f64; FACTORS]) -> Option<Effect> {
        if self.uplift.exposures == 0 {
            return None;
        }
        let own = self.uplift.records.get(&record).copied().unwrap_or_default();
        let pooled = product(&self.weights, factors);
        let shrunk = if own.exposures == 0 {
            0.0
        } else {
            let count = own.exposures as f64;
            count / (count + self.noise / self.between) * own.residual(&self.weights)
        };
        let spread = (1.0 / (own.exposures as f64 / self.noise + 1.0 / self.between)).sqrt();
        let mean = pooled + shrunk;
        Some(Effect { mean, low: mean - WIDTH * spread, high: mean + WIDTH * spread, exposures: own.exposures })
    }
}

fn product(left: &[f64; FACTORS], right: &[f64; FACTORS]) -> f64 {
    left.iter().zip(right).map(|(x, y)| x * y).sum()
}

/// The ridge regression of these sums, by Cholesky's decomposition: with the ridge, the matrix is positive definite.
#[allow(clippy::needless_range_loop, reason = "a textbook's indices")]
fn solve(mut matrix: [[f64; FACTORS]; FACTORS], mut right: [f64; FACTORS]) -> [f64; FACTORS] {
    for column in 0..FACTORS {
        matrix[column][column] += RIDGE;
    }
    for column in 0..FACTORS {
        for earlier in 0..column {
            for row in column..FACTORS {
                matrix[row][column] -= matrix[row][earlier] * matrix[column][earlier];
            }
        }
        let pivot = matrix[column][column].max(f64::MIN_POSITIVE).sqrt();
        (column..FACTORS).for_each(|row| matrix[row][column] /= pivot);
    }
    for row in 0..FACTORS {
        (0..row).for_each(|earlier| right[row] -= matrix[row][earlier] * right[earlier]);
        right[row] /= matrix[row][row];
    }
    for row in (0..FACTORS).rev() {
        (row + 1..FACTORS).for_each(|later| right[row] -= matrix[later][row] * right[later]);
        right[row] /= matrix[row][row];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Chance;

    fn correlation(left: &[f64], right: &[f64]) -> f64 {
        let count = left.len() as f64;
        let [x, y] = [left, right].map(|values| values.iter().sum::<f64>() / count);
        let covariance = |a: &[f64], b: &[f64], x: f64, y: f64| -> f64 {
            a.iter().zip(b).map(|(one, other)| (one - x) * (other - y)).sum()
        };
        covariance(left, right, x, y) / (covariance(left, left, x, x) * covariance(right, right, y, y)).sqrt()
    }

    fn number(record: usize) -> i64 {
        i64::try_from(record).unwrap()
    }

    /// 200 records in 20 topics of different difficulty, shown with probability 0.8. The effects follow from five features and from
    /// the record itself. Returns the correlation with the true effects: of the shrunk model, and of averages of outcomes.
    fn simulate(seed: u64, exposures: usize) -> (f64, f64) {
        let mut chance = Chance::new(seed);
        let difficulty: Vec<f64> = (0..20).map(|topic| 0.1 + 0.8 * f64::from(topic) / 19.0).collect();
        let features: Vec<[f64; FACTORS]> = (0..200)
            .map(|_| {
                std::array::from_fn(|place| if place < 5 { chance.normal() } else { f64::from(u8::from(place == 5)) })
            })
            .collect();
        let effects: Vec<f64> =
            features.iter().map(|factors| 0.032 * factors[..5].iter().sum::<f64>() + 0.04 * chance.normal()).collect();
        let mut uplift = Uplift::default();
        let mut averages = vec![(0.0, 0.0); 200];
        for _ in 0..exposures {
            for record in 0..200 {
                let expected = difficulty[record / 10];
                let shown = chance.happens(0.8);
                let rate = (expected + if shown { effects[record] } else { 0.0 }).clamp(0.0, 1.0);
                let success = chance.happens(rate);
                let propensity = if shown { 0.8 } else { 0.2 };
                let factors = features[record];
                uplift.learn(&Exposure { record: number(record), factors, shown, propensity, success, expected });
                if shown {
                    averages[record].0 += f64::from(u8::from(success));
                    averages[record].1 += 1.0;
                }
            }
        }
        let fit = uplift.fit();
        let shrunk: Vec<f64> =
            (0..200).map(|record| fit.effect(number(record), &features[record]).unwrap().mean).collect();
        let outcomes: Vec<f64> = averages.iter().map(|(won, shown)| won / shown).collect();
        (correlation(&shrunk, &effects), correlation(&outcomes, &effects))
    }

    #[test]
    fn pooled_effects_are_right_where_averages_of_outcomes_mislead() {
        let runs: Vec<(f64, f64)> = (1..=6).map(|seed| simulate(seed, 25)).collect();
        let mean = |pick: fn(&(f64, f64)) -> f64| runs.iter().map(pick).sum::<f64>() / 6.0;
        let (shrunk, averages) = (mean(|run| run.0), mean(|run| run.1));
        assert!(shrunk >= 0.65, "the shrunk model correlates with {shrunk}");
        assert!(averages <= 0.3, "averages of outcomes correlate with {averages}");
    }

    #[test]
    fn more_exposures_tell_more() {
        assert!(simulate(1, 200).0 > simulate(1, 12).0);
    }

    #[test]
    fn without_chance_nothing_is_identified() {
        let mut uplift = Uplift::default();
        let sure =
            Exposure { record: 1, factors: [1.0; FACTORS], shown: true, propensity: 1.0, success: true, expected: 0.5 };
        uplift.learn(&sure);
        assert_eq!(uplift.fit().effect(1, &sure.factors), None);
        uplift.learn(&Exposure { propensity: 0.9, ..sure });
        let effect = uplift.fit().effect(1, &sure.factors).unwrap();
        assert!(effect.low <= effect.mean && effect.mean <= effect.high);
    }
}
