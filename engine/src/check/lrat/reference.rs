//! The same decision, made slowly: sets and maps, one step at a time. The oracle of the tests.

use std::collections::{BTreeMap, BTreeSet};

use super::Encoding;
use super::steps::{CANDIDATE, Piece};
use crate::check::cnf::Formula;

type Clause = Vec<u32>;

/// Whether `proof` is accepted; otherwise the number of the step that is refused (one more than there are, if none is) and its code.
pub fn check(formula: &Formula, proof: &[u8]) -> Result<(), (usize, &'static str)> {
    let mut clauses = BTreeMap::<u32, Clause>::new();
    for (id, clause) in (1..).zip(formula.clauses()) {
        clauses.insert(id, clause.iter().map(|literal| literal.code()).collect());
        if clause.is_empty() {
            return Ok(());
        }
    }
    let mut gone = BTreeSet::new();
    let mut steps = Piece::default();
    Encoding::of(proof).read(proof, &mut steps);
    for (number, step) in (1..).zip(&steps.steps) {
        if step.id == 0 {
            for id in steps.ids(step) {
                clauses
                    .remove(id)
                    .ok_or((number, if gone.contains(id) { "clause_deleted" } else { "clause_unknown" }))?;
                gone.insert(*id);
            }
            continue;
        }
        if clauses.keys().chain(&gone).any(|&id| id >= step.id) {
            return Err((number, "id_order"));
        }
        let clause = steps.literals(step).to_vec();
        follows(&clauses, &clause, steps.ids(step)).map_err(|code| (number, code))?;
        if clause.is_empty() {
            return Ok(());
        }
        clauses.insert(step.id, clause);
    }
    Err((steps.steps.len() + 1, steps.flaw.map_or("no_empty_clause", |(_, flaw)| flaw.code.0)))
}

fn follows(clauses: &BTreeMap<u32, Clause>, clause: &[u32], hints: &[u32]) -> Result<(), &'static str> {
    let mut falsified: BTreeSet<u32> = clause.iter().copied().collect();
    if clause.iter().any(|literal| falsified.contains(&(literal ^ 1))) {
        return Ok(());
    }
    let mut parts = hints.split(|&hint| hint == CANDIDATE);
    if propagate(clauses, parts.next().unwrap_or_default(), &mut falsified)? {
        return Ok(());
    }
    let pivot = *clause.first().ok_or("no_conflict")?;
    let mut left: BTreeSet<u32> =
        clauses.iter().filter(|(_, clause)| clause.contains(&(pivot ^ 1))).map(|(&id, _)| id).collect();
    let candidates = left.clone();
    for part in parts {
        let (id, hints) = part.split_first().ok_or("malformed")?;
        if !candidates.contains(id) {
            return Err(if clauses.contains_key(id) { "not_a_candidate" } else { "clause_unknown" });
        }
        left.remove(id);
        let mut falsified = falsified.clone();
        if !resolve(&clauses[id], pivot ^ 1, &mut falsified) && !propagate(clauses, hints, &mut falsified)? {
            return Err("no_conflict");
        }
    }
    let open = left.iter().find(|id| !resolve(&clauses[*id], pivot ^ 1, &mut falsified.clone()));
    match open {
        None => Ok(()),
        Some(_) if hints.contains(&CANDIDATE) => Err("candidate_missing"),
        Some(_) => Err("no_conflict"),
    }
}

fn propagate(
    clauses: &BTreeMap<u32, Clause>,
    hints: &[u32],
    falsified: &mut BTreeSet<u32>,
) -> Result<bool, &'static str> {
    for hint in hints {
        let clause = clauses.get(hint).ok_or("clause_unknown")?;
        let open: BTreeSet<u32> = clause.iter().copied().filter(|literal| !falsified.contains(literal)).collect();
        match open.len() {
            0 => return Ok(true),
            1 => falsified.extend(open.iter().map(|literal| literal ^ 1)),
            _ => return Err("hint_not_unit"),
        }
    }
    Ok(false)
}

fn resolve(clause: &[u32], without: u32, falsified: &mut BTreeSet<u32>) -> bool {
    for &literal in clause.iter().filter(|&&literal| literal != without) {
        if falsified.contains(&(literal ^ 1)) {
            return true;
        }
        falsified.insert(literal);
    }
    false
}
