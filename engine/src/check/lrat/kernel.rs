//! The trusted part: does an addition follow?
//!
//! An addition is checked by *reverse unit propagation* (RUP): its literals are assumed false, and each hint must name a clause all of
//! whose literals are false but one, which is then true, until one has none left. Where the hints do not get that far, the addition
//! must be a *resolution asymmetric tautology* (RAT) on its first literal, the pivot: for every clause that contains the opposite
//! literal, the candidates, the same must hold once the rest of that clause is assumed false too.
//!
//! - A hint whose last literal is already true adds nothing and is passed, as it is by other checkers. Hints behind the end are too.
//! - A candidate that contains an opposite of what is assumed needs no hints: its resolvent is a tautology.
//! - A clause that contains a literal twice counts it once.
//!
//! All work is paid for: hints as steps, the literals that are looked at as nodes.

use super::steps::{CANDIDATE, Flaw};
use super::store::Store;
use crate::check::budget::{Exhausted, Meter};

/// Which literals are false at present; all others are true or open.
#[derive(Debug, Default)]
pub struct Assignment {
    /// 1 for each literal that is false.
    falsified: Vec<u8>,
    trail: Vec<u32>,
}

impl Assignment {
    /// Makes room for literals up to this code.
    pub fn reserve(&mut self, largest_code: u32) {
        let length = (largest_code as usize | 1) + 1;
        if self.falsified.len() < length {
            // A fresh array of zeros takes memory only where it is touched; nothing is false between two additions.
            self.falsified = vec![0; length.max(2 * self.falsified.len())];
        }
    }

    #[inline]
    fn is_false(&self, literal: u32) -> bool {
        self.falsified[literal as usize] != 0
    }

    #[inline]
    fn is_true(&self, literal: u32) -> bool {
        self.falsified[literal as usize ^ 1] != 0
    }

    /// How many literals of `clause` are not false, and which, if it is one. Without a branch a literal, since nobody can guess
    /// where in the clause that one stands.
    #[inline]
    fn open(&self, clause: &[u32]) -> (u32, u32) {
        clause.iter().fold((0, 0), |(count, unit), &literal| {
            let open = 1 - u32::from(self.falsified[literal as usize]);
            (count + open, unit | literal & open.wrapping_neg())
        })
    }

    #[inline]
    fn falsify(&mut self, literal: u32) {
        if !self.is_false(literal) {
            self.falsified[literal as usize] = 1;
            self.trail.push(literal);
        }
    }

    /// Takes back everything after the first `length` assumptions.
    fn undo(&mut self, length: usize) {
        for &literal in &self.trail[length..] {
            self.falsified[literal as usize] = 0;
        }
        self.trail.truncate(length);
    }
}

/// Why an addition was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not follow.
    Flaw(Flaw),
    /// It would cost too much to find out.
    Exhausted(Exhausted),
}

impl From<Flaw> for Refusal {
    fn from(flaw: Flaw) -> Self {
        Self::Flaw(flaw)
    }
}

