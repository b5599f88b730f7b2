//! The routines for x86-64 with AVX2 and POPCNT.
//!
//! Loads and stores take references to arrays, so that the only `unsafe` here is inside four one-line functions.

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _CMP_GE_OQ, _MM_HINT_T0, _mm_loadu_si128, _mm_prefetch, _mm256_abs_epi8, _mm256_add_epi8,
    _mm256_add_epi16, _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps, _mm256_and_si256, _mm256_broadcastsi128_si256,
    _mm256_castsi256_ps, _mm256_castsi256_si128, _mm256_cmp_ps, _mm256_cvtepi32_ps, _mm256_cvtepu16_epi32,
    _mm256_extracti128_si256, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_movemask_ps, _mm256_mul_ps, _mm256_permute_ps, _mm256_permute2f128_ps, _mm256_set1_epi8, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_setr_epi32, _mm256_setr_ps, _mm256_setzero_ps, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_sign_epi8, _mm256_slli_epi16, _mm256_sllv_epi32, _mm256_srli_epi16, _mm256_storeu_ps,
    _mm256_storeu_si256, _mm256_sub_epi16, _mm256_sub_ps, _mm256_unpackhi_epi16, _mm256_unpacklo_epi16, _mm256_xor_ps,
};
use std::slice;

use super::portable::{self, LANES, row};
use super::{BLOCK_ROWS, CodeBlocks, Routines, ScanQuery};
use crate::isa::Isa;

pub(super) const ROUTINES: Routines =
    Routines { isa: Isa::Avx2, hadamard, flip_signs, dot, dot_rows, dot_i8_rows, scan, hamming };

// --- the code scan ----------------------------------------------------------------------------------------------------

/// Bytes of the tables, and of the codes of one block, that are worked on between two widenings: 8 groups.
const STEP: usize = 128;

/// What is the same for every row of a scan, in every lane.
struct Estimator {
    base: __m256,
    step: __m256,
    shift: __m256,
    width: __m256,
    bar: __m256,
}

#[target_feature(enable = "avx2")]
fn scan(query: &ScanQuery<'_>, blocks: &CodeBlocks<'_>, estimates: &mut [f32], hits: &mut [u32]) {
    scan_pairs(query, blocks, estimates, hits, |codes| sums(query.table, codes));
}

/// The scan, given what finds the [`sums`] of two blocks: two, so that they share the loads of the tables.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn scan_pairs(
    query: &ScanQuery<'_>,
    blocks: &CodeBlocks<'_>,
    estimates: &mut [f32],
    hits: &mut [u32],
    sums: impl Fn([&[u8]; 2]) -> [[__m256i; 2]; 2],
) {
    let estimator = Estimator::new(query);
    let codes = |block: usize| &blocks.codes[block * query.table.len()..][..query.table.len()];
    let (estimates, _) = estimates.as_chunks_mut::<BLOCK_ROWS>();
    let [offsets, slopes, errors] = [blocks.offsets, blocks.slopes, blocks.errors].map(factors);
    for first in (0..hits.len()).step_by(2) {
        // The last block of an odd number is its own partner.
        let second = (first + 1).min(hits.len() - 1);
        let sums = sums([codes(first), codes(second)]);
        for (block, sums) in [first, second].into_iter().zip(sums) {
            let factors = [&offsets[block], &slopes[block], &errors[block]];
            hits[block] = estimator.estimate(sums, factors, &mut estimates[block]);
        }
    }
}

/// The sum of the table entries that each row picks, for each block: those of the even rows, and those of the odd ones.
#[target_feature(enable = "avx2")]
#[inline]
fn sums(table: &[u8], codes: [&[u8]; 2]) -> [[__m256i; 2]; 2] {
    let nibble = _mm256_set1_epi8(15);
    let [first, second] = codes.map(steps);
    // 16 bits for two rows: the whole is the even row plus 256 times the odd one, modulo 65,536.
    let mut both = [_mm256_setzero_si256(); 2];
    let mut odd = [_mm256_setzero_si256(); 2];
    for ((tables, first), second) in steps(table).iter().zip(first).zip(second) {
        let codes = [first, second];
        // Eight entries of at most 31 fit into a byte.
        let mut bytes = [_mm256_setzero_si256(); 2];
        for (pair, tables) in tables.as_chunks::<32>().0.iter().enumerate() {
            let (low, high) = (table_of(tables, 0), table_of(tables, 1));
            for block in 0..2 {
                let code = load(&codes[block].as_chunks::<32>().0[pair]);
                let picked_low = _mm256_shuffle_epi8(low, _mm256_and_si256(code, nibble));
                let picked_high = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16::<4>(code), nibble));
                bytes[block] = _mm256_add_epi8(bytes[block], _mm256_add_epi8(picked_low, picked_high));
            }
        }
        for block in 0..2 {
            both[block] = _mm256_add_epi16(both[block], bytes[block]);
            odd[block] = _mm256_add_epi16(odd[block], _mm256_srli_epi16::<8>(bytes[block]));
        }
    }
    let mut sums = [[_mm256_setzero_si256(); 2]; 2];
    for block in 0..2 {
        sums[block] = [_mm256_sub_epi16(both[block], _mm256_slli_epi16::<8>(odd[block])), odd[block]];
    }
    sums
}

