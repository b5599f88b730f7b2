//! From DRAT to LRAT: forward to the first conflict, then backward over what it rests on.

use std::sync::atomic::{AtomicBool, Ordering};

use super::clauses::Clauses;
use super::propagate::Trail;
use super::read::Proof;
use crate::check::Cancelled;
use crate::check::budget::{Budget, Exhausted, Meter};
use crate::check::cnf::Formula;
use crate::check::lrat::{CANDIDATE, Writer};

/// Why there is no LRAT proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// This addition, a step of the proof from 0, is neither RUP nor RAT.
    NotImplied(usize),
    /// Unit propagation finds no conflict anywhere.
    NoConflict,
    /// It would cost too much.
    Exhausted(Exhausted),
    /// It was called off.
    Cancelled,
}

impl From<Exhausted> for Refusal {
    fn from(exhausted: Exhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}

impl From<Cancelled> for Refusal {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// A clause that came or went, and how many literals were true before.
enum Event {
    Came { number: u32, step: usize, before: usize },
    Went { number: u32, before: usize },
}

/// The state of an elaboration.
pub struct Elaboration<'a> {
    proof: &'a Proof,
    clauses: Clauses,
    trail: Trail,
    events: Vec<Event>,
    /// How many clauses belong to the formula.
    given: u32,
    /// For each addition, by the number of its clause behind those of the formula: its hints, as LRAT has them.
    hints: Vec<Vec<u32>>,
    meter: Meter,
    cancel: &'a AtomicBool,
    /// How many deletions were passed over: of reasons, and of clauses that are not there.
    pub passed_over: u64,
}

impl<'a> Elaboration<'a> {
    /// Prepares the elaboration of `proof` against `formula`.
    pub fn new(
        formula: &Formula,
        proof: &'a Proof,
        budget: &Budget,
        cancel: &'a AtomicBool,
    ) -> Result<Self, Exhausted> {
        let largest_code = (formula.variables() << 1 | 1).max(proof.largest_code());
        let mut meter = Meter::new(budget);
        // A literal takes its value and two lists; a variable its reason.
        meter.memory(u64::from(largest_code) * 64)?;
        let (clauses, trail) = (Clauses::default(), Trail::new(largest_code));
        let (events, hints) = (Vec::new(), Vec::new());
        Ok(Self { proof, clauses, trail, events, given: 0, hints, meter, cancel, passed_over: 0 })
    }

    /// The proof as binary LRAT.
    pub fn run(mut self, formula: &Formula) -> Result<Vec<u8>, Refusal> {
        let last = self.forward(formula)?;
        self.backward()?;
        Ok(self.write(&last))
    }

    /// Adds and deletes clauses until a conflict comes out; returns the hints of the empty clause.
    fn forward(&mut self, formula: &Formula) -> Result<Vec<u32>, Refusal> {
        let mut conflict = None;
        for clause in formula.clauses() {
            let codes: Vec<u32> = clause.iter().map(|literal| literal.code()).collect();
            let number = self.add(&codes)?;
            let place = self.clauses.place(number);
            if self.trail.attach(&mut self.clauses, place) {
                conflict = conflict.or(Some(place));
            }
        }
        self.given = self.clauses.len();
        if conflict.is_none() {
            conflict = self.trail.propagate(&mut self.clauses, &mut self.meter)?;
        }
        let proof = self.proof;
        for (step, found) in proof.steps.iter().enumerate() {
            if let Some(conflict) = conflict {
                return Ok(self.trail.analyze(&mut self.clauses, conflict, None));
            }
            self.meter.steps(1)?;
            if self.cancel.load(Ordering::Relaxed) {
                return Err(Refusal::Cancelled);
            }
            let (literals, before) = (proof.literals(found), self.trail.len());
            if found.deletes {
                self.delete(literals, before);
                continue;
            }
            let number = self.add(literals)?;
            self.events.push(Event::Came { number, step, before });
            let place = self.clauses.place(number);
            conflict = if self.trail.attach(&mut self.clauses, place) {
                Some(place)
            } else {
                self.trail.propagate(&mut self.clauses, &mut self.meter)?
            };
        }
        let conflict = conflict.ok_or(Refusal::NoConflict)?;
        Ok(self.trail.analyze(&mut self.clauses, conflict, None))
    }

    fn add(&mut self, literals: &[u32]) -> Result<u32, Refusal> {
        // The clause itself, two watches, and what it is found by.
        self.meter.memory(4 * literals.len() as u64 + 64)?;
        let full = Exhausted { unit: "literals", limit: u64::from(u32::MAX) };
        Ok(self.clauses.add(literals).ok_or(full)?)
    }

