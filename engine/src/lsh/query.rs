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

/// Fractions of a step that are kept while a sum is made.
const FRACTION_BITS: u32 = 8;
/// For each place of a group, all ones where the choice of signs has it positive.
const POSITIVE: [[u16; ENTRIES]; GROUP] = {
    let mut masks = [[0; ENTRIES]; GROUP];
    let mut at = 0;
    while at < GROUP * ENTRIES {
        if (at % ENTRIES) >> (at / ENTRIES) & 1 == 1 {
            masks[at / ENTRIES][at % ENTRIES] = u16::MAX;
        }
        at += 1;
    }
    masks
};

/// For each choice of signs of four places, how far their sum lies above the least, in steps.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no sum is below 0 or above 31 steps")]
fn sums(group: &[f32; GROUP], step: f32) -> [u8; ENTRIES] {
    let scale = 2.0 * (1 << FRACTION_BITS) as f32 / step;
    // A half, so that the fraction that is dropped in the end rounds.
    let mut sums = [1_u16 << (FRACTION_BITS - 1); ENTRIES];
    for (x, positive) in group.iter().zip(&POSITIVE) {
        // A place adds its size where the choice agrees with its sign.
        let (weight, opposite) = ((x.abs() * scale + 0.5) as u16, if *x >= 0.0 { 0 } else { u16::MAX });
        for (sum, mask) in sums.iter_mut().zip(positive) {
            *sum = sum.wrapping_add(weight & (mask ^ opposite));
        }
    }
    sums.map(|sum| ((sum >> FRACTION_BITS) as u8).min(LARGEST as u8))
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
