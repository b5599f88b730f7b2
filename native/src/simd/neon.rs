//! The routines for 64-bit Arm with NEON.
//!
//! Products are never fused with sums: `vfmaq_f32` would round once where the other instruction sets round twice. Loads and
//! stores take references to arrays, so that the only `unsafe` here is inside six one-line functions.

use std::arch::aarch64::{
    float32x4_t, int8x16_t, uint8x16_t, uint16x8_t, uint32x4_t, vaddq_f32, vaddq_u8, vaddvq_s32, vaddvq_u32,
    vaddw_high_u8, vaddw_u8, vandq_u8, vandq_u32, vcgeq_f32, vcntq_u8, vcvtq_f32_u32, vdupq_n_f32, vdupq_n_s32,
    vdupq_n_u8, vdupq_n_u16, vdupq_n_u32, veorq_u8, veorq_u32, vextq_f32, vget_low_s8, vget_low_u8, vget_low_u16,
    vld1q_f32, vld1q_s8, vld1q_u8, vld1q_u32, vmlal_high_s8, vmovl_high_u16, vmovl_u16, vmull_s8, vmulq_f32, vorrq_u32,
    vpadalq_s16, vpadalq_u16, vpaddlq_u8, vqtbl1q_u8, vreinterpretq_f32_u8, vreinterpretq_f32_u32, vreinterpretq_s8_u8,
    vreinterpretq_s32_u32, vreinterpretq_u32_f32, vrev64q_f32, vshlq_n_u32, vshlq_u32, vshrq_n_u8, vst1q_f32,
    vsubq_f32,
};
use std::arch::asm;
use std::array;

use super::portable::{self, LANES, row};
use super::{BLOCK_ROWS, CodeBlocks, Routines, ScanQuery};
use crate::isa::Isa;

pub(super) const ROUTINES: Routines =
    Routines { isa: Isa::Neon, hadamard, flip_signs, dot, dot_rows, dot_i8_rows, scan, hamming };

// --- the code scan ----------------------------------------------------------------------------------------------------

/// Bytes of the tables, and of the codes of one block, that are worked on between two widenings: 8 groups.
const STEP: usize = 128;

#[target_feature(enable = "neon")]
fn scan(query: &ScanQuery<'_>, blocks: &CodeBlocks<'_>, estimates: &mut [f32], hits: &mut [u32]) {
    let codes = blocks.codes.chunks_exact(query.table.len());
    let (estimates, _) = estimates.as_chunks_mut::<BLOCK_ROWS>();
    let [offsets, slopes, errors] = [blocks.offsets, blocks.slopes, blocks.errors].map(|bytes| bytes.as_chunks().0);
    for (block, (codes, (hits, estimates))) in codes.zip(hits.iter_mut().zip(estimates)).enumerate() {
        let factors = [&offsets[block], &slopes[block], &errors[block]];
        *hits = estimate(query, sums(query.table, codes), factors, estimates);
    }
}

/// The sum of the table entries that each row of one block picks.
#[target_feature(enable = "neon")]
#[inline]
fn sums(table: &[u8], codes: &[u8]) -> [uint16x8_t; 4] {
    let nibble = vdupq_n_u8(15);
    let mut sums = [vdupq_n_u16(0); 4];
    for (tables, codes) in table.as_chunks::<STEP>().0.iter().zip(codes.as_chunks::<STEP>().0) {
        // Eight entries of at most 31 fit into a byte.
        let mut bytes = [vdupq_n_u8(0); 2];
        for (tables, codes) in sixteens(tables).as_chunks::<2>().0.iter().zip(sixteens(codes).as_chunks::<2>().0) {
            let [low, high] = [load(&tables[0]), load(&tables[1])];
            for half in 0..2 {
                let code = load(&codes[half]);
                let picked_low = vqtbl1q_u8(low, vandq_u8(code, nibble));
                let picked_high = vqtbl1q_u8(high, vshrq_n_u8::<4>(code));
                bytes[half] = vaddq_u8(bytes[half], vaddq_u8(picked_low, picked_high));
            }
        }
        for half in 0..2 {
            sums[2 * half] = vaddw_u8(sums[2 * half], vget_low_u8(bytes[half]));
            sums[2 * half + 1] = vaddw_high_u8(sums[2 * half + 1], bytes[half]);
        }
    }
    sums
}