fn steps(bytes: &[u8]) -> &[[u8; STEP]] {
    bytes.as_chunks().0
}

/// Table `number` of two, in both halves of a register.
#[target_feature(enable = "avx2")]
#[inline]
fn table_of(tables: &[u8; 32], number: usize) -> __m256i {
    _mm256_broadcastsi128_si256(load_half(&tables.as_chunks::<16>().0[number]))
}

impl Estimator {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn new(query: &ScanQuery<'_>) -> Self {
        Self {
            base: _mm256_set1_ps(query.base),
            step: _mm256_set1_ps(query.step),
            shift: _mm256_set1_ps(query.shift),
            width: _mm256_set1_ps(query.width),
            bar: _mm256_set1_ps(query.bar),
        }
    }

    /// Writes the estimates of the rows of a block, whose sums are those of the even and of the odd rows and whose factors are
    /// offsets, slopes and errors, and returns the hits among them.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn estimate(&self, [even, odd]: [__m256i; 2], factors: [&Factors; 3], estimates: &mut [f32; BLOCK_ROWS]) -> u32 {
        let [offsets, slopes, errors] = factors.map(eights);
        // Unpacking stays within the halves of a register: rows 0-7 and 16-23, rows 8-15 and 24-31.
        let (near, far) = (_mm256_unpacklo_epi16(even, odd), _mm256_unpackhi_epi16(even, odd));
        let eights = [
            _mm256_castsi256_si128(near),
            _mm256_castsi256_si128(far),
            _mm256_extracti128_si256::<1>(near),
            _mm256_extracti128_si256::<1>(far),
        ];
        let mut hits = 0;
        for (i, (eight, estimates)) in eights.into_iter().zip(estimates.as_chunks_mut::<8>().0).enumerate() {
            let sum = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(eight));
            let product = _mm256_add_ps(self.base, _mm256_mul_ps(self.step, sum));
            let estimate = _mm256_add_ps(
                _mm256_add_ps(self.shift, load_f32(&offsets[i])),
                _mm256_mul_ps(load_f32(&slopes[i]), product),
            );
            let upper = _mm256_add_ps(estimate, _mm256_mul_ps(load_f32(&errors[i]), self.width));
            let reached = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(upper, self.bar));
            store(estimates, estimate);
            hits |= reached.cast_unsigned() << (8 * i);
        }
        hits
    }
}

/// One `f32` for each row of a block.
type Factors = [u8; 4 * BLOCK_ROWS];

fn factors(bytes: &[u8]) -> &[Factors] {
    bytes.as_chunks().0
}

/// The factors of eight rows at a time.
fn eights(bytes: &Factors) -> &[[u8; 32]] {
    bytes.as_chunks().0
}

// --- products ---------------------------------------------------------------------------------------------------------

/// How many rows are worked on side by side, so that their additions need not wait for each other.
const ROWS: usize = 4;

#[target_feature(enable = "avx2")]
fn dot(query: &[f32], row: &[u8]) -> f32 {
    let [product] = dots(query, [row], [row]);
    product
}

#[target_feature(enable = "avx2")]
fn dot_rows(query: &[f32], base: &[u8], rows: &[u32], out: &mut [f32]) {
    let stride = 4 * query.len();
    let (groups, rest) = rows.as_chunks::<ROWS>();
    let (out_groups, out_rest) = out.as_chunks_mut::<ROWS>();
    for (i, (group, out)) in groups.iter().zip(out_groups).enumerate() {
        let next = groups.get(i + 1).unwrap_or(group);
        *out = dots(query, pick(base, stride, group), pick(base, stride, next));
    }
    for (out, &number) in out_rest.iter_mut().zip(rest) {
        *out = dot(query, row(base, stride, number));
    }
}

