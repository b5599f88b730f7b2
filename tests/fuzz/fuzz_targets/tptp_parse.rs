//! Whatever the bytes: the reader refuses them, or what it prints reads back as the same formulas.

#![no_main]

use libfuzzer_sys::fuzz_target;
use porism_engine::tptp::{Limits, Problem, parse_formula};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // The problem must not reach for files of the machine that fuzzes.
    let limits = Limits { max_files: 0, ..Limits::default() };
    if let Ok(formula) = parse_formula(text, &limits) {
        assert_eq!(parse_formula(&formula.to_string(), &limits).as_ref(), Ok(&formula));
    }
    if let Ok(problem) = Problem::parse(text, "fuzz", &limits) {
        for annotated in &problem.formulas {
            let again = Problem::parse(&annotated.to_string(), "again", &limits).expect("a printed statement parses");
            assert_eq!(again.formulas[0].formula, annotated.formula);
        }
    }
});
