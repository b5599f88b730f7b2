//! Cases that are data, mutants of good proofs, and hostile input: the kernel, on one thread and on several, against the reference.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    name: String,
    cnf: Option<String>,
    proof: Option<String>,
    files: Option<String>,
    verdict: String,
    code: Option<String>,
    step: Option<u64>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/lrat")
}

fn cases() -> Vec<Case> {
    serde_json::from_slice(&std::fs::read(folder().join("cases.json")).unwrap()).unwrap()
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(folder().join("files").join(name)).unwrap()
}

fn decide(formula: &Formula, proof: &[u8], threads: usize) -> Report {
    let cancel = AtomicBool::new(false);
    let work = Work { threads, budget: Budget::default(), cancel: &cancel, observer: None };
    check(formula, proof, &work).unwrap()
}

#[test]
fn every_case_gets_its_verdict() {
    let mut wrong = Vec::new();
    for case in cases() {
        let formula =
            case.cnf.map_or_else(|| file(&format!("{}.cnf", case.files.as_ref().unwrap())), String::into_bytes);
        let formula = Formula::parse(&formula).unwrap();
        let proofs = match (&case.proof, &case.files) {
            (Some(proof), _) => vec![proof.clone().into_bytes()],
            (None, Some(files)) => [".lrat", ".blrat"].map(|suffix| file(&format!("{files}{suffix}"))).to_vec(),
            (None, None) => panic!("{}: no proof", case.name),
        };
        for proof in proofs {
            for threads in [1, 3] {
                let report = decide(&formula, &proof, threads);
                let fault = report.verdict.fault();
                let told = (report.verdict.name(), fault.map(|fault| fault.code.0), fault.and_then(|fault| fault.step));
                if told != (&case.verdict, case.code.as_deref(), case.step) {
                    wrong.push(format!("{}: {:?}", case.name, report.verdict));
                }
                assert_eq!(report.receipt.certificate_hash, crate::hash::content_hash(&proof));
                assert_eq!(report.bytes, proof.len() as u64);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % limit.max(1) as u64).unwrap()
    }
}

/// A proof with a few numbers, lines or signs changed.
fn mutant(proof: &str, dice: &mut Dice) -> String {
    let mut lines: Vec<Vec<String>> = proof.lines().map(|line| line.split(' ').map(String::from).collect()).collect();
    for _ in 0..=dice.below(2) {
        let (line, other) = (dice.below(lines.len()), dice.below(lines.len()));
        let (place, choice) = (dice.below(lines[line].len()), dice.below(9));
        match choice {
            0 => drop(lines.remove(line)),
            1 => lines.swap(line, other),
            2 => drop(lines[line].remove(place)),
            3 => {
                let number = lines[other][dice.below(lines[other].len())].clone();
                lines[line].insert(place, number);
            }
            4 => lines[line][place] = lines[other][dice.below(lines[other].len())].clone(),
            5 => {
                let number: i64 = lines[line][place].parse().unwrap_or(0);
                lines[line][place] = (-number).to_string();
            }
            6 => {
                let number: i64 = lines[line][place].parse().unwrap_or(0);
                lines[line][place] = (number + if dice.below(2) == 0 { 1 } else { -1 }).to_string();
            }
            7 => {
                let next = dice.below(lines[line].len());
                lines[line].swap(place, next);
            }
            _ => {
                let copy = lines[line].clone();
                lines.insert(other, copy);
            }
        }
        lines.retain(|line| !line.is_empty());
        if lines.is_empty() {
            break;
        }
    }
    lines.iter().map(|line| line.join(" ") + "\n").collect()
}

#[test]
fn mutants_get_the_verdict_of_the_reference() {
    let mutants = std::env::var("PORISM_MUTANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(5_000);
    let mut bases: Vec<(Formula, String)> = cases()
        .into_iter()
        .filter(|case| case.verdict == "accepted")
        .filter_map(|case| Some((Formula::parse(case.cnf?.as_bytes()).unwrap(), case.proof?)))
        .filter(|(_, proof)| !proof.is_empty() && !proof.contains("rubbish"))
        .collect();
    let pigeons = Formula::parse(&file("pigeons-5.cnf")).unwrap();
    bases.push((pigeons, String::from_utf8(file("pigeons-5.lrat")).unwrap()));
    let mut dice = Dice(7);
    let mut tally = [0; 3];
    for _ in 0..mutants {
        let (formula, proof) = &bases[dice.below(bases.len())];
        let proof = mutant(proof, &mut dice);
        let threads = 1 + dice.below(2);
        let report = decide(formula, proof.as_bytes(), threads);
        match (&report.verdict, reference::check(formula, proof.as_bytes())) {
            (Verdict::Accepted, Ok(())) => tally[0] += 1,
            (Verdict::Rejected(fault), Err((step, code))) => {
                tally[1] += 1;
                let told = |code: &str| if code.starts_with("clause_") { "clause" } else { code }.to_owned();
                assert_eq!(told(fault.code.0), told(code), "{proof}");
                assert!(fault.step.is_none_or(|found| found == step as u64), "{fault}, step {step} of\n{proof}");
            }
            (Verdict::Undecided(_), Err(_)) => tally[2] += 1,
            (verdict, reference) => panic!("{verdict:?} but {reference:?} for\n{proof}"),
        }
    }
    assert!(tally[0] > mutants / 100 && tally[1] > mutants / 10, "{tally:?}");
}

#[test]
fn a_budget_ends_at_the_same_step_on_any_number_of_threads() {
    let formula = Formula::parse(&file("pigeons-6.cnf")).unwrap();
    let proof = file("pigeons-6.lrat");
    let cancel = AtomicBool::new(false);
    for nodes in [100, 1_000, 3_000] {
        let budget = Budget { nodes, ..Budget::default() };
        let [one, three] = [1, 3].map(|threads| {
            check(&formula, &proof[..], &Work { threads, budget, cancel: &cancel, observer: None }).unwrap()
        });
        assert_eq!(one.verdict.fault().unwrap().code, Code::BUDGET);
        assert_eq!(one.verdict, three.verdict);
    }
}

#[test]
fn a_long_proof_is_checked_in_batches() {
    let formula = Formula::parse(b"p cnf 2 4\n1 2 0\n-1 2 0\n1 -2 0\n-1 -2 0\n").unwrap();
    let mut proof = String::new();
    for id in 5..400_000 {
        writeln!(proof, "{id} 2 0 1 2 0").unwrap();
        if id > 105 {
            writeln!(proof, "{id} d {} 0", id - 100).unwrap();
        }
    }
    assert!(proof.len() > 10 << 20);
    for threads in [1, 2] {
        let report = decide(&formula, format!("{proof}400000 0 399999 3 4 0\n").as_bytes(), threads);
        assert_eq!(report.verdict, Verdict::Accepted);
        let report = decide(&formula, format!("{proof}400000 0 299899 3 4 0\n").as_bytes(), threads);
        let fault = report.verdict.fault().unwrap();
        assert_eq!((fault.code.0, fault.line), ("clause_unknown", 799_890));
    }
}

#[test]
fn hostile_proofs_take_bounded_memory() {
    let formula = Formula::parse(b"p cnf 1 2\n1 0\n-1 0\n").unwrap();
    let endless = io::repeat(b'1');
    let cancel = AtomicBool::new(false);
    let budget = Budget { memory_bytes: 16 << 20, ..Budget::default() };
    let work = Work { threads: 1, budget, cancel: &cancel, observer: None };
    let report = check(&formula, endless.take(64 << 20), &work).unwrap();
    assert_eq!(report.verdict.fault().unwrap().code, Code::BUDGET);
    let rubbish: Vec<u8> =
        (0..1_000_000_u32).map(|number| u8::try_from(number.wrapping_mul(2_654_435_761) >> 24).unwrap()).collect();
    for start in [&b"a"[..], b"d", b"3 ", b"3 d ", b""] {
        assert!(!decide(&formula, &[start, &rubbish].concat(), 2).verdict.is_accepted());
    }
}

#[test]
fn a_check_can_be_called_off() {
    let formula = Formula::parse(&file("pigeons-6.cnf")).unwrap();
    let cancel = AtomicBool::new(true);
    let work = Work { threads: 2, budget: Budget::default(), cancel: &cancel, observer: None };
    assert!(matches!(check(&formula, &file("pigeons-6.lrat")[..], &work), Err(CheckError::Cancelled)));
}