/// The products with some rows, while others are fetched.
#[target_feature(enable = "avx2")]
#[inline]
fn dots<const N: usize>(query: &[f32], rows: [&[u8]; N], next: [&[u8]; N]) -> [f32; N] {
    let (blocks, rest) = query.as_chunks::<LANES>();
    let (rows, rests) = split::<N, { 4 * LANES }>(rows, blocks.len());
    let (next, _) = split::<N, { 4 * LANES }>(next, blocks.len());
    let mut sums = [[_mm256_setzero_ps(); 2]; N];
    for (i, block) in blocks.iter().enumerate() {
        let query = block.as_chunks::<8>().0;
        for row in 0..N {
            prefetch(&next[row][i]);
            let values = rows[row][i].as_chunks::<32>().0;
            for half in 0..2 {
                let product = _mm256_mul_ps(load_values(&query[half]), load_f32(&values[half]));
                sums[row][half] = _mm256_add_ps(sums[row][half], product);
            }
        }
    }
    let mut products = [0.0; N];
    for row in 0..N {
        let mut lanes = [0.0; LANES];
        for (half, lanes) in lanes.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            store(lanes, sums[row][half]);
        }
        portable::add_products(&mut lanes, rest, rests[row].as_chunks::<4>().0);
        products[row] = lanes.iter().sum();
    }
    products
}

#[target_feature(enable = "avx2")]
fn dot_i8_rows(query: &[i8], base: &[u8], rows: &[u32], out: &mut [i32]) {
    let stride = query.len();
    let (groups, rest) = rows.as_chunks::<ROWS>();
    let (out_groups, out_rest) = out.as_chunks_mut::<ROWS>();
    for (i, (group, out)) in groups.iter().zip(out_groups).enumerate() {
        let next = pick(base, stride, groups.get(i + 1).unwrap_or(group));
        next.into_iter().for_each(prefetch_row);
        *out = dots_i8(query, pick(base, stride, group));
    }
    for (out, &number) in out_rest.iter_mut().zip(rest) {
        [*out] = dots_i8(query, [row(base, stride, number)]);
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn dots_i8<const N: usize>(query: &[i8], rows: [&[u8]; N]) -> [i32; N] {
    let (blocks, rest) = as_bytes(query).as_chunks::<32>();
    let (rows, rests) = split::<N, 32>(rows, blocks.len());
    let ones = _mm256_set1_epi16(1);
    let mut sums = [_mm256_setzero_si256(); N];
    for (i, block) in blocks.iter().enumerate() {
        let query = load(block);
        for row in 0..N {
            // |row| * (query with the sign of the row): of two such products, each at most 128 * 127, the sum fits 16 bits.
            let values = load(&rows[row][i]);
            let twos = _mm256_maddubs_epi16(_mm256_abs_epi8(values), _mm256_sign_epi8(query, values));
            sums[row] = _mm256_add_epi32(sums[row], _mm256_madd_epi16(twos, ones));
        }
    }
    let mut products = [0; N];
    for row in 0..N {
        products[row] = add_up(sums[row]) + portable::dot_i8(&query[query.len() - rest.len()..], rests[row]);
    }
    products
}

/// Some rows of `base`.
#[inline]
fn pick<'a, const N: usize>(base: &'a [u8], stride: usize, numbers: &[u32; N]) -> [&'a [u8]; N] {
    numbers.map(|number| row(base, stride, number))
}

/// The first `count` chunks of each row, and what is behind them.
///
/// As [`pick`], this is not part of a routine: a closure there has its instructions, and `map`, which has not, cannot inline it.
#[inline]
fn split<const N: usize, const SIZE: usize>(rows: [&[u8]; N], count: usize) -> ([&[[u8; SIZE]]; N], [&[u8]; N]) {
    (rows.map(|row| &row.as_chunks().0[..count]), rows.map(|row| &row[count * SIZE..]))
}

/// The sum of eight `i32`.
#[target_feature(enable = "avx2")]
#[inline]
fn add_up(sums: __m256i) -> i32 {
    let mut lanes = [0_i32; 8];
    // SAFETY: the array is as long as the register, and writing needs no alignment.
    unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), sums) };
    lanes.iter().sum()
}

// --- the rotation -----------------------------------------------------------------------------------------------------

/// Values that are transformed as a whole before the passes over all of them: eight registers.
const TILE: usize = 64;

#[target_feature(enable = "avx2")]
fn hadamard(values: &mut [f32]) {
    if values.len() < TILE {
        return portable::hadamard(values);
    }
    for tile in values.as_chunks_mut::<TILE>().0 {
        let (eights, _) = tile.as_chunks_mut::<8>();
        let mut registers = [_mm256_setzero_ps(); 8];
        for (register, eight) in registers.iter_mut().zip(&*eights) {
            *register = within(load_values(eight));
        }
        across(&mut registers);
        for (register, eight) in registers.into_iter().zip(eights) {
            store(eight, register);
        }
    }
    let mut half = TILE;
    while half < values.len() {
        // Two stages in one pass where two are left: half the loads and stores.
        half *= if values.len() / half >= 4 { pass::<4>(values, half) } else { pass::<2>(values, half) };
    }
}

