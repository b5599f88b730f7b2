//! One table: every routine of every instruction set that this CPU runs, against the portable one, bit by bit.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// The portable routines, and what is tested against them.
fn oracle() -> &'static Routines {
    Routines::of(Isa::Portable).unwrap()
}

fn others() -> impl Iterator<Item = &'static Routines> {
    Isa::available().into_iter().skip(1).map(|isa| Routines::of(isa).unwrap())
}

/// Bits to compare, where every NaN is the same one.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|&x| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }).collect()
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// A copy of `bytes` that begins at no even address, and itself.
fn unaligned(bytes: &[u8]) -> Vec<u8> {
    [&[0xA5], bytes].concat()
}

/// Mostly plain numbers, and sometimes any pattern of bits: infinities, NaNs, subnormals.
fn float() -> impl Strategy<Value = f32> {
    prop_oneof![
        200 => -2.0_f32..2.0,
        1 => prop_oneof![Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(f32::NAN), Just(0.0), Just(-0.0)],
        1 => any::<u32>().prop_map(f32::from_bits),
    ]
}

/// Any bytes, drawn eight at a time.
fn noise(length: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u64>(), length.div_ceil(8))
        .prop_map(move |words| words.into_iter().flat_map(u64::to_le_bytes).take(length).collect())
}

/// A length, and the numbers of some rows out of the first so many.
fn length_and_rows(longest: usize) -> impl Strategy<Value = (usize, usize, Vec<u32>)> {
    (0..=longest, 1..20_u32).prop_flat_map(|(length, rows)| (Just(length), Just(rows as usize), vec(0..rows, 0..20)))
}

/// Everything a scan takes.
#[derive(Clone, Debug)]
struct Scan {
    table: Vec<u8>,
    codes: Vec<u8>,
    factors: [Vec<f32>; 3],
    numbers: [f32; 5],
}

impl Scan {
    fn any(most_blocks: usize) -> impl Strategy<Value = Self> {
        let words = prop_oneof![20 => 1_usize..=8, 1 => Just(MAX_BITS / 64)];
        (words, 0..=most_blocks).prop_flat_map(|(words, blocks)| {
            let factors = || vec(float(), blocks * BLOCK_ROWS);
            (
                prop_oneof![vec(0..=MAX_ENTRY, words * 256), Just(vec![MAX_ENTRY; words * 256])],
                noise(words * 256 * blocks),
                [factors(), factors(), factors()],
                [float(), float(), float(), float(), float()],
            )
                .prop_map(|(table, codes, factors, numbers)| Self { table, codes, factors, numbers })
        })
    }

    fn run(&self, routines: &Routines, at: usize) -> (Vec<u32>, Vec<u32>) {
        let place = |bytes: Vec<u8>| if at == 0 { bytes } else { unaligned(&bytes) };
        let [offsets, slopes, errors] = self.factors.each_ref().map(|factors| place(bytes(factors)));
        let codes = place(self.codes.clone());
        let [base, step, shift, width, bar] = self.numbers;
        let rows = self.factors[0].len();
        let (mut estimates, mut hits) = (vec![7.0; rows], vec![7; rows / BLOCK_ROWS]);
        routines.scan(
            &ScanQuery { table: &self.table, base, step, shift, width, bar },
            &CodeBlocks { codes: &codes[at..], offsets: &offsets[at..], slopes: &slopes[at..], errors: &errors[at..] },
            &mut estimates,
            &mut hits,
        );
        (bits(&estimates), hits)
    }
}

#[test]
fn what_is_not_there_is_said() {
    for isa in [Isa::Avx2, Isa::Avx512, Isa::Neon] {
        if Routines::of(isa).is_none() {
            println!("not tested: this CPU lacks {isa}");
        }
    }
    assert!(Routines::chosen().is_ok() || std::env::var_os("PORISM_ISA").is_some());
}

