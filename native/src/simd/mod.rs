//! The inner loops of a vector index, in the fastest instructions that the CPU has.
//!
//! [`Routines`] is a table of functions that is chosen once, at run time. Holding one proves that the CPU can run it, so its
//! methods are safe to call. Each instruction set is one file; `portable.rs` is plain Rust, and the oracle of the others: **all of
//! them give the same bits**, because floats are multiplied and added in one fixed order and never fused. (A NaN is only
//! promised to be some NaN: its payload depends on how the compiler orders the operands.)
//!
//! The code scan is the one of Gao & Long, *`RaBitQ`: Quantizing High-Dimensional Vectors with a Theoretical Error Bound for
//! Approximate Nearest Neighbor Search* (SIGMOD 2024), over codes laid out for table look-up in registers as in André, Kermarrec
//! & Le Scouarnec, *Quicker ADC: Unlocking the Hidden Potential of Product Quantization with SIMD* (2018).

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon;
mod portable;

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use crate::isa::{Isa, IsaError};

/// How many rows a block of codes holds.
pub const BLOCK_ROWS: usize = 32;

/// The most bits of a code: with entries of at most [`MAX_ENTRY`], the sum of a row then fits into 16 bits.
const MAX_BITS: usize = 8192;

/// The greatest entry of a table: eight of them fit into a byte.
const MAX_ENTRY: u8 = 31;

/// The longest vector of `i8` whose product surely fits into an `i32`.
const MAX_I8_LENGTH: usize = 65_536;

/// A query, made ready for the code scan.
///
/// The rotated query is quantised, and the products of every four of its values with the sixteen patterns of signs are laid out
/// in a table. The sum of the entries that a code picks then stands for its product with the query:
/// `base + step * (sum of entries)` is the sum of `sign * value` over all dimensions.
#[derive(Clone, Copy, Debug)]
pub struct ScanQuery<'a> {
    /// One table of 16 entries for each group of 4 bits: `bits / 4 * 16` bytes. No entry is greater than 31.
    pub table: &'a [u8],
    /// The sum of `sign * value` where the sum of entries is 0.
    pub base: f32,
    /// What one more in the sum of entries adds to the sum of `sign * value`.
    pub step: f32,
    /// Is added to each estimate: the query's product with the centroid.
    pub shift: f32,
    /// How many units of a row's error count as possible.
    pub width: f32,
    /// A row is a hit when the upper bound of its estimate reaches this.
    pub bar: f32,
}

/// `N` blocks of [`BLOCK_ROWS`] codes and their correction factors, as they lie in a file. Nothing needs to be aligned.
///
/// A code of `bits` bits (a multiple of 64, at most 8192) is `bits / 4` groups of 4 bits; bit `b` of group `g` is the sign of
/// dimension `4 * g + b`. In a block, groups `2 * j` and `2 * j + 1` take 32 bytes: byte `r` belongs to row `r` of the block and
/// holds group `2 * j` in its low nibble and `2 * j + 1` in its high one.
#[derive(Clone, Copy, Debug)]
pub struct CodeBlocks<'a> {
    /// The codes: `N * bits / 8 * 32` bytes.
    pub codes: &'a [u8],
    /// What is added to the estimate of each row: `N * 32` little-endian `f32`.
    pub offsets: &'a [u8],
    /// What the sum of `sign * value` of each row is multiplied with: `N * 32` little-endian `f32`.
    pub slopes: &'a [u8],
    /// The unit of error of the estimate of each row: `N * 32` little-endian `f32`.
    pub errors: &'a [u8],
}

/// Query, base, numbers of rows, products.
type DotRows<Value, Product> = unsafe fn(&[Value], &[u8], &[u32], &mut [Product]);

/// Query, blocks, estimates, hits.
type Scan = unsafe fn(&ScanQuery<'_>, &CodeBlocks<'_>, &mut [f32], &mut [u32]);

/// The routines of one instruction set.
///
/// Every method checks its lengths and panics when they do not fit together: that is a mistake in the program, never in its
/// data. What the bytes of a row hold is not checked; whatever they are, every instruction set gives the same result.
#[derive(Clone, Copy, Debug)]
pub struct Routines {
    isa: Isa,
    hadamard: unsafe fn(&mut [f32]),
    flip_signs: unsafe fn(&mut [f32], &[u64]),
    dot: unsafe fn(&[f32], &[u8]) -> f32,
    dot_rows: DotRows<f32, f32>,
    dot_i8_rows: DotRows<i8, i32>,
    scan: Scan,
    hamming: unsafe fn(&[u8], &[u8]) -> u32,
}

/// Begins to fetch `bytes` into the cache, where the machine can do so ahead of time. Nothing depends on it but time.
pub fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    avx2::prefetch_row(bytes);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

