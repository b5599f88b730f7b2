//! Every routine in plain Rust: what machines without a routine of their own run, and the oracle that all others are tested
//! against.
//!
//! Lengths were checked by the caller ([`Routines`](super::Routines)).

use super::{BLOCK_ROWS, CodeBlocks, Routines, ScanQuery};
use crate::isa::Isa;

/// How many sums of a product run side by side. The same on every machine, so that every machine rounds alike.
pub(super) const LANES: usize = 16;

/// How many codes of a table fit into a nibble.
const TABLE: usize = 16;

pub(super) const ROUTINES: Routines =
    Routines { isa: Isa::Portable, hadamard, flip_signs, dot, dot_rows, dot_i8_rows, scan, hamming };

pub(super) fn hadamard(values: &mut [f32]) {
    let mut half = 1;
    while half < values.len() {
        for pair in values.chunks_exact_mut(2 * half) {
            let (left, right) = pair.split_at_mut(half);
            for (a, b) in left.iter_mut().zip(right) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}

pub(super) fn flip_signs(values: &mut [f32], signs: &[u64]) {
    for (values, word) in values.chunks_mut(64).zip(signs) {
        for (bit, value) in values.iter_mut().enumerate() {
            let sign = u32::from(word >> bit & 1 == 1) << 31;
            *value = f32::from_bits(value.to_bits() ^ sign);
        }
    }
}

fn dot(query: &[f32], row: &[u8]) -> f32 {
    let mut sums = [0.0; LANES];
    let (row, _) = row.as_chunks::<4>();
    for (query, row) in query.chunks(LANES).zip(row.chunks(LANES)) {
        add_products(&mut sums, query, row);
    }
    sums.iter().sum()
}

/// Adds the products of up to [`LANES`] values, each to its own sum.
#[inline]
pub(super) fn add_products(sums: &mut [f32; LANES], query: &[f32], row: &[[u8; 4]]) {
    for ((sum, query), row) in sums.iter_mut().zip(query).zip(row) {
        *sum += query * f32::from_le_bytes(*row);
    }
}

fn dot_rows(query: &[f32], base: &[u8], rows: &[u32], out: &mut [f32]) {
    for (out, &number) in out.iter_mut().zip(rows) {
        *out = dot(query, row(base, 4 * query.len(), number));
    }
}

/// Row `number` of `base`.
///
/// # Panics
/// When `base` ends before it.
#[inline]
pub(super) fn row(base: &[u8], stride: usize, number: u32) -> &[u8] {
    let row = (number as usize).checked_mul(stride).and_then(|start| base.get(start..)?.get(..stride));
    row.unwrap_or_else(|| panic!("row {number} of {stride} bytes lies beyond the end of {} bytes", base.len()))
}

#[inline]
pub(super) fn dot_i8(query: &[i8], row: &[u8]) -> i32 {
    query.iter().zip(row).map(|(&x, &y)| i32::from(x) * i32::from(y.cast_signed())).sum()
}

fn dot_i8_rows(query: &[i8], base: &[u8], rows: &[u32], out: &mut [i32]) {
    for (out, &number) in out.iter_mut().zip(rows) {
        *out = dot_i8(query, row(base, query.len(), number));
    }
}

fn scan(query: &ScanQuery<'_>, blocks: &CodeBlocks<'_>, estimates: &mut [f32], hits: &mut [u32]) {
    let (offsets, _) = blocks.offsets.as_chunks::<4>();
    let (slopes, _) = blocks.slopes.as_chunks::<4>();
    let (errors, _) = blocks.errors.as_chunks::<4>();
    for (block, (codes, hits)) in blocks.codes.chunks_exact(query.table.len()).zip(hits).enumerate() {
        *hits = 0;
        for (row, sum) in sums(query.table, codes).into_iter().enumerate() {
            let at = block * BLOCK_ROWS + row;
            let [offset, slope, error] = [offsets[at], slopes[at], errors[at]].map(f32::from_le_bytes);
            let estimate = (query.shift + offset) + slope * (query.base + query.step * f32::from(sum));
            let upper = estimate + error * query.width;
            estimates[at] = estimate;
            *hits |= u32::from(upper >= query.bar) << row;
        }
    }
}

/// The sum of the table entries that each row of one block picks.
fn sums(table: &[u8], codes: &[u8]) -> [u16; BLOCK_ROWS] {
    let mut sums = [0; BLOCK_ROWS];
    for (tables, codes) in table.chunks_exact(2 * TABLE).zip(codes.chunks_exact(BLOCK_ROWS)) {
        let (low, high) = tables.split_at(TABLE);
        for (sum, &code) in sums.iter_mut().zip(codes) {
            *sum += u16::from(low[usize::from(code & 15)]) + u16::from(high[usize::from(code >> 4)]);
        }
    }
    sums
}

#[inline]
pub(super) fn hamming(left: &[u8], right: &[u8]) -> u32 {
    let (left_words, left_rest) = left.as_chunks::<8>();
    let (right_words, right_rest) = right.as_chunks::<8>();
    let words = left_words.iter().zip(right_words);
    let bits: u32 = words.map(|(x, y)| (u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y)).count_ones()).sum();
    bits + left_rest.iter().zip(right_rest).map(|(x, y)| (x ^ y).count_ones()).sum::<u32>()
}
