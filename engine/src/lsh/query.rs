//! A query as the scan of codes wants it.

use porism_native::simd::ScanQuery;

use super::rotation::Rotation;

/// The largest entry of a table: eight of them still fit into a byte, which the scan relies on.
const LARGEST: f32 = 31.0;
/// The signs of so many places select one entry.
const GROUP: usize = 4;
const ENTRIES: usize = 1 << GROUP;

/// A query, rotated, with the sums of its parts worked out for all signs that a group of places may have (André, Kermarrec, Le
/// Scouarnec: Quicker ADC, 2018).
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    /// The query itself.
    pub(crate) vector: Vec<f32>,
    /// The same in bytes.
    pub(crate) bytes: Bytes,
    table: Vec<u8>,
    base: f32,
    step: f32,
}

impl Prepared {
    /// Prepares `vector` for lists of codes that were made with `rotation`.
    pub(crate) fn new(rotation: &Rotation, vector: &[f32]) -> Self {
        let rotated = rotation.rotate(vector);
        let (groups, _) = rotated.as_chunks::<GROUP>();
        let spread = |group: &[f32; GROUP]| group.iter().map(|x| x.abs()).sum::<f32>();
        let widest = groups.iter().map(spread).fold(0.0, f32::max);
        let step = if widest > 0.0 { 2.0 * widest / LARGEST } else { 1.0 };
        let mut table = vec![0; groups.len() * ENTRIES];
        let mut base = 0.0;
        for (group, entries) in groups.iter().zip(table.as_chunks_mut::<ENTRIES>().0) {
            base -= spread(group);
            *entries = sums(group, step);
        }
        Self { vector: vector.to_vec(), bytes: Bytes::new(vector), table, base, step }
    }

    /// How to scan a list whose centre has the product `shift` with the query; rows whose bound, taken `width` errors wide, reaches
    /// `bar` are hits.
    pub(crate) fn scan(&self, shift: f32, width: f32, bar: f32) -> ScanQuery<'_> {
        ScanQuery { table: &self.table, base: self.base, step: self.step, shift, width, bar }
    }
}

/// A vector in bytes: the number `n` stands for `n · scale`.
#[derive(Clone, Debug)]
pub(crate) struct Bytes {
    pub(crate) numbers: Vec<i8>,
    pub(crate) scale: f32,
}

impl Bytes {
    /// The nearest to `vector`; its largest number is 127.
    #[allow(clippy::cast_possible_truncation, reason = "the numbers lie between -127 and 127")]
    pub(crate) fn new(vector: &[f32]) -> Self {
        let largest = vector.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
        // Rounded as by `round`, which is a call of a function on many machines.
        let steps = 1.0 / scale;
        Self { numbers: vector.iter().map(|x| (x * steps + 0.5_f32.copysign(*x)) as i8).collect(), scale }
    }

    /// The vector that it stands for.
    pub(crate) fn vector(&self) -> Vec<f32> {
        self.numbers.iter().map(|&number| f32::from(number) * self.scale).collect()
    }
}

/// For each choice of signs of four places, how far their sum lies above the least, in steps.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no sum is below 0 or above 31 steps")]
fn sums(group: &[f32; GROUP], step: f32) -> [u8; ENTRIES] {
    let mut sums = [0.5_f32; ENTRIES];
    for (bit, x) in group.iter().enumerate() {
        let weight = 2.0 * x.abs() / step;
        let wanted = usize::from(*x >= 0.0);
        for (signs, sum) in sums.iter_mut().enumerate() {
            *sum += if signs >> bit & 1 == wanted { weight } else { 0.0 };
        }
    }
    sums.map(|sum| sum.min(LARGEST) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_the_sums_of_signed_places() {
        let group = [1.0, -2.0, 0.0, 4.0];
        let step = 14.0 / LARGEST;
        for (signs, entry) in sums(&group, step).into_iter().enumerate() {
            let signed = |bit: usize| if signs >> bit & 1 == 1 { group[bit] } else { -group[bit] };
            let sum: f32 = (0..GROUP).map(signed).sum();
            assert!((sum - (-7.0 + step * f32::from(entry))).abs() <= step, "{signs:04b}");
        }
    }
}
