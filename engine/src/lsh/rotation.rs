//! A random rotation: sign flips and Hadamard transforms, `O(d log d)`.

use porism_native::simd::Routines;

/// How often signs are flipped and a transform is done. Three suffice for a power of two (Ailon, Chazelle: The Fast
/// Johnson-Lindenstrauss Transform, 2009); other lengths are mixed by two overlapping windows in turn.
const ROUNDS: usize = 4;

/// A rotation of vectors of `dimension` places into [`bits`](Self::bits) places.
#[derive(Clone, Debug)]
pub(crate) struct Rotation {
    dimension: usize,
    bits: usize,
    window: usize,
    scale: f32,
    signs: [Vec<u64>; ROUNDS],
    routines: &'static Routines,
}

impl Rotation {
    /// The rotation that belongs to `seed`; the same on every machine.
    pub(crate) fn new(dimension: usize, seed: u64, routines: &'static Routines) -> Self {
        let bits = bits(dimension);
        let window = 1 << bits.ilog2();
        let mut stream = blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof();
        let signs = std::array::from_fn(|_| {
            let word = |_| {
                let mut word = [0; 8];
                stream.fill(&mut word);
                u64::from_le_bytes(word)
            };
            (0..bits / 64).map(word).collect()
        });
        Self { dimension, bits, window, scale: 1.0 / (window as f32).sqrt(), signs, routines }
    }

    /// How many places a rotated vector has: a multiple of 64, so that zeros may have been added.
    pub(crate) fn bits(&self) -> usize {
        self.bits
    }

    /// The dimension of what is rotated.
    pub(crate) fn dimension(&self) -> usize {
        self.dimension
    }

    /// The routines of this machine.
    pub(crate) fn routines(&self) -> &'static Routines {
        self.routines
    }

    /// `vector`, rotated: lengths and products stay what they were.
    pub(crate) fn rotate(&self, vector: &[f32]) -> Vec<f32> {
        assert_eq!(vector.len(), self.dimension, "a vector has the dimension of the index");
        let mut rotated = vec![0.0; self.bits];
        rotated[..self.dimension].copy_from_slice(vector);
        for (round, signs) in self.signs.iter().enumerate() {
            self.routines.flip_signs(&mut rotated, signs);
            let start = if round % 2 == 0 { 0 } else { self.bits - self.window };
            let window = &mut rotated[start..start + self.window];
            self.routines.hadamard(window);
            window.iter_mut().for_each(|x| *x *= self.scale);
        }
        rotated
    }
}

/// How many bits the code of a vector of `dimension` places has.
pub(crate) fn bits(dimension: usize) -> usize {
    dimension.next_multiple_of(64).max(64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn product(left: &[f32], right: &[f32]) -> f32 {
        left.iter().zip(right).map(|(x, y)| x * y).sum()
    }

    proptest! {
        #[test]
        fn products_stay_what_they_were(
            (left, right) in (1_usize..400).prop_flat_map(|dimension| {
                let vector = prop::collection::vec(-1.0_f32..1.0, dimension);
                (vector.clone(), vector)
            }),
            seed: u64,
        ) {
            let rotation = Rotation::new(left.len(), seed, Routines::chosen().unwrap());
            let [a, b] = [&left, &right].map(|vector| rotation.rotate(vector));
            prop_assert!((product(&a, &b) - product(&left, &right)).abs() < 1e-4 * left.len() as f32);
        }
    }

    #[test]
    fn a_single_place_is_spread_over_all() {
        let rotation = Rotation::new(384, 7, Routines::chosen().unwrap());
        for place in [0, 100, 383] {
            let mut vector = vec![0.0; 384];
            vector[place] = 1.0;
            let largest = rotation.rotate(&vector).iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
            assert!(largest < 0.25, "place {place} stays at {largest}");
        }
    }
}
