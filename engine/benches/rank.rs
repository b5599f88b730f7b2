//! Ranking one goal against a library of the size of MPTP2078 (4,564 formulas, about 60 features each).
//!
//! `PORISM_BENCH_TPTP` names a real file of formulas to rank instead of the generated one.

use std::fmt::Write;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use porism_engine::library::Library;
use porism_engine::rank::Proof;
use porism_engine::tptp::{Limits, Problem};

const FORMULAS: u32 = 4_564;

/// Formulas over a skewed vocabulary, from a fixed linear congruential sequence.
fn generated() -> String {
    let mut state = 2_078_u32;
    let mut next = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let mut text = String::new();
    for number in 0..FORMULAS {
        write!(text, "fof(t{number}, conjecture, ! [A, B, C] : (").expect("writing to a string");
        for literal in 0..6 {
            let joint = if literal == 0 { "" } else { " & " };
            // The product of two draws is small more often than large: a few symbols are everywhere, most are rare.
            let (p, f, g) = (next(40) * next(40), next(30) * next(30), next(30) * next(30));
            write!(text, "{joint}p{p}(f{f}(A, g{g}(B)), f{g}(C, A))").expect("writing to a string");
        }
        text.push_str(")).\n");
    }
    text
}

fn library() -> Library {
    let limits = Limits::default();
    let problem = match std::env::var_os("PORISM_BENCH_TPTP") {
        Some(path) => Problem::read(Path::new(&path), &limits),
        None => Problem::parse(&generated(), "generated", &limits),
    };
    Library::new(problem.expect("a library to rank"))
}

fn rank(criterion: &mut Criterion) {
    let library = library();
    let last = u32::try_from(library.formulas().len() - 1).expect("a small library");
    let goal = porism_engine::library::Goal::at(last);
    let proofs: Vec<Proof> =
        (100..last).step_by(3).map(|goal| Proof { goal, premises: (goal - 90..goal).step_by(17).collect() }).collect();

    let mut group = criterion.benchmark_group("rank");
    group.bench_function("similarity", |bench| bench.iter(|| library.similarity(&goal, &[])));
    group.bench_function("nearest_proofs", |bench| bench.iter(|| library.nearest_proofs(&goal, &proofs, 40, &[])));
    group.finish();
}

criterion_group!(benches, rank);
criterion_main!(benches);
