//! Lists of codes, in blocks that are scanned at once.

use porism_native::simd::{BLOCK_ROWS, CodeBlocks, Routines, ScanQuery};

use super::code::Factors;

/// Bytes of one kind of number in a block.
const COLUMN_BYTES: usize = BLOCK_ROWS * 4;
/// The row that stands where a block has none.
pub(crate) const NO_ROW: u32 = u32::MAX;

/// How many blocks a list of so many rows has.
pub(crate) fn blocks(rows: usize) -> usize {
    rows.div_ceil(BLOCK_ROWS)
}

/// How many bytes the codes of one block have.
fn code_bytes(bits: usize) -> usize {
    bits / 8 * BLOCK_ROWS
}

/// How many bytes a list of so many rows has.
pub(crate) fn list_bytes(bits: usize, rows: usize) -> usize {
    blocks(rows) * (code_bytes(bits) + 4 * COLUMN_BYTES)
}

/// A list that grows.
#[derive(Clone, Debug)]
pub(crate) struct List {
    bits: usize,
    rows: usize,
    codes: Vec<u8>,
    offsets: Vec<u8>,
    slopes: Vec<u8>,
    errors: Vec<u8>,
    numbers: Vec<u8>,
}

impl List {
    pub(crate) fn new(bits: usize) -> Self {
        let none = Vec::new;
        Self { bits, rows: 0, codes: none(), offsets: none(), slopes: none(), errors: none(), numbers: none() }
    }

    /// How many rows it holds.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Adds row `number` with its rotated residual.
    pub(crate) fn push(&mut self, residual: &[f32], factors: Factors, number: u32) {
        assert_eq!(residual.len(), self.bits, "a residual has a place for each bit");
        let signs = residual
            .as_chunks::<8>()
            .0
            .iter()
            .map(|places| places.iter().enumerate().fold(0, |signs, (bit, &x)| signs | u8::from(x >= 0.0) << bit));
        self.push_signs(signs, factors, number);
    }

    /// Adds the row at `place` of another list, as row `number`.
    pub(crate) fn push_from(&mut self, other: &ListView<'_>, place: usize, number: u32) {
        let block = &other.blocks.codes[place / BLOCK_ROWS * code_bytes(self.bits)..][..code_bytes(self.bits)];
        let float = |column| f32::from_bits(word(column, place));
        let CodeBlocks { offsets, slopes, errors, .. } = other.blocks;
        let factors = Factors { offset: float(offsets), slope: float(slopes), error: float(errors) };
        self.push_signs(block.iter().skip(place % BLOCK_ROWS).step_by(BLOCK_ROWS).copied(), factors, number);
    }

    fn push_signs(&mut self, signs: impl Iterator<Item = u8>, factors: Factors, number: u32) {
        let place = self.rows % BLOCK_ROWS;
        if place == 0 {
            self.codes.resize(self.codes.len() + code_bytes(self.bits), 0);
            self.numbers.resize(self.numbers.len() + COLUMN_BYTES, 0xff);
            // What is not there is estimated below everything.
            self.offsets.extend(f32::NEG_INFINITY.to_le_bytes().repeat(BLOCK_ROWS));
            for column in [&mut self.slopes, &mut self.errors] {
                column.resize(column.len() + COLUMN_BYTES, 0);
            }
        }
        let block = self.codes.len() - code_bytes(self.bits);
        for (pair, signs) in signs.enumerate() {
            self.codes[block + pair * BLOCK_ROWS + place] = signs;
        }
        let start = self.rows * 4;
        let set = |column: &mut Vec<u8>, bytes: [u8; 4]| column[start..start + 4].copy_from_slice(&bytes);
        set(&mut self.offsets, factors.offset.to_le_bytes());
        set(&mut self.slopes, factors.slope.to_le_bytes());
        set(&mut self.errors, factors.error.to_le_bytes());
        set(&mut self.numbers, number.to_le_bytes());
        self.rows += 1;
    }

    pub(crate) fn view(&self) -> ListView<'_> {
        ListView {
            blocks: CodeBlocks {
                codes: &self.codes,
                offsets: &self.offsets,
                slopes: &self.slopes,
                errors: &self.errors,
            },
            numbers: &self.numbers,
        }
    }

    /// The bytes from which [`ListView::read`] makes the same list.
    pub(crate) fn parts(&self) -> [&[u8]; 5] {
        [&self.codes, &self.offsets, &self.slopes, &self.errors, &self.numbers]
    }
}

/// A list in memory or in a mapped file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListView<'a> {
    blocks: CodeBlocks<'a>,
    numbers: &'a [u8],
}

