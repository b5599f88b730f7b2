//! The routines at the sizes of a memory of 23,000 records with vectors of 384 dimensions, for every instruction set that is
//! there. For the scan, the fastest run
//! is shown in cycles too.

use std::hint::black_box;
use std::time::Instant;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use porism_native::isa::Isa;
use porism_native::simd::{BLOCK_ROWS, CodeBlocks, Routines, ScanQuery};

const DIMENSIONS: usize = 384;
const BLOCKS: usize = 719;
const ROWS: usize = BLOCKS * BLOCK_ROWS;
/// Blocks whose codes and factors fit into the second cache: 126 kB of codes and 31 kB of factors.
const NEAR_BLOCKS: usize = 82;
const SHORTLIST: usize = 100;

/// A fixed linear congruential sequence.
struct Draws(u32);

impl Draws {
    fn next(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % below
    }

    fn bytes(&mut self, length: usize, below: u32) -> Vec<u8> {
        (0..length).map(|_| self.next(below).to_le_bytes()[0]).collect()
    }

    fn floats(&mut self, length: usize) -> Vec<f32> {
        (0..length).map(|_| self.next(2_001) as f32 / 1_000.0 - 1.0).collect()
    }

    fn rows(&mut self) -> Vec<u32> {
        let rows = u32::try_from(ROWS).expect("a small memory");
        (0..SHORTLIST).map(|_| self.next(rows)).collect()
    }
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn available() -> impl Iterator<Item = &'static Routines> {
    Isa::available().into_iter().filter_map(Routines::of)
}

/// Nanoseconds of the fastest of many runs: the one that nothing else on the machine disturbed.
fn fastest(mut run: impl FnMut()) -> f64 {
    let times = (0..5_000).map(|_| {
        let begin = Instant::now();
        run();
        begin.elapsed().as_nanos() as f64
    });
    times.fold(f64::INFINITY, f64::min)
}

/// Cycles in a nanosecond: a multiplication takes three and an exclusive or one, on every x86-64 CPU of note.
fn clock() -> f64 {
    const STEPS: u32 = 5_000;
    let factor = black_box(0x9E37_79B9_7F4A_7C15_u64);
    let time = fastest(|| {
        black_box((0..STEPS).fold(factor, |x, _| x.wrapping_mul(factor) ^ 1));
    });
    f64::from(4 * STEPS) / time
}

fn scan(criterion: &mut Criterion) {
    let clock = clock();
    let mut draws = Draws(1);
    let table = draws.bytes(DIMENSIONS * 4, 32);
    let codes = draws.bytes(ROWS * DIMENSIONS / 8, 256);
    let [offsets, slopes, errors] = [(); 3].map(|()| bytes(&draws.floats(ROWS)));
    let query = ScanQuery { table: &table, base: -20.0, step: 0.01, shift: 0.1, width: 1.9, bar: 8.0 };
    for (name, blocks) in [("scan_near", NEAR_BLOCKS), ("scan", BLOCKS)] {
        let rows = blocks * BLOCK_ROWS;
        let some = CodeBlocks {
            codes: &codes[..rows * DIMENSIONS / 8],
            offsets: &offsets[..rows * 4],
            slopes: &slopes[..rows * 4],
            errors: &errors[..rows * 4],
        };
        let (mut estimates, mut hits) = (vec![0.0; rows], vec![0; blocks]);
        for routines in available() {
            let time = fastest(|| routines.scan(&query, black_box(&some), &mut estimates, &mut hits)) / rows as f64;
            let isa = routines.isa();
            println!("{name}/{isa}: at best {time:.2} ns a row, {:.1} cycles at {clock:.2} GHz", time * clock);
        }
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(rows as u64));
        each(&mut group, |routines| routines.scan(&query, black_box(&some), &mut estimates, &mut hits));
        group.finish();
    }
}

fn dot(criterion: &mut Criterion) {
    let mut draws = Draws(2);
    let mut group = criterion.benchmark_group("dot_rows");
    group.throughput(Throughput::Elements(SHORTLIST as u64));
    let (query, base) = (draws.floats(DIMENSIONS), bytes(&draws.floats(ROWS * DIMENSIONS)));
    let mut out = vec![0.0; SHORTLIST];
    // Other rows each time: those of the last time are still in the cache.
    each(&mut group, |routines| routines.dot_rows(&query, &base, &draws.rows(), &mut out));
    group.finish();

    let mut group = criterion.benchmark_group("dot_i8_rows");
    group.throughput(Throughput::Elements(SHORTLIST as u64));
    let query: Vec<i8> = draws.bytes(DIMENSIONS, 255).into_iter().map(|x| x.wrapping_sub(127).cast_signed()).collect();
    let base = draws.bytes(ROWS * DIMENSIONS, 256);
    let mut out = vec![0; SHORTLIST];
    each(&mut group, |routines| routines.dot_i8_rows(&query, &base, &draws.rows(), &mut out));
    group.finish();
}

fn rotation(criterion: &mut Criterion) {
    let mut draws = Draws(3);
    let (values, signs) = (draws.floats(256), [u64::MAX / 3; 4]);
    let mut group = criterion.benchmark_group("hadamard_256");
    each(&mut group, |routines| {
        let mut values = values.clone();
        routines.hadamard(&mut values);
        black_box(&values);
    });
    group.finish();
    let mut group = criterion.benchmark_group("flip_signs_256");
    let mut values = values;
    each(&mut group, |routines| routines.flip_signs(black_box(&mut values), &signs));
    group.finish();
    let mut group = criterion.benchmark_group("hamming_384");
    let (left, right) = (draws.bytes(DIMENSIONS / 8, 256), draws.bytes(DIMENSIONS / 8, 256));
    each(&mut group, |routines| {
        black_box(routines.hamming(black_box(&left), black_box(&right)));
    });
    group.finish();
}

fn each(group: &mut BenchmarkGroup<'_, WallTime>, mut run: impl FnMut(&Routines)) {
    for routines in available() {
        let name = BenchmarkId::from_parameter(routines.isa());
        group.bench_function(name, |bench| bench.iter(|| run(black_box(routines))));
    }
}

criterion_group!(benches, scan, dot, rotation);
criterion_main!(benches);
