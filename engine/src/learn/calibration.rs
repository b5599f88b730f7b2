//! Whether probabilities can be believed: each was given before its outcome was known.

use std::collections::VecDeque;

use super::chance::Chance;

/// How many of the latest predictions are judged.
const JUDGED: usize = 2000;
/// Fewer say nothing.
const LEAST: usize = 50;
/// Bins of equally many predictions.
const BINS: usize = 15;
/// How often the predictions are drawn anew for the interval (Efron: Bootstrap Methods, 1979).
const DRAWS: usize = 200;

/// Predictions with what came true, the latest ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calibration {
    outcomes: VecDeque<(f64, bool)>,
}

/// How good predictions were.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Skill {
    /// How many predictions there are.
    pub predictions: usize,
    /// How often what was predicted came true.
    pub base_rate: f64,
    /// The mean squared error (Brier, 1950).
    pub brier: f64,
    /// What part of the squared error of the base rate they avoid: over 0, they are better than it.
    pub skill: f64,
    /// The ends of its interval of 95 %, by the bootstrap.
    pub interval: (f64, f64),
    /// By how much they are off in the mean of bins (expected calibration error).
    pub calibration_error: f64,
}

impl Calibration {
    /// Takes in a prediction with its outcome.
    pub fn add(&mut self, predicted: f64, outcome: bool) {
        if self.outcomes.len() == JUDGED {
            self.outcomes.pop_front();
        }
        self.outcomes.push_back((predicted, outcome));
    }

    /// How good they were; `None` while there are fewer than 50 of them, or all came out alike.
    pub fn skill(&self) -> Option<Skill> {
        let outcomes: Vec<(f64, bool)> = self.outcomes.iter().copied().collect();
        if outcomes.len() < LEAST {
            return None;
        }
        let skill = skill_of(outcomes.iter())?;
        let mut chance = Chance::new(outcomes.len() as u64);
        let mut drawn: Vec<f64> = (0..DRAWS)
            .filter_map(|_| {
                let places: Vec<usize> = outcomes.iter().map(|_| place(&mut chance, outcomes.len())).collect();
                skill_of(places.iter().map(|&place| &outcomes[place]))
            })
            .collect();
        drawn.sort_by(f64::total_cmp);
        let end = |quantile: usize| drawn.get(drawn.len() * quantile / 1000).copied().unwrap_or(skill);
        Some(Skill {
            predictions: outcomes.len(),
            base_rate: rate(outcomes.iter()),
            brier: brier(outcomes.iter()),
            skill,
            interval: (end(25), end(975)),
            calibration_error: calibration_error(outcomes),
        })
    }

    /// Whether the predictions may have a say: when their skill is over 0, all of its interval.
    pub fn opens_the_gate(&self) -> bool {
        self.skill().is_some_and(|skill| skill.interval.0 > 0.0)
    }
}

fn place(chance: &mut Chance, length: usize) -> usize {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
    let place = (chance.share() * length as f64) as usize;
    place.min(length - 1)
}

fn rate<'a>(outcomes: impl ExactSizeIterator<Item = &'a (f64, bool)>) -> f64 {
    let all = outcomes.len() as f64;
    outcomes.filter(|(_, outcome)| *outcome).count() as f64 / all
}

fn brier<'a>(outcomes: impl ExactSizeIterator<Item = &'a (f64, bool)>) -> f64 {
    let all = outcomes.len() as f64;
    outcomes.map(|&(predicted, outcome)| (predicted - f64::from(u8::from(outcome))).powi(2)).sum::<f64>() / all
}

fn skill_of<'a>(outcomes: impl ExactSizeIterator<Item = &'a (f64, bool)> + Clone) -> Option<f64> {
    let rate = rate(outcomes.clone());
    let plain = rate * (1.0 - rate);
    (plain > 0.0).then(|| 1.0 - brier(outcomes) / plain)
}

fn calibration_error(mut outcomes: Vec<(f64, bool)>) -> f64 {
    outcomes.sort_by(|left, right| left.0.total_cmp(&right.0));
    let all = outcomes.len();
    let bin = |number: usize| &outcomes[number * all / BINS..(number + 1) * all / BINS];
    let off = |bin: &[(f64, bool)]| {
        let predicted = bin.iter().map(|(predicted, _)| predicted).sum::<f64>();
        let came = bin.iter().filter(|(_, outcome)| *outcome).count() as f64;
        (predicted - came).abs()
    };
    (0..BINS).map(|number| off(bin(number))).sum::<f64>() / all as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration(predict: impl Fn(f64, &mut Chance) -> f64) -> Calibration {
        let (mut calibration, mut chance) = (Calibration::default(), Chance::new(9));
        for _ in 0..3000 {
            let truth = chance.share();
            let predicted = predict(truth, &mut chance);
            calibration.add(predicted, chance.happens(truth));
        }
        calibration
    }

    #[test]
    fn true_probabilities_have_skill_and_are_calibrated() {
        let judged = calibration(|truth, _| truth);
        let skill = judged.skill().unwrap();
        assert!((skill.skill - 1.0 / 3.0).abs() < 0.05, "{skill:?}");
        assert!(skill.calibration_error < 0.05 && judged.opens_the_gate());
    }

    #[test]
    fn guesses_keep_the_gate_shut() {
        assert!(!calibration(|_, chance| chance.share()).opens_the_gate());
        assert!(!calibration(|_, _| 0.5).opens_the_gate());
        assert!(!Calibration::default().opens_the_gate());
    }
}
