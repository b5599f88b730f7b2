//! A sample of the queries that were asked.

use super::segment::unit;

/// How many queries are kept.
const SIZE: usize = 256;

/// Each query that was asked is in it with the same chance (Vitter: Random Sampling with a Reservoir, 1985, algorithm R).
#[derive(Debug, Default)]
pub(super) struct Sample {
    queries: Vec<Vec<f32>>,
    asked: u64,
}

impl Sample {
    /// Notes a query.
    pub(super) fn add(&mut self, query: &[f32]) {
        self.asked += 1;
        if self.queries.len() < SIZE {
            self.queries.push(query.to_vec());
            return;
        }
        // A hash of the count is as good as chance here, and the same in every run.
        let place = mix(self.asked) % self.asked;
        if let Some(old) = usize::try_from(place).ok().and_then(|place| self.queries.get_mut(place)) {
            old.clear();
            old.extend_from_slice(query);
        }
    }

    /// How many queries were asked.
    pub(super) fn asked(&self) -> u64 {
        self.asked
    }

    /// The queries of the sample, as unit vectors.
    pub(super) fn queries(&self) -> Vec<Vec<f32>> {
        self.queries.iter().map(|query| unit(query)).collect()
    }
}

/// Spreads a count over all numbers (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
fn mix(count: u64) -> u64 {
    let mut word = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_queries_are_as_likely_as_early_ones() {
        let mut sample = Sample::default();
        (0..10_000_u16).for_each(|query| sample.add(&[f32::from(query)]));
        assert_eq!((sample.asked(), sample.queries.len()), (10_000, SIZE));
        let late = sample.queries.iter().filter(|query| query[0] >= 5_000.0).count();
        assert!((90..=166).contains(&late), "{late} of {SIZE} are of the later half");
    }
}