impl Routines {
    /// The routines of [`Isa::chosen`].
    pub fn chosen() -> Result<&'static Self, IsaError> {
        let isa = Isa::chosen()?;
        Self::of(isa).ok_or_else(|| IsaError::Unavailable { isa, available: Isa::available() })
    }

    /// The routines of `isa`, or `None` when this CPU lacks it.
    pub fn of(isa: Isa) -> Option<&'static Self> {
        static AVAILABLE: OnceLock<Vec<Routines>> = OnceLock::new();
        let available = AVAILABLE.get_or_init(|| Isa::available().into_iter().map(table).collect());
        available.iter().find(|routines| routines.isa == isa)
    }

    /// The instruction set that these are written for.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The fast Walsh-Hadamard transform of `values`, in place and not normalised: doing it twice multiplies by the length.
    ///
    /// # Panics
    /// When the length is neither 0 nor a power of two.
    pub fn hadamard(&self, values: &mut [f32]) {
        assert!(values.is_empty() || values.len().is_power_of_two(), "{} is no power of two", values.len());
        // SAFETY: `self` exists, so the CPU has the instructions (see `table`).
        unsafe { (self.hadamard)(values) }
    }

    /// Flips the sign of `values[i]` where bit `i` of `signs` is set, counted from the lowest bit of the first word.
    ///
    /// # Panics
    /// When there are fewer bits than values.
    pub fn flip_signs(&self, values: &mut [f32], signs: &[u64]) {
        assert!(values.len().div_ceil(64) <= signs.len(), "{} words for {} signs", signs.len(), values.len());
        // SAFETY: `self` exists, so the CPU has the instructions (see `table`).
        unsafe { (self.flip_signs)(values, signs) }
    }

    /// The product of `query` with a row of little-endian `f32`.
    ///
    /// The products go to sixteen sums in turn, and these are added up in order.
    ///
    /// # Panics
    /// When `row` is not four times as long as `query`.
    pub fn dot(&self, query: &[f32], row: &[u8]) -> f32 {
        assert_eq!(row.len(), 4 * query.len(), "bytes of a row against a query of {} values", query.len());
        // SAFETY: `self` exists, so the CPU has the instructions (see `table`).
        unsafe { (self.dot)(query, row) }
    }

    /// Writes to `out[i]` the product ([`dot`](Self::dot)) of `query` with row `rows[i]` of `base`, whose rows of
    /// `4 * query.len()` bytes lie one behind the other. The rows to come are fetched while one is worked on.
    ///
    /// # Panics
    /// When `out` is not as long as `rows`, or `base` ends before a row.
    pub fn dot_rows(&self, query: &[f32], base: &[u8], rows: &[u32], out: &mut [f32]) {
        assert_eq!(out.len(), rows.len(), "products against rows");
        // SAFETY: `self` exists, so the CPU has the instructions (see `table`).
        unsafe { (self.dot_rows)(query, base, rows, out) }
    }

    /// Writes to `out[i]` the exact product of `query` with row `rows[i]` of `base`, whose rows of `query.len()` bytes (`i8` in
    /// two's complement) lie one behind the other.
    ///
    /// # Panics
    /// When `query` is longer than 65,536 or holds -128, `out` is not as long as `rows`, or `base` ends before a row.
    pub fn dot_i8_rows(&self, query: &[i8], base: &[u8], rows: &[u32], out: &mut [i32]) {
        check_i8(query);
        assert_eq!(out.len(), rows.len(), "products against rows");
        // SAFETY: `self` exists, so the CPU has the instructions (see `table`).
        unsafe { (self.dot_i8_rows)(query, base, rows, out) }
    }

    /// Estimates the product of the query with each row from its code. For row `r` of block `n`, with `i = 32 * n + r`:
    ///
    /// * `sum` = the exact sum, over all groups `g`, of `table[16 * g + nibble]`;
    /// * `estimates[i]` = `(shift + offsets[i]) + slopes[i] * (base + step * sum)`;
    /// * bit `r` of `hits[n]` is set when `estimates[i] + errors[i] * width >= bar`; a NaN is no hit.
    ///
    /// # Panics
    /// When the table is not made of 1 to 128 times 16 tables of 16 entries or one of them exceeds 31, or a length does not fit
    /// the number of blocks, which is the length of `hits`.
    pub fn scan(&self, query: &ScanQuery<'_>, block: &CodeBlocks<'_>, estimates: &mut [f32], hits: &mut [u32]) {
        let blocks = hits.len();
        let bits = query.table.len() / 4;
        assert!(query.table.len().is_multiple_of(256) && (64..=MAX_BITS).contains(&bits), "a table for {bits} bits");
        debug_assert!(
            query.table.iter().all(|&entry| entry <= MAX_ENTRY),
            "entries of a table are at most {MAX_ENTRY}"
        );
        assert_eq!(Some(block.codes.len()), blocks.checked_mul(bits * BLOCK_ROWS / 8), "bytes of {blocks} blocks");
        assert_eq!(estimates.len(), blocks * BLOCK_ROWS, "estimates for {blocks} blocks");
        for factors in [block.offsets, block.slopes, block.errors] {
            assert_eq!(factors.len(), blocks * BLOCK_ROWS * 4, "bytes of factors for {blocks} blocks");
        }
        // SAFETY: `self` exists, so the CPU has the instructions (see `table`).
        unsafe { (self.scan)(query, block, estimates, hits) }
    }

    /// The number of bits in which two codes differ.
    ///
    /// # Panics
    /// When they are not equally long.
    pub fn hamming(&self, left: &[u8], right: &[u8]) -> u32 {
        assert_eq!(left.len(), right.len(), "lengths of two codes");
        // SAFETY: `self` exists, so the CPU has the instructions (see `table`).
        unsafe { (self.hamming)(left, right) }
    }
}

/// The routines of an instruction set that this CPU has: the only place where they are handed out.
fn table(isa: Isa) -> Routines {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => avx2::ROUTINES,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => avx512::routines(),
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        Isa::Neon => neon::ROUTINES,
        _ => portable::ROUTINES,
    }
}

fn check_i8(query: &[i8]) {
    assert!(query.len() <= MAX_I8_LENGTH, "a query of {} values; {MAX_I8_LENGTH} are the most", query.len());
    // The only value without a negative, which the routines for x86 need.
    assert!(!query.contains(&i8::MIN), "a query that holds -128");
}
