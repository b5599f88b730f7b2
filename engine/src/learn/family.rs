//! Which cells a vector falls into: sign random projections.

use porism_native::isa::IsaError;
use porism_native::simd::Routines;

use crate::lsh::Rotation;

/// How many signs a hash has. With more, near and far are told apart better, and fewer neighbours are met.
pub(super) const BITS: usize = 8;
/// How many hashes there are. Their mean has an error of about a tenth where many records lie; see `density_tests.rs`.
pub(super) const TABLES: usize = 64;
/// How many cells a sketch has.
pub const CELLS: usize = TABLES << BITS;

/// The cells of a vector, one of each table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cells([u16; TABLES]);

impl Cells {
    /// Their numbers, below [`CELLS`].
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().map(|&cell| usize::from(cell))
    }
}

/// Hash functions that send near vectors to the same cell: two vectors at the angle `θ` share a cell with the probability
/// `(1 - θ/π)^8` (Charikar: Similarity Estimation Techniques from Rounding Algorithms, STOC 2002).
///
/// The directions are those of eight seeded random rotations, so 512 signs take a few microseconds. Directions of one rotation
/// are orthogonal: signs that share one are not independent, and in one hash they would make neighbours meet less often (Ji et al.:
/// Super-Bit Locality-Sensitive Hashing, NIPS 2012). So each sign of a hash is of another rotation.
#[derive(Clone, Debug)]
pub struct Family {
    seed: u64,
    rotations: Vec<Rotation>,
}

impl Family {
    /// The hash functions that belong to `seed`, for vectors of `dimension` places; the same on every machine.
    pub fn new(dimension: usize, seed: u64) -> Result<Self, IsaError> {
        let routines = Routines::chosen()?;
        Ok(Self::with(dimension, seed, routines))
    }

    pub(super) fn with(dimension: usize, seed: u64, routines: &'static Routines) -> Self {
        let rotation = |number| Rotation::new(dimension, seed.wrapping_add(number), routines);
        Self { seed, rotations: (0..BITS as u64).map(rotation).collect() }
    }

    /// What they belong to.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many places its vectors have.
    pub fn dimension(&self) -> usize {
        self.rotations[0].dimension()
    }

    /// The cells of `vector`; `None` for the zero vector, which is near to nothing.
    ///
    /// # Panics
    /// When the vector has another dimension.
    pub fn cells(&self, vector: &[f32]) -> Option<Cells> {
        if vector.iter().all(|&place| place == 0.0) {
            return None;
        }
        let mut cells = [0; TABLES];
        for (bit, rotation) in self.rotations.iter().enumerate() {
            for (cell, value) in cells.iter_mut().zip(rotation.rotate(vector)) {
                *cell |= u16::from(value > 0.0) << bit;
            }
        }
        for (cell, table) in cells.iter_mut().zip(0_u16..) {
            *cell |= table << BITS;
        }
        Some(Cells(cells))
    }
}
