//! Whatever the bytes: every checker of certificates answers, the same on one thread and on two, and no satisfiable formula is refuted.

#![no_main]

use std::sync::atomic::AtomicBool;

use libfuzzer_sys::fuzz_target;
use porism_engine::check::cnf::Formula;
use porism_engine::check::{Budget, Work, drat, lrat, model, rewrite};

const PROBLEM: &[u8] = br#"{"equations": {"commute": ["(+ ?x ?y)", "(+ ?y ?x)"]}, "goal": ["(+ a b)", "(+ b b)"]}"#;

fuzz_target!(|bytes: &[u8]| {
    let satisfiable = Formula::parse(b"p cnf 3 4\n1 2 0\n-1 2 3 0\n-2 3 0\n1 -3 0\n").expect("a formula");
    let cancel = AtomicBool::new(false);
    let budget = Budget { steps: 1 << 20, nodes: 1 << 22, memory_bytes: 1 << 24 };
    let work = |threads| Work { threads, budget, cancel: &cancel, observer: None };
    let [one, two] = [1, 2].map(|threads| lrat::check(&satisfiable, bytes, &work(threads)).expect("bytes can be read"));
    assert!(!one.verdict.is_accepted());
    assert_eq!(one.verdict, two.verdict);
    let (report, hints) = drat::check(&satisfiable, bytes, &work(1)).expect("nobody calls it off");
    assert!(!report.verdict.is_accepted() && hints.is_none());
    assert!(!rewrite::check(PROBLEM, bytes, &budget).0.is_accepted());
    if let Ok(formula) = Formula::parse(bytes) {
        let _ = model::check(&formula, b"v 1 2 3 0\n");
    }
});