impl From<Exhausted> for Refusal {
    fn from(exhausted: Exhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}

/// Checks the addition of `clause` with `hints` at step `now`.
///
/// `assignment` must have room for all literals of the store and of the clause.
pub fn check(
    store: &Store,
    now: u32,
    clause: &[u32],
    hints: &[u32],
    assignment: &mut Assignment,
    meter: &mut Meter,
) -> Result<(), Refusal> {
    let answer = follow(store, now, clause, hints, assignment, meter);
    assignment.undo(0);
    answer
}

fn follow(
    store: &Store,
    now: u32,
    clause: &[u32],
    hints: &[u32],
    assignment: &mut Assignment,
    meter: &mut Meter,
) -> Result<(), Refusal> {
    meter.nodes(clause.len() as u64)?;
    for &literal in clause {
        if assignment.is_true(literal) {
            return Ok(()); // the clause is a tautology
        }
        assignment.falsify(literal);
    }
    let own = hints.iter().position(|&hint| hint == CANDIDATE).unwrap_or(hints.len());
    if propagate(store, now, &hints[..own], assignment, meter)? {
        return Ok(());
    }
    let Some(&pivot) = clause.first() else {
        return Err(Flaw::new("no_conflict", "the hints lead to no conflict").into());
    };
    let mut candidates = candidates(store, now, pivot ^ 1, meter)?;
    let mut rest = &hints[own..];
    while let [CANDIDATE, id, behind @ ..] = rest {
        let end = behind.iter().position(|&hint| hint == CANDIDATE).unwrap_or(behind.len());
        let Ok(found) = candidates.binary_search_by_key(id, |candidate| candidate.id) else {
            if store.get(*id, now).is_none() {
                return Err(store.missing(*id, now).into());
            }
            return Err(Flaw::new("not_a_candidate", "the clause does not contain the opposite of the pivot")
                .about(*id)
                .into());
        };
        let candidate = &mut candidates[found];
        candidate.done = true;
        let before = assignment.trail.len();
        let blocked = resolve(candidate.clause, pivot ^ 1, assignment, meter)?;
        if !blocked && !propagate(store, now, &behind[..end], assignment, meter)? {
            return Err(Flaw::new("no_conflict", "the hints for this candidate lead to no conflict").about(*id).into());
        }
        assignment.undo(before);
        rest = &behind[end..];
    }
    for candidate in candidates.iter().filter(|candidate| !candidate.done) {
        let before = assignment.trail.len();
        if !resolve(candidate.clause, pivot ^ 1, assignment, meter)? {
            return Err(if own == hints.len() {
                Flaw::new("no_conflict", "the hints lead to no conflict").into()
            } else {
                Flaw::new("candidate_missing", "no hints are given for this candidate").about(candidate.id).into()
            });
        }
        assignment.undo(before);
    }
    Ok(())
}

/// Follows `hints`; whether one of them has only false literals.
#[inline]
fn propagate(
    store: &Store,
    now: u32,
    hints: &[u32],
    assignment: &mut Assignment,
    meter: &mut Meter,
) -> Result<bool, Refusal> {
    meter.steps(hints.len() as u64)?;
    for &hint in hints {
        let Some(clause) = store.get(hint, now) else {
            return Err(store.missing(hint, now).into());
        };
        meter.nodes(clause.len() as u64)?;
        let (open, mut unit) = assignment.open(clause);
        if open == 0 {
            return Ok(true);
        }
        if open > 1 {
            unit = clause.iter().copied().find(|&literal| !assignment.is_false(literal)).unwrap_or(unit);
            if clause.iter().any(|&literal| literal != unit && !assignment.is_false(literal)) {
                return Err(Flaw::new("hint_not_unit", "more than one literal of the hint is not false")
                    .about(hint)
                    .into());
            }
        }
        assignment.falsify(unit ^ 1);
    }
    Ok(false)
}

struct Candidate<'a> {
    id: u32,
    clause: &'a [u32],
    done: bool,
}

/// Every clause that contains `literal`, by ascending ids.
fn candidates<'a>(store: &'a Store, now: u32, literal: u32, meter: &mut Meter) -> Result<Vec<Candidate<'a>>, Refusal> {
    meter.nodes(store.extent() as u64)?;
    let found = store.visible(now).filter(|(_, clause)| clause.contains(&literal));
    Ok(found.map(|(id, clause)| Candidate { id, clause, done: false }).collect())
}

/// Assumes all of `clause` but `without` false; whether the opposite was assumed already.
fn resolve(clause: &[u32], without: u32, assignment: &mut Assignment, meter: &mut Meter) -> Result<bool, Refusal> {
    meter.nodes(clause.len() as u64)?;
    for &literal in clause.iter().filter(|&&literal| literal != without) {
        if assignment.is_true(literal) {
            return Ok(true);
        }
        assignment.falsify(literal);
    }
    Ok(false)
}
