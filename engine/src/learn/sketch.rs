//! One density over the cells: a sum of weights that fades.

use thiserror::Error;

use super::family::{CELLS, Cells, TABLES};

/// How many bits of a count stand behind the point.
const FRACTION: i32 = 24;
/// A weight of an entry is at most this, in either direction.
const MAX_WEIGHT: f64 = 65_536.0;
/// How many half-lives the origin lies behind the latest entry, at least; at most it is twice as many.
const SPAN: i64 = 32;

/// Sketches that do not count the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("sketches of other seeds or half-lives cannot be joined")]
pub struct Mismatch;

/// A sum of weights over cells: a kernel density estimate (Luo, Shrivastava: Arrays of (locality-sensitive) Count Estimators, WWW
/// 2018; Coleman, Shrivastava: Sub-linear RACE Sketches for Approximate Kernel Density Estimation, WWW 2020).
///
/// It is linear: an entry is taken out by adding its negative at the same time, and sketches are joined by adding them. Counts
/// are of fixed point, so both hold to the last bit and in any order. An entry is added with its weight times `2^(t/H)`, and
/// a read divides by `2^(now/H)`, so that nothing has to be touched for it to fade. Only what is older than the latest entry by
/// 32 half-lives and more is rounded, by less than `2^-24` of its weight at the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    seed: u64,
    half_life_ms: Option<i64>,
    /// The half-life in which a weight counts once. It follows from the latest entry alone, so order does not matter.
    origin: i64,
    counts: Vec<i128>,
}

impl Sketch {
    /// Nothing yet, over the cells of the family of `seed`. Weights halve every `half_life_ms`, or stay what they are.
    ///
    /// # Panics
    /// When the half-life is not over 0.
    pub fn new(seed: u64, half_life_ms: Option<i64>) -> Self {
        assert!(half_life_ms.is_none_or(|span| span > 0), "a half-life is over 0");
        Self { seed, half_life_ms, origin: i64::MIN, counts: vec![0; CELLS] }
    }

    /// Adds an entry of `weight`, from `-65536` to `65536`, at a time in Unix milliseconds.
    pub fn add(&mut self, cells: &Cells, weight: f64, at_ms: i64) {
        let (age, rest) = self.place(at_ms);
        if self.half_life_ms.is_some() {
            self.move_origin(self.origin.max((age.div_euclid(SPAN) - 1) * SPAN));
        }
        let amount = fixed(weight.clamp(-MAX_WEIGHT, MAX_WEIGHT) * libm::exp2(rest));
        let amount = shifted(amount, age.saturating_sub(self.origin));
        // Counts are a ring: even a sum that overflows on the way comes out right when entries are taken out again.
        cells.iter().for_each(|cell| self.counts[cell] = self.counts[cell].wrapping_add(amount));
    }

    /// The weight near `cells`: each entry counts with the share of tables where it shares the cell, faded to `now_ms`.
    pub fn near(&self, cells: &Cells, now_ms: i64) -> f64 {
        let sum = cells.iter().fold(0_i128, |sum, cell| sum.wrapping_add(self.counts[cell]));
        let (age, rest) = self.place(now_ms);
        let halvings = age.saturating_sub(self.origin).clamp(-2000, 2000);
        let exponent = i32::try_from(-halvings).unwrap_or(0) - FRACTION;
        libm::scalbn(sum as f64 / TABLES as f64 / libm::exp2(rest), exponent)
    }

    /// Adds all entries of `other`.
    pub fn merge(&mut self, other: &Self) -> Result<(), Mismatch> {
        self.join(other, i128::wrapping_add)
    }

    /// Takes all entries of `other` out.
    pub fn subtract(&mut self, other: &Self) -> Result<(), Mismatch> {
        self.join(other, i128::wrapping_sub)
    }

    fn join(&mut self, other: &Self, operation: impl Fn(i128, i128) -> i128) -> Result<(), Mismatch> {
        if (self.seed, self.half_life_ms) != (other.seed, other.half_life_ms) {
            return Err(Mismatch);
        }
        let origin = self.origin.max(other.origin);
        self.move_origin(origin);
        let shift = other.origin.saturating_sub(origin);
        for (count, &added) in self.counts.iter_mut().zip(&other.counts) {
            *count = operation(*count, shifted(added, shift));
        }
        Ok(())
    }

    fn move_origin(&mut self, origin: i64) {
        if origin != self.origin {
            let shift = self.origin.saturating_sub(origin);
            self.counts.iter_mut().for_each(|count| *count = shifted(*count, shift));
            self.origin = origin;
        }
    }

    /// The half-life in which a time lies, and how much of it is over.
    fn place(&self, at_ms: i64) -> (i64, f64) {
        match self.half_life_ms {
            Some(span) => (at_ms.div_euclid(span), at_ms.rem_euclid(span) as f64 / span as f64),
            // Without fading, every time is the origin.
            None => (self.origin, 0.0),
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a weight has at most 17 bits before the point")]
fn fixed(weight: f64) -> i128 {
    libm::round(libm::scalbn(weight, FRACTION)) as i128
}

/// `count` times `2^by`.
fn shifted(count: i128, by: i64) -> i128 {
    let places = u32::try_from(by.unsigned_abs()).unwrap_or(u32::MAX);
    if by >= 0 {
        count.checked_shl(places).unwrap_or(0)
    } else {
        count / 1_i128.checked_shl(places.min(126)).unwrap_or(1)
    }
}
