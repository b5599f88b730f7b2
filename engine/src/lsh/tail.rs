//! The rows behind a sealed index: one list in memory, scanned whole.

use super::calibration::Setting;
use super::code::encode;
use super::list::List;
use super::rotation::Rotation;
use super::sealed::Sealed;
use porism_native::simd::Routines;

/// Codes of rows that no sealed index has yet.
#[derive(Clone, Debug)]
pub struct Tail {
    pub(crate) rotation: Rotation,
    pub(crate) centre: Vec<f32>,
    pub(crate) rotated_centre: Vec<f32>,
    pub(crate) list: List,
    first: u32,
}

impl Tail {
    /// The rows behind an index: those from the end of it on.
    pub fn behind(sealed: &Sealed) -> Self {
        let rotation = sealed.rotation().clone();
        let list = List::new(rotation.bits());
        let (centre, rotated_centre) = (sealed.mean().to_vec(), sealed.rotated_mean().to_vec());
        Self { rotation, centre, rotated_centre, list, first: sealed.rows() }
    }

    /// All rows, without an index.
    pub fn alone(dimension: usize, seed: u64, routines: &'static Routines) -> Self {
        let rotation = Rotation::new(dimension, seed, routines);
        let bits = rotation.bits();
        Self {
            rotation,
            centre: vec![0.0; dimension],
            rotated_centre: vec![0.0; bits],
            list: List::new(bits),
            first: 0,
        }
    }

    /// Adds the next row.
    pub fn push(&mut self, vector: &[f32]) {
        let mut residual = vec![0.0; self.rotation.bits()];
        let factors = encode(&self.rotation.rotate(vector), &self.rotated_centre, &mut residual);
        self.list.push(&residual, factors, self.end());
    }

    /// How many rows it holds.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether it holds no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of the row that would be pushed next.
    #[allow(clippy::cast_possible_truncation, reason = "the number of a row fits into 32 bits")]
    pub fn end(&self) -> u32 {
        self.first + self.list.len() as u32
    }

    /// How to search it where no index has measured anything.
    pub fn setting(recall: f32) -> Setting {
        Setting { probes: u32::MAX, width: super::calibration::width_alone(recall) }
    }
}
