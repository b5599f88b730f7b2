//! Probabilities from sparse features, learnt one example at a time.

use super::chance::Chance;

/// How many weights there are: features are hashed into them.
pub const WEIGHTS: usize = 1 << 16;
/// How large the first step is.
const STEP: f64 = 0.2;
/// What keeps the first steps apart from a division by nothing.
const DAMPING: f64 = 0.5;
/// How much a weight shrinks each time that it is touched.
const SHRINKAGE: f64 = 1e-5;
/// The curvature of the prior, for draws.
const PRIOR_CURVATURE: f64 = 1.0;
/// The largest weight of one example: a rare treatment must not outweigh everything that was learnt.
const MAX_WEIGHT: f64 = 10.0;

/// Features and how much of each, by number; numbers beyond [`WEIGHTS`] wrap around.
pub type Row = [(u32, f64)];

/// Logistic regression with a step size for each coordinate (Duchi, Hazan, Singer: Adaptive Subgradient Methods, JMLR 2011) over
/// hashed features. The curvature gives every weight a variance, from which [`draw`](Self::draw) takes optimistic guesses
/// (Chapelle, Li: An Empirical Evaluation of Thompson Sampling, NIPS 2011).
#[derive(Clone, Debug, PartialEq)]
pub struct Logistic {
    /// The weight, the sum of squared gradients, and the curvature.
    coordinates: Vec<[f64; 3]>,
}

impl Default for Logistic {
    fn default() -> Self {
        Self { coordinates: vec![[0.0; 3]; WEIGHTS] }
    }
}

impl Logistic {
    /// How probable it is.
    pub fn predict(&self, row: &Row) -> f64 {
        sigmoid(row.iter().map(|&(feature, amount)| self.coordinates[place(feature)][0] * amount).sum())
    }

    /// How probable it is by weights that are drawn from what is known of them: what is little known varies most.
    pub fn draw(&self, row: &Row, chance: &mut Chance) -> f64 {
        let drawn = |&(feature, amount): &(u32, f64)| {
            let [weight, _, curvature] = self.coordinates[place(feature)];
            amount * (weight + chance.normal() / (curvature + PRIOR_CURVATURE).sqrt())
        };
        sigmoid(row.iter().map(drawn).sum())
    }

    /// Takes in an outcome. `weight` is the inverse of how probable it was to see it, cut at 10; what is no number counts nothing.
    pub fn learn(&mut self, row: &Row, outcome: bool, weight: f64) {
        let weight = if weight > 0.0 { weight.min(MAX_WEIGHT) } else { return };
        let predicted = self.predict(row);
        let error = weight * (predicted - f64::from(u8::from(outcome)));
        for &(feature, amount) in row.iter().filter(|(_, amount)| amount.is_finite()) {
            let [value, squares, curvature] = &mut self.coordinates[place(feature)];
            let gradient = error * amount;
            *squares += gradient * gradient;
            *curvature += weight * predicted * (1.0 - predicted) * amount * amount;
            *value -= STEP * gradient / (DAMPING + squares.sqrt()) + SHRINKAGE * *value;
        }
    }
}

fn place(feature: u32) -> usize {
    feature as usize % WEIGHTS
}

/// The probability of these log-odds, never quite 0 or 1.
pub(super) fn sigmoid(odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-odds.clamp(-30.0, 30.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_is_learnt() {
        let mut model = Logistic::default();
        let mut chance = Chance::new(3);
        for _ in 0..2000 {
            let good = chance.happens(0.5);
            let row = [(0, 1.0), (if good { 1 } else { 2 }, 1.0)];
            model.learn(&row, chance.happens(if good { 0.8 } else { 0.1 }), 1.0);
        }
        assert!((model.predict(&[(0, 1.0), (1, 1.0)]) - 0.8).abs() < 0.1);
        assert!((model.predict(&[(0, 1.0), (2, 1.0)]) - 0.1).abs() < 0.1);
    }

    #[test]
    fn draws_vary_where_little_is_known() {
        let mut model = Logistic::default();
        (0..500).for_each(|number| model.learn(&[(1, 1.0)], number % 2 == 0, 1.0));
        let spread = |feature: u32| {
            let mut chance = Chance::new(5);
            let draws: Vec<f64> = (0..200).map(|_| model.draw(&[(feature, 1.0)], &mut chance)).collect();
            draws.iter().map(|draw| (draw - 0.5).powi(2)).sum::<f64>()
        };
        assert!(spread(2) > 10.0 * spread(1));
    }

    #[test]
    fn nonsense_teaches_nothing() {
        let mut model = Logistic::default();
        model.learn(&[(1, f64::NAN), (u32::MAX, f64::INFINITY)], true, f64::NAN);
        model.learn(&[(1, f64::NAN), (u32::MAX, f64::INFINITY)], true, 1.0);
        assert!((model.predict(&[(1, 1.0)]) - 0.5).abs() < 1e-12);
    }
}