proptest! {
    #[test]
    fn hadamard_agrees(values in (0_u32..12).prop_flat_map(|power| vec(float(), 1 << power))) {
        let mut expected = values.clone();
        oracle().hadamard(&mut expected);
        for routines in others() {
            let mut found = values.clone();
            routines.hadamard(&mut found);
            prop_assert_eq!(bits(&found), bits(&expected), "{}", routines.isa());
        }
    }

    #[test]
    fn flip_signs_agrees((values, signs) in (0_usize..300).prop_flat_map(|n| (vec(float(), n), vec(any::<u64>(), n.div_ceil(64))))) {
        let mut expected = values.clone();
        oracle().flip_signs(&mut expected, &signs);
        for (i, (before, after)) in values.iter().zip(&expected).enumerate() {
            prop_assert_eq!(before.to_bits() != after.to_bits(), signs[i / 64] >> (i % 64) & 1 == 1);
        }
        for routines in others() {
            let mut found = values.clone();
            routines.flip_signs(&mut found, &signs);
            prop_assert_eq!(bits(&found), bits(&expected), "{}", routines.isa());
        }
    }

    #[test]
    fn dot_agrees(
        (query, base, rows) in length_and_rows(70).prop_flat_map(|(length, count, rows)| {
            (vec(float(), length), vec(float(), length * count).prop_map(|base| bytes(&base)), Just(rows))
        }),
    ) {
        let stride = 4 * query.len();
        let single = |routines: &Routines, base: &[u8]| -> Vec<f32> {
            rows.iter().map(|&row| routines.dot(&query, &base[row as usize * stride..][..stride])).collect()
        };
        let expected = bits(&single(oracle(), &base));
        let shifted = unaligned(&base);
        for isa in Isa::available() {
            let routines = Routines::of(isa).unwrap();
            prop_assert_eq!(&bits(&single(routines, &shifted[1..])), &expected, "{}", isa);
            let mut found = vec![7.0; rows.len()];
            routines.dot_rows(&query, &shifted[1..], &rows, &mut found);
            prop_assert_eq!(&bits(&found), &expected, "{}", isa);
        }
    }

    #[test]
    fn dot_i8_agrees(
        (query, base, rows) in length_and_rows(200).prop_flat_map(|(length, count, rows)| {
            (vec(-127..=127_i8, length), noise(length * count), Just(rows))
        }),
    ) {
        let mut expected = vec![7; rows.len()];
        oracle().dot_i8_rows(&query, &base, &rows, &mut expected);
        let shifted = unaligned(&base);
        for isa in Isa::available() {
            let routines = Routines::of(isa).unwrap();
            let mut found = vec![7; rows.len()];
            routines.dot_i8_rows(&query, &shifted[1..], &rows, &mut found);
            prop_assert_eq!(&found, &expected, "{}", isa);
        }
    }

    #[test]
    fn hamming_agrees((left, right) in (0_usize..300).prop_flat_map(|n| (vec(any::<u8>(), n), vec(any::<u8>(), n)))) {
        let expected: u32 = left.iter().zip(&right).map(|(x, y)| (x ^ y).count_ones()).sum();
        let shifted = unaligned(&left);
        for isa in Isa::available() {
            prop_assert_eq!(Routines::of(isa).unwrap().hamming(&shifted[1..], &right), expected, "{}", isa);
        }
    }

    #[test]
    fn scan_agrees(scan in Scan::any(5)) {
        let expected = scan.run(oracle(), 0);
        for routines in others() {
            prop_assert_eq!(&scan.run(routines, 0), &expected, "{}", routines.isa());
            prop_assert_eq!(&scan.run(routines, 1), &expected, "{}", routines.isa());
        }
    }

    /// The oracle itself: the estimate is what the code says, dimension by dimension.
    #[test]
    fn the_scan_adds_up_signs(
        (query, code) in (1_usize..=4).prop_flat_map(|words| (vec(-3_i8..=3, words * 64), vec(any::<u64>(), words))),
        row in 0..BLOCK_ROWS,
    ) {
        let positive = |dimension: usize| code[dimension / 64] >> (dimension % 64) & 1 == 1;
        // Entries are made non-negative by adding what a group of four can lose.
        let entry = |group: usize, nibble: usize| -> u8 {
            let product = |bit: usize| query[4 * group + bit] * if nibble >> bit & 1 == 1 { 1 } else { -1 };
            u8::try_from(12 + (0..4).map(product).sum::<i8>()).unwrap()
        };
        let groups = query.len() / 4;
        let table: Vec<u8> = (0..16 * groups).map(|i| entry(i / 16, i % 16)).collect();
        let mut codes = vec![0; groups / 2 * BLOCK_ROWS];
        for dimension in (0..query.len()).filter(|&dimension| positive(dimension)) {
            codes[dimension / 8 * BLOCK_ROWS + row] |= 1 << (dimension % 8);
        }
        let product: i32 = query.iter().enumerate().map(|(i, &x)| if positive(i) { i32::from(x) } else { -i32::from(x) }).sum();
        let (ones, zeros) = (bytes(&[1.0; BLOCK_ROWS]), bytes(&[0.0; BLOCK_ROWS]));
        let (mut estimates, mut hits) = ([0.0; BLOCK_ROWS], [0]);
        oracle().scan(
            &ScanQuery { table: &table, base: -12.0 * groups as f32, step: 1.0, shift: 0.0, width: 0.0, bar: product as f32 },
            &CodeBlocks { codes: &codes, offsets: &zeros, slopes: &ones, errors: &zeros },
            &mut estimates,
            &mut hits,
        );
        prop_assert_eq!(estimates[row].to_bits(), (product as f32).to_bits());
        prop_assert_eq!(hits[0] >> row & 1, 1);
    }
}

#[test]
fn the_greatest_sums_are_exact() {
    let query = vec![127_i8; MAX_I8_LENGTH];
    for (value, product) in [(127_i8, 127), (-127, -127), (-128, -128)] {
        let base = vec![value.cast_unsigned(); MAX_I8_LENGTH];
        for isa in Isa::available() {
            let mut out = [0];
            Routines::of(isa).unwrap().dot_i8_rows(&query, &base, &[0], &mut out);
            assert_eq!(out, [127 * product * 65_536], "{isa}");
        }
    }
}

#[test]
fn a_row_beyond_the_end_is_refused() {
    for isa in Isa::available() {
        let routines = Routines::of(isa).unwrap();
        for rows in [&[0, 2][..], &[0, 0, 0, 0, 0, 0, 0, u32::MAX]] {
            let mut out = vec![0.0; rows.len()];
            let run = std::panic::catch_unwind(move || routines.dot_rows(&[1.0; 5], &[0; 40], rows, &mut out));
            assert!(run.is_err(), "{isa}");
            let mut out = vec![0; rows.len()];
            let run = std::panic::catch_unwind(move || routines.dot_i8_rows(&[1; 20], &[0; 40], rows, &mut out));
            assert!(run.is_err(), "{isa}");
        }
    }
}

#[cfg(debug_assertions)]
#[test]
#[should_panic(expected = "entries of a table are at most 31")]
fn an_entry_that_could_overflow_is_refused() {
    let query = ScanQuery { table: &[32; 256], base: 0.0, step: 0.0, shift: 0.0, width: 0.0, bar: 0.0 };
    oracle().scan(&query, &CodeBlocks { codes: &[], offsets: &[], slopes: &[], errors: &[] }, &mut [], &mut []);
}
