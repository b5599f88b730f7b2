//! Random numbers that are the same everywhere.

/// A stream of random numbers that follows from its seed (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number from 0 to below 1.
    pub fn share(&mut self) -> f64 {
        // 53 bits are what an `f64` holds without rounding.
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// A number of the standard normal distribution (Box, Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.share())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.share())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_that_of_its_seed() {
        assert_eq!(Chance::new(0).word(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn shares_and_normals_have_their_moments() {
        let mut chance = Chance::new(2);
        let shares: Vec<f64> = (0..10_000).map(|_| chance.share()).collect();
        assert!((shares.iter().sum::<f64>() / 1e4 - 0.5).abs() < 0.01);
        let normals: Vec<f64> = (0..10_000).map(|_| chance.normal()).collect();
        assert!((normals.iter().sum::<f64>() / 1e4).abs() < 0.03);
        assert!((normals.iter().map(|x| x * x).sum::<f64>() / 1e4 - 1.0).abs() < 0.05);
    }
}
