//! Whether a change did harm: a test that may be looked at after every pair.

use std::f64::consts::PI;

/// Bets of different size: small ones find small harm, large ones find large harm soon.
const BETS: [f64; 4] = [0.05, 0.1, 0.2, 0.4];

/// What a trial says so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing yet.
    Open,
    /// With the change, fewer goals are proved: take it back.
    Harmful,
    /// With the change, goals are proved as often, up to the margin.
    Harmless,
}

/// Pairs of outcomes of the same goals, with and without a change.
///
/// Were the change not harmful, a gambler who bets on harm would multiply a fortune by [`alarm`](Self::new) at any time with a
/// probability of at most its inverse (Ville's inequality). So one may stop whenever one likes, and the rate of false alarms holds
/// (Waudby-Smith, Ramdas: Estimating Means of Bounded Random Variables by Betting, JRSSB 2024).
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    rate: f64,
    margin: f64,
    pairs: u64,
    difference: i64,
    /// The logarithms of the fortunes of those who bet on harm, and on no harm: products of thousands would not fit.
    harm: [f64; BETS.len()],
    harmless: [f64; BETS.len()],
    finding: Finding,
}

impl Trial {
    /// A trial that raises a false alarm with a probability of at most `rate`, and calls a change harmless that costs less than `margin`
    /// of the goals.
    ///
    /// # Panics
    /// When one of them is not between 0 and 1.
    pub fn new(rate: f64, margin: f64) -> Self {
        assert!(0.0 < rate && rate < 1.0 && 0.0 < margin && margin < 1.0, "a rate and a margin lie between 0 and 1");
        Self { rate, margin, pairs: 0, difference: 0, harm: [0.0; 4], harmless: [0.0; 4], finding: Finding::Open }
    }

    /// The trial of the change of this number, from 1: over all changes together, the rate of false alarms is at most `rate`.
    pub fn of_series(rate: f64, margin: f64, number: u32) -> Self {
        let number = f64::from(number.max(1));
        Self::new(6.0 * rate / (PI * PI * number * number), margin)
    }

    /// Takes in whether a goal was proved with the change, and without. What was found once stays found.
    pub fn pair(&mut self, with: bool, without: bool) -> Finding {
        if self.finding != Finding::Open {
            return self.finding;
        }
        let difference = i64::from(with) - i64::from(without);
        self.pairs += 1;
        self.difference += difference;
        let gain = difference as f64;
        for (place, bet) in BETS.iter().enumerate() {
            self.harm[place] += libm::log1p(-bet * gain);
            self.harmless[place] += libm::log1p(bet * (gain + self.margin));
        }
        let won = |fortunes: &[f64; 4]| {
            fortunes.iter().map(|&fortune| libm::exp(fortune)).sum::<f64>() / BETS.len() as f64 >= 1.0 / self.rate
        };
        if won(&self.harm) {
            self.finding = Finding::Harmful;
        } else if won(&self.harmless) {
            self.finding = Finding::Harmless;
        }
        self.finding
    }

    /// What it says.
    pub fn finding(&self) -> Finding {
        self.finding
    }

    /// How many pairs there were.
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// By how many of the goals, as a share of the pairs, the change proved more.
    pub fn effect(&self) -> f64 {
        self.difference as f64 / self.pairs.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Chance;

    /// After how many pairs harm is found; `discordant` pairs differ, and the change has this `effect` on the share proved.
    fn alarm(seed: u64, discordant: f64, effect: f64, most: u32) -> Option<u64> {
        let (mut trial, mut chance) = (Trial::new(0.05, 0.02), Chance::new(seed));
        for _ in 0..most {
            let differs = chance.happens(discordant);
            let better = chance.happens(f64::midpoint(1.0, effect / discordant));
            // Betting against harm is another test: here only the alarm is looked at.
            trial.finding = Finding::Open;
            if trial.pair(!differs || better, !differs || !better) == Finding::Harmful {
                return Some(trial.pairs());
            }
        }
        None
    }

    #[test]
    fn harm_of_ten_points_is_found_within_three_hundred_pairs() {
        let mut found: Vec<u64> = (0..200).map(|seed| alarm(seed, 0.2, -0.1, 3000).unwrap_or(u64::MAX)).collect();
        found.sort_unstable();
        assert!(found[100] <= 200, "half of the alarms take {} pairs", found[100]);
        assert!(found[160] <= 300, "four of five alarms take {} pairs", found[160]);
    }

    #[test]
    fn false_alarms_are_as_rare_as_stated() {
        for discordant in [0.1, 0.2] {
            let false_alarms = (0..400).filter(|&seed| alarm(seed, discordant, 0.0, 3000).is_some()).count();
            assert!(false_alarms <= 20, "{false_alarms} of 400 harmless changes raise an alarm");
        }
    }

    #[test]
    fn equal_outcomes_are_harmless_in_the_end_and_the_finding_stays() {
        let mut trial = Trial::new(0.05, 0.05);
        let mut pairs = 0;
        while trial.pair(true, true) == Finding::Open {
            pairs += 1;
            assert!(pairs < 1000);
        }
        assert_eq!(trial.finding(), Finding::Harmless);
        for _ in 0..1000 {
            trial.pair(false, true);
        }
        assert_eq!(trial.finding(), Finding::Harmless);
    }

    #[test]
    fn later_changes_of_a_series_need_stronger_evidence() {
        let pairs = |number| {
            let mut trial = Trial::of_series(0.05, 0.02, number);
            while trial.pair(false, true) == Finding::Open {}
            trial.pairs()
        };
        assert!(pairs(1) < pairs(10));
    }
}