/// Writes the estimates of the rows of a block, whose factors are offsets, slopes and errors, and returns the hits among them.
#[target_feature(enable = "neon")]
#[inline]
fn estimate(
    query: &ScanQuery<'_>,
    sums: [uint16x8_t; 4],
    factors: [&[u8; 4 * BLOCK_ROWS]; 3],
    estimates: &mut [f32; BLOCK_ROWS],
) -> u32 {
    let [base, step, shift, width, bar] =
        [query.base, query.step, query.shift, query.width, query.bar].map(|number| vdupq_n_f32(number));
    let [offsets, slopes, errors] = factors.map(|bytes| sixteens(bytes));
    let (mut bits, mut hits) = (lanes([1, 2, 4, 8]), vdupq_n_u32(0));
    for (i, estimates) in estimates.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let eight = sums[i / 2];
        let four = if i % 2 == 0 { vmovl_u16(vget_low_u16(eight)) } else { vmovl_high_u16(eight) };
        let product = vaddq_f32(base, vmulq_f32(step, vcvtq_f32_u32(four)));
        let estimate = vaddq_f32(vaddq_f32(shift, load_f32(&offsets[i])), vmulq_f32(load_f32(&slopes[i]), product));
        let upper = vaddq_f32(estimate, vmulq_f32(load_f32(&errors[i]), width));
        hits = vorrq_u32(hits, vandq_u32(vcgeq_f32(upper, bar), bits));
        bits = vshlq_n_u32::<4>(bits);
        store(estimates, estimate);
    }
    vaddvq_u32(hits)
}

fn sixteens(bytes: &[u8]) -> &[[u8; 16]] {
    bytes.as_chunks().0
}

// --- products ---------------------------------------------------------------------------------------------------------

// One row at a time: its four registers of sums are enough for additions that need not wait for each other.

/// How far ahead of the row that is worked on another is fetched.
const ROWS_AHEAD: usize = 4;

#[target_feature(enable = "neon")]
fn dot(query: &[f32], row: &[u8]) -> f32 {
    let (query, query_rest) = query.as_chunks::<LANES>();
    let (row, row_rest) = row.as_chunks::<{ 4 * LANES }>();
    let mut sums = [vdupq_n_f32(0.0); 4];
    for (query, row) in query.iter().zip(row) {
        for (sum, (query, row)) in sums.iter_mut().zip(query.as_chunks().0.iter().zip(sixteens(row))) {
            *sum = vaddq_f32(*sum, vmulq_f32(load_values(query), load_f32(row)));
        }
    }
    let mut lanes = [0.0; LANES];
    for (lanes, sum) in lanes.as_chunks_mut().0.iter_mut().zip(sums) {
        store(lanes, sum);
    }
    portable::add_products(&mut lanes, query_rest, row_rest.as_chunks().0);
    lanes.iter().sum()
}

#[target_feature(enable = "neon")]
fn dot_rows(query: &[f32], base: &[u8], rows: &[u32], out: &mut [f32]) {
    let row = |number: u32| row(base, 4 * query.len(), number);
    for (i, (out, &number)) in out.iter_mut().zip(rows).enumerate() {
        if let Some(&next) = rows.get(i + ROWS_AHEAD) {
            prefetch(row(next));
        }
        *out = dot(query, row(number));
    }
}

#[target_feature(enable = "neon")]
fn dot_i8_rows(query: &[i8], base: &[u8], rows: &[u32], out: &mut [i32]) {
    let row = |number: u32| row(base, query.len(), number);
    for (i, (out, &number)) in out.iter_mut().zip(rows).enumerate() {
        if let Some(&next) = rows.get(i + ROWS_AHEAD) {
            prefetch(row(next));
        }
        *out = dot_i8(query, row(number));
    }
}

#[target_feature(enable = "neon")]
#[inline]
fn dot_i8(query: &[i8], row: &[u8]) -> i32 {
    let (query, query_rest) = query.as_chunks();
    let (row, row_rest) = row.as_chunks();
    let mut sums = vdupq_n_s32(0);
    for (query, row) in query.iter().zip(row) {
        let (query, row) = (load_i8(query), vreinterpretq_s8_u8(load(row)));
        // Of two products, each at most 128 * 127, the sum fits 16 bits.
        let twos = vmlal_high_s8(vmull_s8(vget_low_s8(query), vget_low_s8(row)), query, row);
        sums = vpadalq_s16(sums, twos);
    }
    vaddvq_s32(sums) + portable::dot_i8(query_rest, row_rest)
}

// --- the rotation -----------------------------------------------------------------------------------------------------

/// Values that are transformed as a whole before the passes over all of them: eight registers.
const TILE: usize = 32;

#[target_feature(enable = "neon")]
fn hadamard(values: &mut [f32]) {
    if values.len() < TILE {
        return portable::hadamard(values);
    }
    for tile in values.as_chunks_mut::<TILE>().0 {
        let (quads, _) = tile.as_chunks_mut::<4>();
        let mut registers: [_; 8] = array::from_fn(|i| within(load_values(&quads[i])));
        across(&mut registers);
        for (register, quad) in registers.into_iter().zip(quads) {
            store(quad, register);
        }
    }
    let mut half = TILE;
    while half < values.len() {
        // Two stages in one pass where two are left: half the loads and stores.
        half *= if values.len() / half >= 4 { pass::<4>(values, half) } else { pass::<2>(values, half) };
    }
}

