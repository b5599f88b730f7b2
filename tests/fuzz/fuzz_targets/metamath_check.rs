//! Whatever the bytes: the reader refuses them, or every proof gets a verdict. What is accepted, the reference accepts too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use porism_engine::check::metamath::reference::{self, Outcome};
use porism_engine::check::metamath::{Library, Reading};
use porism_engine::check::{Budget, Checker};

fuzz_target!(|bytes: &[u8]| {
    let Ok(library) = Library::from_text(bytes.to_vec(), "fuzz.mm", &Reading::default()) else { return };
    let budget = Budget { steps: 10_000, nodes: 1_000_000, memory_bytes: 1 << 20 };
    let mut scratch = library.scratch();
    let accepted: Vec<bool> =
        library.theorems().iter().map(|theorem| library.check(theorem, &budget, &mut scratch).is_accepted()).collect();
    let outcomes = reference::check(bytes, &|_| None).expect("both read the same databases");
    for (accepted, (label, outcome)) in accepted.into_iter().zip(outcomes) {
        assert!(!accepted || outcome == Outcome::Accepted, "{label}");
    }
    let _ = library.axiom_use();
});
