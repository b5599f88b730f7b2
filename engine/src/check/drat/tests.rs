//! Cases that are data, and proofs without hints made from random formulas by resolution: right ones, and spoilt ones.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::check::budget::Budget;
use crate::check::cnf::Literal;

#[derive(Deserialize)]
struct Case {
    name: String,
    cnf: String,
    proof: String,
    verdict: String,
    code: Option<String>,
    step: Option<u64>,
}

fn decide(formula: &Formula, proof: &[u8]) -> (Report, Option<Vec<u8>>) {
    let cancel = AtomicBool::new(false);
    check(formula, proof, &Work { threads: 1, budget: Budget::default(), cancel: &cancel, observer: None }).unwrap()
}

#[test]
fn every_case_gets_its_verdict() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/drat/cases.json");
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(folder).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let (report, hints) = decide(&Formula::parse(case.cnf.as_bytes()).unwrap(), case.proof.as_bytes());
        let fault = report.verdict.fault();
        let told = (report.verdict.name(), fault.map(|fault| fault.code.0), fault.and_then(|fault| fault.step));
        if told != (&case.verdict, case.code.as_deref(), case.step) || hints.is_some() != report.verdict.is_accepted() {
            wrong.push(format!("{}: {:?}", case.name, report.verdict));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const VARIABLES: u32 = 5;

fn clause() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(2..2 * VARIABLES + 2, 1..4)
}

fn has_model(clauses: &[Vec<u32>]) -> bool {
    (0..1_u32 << VARIABLES).any(|model| {
        clauses.iter().all(|clause| clause.iter().any(|code| (model >> ((code >> 1) - 1) ^ code) & 1 == 1))
    })
}

fn text(steps: &[(bool, Vec<u32>)]) -> String {
    let mut text = String::new();
    for (deletes, clause) in steps {
        text += if *deletes { "d " } else { "" };
        clause.iter().for_each(|&code| write!(text, "{} ", Literal::from_code(code).to_dimacs()).unwrap());
        text += "0\n";
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// Steps at random: whatever is accepted is true, and LRAT accepts what is made of it. The kernel behind it is not asked here
    /// whether the elaboration is right: its verdict must never be "rejected" when hints were found.
    #[test]
    fn nothing_false_is_accepted(
        given in prop::collection::vec(clause(), 1..24),
        steps in prop::collection::vec((prop::bool::weighted(0.3), clause()), 0..12),
        pick in any::<prop::sample::Index>(),
    ) {
        let mut formula = Formula::new();
        for clause in &given {
            formula.push(&clause.iter().map(|&code| Literal::from_code(code)).collect::<Vec<_>>());
        }
        // Deletions of what is there.
        let mut steps = steps;
        for (number, (_, clause)) in steps.iter_mut().enumerate().filter(|(_, (deletes, _))| *deletes) {
            *clause = given[(pick.index(given.len()) + number) % given.len()].clone();
        }
        let (report, hints) = decide(&formula, text(&steps).as_bytes());
        if hints.is_some() {
            prop_assert!(!has_model(&given));
        } else {
            let code = report.verdict.fault().unwrap();
            prop_assert!(matches!(code.code.0, "no_empty_clause" | "no_conflict") && code.label.is_none(), "{code}");
        }
    }

    /// All clauses by length, the longest first, as a truth table refutes them: a proof that is always right.
    #[test]
    fn every_refutation_by_cases_is_accepted(given in prop::collection::vec(clause(), 12..40)) {
        prop_assume!(!has_model(&given));
        let mut formula = Formula::new();
        for clause in &given {
            formula.push(&clause.iter().map(|&code| Literal::from_code(code)).collect::<Vec<_>>());
        }
        let mut steps = Vec::new();
        for length in (0..=VARIABLES).rev() {
            for signs in 0..1_u32 << length {
                steps.push((false, (0..length).map(|place| (place + 1) << 1 | (signs >> place & 1)).collect::<Vec<_>>()));
            }
        }
        let (report, _) = decide(&formula, text(&steps).as_bytes());
        prop_assert!(report.verdict.is_accepted(), "{:?}", report.verdict);
    }
}