/// Goes once over all values and does the stages for `half` and, when `N` is 4, for `2 * half`. Returns `N`.
#[target_feature(enable = "neon")]
#[inline]
fn pass<const N: usize>(values: &mut [f32], half: usize) -> usize {
    for part in values.chunks_exact_mut(N * half) {
        let (quads, _) = part.as_chunks_mut::<4>();
        for column in 0..half / 4 {
            let mut registers: [_; N] = array::from_fn(|i| load_values(&quads[i * (half / 4) + column]));
            across(&mut registers);
            for (i, register) in registers.into_iter().enumerate() {
                store(&mut quads[i * (half / 4) + column], register);
            }
        }
    }
    N
}

/// The transform of as many values as there are registers, in every lane.
#[target_feature(enable = "neon")]
#[inline]
fn across<const N: usize>(registers: &mut [float32x4_t; N]) {
    let mut half = 1;
    while half < N {
        for i in 0..N {
            if i & half == 0 {
                let (a, b) = (registers[i], registers[i + half]);
                (registers[i], registers[i + half]) = (vaddq_f32(a, b), vsubq_f32(a, b));
            }
        }
        half *= 2;
    }
}

/// The transform of the four values of a register. `a - b` is taken as `a + -b`, which is the same.
#[target_feature(enable = "neon")]
#[inline]
fn within(x: float32x4_t) -> float32x4_t {
    let x = vaddq_f32(vrev64q_f32(x), flip(x, lanes([0, SIGN, 0, SIGN])));
    vaddq_f32(vextq_f32::<2>(x, x), flip(x, lanes([0, 0, SIGN, SIGN])))
}

#[target_feature(enable = "neon")]
fn flip_signs(values: &mut [f32], signs: &[u64]) {
    let to_the_top = vreinterpretq_s32_u32(lanes([31, 30, 29, 28]));
    for (values, &word) in values.chunks_mut(64).zip(signs) {
        let mut word = word;
        let (quads, rest) = values.as_chunks_mut::<4>();
        for quad in quads {
            let bits = vshlq_u32(vdupq_n_u32((word & 15) as u32), to_the_top);
            let turned = flip(load_values(quad), vandq_u32(bits, vdupq_n_u32(SIGN)));
            store(quad, turned);
            word >>= 4;
        }
        portable::flip_signs(rest, &[word]);
    }
}

/// The bit of a float that says whether it is negative.
const SIGN: u32 = 1 << 31;

#[target_feature(enable = "neon")]
#[inline]
fn flip(values: float32x4_t, signs: uint32x4_t) -> float32x4_t {
    vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(values), signs))
}

#[target_feature(enable = "neon")]
fn hamming(left: &[u8], right: &[u8]) -> u32 {
    let (left, left_rest) = left.as_chunks::<16>();
    let (right, right_rest) = right.as_chunks::<16>();
    let mut counts = vdupq_n_u32(0);
    for (left, right) in left.iter().zip(right) {
        let differing = veorq_u8(load(left), load(right));
        counts = vpadalq_u16(counts, vpaddlq_u8(vcntq_u8(differing)));
    }
    vaddvq_u32(counts) + portable::hamming(left_rest, right_rest)
}

// --- loads and stores -------------------------------------------------------------------------------------------------

#[target_feature(enable = "neon")]
#[inline]
fn load(bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: the array is as long as the register, and nothing needs to be aligned.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

#[target_feature(enable = "neon")]
#[inline]
fn load_i8(values: &[i8; 16]) -> int8x16_t {
    // SAFETY: the array is as long as the register, and nothing needs to be aligned.
    unsafe { vld1q_s8(values.as_ptr()) }
}

/// Four little-endian values.
#[target_feature(enable = "neon")]
#[inline]
fn load_f32(bytes: &[u8; 16]) -> float32x4_t {
    vreinterpretq_f32_u8(load(bytes))
}

#[target_feature(enable = "neon")]
#[inline]
fn load_values(values: &[f32; 4]) -> float32x4_t {
    // SAFETY: the array is as long as the register, and nothing needs to be aligned.
    unsafe { vld1q_f32(values.as_ptr()) }
}

#[target_feature(enable = "neon")]
#[inline]
fn lanes(values: [u32; 4]) -> uint32x4_t {
    // SAFETY: the array is as long as the register, and nothing needs to be aligned.
    unsafe { vld1q_u32(values.as_ptr()) }
}

#[target_feature(enable = "neon")]
#[inline]
fn store(values: &mut [f32; 4], register: float32x4_t) {
    // SAFETY: the array is as long as the register, and nothing needs to be aligned.
    unsafe { vst1q_f32(values.as_mut_ptr(), register) }
}

/// Fetches every line of a row.
#[inline]
fn prefetch(row: &[u8]) {
    for line in row.chunks(64) {
        // SAFETY: fetching reads nothing that the program sees, and changes neither registers nor flags.
        unsafe { asm!("prfm pldl1keep, [{}]", in(reg) line.as_ptr(), options(readonly, nostack, preserves_flags)) }
    }
}
