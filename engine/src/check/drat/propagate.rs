//! Unit propagation with two watched literals a clause, and what a conflict rests on.
//!
//! Clauses that are known to be needed are propagated before all others: what is needed stays small that way. Source: M. Heule, W. Hunt,
//! N. Wetzler, *Trimming while Checking Clausal Proofs*, FMCAD 2013.

use std::mem;

use super::clauses::{Clauses, Place};
use crate::check::budget::{Exhausted, Meter};

/// Why a literal is true: by this clause, or by assumption.
const ASSUMED: Place = Place(u32::MAX);
const CORE: usize = 0;
const OTHER: usize = 1;

#[derive(Clone, Copy, Debug)]
struct Watch {
    clause: Place,
    /// Another literal of the clause: while it is true, the clause need not be looked at.
    blocker: u32,
}

/// What is true, in the order in which it became so, and why.
#[derive(Debug)]
pub struct Trail {
    falsified: Vec<u8>,
    reasons: Vec<Place>,
    literals: Vec<u32>,
    /// By literal, for clauses that are needed and for others: the clauses to look at when it becomes false.
    watches: [Vec<Vec<Watch>>; 2],
    heads: [usize; 2],
    seen: Vec<bool>,
}

impl Trail {
    /// Nothing is true yet; literals have codes up to `largest_code`.
    pub fn new(largest_code: u32) -> Self {
        let literals = (largest_code as usize | 1) + 1;
        Self {
            falsified: vec![0; literals],
            reasons: vec![ASSUMED; literals / 2],
            literals: Vec::new(),
            watches: [vec![Vec::new(); literals], vec![Vec::new(); literals]],
            heads: [0; 2],
            seen: vec![false; literals / 2],
        }
    }

    /// How many literals are true.
    pub const fn len(&self) -> usize {
        self.literals.len()
    }

    /// Whether the literal is false.
    #[inline]
    pub fn is_false(&self, literal: u32) -> bool {
        self.falsified[literal as usize] != 0
    }

    /// Whether the literal is true.
    #[inline]
    pub fn is_true(&self, literal: u32) -> bool {
        self.falsified[literal as usize ^ 1] != 0
    }

    /// Why the literal, which is true, is so; `None`: it was assumed.
    pub fn reason(&self, literal: u32) -> Option<Place> {
        Some(self.reasons[literal as usize >> 1]).filter(|&reason| reason != ASSUMED)
    }

    /// Assumes that the literal, which is open, is true.
    pub fn assume(&mut self, literal: u32) {
        self.set(literal, ASSUMED);
    }

    #[inline]
    fn set(&mut self, literal: u32, reason: Place) {
        self.falsified[literal as usize ^ 1] = 1;
        self.reasons[literal as usize >> 1] = reason;
        self.literals.push(literal);
    }

    /// Takes back what became true after the first `length` literals.
    pub fn undo(&mut self, length: usize) {
        for &literal in &self.literals[length..] {
            self.falsified[literal as usize ^ 1] = 0;
        }
        self.literals.truncate(length);
        self.heads = [length.min(self.heads[CORE]), length.min(self.heads[OTHER])];
    }

    /// Watches a new clause, and makes its last open literal true if it has only one; returns whether all of its literals are false.
    pub fn attach(&mut self, clauses: &mut Clauses, clause: Place) -> bool {
        let literals = clauses.literals_mut(clause);
        // True and open literals first: false ones are not to be watched where there is a choice.
        let mut found = 0;
        for place in 0..literals.len() {
            if !self.is_false(literals[place]) {
                literals.swap(found, place);
                found += 1;
                if found == 2 {
                    break;
                }
            }
        }
        let (first, length) = (literals.first().copied(), literals.len());
        if length > 1 {
            self.watch(clauses, clause);
        }
        if let (1, Some(unit)) = (found, first)
            && !self.is_true(unit)
        {
            self.set(unit, clause);
        }
        found == 0
    }

    /// Watches the first two literals of a clause.
    pub fn watch(&mut self, clauses: &Clauses, clause: Place) {
        if let [first, second, ..] = *clauses.literals(clause) {
            let kind = if clauses.is_core(clauses.number(clause)) { CORE } else { OTHER };
            self.watches[kind][first as usize].push(Watch { clause, blocker: second });
            self.watches[kind][second as usize].push(Watch { clause, blocker: first });
        }
    }

