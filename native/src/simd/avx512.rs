//! The routines for x86-64 with AVX-512. Where twice the width gains nothing, those of AVX2 serve.

use std::arch::x86_64::{
    __m256i, __m512i, _mm256_add_epi16, _mm256_slli_epi16, _mm256_sub_epi16, _mm512_add_epi8, _mm512_add_epi16,
    _mm512_add_epi64, _mm512_and_si512, _mm512_castsi512_si256, _mm512_dpbusd_epi32, _mm512_extracti64x4_epi64,
    _mm512_loadu_si512, _mm512_maskz_loadu_epi8, _mm512_popcnt_epi64, _mm512_reduce_add_epi32, _mm512_reduce_add_epi64,
    _mm512_set1_epi8, _mm512_setzero_si512, _mm512_shuffle_epi8, _mm512_shuffle_i64x2, _mm512_srli_epi16,
    _mm512_xor_si512,
};
use std::array;

use super::avx2::{self, as_bytes, prefetch_row, scan_pairs};
use super::portable::row;
use super::{CodeBlocks, Routines, ScanQuery};
use crate::isa::Isa;

/// The routines, with the CPU asked for the one instruction that the set does without.
pub(super) fn routines() -> Routines {
    let counts = is_x86_feature_detected!("avx512vpopcntdq");
    Routines {
        isa: Isa::Avx512,
        dot_i8_rows,
        scan,
        hamming: if counts { hamming } else { avx2::ROUTINES.hamming },
        ..avx2::ROUTINES
    }
}

// --- the code scan ----------------------------------------------------------------------------------------------------

/// Bytes of the tables, and of the codes of one block, that are worked on between two widenings: 8 groups.
const STEP: usize = 128;

#[target_feature(enable = "avx512f,avx512bw")]
fn scan(query: &ScanQuery<'_>, blocks: &CodeBlocks<'_>, estimates: &mut [f32], hits: &mut [u32]) {
    scan_pairs(query, blocks, estimates, hits, |codes| sums(query.table, codes));
}

/// As the sums of AVX2, with two pairs of groups in a register: the lower half has one, the upper half the next.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn sums(table: &[u8], codes: [&[u8]; 2]) -> [[__m256i; 2]; 2] {
    let nibble = _mm512_set1_epi8(15);
    let codes = codes.map(|codes| codes.as_chunks::<STEP>().0);
    let mut both = [_mm512_setzero_si512(); 2];
    let mut odd = [_mm512_setzero_si512(); 2];
    for (step, tables) in table.as_chunks::<STEP>().0.iter().enumerate() {
        // Four entries of at most 31 in each half fit into a byte.
        let mut bytes = [_mm512_setzero_si512(); 2];
        for (half, tables) in tables.as_chunks::<64>().0.iter().enumerate() {
            // Of four tables, the first and the third serve low nibbles, the second and the fourth high ones.
            let tables = load(tables);
            let low = _mm512_shuffle_i64x2::<0b10_10_00_00>(tables, tables);
            let high = _mm512_shuffle_i64x2::<0b11_11_01_01>(tables, tables);
            for block in 0..2 {
                let code = load(&codes[block][step].as_chunks::<64>().0[half]);
                let picked_low = _mm512_shuffle_epi8(low, _mm512_and_si512(code, nibble));
                let picked_high = _mm512_shuffle_epi8(high, _mm512_and_si512(_mm512_srli_epi16::<4>(code), nibble));
                bytes[block] = _mm512_add_epi8(bytes[block], _mm512_add_epi8(picked_low, picked_high));
            }
        }
        for block in 0..2 {
            both[block] = _mm512_add_epi16(both[block], bytes[block]);
            odd[block] = _mm512_add_epi16(odd[block], _mm512_srli_epi16::<8>(bytes[block]));
        }
    }
    array::from_fn(|block| {
        let (both, odd) = (add_halves(both[block]), add_halves(odd[block]));
        [_mm256_sub_epi16(both, _mm256_slli_epi16::<8>(odd)), odd]
    })
}

#[target_feature(enable = "avx512f")]
#[inline]
fn add_halves(sums: __m512i) -> __m256i {
    _mm256_add_epi16(_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64::<1>(sums))
}

// --- products ---------------------------------------------------------------------------------------------------------

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_i8_rows(query: &[i8], base: &[u8], rows: &[u32], out: &mut [i32]) {
    let row = |number: u32| row(base, query.len(), number);
    let excess = excess(query);
    for (i, (out, &number)) in out.iter_mut().zip(rows).enumerate() {
        if let Some(&next) = rows.get(i + ROWS_AHEAD) {
            prefetch_row(row(next));
        }
        *out = dot_i8(query, row(number)) - excess;
    }
}

/// How far ahead of the row that is worked on another is fetched.
const ROWS_AHEAD: usize = 4;

/// What [`dot_i8`] gives too much: the instruction multiplies unsigned with signed bytes, so 128 is added to each of the row.
fn excess(query: &[i8]) -> i32 {
    128 * query.iter().map(|&x| i32::from(x)).sum::<i32>()
}

/// The product of `query` with a row to each of whose values 128 was added: at most 65,536 * 255 * 127, which fits.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
#[inline]
fn dot_i8(query: &[i8], row: &[u8]) -> i32 {
    let shift = _mm512_set1_epi8(i8::MIN);
    let mut sums = _mm512_setzero_si512();
    for (query, row) in query.chunks(64).zip(row.chunks(64)) {
        // Where the vectors have ended the query is 0, and so is the product.
        let (query, row) = (load_part(as_bytes(query)), load_part(row));
        sums = _mm512_dpbusd_epi32(sums, _mm512_xor_si512(row, shift), query);
    }
    _mm512_reduce_add_epi32(sums)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq")]
fn hamming(left: &[u8], right: &[u8]) -> u32 {
    let mut counts = _mm512_setzero_si512();
    for (left, right) in left.chunks(64).zip(right.chunks(64)) {
        let differing = _mm512_xor_si512(load_part(left), load_part(right));
        counts = _mm512_add_epi64(counts, _mm512_popcnt_epi64(differing));
    }
    u32::try_from(_mm512_reduce_add_epi64(counts)).expect("codes of less than half a gigabyte")
}

// --- loads ------------------------------------------------------------------------------------------------------------

#[target_feature(enable = "avx512f")]
#[inline]
fn load(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the array is as long as the register, and reading needs no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// Up to 64 bytes, with zeros behind them.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn load_part(bytes: &[u8]) -> __m512i {
    let present = if bytes.len() < 64 { (1 << bytes.len()) - 1 } else { u64::MAX };
    // SAFETY: only the bytes that the slice has are read, and reading needs no alignment.
    unsafe { _mm512_maskz_loadu_epi8(present, bytes.as_ptr().cast()) }
}