impl<'a> ListView<'a> {
    /// The list of `rows` rows in `bytes`, which has [`list_bytes`] of them.
    pub(crate) fn read(bits: usize, rows: usize, bytes: &'a [u8]) -> Self {
        assert_eq!(bytes.len(), list_bytes(bits, rows), "a list has the length that its rows ask for");
        let blocks = blocks(rows);
        let (codes, bytes) = bytes.split_at(blocks * code_bytes(bits));
        let mut columns = bytes.chunks_exact((blocks * COLUMN_BYTES).max(1));
        let mut column = || columns.next().unwrap_or_default();
        Self { blocks: CodeBlocks { codes, offsets: column(), slopes: column(), errors: column() }, numbers: column() }
    }

    fn len_blocks(&self) -> usize {
        self.numbers.len() / COLUMN_BYTES
    }

    /// The number of the row at `place`.
    pub(crate) fn number(&self, place: usize) -> u32 {
        word(self.numbers, place)
    }

    /// How wide the error of the row at `place` is, for a query that lies one away from the centre.
    pub(crate) fn error(&self, place: usize) -> f32 {
        f32::from_bits(word(self.blocks.errors, place))
    }

    /// The estimates of the first `rows` rows, in order.
    pub(crate) fn estimates<'b>(
        &self,
        routines: &Routines,
        query: &ScanQuery<'_>,
        rows: usize,
        buffers: &'b mut Buffers,
    ) -> &'b [f32] {
        let (estimates, hits) = buffers.of(self.len_blocks());
        routines.scan(query, &self.blocks, estimates, hits);
        &estimates[..rows]
    }

    /// Estimates all rows and hands every hit to `visit`: its place, and its estimate.
    pub(crate) fn scan(
        &self,
        routines: &Routines,
        query: &ScanQuery<'_>,
        buffers: &mut Buffers,
        mut visit: impl FnMut(usize, f32),
    ) {
        let blocks = self.len_blocks();
        let (estimates, hits) = buffers.of(blocks);
        routines.scan(query, &self.blocks, estimates, hits);
        for (block, &mask) in hits.iter().enumerate() {
            let mut mask = mask;
            while mask != 0 {
                let place = block * BLOCK_ROWS + mask.trailing_zeros() as usize;
                mask &= mask - 1;
                // Where a bar is as low as it can be, what is not there reaches it too.
                if self.number(place) != NO_ROW {
                    visit(place, estimates[place]);
                }
            }
        }
    }
}

/// Room for the results of scans, used again and again.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    estimates: Vec<f32>,
    hits: Vec<u32>,
}

impl Buffers {
    fn of(&mut self, blocks: usize) -> (&mut [f32], &mut [u32]) {
        if self.hits.len() < blocks {
            self.hits.resize(blocks, 0);
            self.estimates.resize(blocks * BLOCK_ROWS, 0.0);
        }
        (&mut self.estimates[..blocks * BLOCK_ROWS], &mut self.hits[..blocks])
    }
}

fn word(column: &[u8], place: usize) -> u32 {
    u32::from_le_bytes(column.as_chunks::<4>().0[place])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsh::code::encode;
    use crate::lsh::query::Prepared;
    use crate::lsh::rotation::Rotation;

    fn wave(phase: f32) -> Vec<f32> {
        let wave: Vec<f32> = (0..96).map(|place| (place as f32 * 0.7 + phase).sin()).collect();
        let norm = wave.iter().map(|x| x * x).sum::<f32>().sqrt();
        wave.iter().map(|x| x / norm).collect()
    }

    #[test]
    fn estimates_lie_within_their_bounds() {
        let routines = Routines::chosen().unwrap();
        let rotation = Rotation::new(96, 5, routines);
        let centre = wave(0.3);
        let rotated_centre = rotation.rotate(&centre);
        let mut list = List::new(rotation.bits());
        let mut residual = vec![0.0; rotation.bits()];
        let rows: Vec<Vec<f32>> = (0..70).map(|row| wave(row as f32)).collect();
        for (number, row) in (0..).zip(&rows) {
            let factors = encode(&rotation.rotate(row), &rotated_centre, &mut residual);
            list.push(&residual, factors, number);
        }
        let bytes = list.parts().concat();
        let read = ListView::read(rotation.bits(), rows.len(), &bytes);

        let query = wave(1.9);
        let product = |other: &[f32]| query.iter().zip(other).map(|(x, y)| x * y).sum::<f32>();
        let distance = (2.0 - 2.0 * product(&centre)).sqrt();
        let prepared = Prepared::new(&rotation, &query);
        let mut seen = 0;
        read.scan(
            routines,
            &prepared.scan(product(&centre), 0.0, f32::NEG_INFINITY),
            &mut Buffers::default(),
            |place, estimate| {
                let number = read.number(place) as usize;
                let off = (estimate - product(&rows[number])).abs();
                assert!(off <= 4.0 * (read.error(place) * distance + 0.01), "row {number} is off by {off}");
                seen += 1;
            },
        );
        assert_eq!(seen, rows.len());
    }
}