    /// Watches a clause no more.
    pub fn unwatch(&mut self, clauses: &Clauses, clause: Place) {
        if let [first, second, ..] = *clauses.literals(clause) {
            let kind = if clauses.is_core(clauses.number(clause)) { CORE } else { OTHER };
            for literal in [first, second] {
                let list = &mut self.watches[kind][literal as usize];
                if let Some(found) = list.iter().rposition(|watch| watch.clause == clause) {
                    list.swap_remove(found);
                }
            }
        }
    }

    /// Makes everything true that follows by unit clauses; returns a clause whose literals are all false, if that comes out.
    pub fn propagate(&mut self, clauses: &mut Clauses, meter: &mut Meter) -> Result<Option<Place>, Exhausted> {
        loop {
            let kind = if self.heads[CORE] < self.literals.len() { CORE } else { OTHER };
            let Some(&literal) = self.literals.get(self.heads[kind]) else {
                return Ok(None);
            };
            self.heads[kind] += 1;
            let conflict = self.visit(clauses, literal ^ 1, kind, meter)?;
            if conflict.is_some() {
                return Ok(conflict);
            }
        }
    }

    /// Looks at the clauses that watch `literal`, which has become false.
    fn visit(
        &mut self,
        clauses: &mut Clauses,
        literal: u32,
        kind: usize,
        meter: &mut Meter,
    ) -> Result<Option<Place>, Exhausted> {
        let mut list = mem::take(&mut self.watches[kind][literal as usize]);
        let (mut kept, mut conflict, mut looked) = (0, None, list.len());
        for number in 0..list.len() {
            let watch = list[number];
            if conflict.is_some() || self.is_true(watch.blocker) {
                list[kept] = watch;
                kept += 1;
                continue;
            }
            let literals = clauses.literals_mut(watch.clause);
            if literals[0] == literal {
                literals.swap(0, 1);
            }
            let first = literals[0];
            let replacement = if self.is_true(first) {
                None
            } else {
                let open = literals[2..].iter().position(|&other| !self.is_false(other));
                looked += open.unwrap_or(literals.len());
                open
            };
            if let Some(place) = replacement {
                literals.swap(1, place + 2);
                self.watches[kind][literals[1] as usize].push(Watch { clause: watch.clause, blocker: first });
                continue;
            }
            list[kept] = Watch { clause: watch.clause, blocker: first };
            kept += 1;
            if self.is_false(first) {
                conflict = Some(watch.clause);
            } else if !self.is_true(first) {
                self.set(first, watch.clause);
            }
        }
        list.truncate(kept);
        self.watches[kind][literal as usize] = list;
        meter.nodes(looked as u64)?;
        Ok(conflict)
    }

    /// The ids of the clauses that make all literals of `conflict` but `except` false, in the order in which they became units, and
    /// of `conflict` behind them. An id is one more than a number. All of them are needed from now on.
    pub fn analyze(&mut self, clauses: &mut Clauses, conflict: Place, except: Option<u32>) -> Vec<u32> {
        let mut open = 0;
        let mut used = vec![conflict];
        self.see(clauses, conflict, except, &mut open);
        for place in (0..self.literals.len()).rev() {
            if open == 0 {
                break;
            }
            let literal = self.literals[place];
            if mem::take(&mut self.seen[literal as usize >> 1]) {
                open -= 1;
                if let Some(reason) = self.reason(literal) {
                    used.push(reason);
                    self.see(clauses, reason, Some(literal), &mut open);
                }
            }
        }
        used.reverse();
        used.into_iter().map(|clause| self.need(clauses, clause) + 1).collect()
    }

    fn see(&mut self, clauses: &Clauses, clause: Place, except: Option<u32>, open: &mut usize) {
        for &literal in clauses.literals(clause) {
            if Some(literal) != except && !mem::replace(&mut self.seen[literal as usize >> 1], true) {
                *open += 1;
            }
        }
    }

    /// Notes that a clause is needed; returns its number.
    pub fn need(&mut self, clauses: &mut Clauses, clause: Place) -> u32 {
        let number = clauses.number(clause);
        if !clauses.is_core(number) {
            self.unwatch(clauses, clause);
            clauses.set_core(number);
            self.watch(clauses, clause);
        }
        number
    }
}