/// Goes once over all values and does the stages for `half` and, when `N` is 4, for `2 * half`. Returns `N`.
#[target_feature(enable = "avx2")]
#[inline]
fn pass<const N: usize>(values: &mut [f32], half: usize) -> usize {
    for part in values.chunks_exact_mut(N * half) {
        let (eights, _) = part.as_chunks_mut::<8>();
        for column in 0..half / 8 {
            let mut registers = [_mm256_setzero_ps(); N];
            for (i, register) in registers.iter_mut().enumerate() {
                *register = load_values(&eights[i * (half / 8) + column]);
            }
            across(&mut registers);
            for (i, register) in registers.into_iter().enumerate() {
                store(&mut eights[i * (half / 8) + column], register);
            }
        }
    }
    N
}

/// The transform of as many values as there are registers, in every lane.
#[target_feature(enable = "avx2")]
#[inline]
fn across<const N: usize>(registers: &mut [__m256; N]) {
    let mut half = 1;
    while half < N {
        for i in 0..N {
            if i & half == 0 {
                let (a, b) = (registers[i], registers[i + half]);
                (registers[i], registers[i + half]) = (_mm256_add_ps(a, b), _mm256_sub_ps(a, b));
            }
        }
        half *= 2;
    }
}

/// The transform of the eight values of a register. `a - b` is taken as `a + -b`, which is the same.
#[target_feature(enable = "avx2")]
#[inline]
fn within(x: __m256) -> __m256 {
    let (p, n) = (0.0, -0.0);
    let x =
        _mm256_add_ps(_mm256_permute_ps::<0b10_11_00_01>(x), _mm256_xor_ps(x, _mm256_setr_ps(p, n, p, n, p, n, p, n)));
    let x =
        _mm256_add_ps(_mm256_permute_ps::<0b01_00_11_10>(x), _mm256_xor_ps(x, _mm256_setr_ps(p, p, n, n, p, p, n, n)));
    _mm256_add_ps(_mm256_permute2f128_ps::<1>(x, x), _mm256_xor_ps(x, _mm256_setr_ps(p, p, p, p, n, n, n, n)))
}

#[target_feature(enable = "avx2")]
fn flip_signs(values: &mut [f32], signs: &[u64]) {
    let sign = _mm256_set1_ps(-0.0);
    let to_the_top = _mm256_setr_epi32(31, 30, 29, 28, 27, 26, 25, 24);
    let byte = |number: usize| signs[number / 8].to_le_bytes()[number % 8];
    let (eights, rest) = values.as_chunks_mut::<8>();
    let whole = eights.len();
    for (number, eight) in eights.iter_mut().enumerate() {
        let bits = _mm256_sllv_epi32(_mm256_set1_epi32(byte(number).into()), to_the_top);
        let flipped = _mm256_and_ps(_mm256_castsi256_ps(bits), sign);
        let turned = _mm256_xor_ps(load_values(eight), flipped);
        store(eight, turned);
    }
    if !rest.is_empty() {
        portable::flip_signs(rest, &[byte(whole).into()]);
    }
}

#[target_feature(enable = "avx2,popcnt")]
fn hamming(left: &[u8], right: &[u8]) -> u32 {
    // Inlined here, its loop counts the bits of a word in one instruction.
    portable::hamming(left, right)
}

// --- loads and stores -------------------------------------------------------------------------------------------------

#[target_feature(enable = "avx2")]
#[inline]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the array is as long as the register, and reading needs no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// The same values in two's complement.
pub(super) fn as_bytes(values: &[i8]) -> &[u8] {
    // SAFETY: the two types have one layout, and the slice stays borrowed.
    unsafe { slice::from_raw_parts(values.as_ptr().cast(), values.len()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load_half(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the array is as long as the register, and reading needs no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

/// Eight little-endian values.
#[target_feature(enable = "avx2")]
#[inline]
fn load_f32(bytes: &[u8; 32]) -> __m256 {
    _mm256_castsi256_ps(load(bytes))
}

#[target_feature(enable = "avx2")]
#[inline]
fn load_values(values: &[f32; 8]) -> __m256 {
    // SAFETY: the array is as long as the register, and reading needs no alignment.
    unsafe { _mm256_loadu_ps(values.as_ptr()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store(values: &mut [f32; 8], register: __m256) {
    // SAFETY: the array is as long as the register, and writing needs no alignment.
    unsafe { _mm256_storeu_ps(values.as_mut_ptr(), register) }
}

/// Fetches every line of a row.
#[inline]
pub(super) fn prefetch_row(row: &[u8]) {
    row.chunks(64).for_each(prefetch);
}

/// Fetches the line on which `bytes` begin.
#[inline]
fn prefetch(bytes: &[u8]) {
    // SAFETY: fetching reads nothing that the program sees, and every x86-64 CPU can do it.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(bytes.as_ptr().cast()) }
}