    /// Deletes the clause with these literals, unless it is the reason of a literal, or is not there.
    fn delete(&mut self, literals: &[u32], before: usize) {
        let found = self.clauses.find(literals).filter(|&number| {
            let place = self.clauses.place(number);
            let reason = |&literal: &u32| self.trail.is_true(literal) && self.trail.reason(literal) == Some(place);
            !self.clauses.literals(place).iter().any(reason)
        });
        match found {
            None => self.passed_over += 1,
            Some(number) => {
                self.trail.unwatch(&self.clauses, self.clauses.place(number));
                self.clauses.set_active(number, false);
                self.events.push(Event::Went { number, before });
            }
        }
    }

    /// Checks the additions that are needed, the last first.
    fn backward(&mut self) -> Result<(), Refusal> {
        self.hints.resize_with((self.clauses.len() - self.given) as usize, Vec::new);
        for event in (0..self.events.len()).rev() {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(Refusal::Cancelled);
            }
            match self.events[event] {
                Event::Went { number, before } => {
                    self.trail.undo(before);
                    self.clauses.set_active(number, true);
                    self.trail.watch(&self.clauses, self.clauses.place(number));
                }
                Event::Came { number, step, before } => {
                    self.trail.unwatch(&self.clauses, self.clauses.place(number));
                    self.clauses.set_active(number, false);
                    self.trail.undo(before);
                    if self.clauses.is_core(number) {
                        let hints = self.implied(number, step)?.ok_or(Refusal::NotImplied(step))?;
                        self.meter.memory(4 * hints.len() as u64)?;
                        self.trail.undo(before);
                        self.hints[(number - self.given) as usize] = hints;
                    }
                }
            }
        }
        Ok(())
    }

    /// The hints by which a clause is RUP, or RAT on its first literal.
    fn implied(&mut self, number: u32, step: usize) -> Result<Option<Vec<u32>>, Refusal> {
        let clause = self.clauses.literals(self.clauses.place(number)).to_vec();
        if let Some(hints) = self.refute(&clause, None)? {
            return Ok(Some(hints));
        }
        let Some(&pivot) = self.proof.literals(&self.proof.steps[step]).first() else {
            return Ok(None);
        };
        let (mut all, before) = (Vec::new(), self.trail.len());
        self.meter.nodes(self.clauses.extent() as u64)?;
        for candidate in 0..number {
            let place = self.clauses.place(candidate);
            if !self.clauses.is_active(candidate) || !self.clauses.literals(place).contains(&(pivot ^ 1)) {
                continue;
            }
            let literals = self.clauses.literals(place).to_vec();
            let hints = self.refute(&literals, Some(pivot ^ 1))?;
            self.trail.undo(before);
            match hints {
                None => return Ok(None),
                Some(hints) if hints.is_empty() => {} // a tautology: nothing to show
                Some(hints) => {
                    self.trail.need(&mut self.clauses, place);
                    all.extend([CANDIDATE, candidate + 1]);
                    all.extend(hints);
                }
            }
        }
        Ok(Some(all))
    }

    /// Assumes the literals but `except` false, and propagates; returns what the conflict rests on, which is nothing if the clause
    /// contains the opposite of what was assumed.
    fn refute(&mut self, literals: &[u32], except: Option<u32>) -> Result<Option<Vec<u32>>, Refusal> {
        for &literal in literals.iter().filter(|&&literal| Some(literal) != except) {
            if self.trail.is_true(literal) {
                let reason = self.trail.reason(literal);
                return Ok(Some(
                    reason.map_or_else(Vec::new, |reason| self.trail.analyze(&mut self.clauses, reason, Some(literal))),
                ));
            }
            if !self.trail.is_false(literal) {
                self.trail.assume(literal ^ 1);
            }
        }
        let conflict = self.trail.propagate(&mut self.clauses, &mut self.meter)?;
        Ok(conflict.map(|conflict| self.trail.analyze(&mut self.clauses, conflict, None)))
    }

    /// What is needed, in order, with the deletions of what is there.
    fn write(&self, last: &[u32]) -> Vec<u8> {
        let mut writer = Writer::default();
        for event in &self.events {
            match *event {
                Event::Came { number, step, .. } if self.clauses.is_core(number) => {
                    let hints = &self.hints[(number - self.given) as usize];
                    let pivot = self.proof.literals(&self.proof.steps[step]).first().copied();
                    let rest = self.clauses.literals(self.clauses.place(number)).iter().copied();
                    let literals = pivot.into_iter().chain(rest.filter(|&literal| Some(literal) != pivot));
                    writer.addition(number + 1, literals, hints);
                }
                Event::Went { number, .. } if number < self.given || self.clauses.is_core(number) => {
                    writer.deletion(&[number + 1]);
                }
                _ => {}
            }
        }
        writer.addition(self.clauses.len() + 1, [], last);
        writer.bytes
    }
}
