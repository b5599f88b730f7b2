//! Some pieces of a proof: parsed on all cores, enlisted in order, then checked on all cores.
//!
//! Enlisting is short: it touches each clause once and no hint. Once it is done, the additions are independent of each other, because
//! every clause has its time of life: each addition sees exactly what it would see if checked alone.

use std::mem;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use porism_native::sync::lock;

use super::crew::share;
use super::input::Encoding;
use super::kernel::{self, Assignment, Refusal};
use super::steps::{Flaw, Piece};
use super::store::Store;
use crate::check::Cancelled;
use crate::check::budget::{Budget, Exhausted, Meter};
use crate::check::cnf::Formula;

/// How many numbers a group of steps has, at least: what a thread checks before it looks for more.
const GROUP_NUMBERS: u32 = 1 << 13;

/// How the proof ended, if it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The empty clause follows.
    Proved,
    /// A step was refused.
    Refused {
        /// The byte of the text at which it stands.
        at: usize,
        /// Its number in the proof, from 1.
        step: u64,
        /// Why.
        refusal: Refusal,
    },
}

/// The state of a check between two waves.
#[derive(Debug)]
pub struct Waves {
    store: Store,
    workers: Vec<Worker>,
    pieces: Vec<Mutex<Piece>>,
    budget: Budget,
    meter: Meter,
    largest_code: u32,
    /// How many steps were read before this wave.
    steps: u64,
}

/// What a thread has to itself.
#[derive(Debug, Default)]
struct Worker {
    assignment: Assignment,
    refused: Option<Refused>,
}

/// A step: the number of its piece, and its number in the piece.
type Place = (usize, usize);
type Refused = (Place, Refusal);

/// Neighbouring steps of one piece.
struct Group {
    piece: usize,
    steps: Range<usize>,
    /// The number of the step before them, as the store counts.
    before: u32,
}

impl Waves {
    /// Nothing is checked yet, and there is no clause.
    pub fn new(threads: usize, budget: &Budget) -> Self {
        let mut workers = Vec::new();
        workers.resize_with(threads.max(1), Worker::default);
        let (store, pieces, meter) = (Store::default(), Vec::new(), Meter::new(budget));
        Self { store, workers, pieces, budget: *budget, meter, largest_code: 1, steps: 0 }
    }

    /// Adds the clauses of `formula`; whether one of them is empty.
    pub fn begin(&mut self, formula: &Formula) -> Result<bool, Flaw> {
        self.largest_code = formula.variables() << 1 | 1;
        if u64::from(self.largest_code) > self.budget.memory_bytes {
            return Err(Flaw::new("budget", "the variables of the formula take more memory than is allowed"));
        }
        let mut codes = Vec::new();
        for (id, clause) in (1..).zip(formula.clauses()) {
            codes.clear();
            codes.extend(clause.iter().map(|literal| literal.code()));
            self.store.add(id, &codes)?;
            if codes.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether there is one thread only.
    pub const fn alone(&self) -> bool {
        self.workers.len() == 1
    }

    /// What was paid so far.
    pub fn spent(&self) -> Budget {
        self.meter.spent()
    }

    /// How many steps were read so far.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Ends the lives of the clauses that were deleted; returns how much memory the others may take.
    pub fn sweep(&mut self) -> u64 {
        self.store.sweep();
        self.store.bytes() as u64 + u64::from(self.largest_code)
    }

    /// Checks the pieces of `text` at `ranges`. The calling thread does `meanwhile` while others check.
    pub fn wave(
        &mut self,
        text: &[u8],
        ranges: &[Range<usize>],
        encoding: Encoding,
        cancel: &AtomicBool,
        meanwhile: impl FnOnce(),
    ) -> Result<Option<End>, Cancelled> {
        let mut pieces = mem::take(&mut self.pieces);
        pieces.resize_with(ranges.len().max(pieces.len()), Mutex::default);
        let parse = |_: &mut Worker, number: usize| {
            let mut steps = lock(&pieces[number]);
            steps.clear();
            encoding.read(&text[ranges[number].clone()], &mut steps);
            true
        };
        share(&mut self.workers, ranges.len(), parse, |_| ());
        let steps: Vec<&Piece> = pieces[..ranges.len()].iter_mut().map(|piece| &*whole(piece)).collect();
        let (groups, stop) = self.enlist(&steps);
        let refused = self.check(&steps, &groups, cancel, meanwhile)?;
        let end = match (refused, stop) {
            (Some((place, refusal)), _) | (None, Some((place, Some(refusal)))) => {
                let before = self.steps + steps[..place.0].iter().map(|piece| piece.steps.len() as u64).sum::<u64>();
                let flaw_at = steps[place.0].flaw.as_ref().map_or(0, |&(at, _)| at);
                let at =
                    ranges[place.0].start + steps[place.0].steps.get(place.1).map_or(flaw_at, |step| step.at) as usize;
                Some(End::Refused { at, step: before + place.1 as u64 + 1, refusal })
            }
            (None, Some((_, None))) => Some(End::Proved),
            (None, None) => None,
        };
        self.steps += steps.iter().map(|piece| piece.steps.len() as u64).sum::<u64>();
        self.pieces = pieces;
        Ok(end)
    }

    /// Notes births and deaths in the order of the proof, up to the first step that cannot be, or the empty clause. Returns the steps
    /// that are to be checked, and where the proof ends, with a reason unless it is the empty clause.
    fn enlist(&mut self, pieces: &[&Piece]) -> (Vec<Group>, Option<(Place, Option<Refusal>)>) {
        let mut groups = Vec::new();
        for (number, piece) in pieces.iter().enumerate() {
            if u64::from(piece.largest_code) > self.budget.memory_bytes {
                let exhausted = Exhausted { unit: "bytes of memory", limit: self.budget.memory_bytes };
                return (groups, Some(((number, 0), Some(exhausted.into()))));
            }
            self.largest_code = self.largest_code.max(piece.largest_code);
            let mut group = Group { piece: number, steps: 0..0, before: self.store.now() };
            let mut first = 0;
            for (index, step) in piece.steps.iter().enumerate() {
                self.store.tick();
                let done = if step.id == 0 {
                    piece.ids(step).iter().try_for_each(|&id| self.store.delete(id))
                } else {
                    self.store.add(step.id, piece.literals(step))
                };
                if let Err(flaw) = done {
                    groups.push(group);
                    return (groups, Some(((number, index), Some(flaw.into()))));
                }
                group.steps.end = index + 1;
                if step.id != 0 && step.start == step.middle {
                    groups.push(group);
                    return (groups, Some(((number, index), None)));
                }
                if step.end - first > GROUP_NUMBERS {
                    groups.push(mem::replace(
                        &mut group,
                        Group { piece: number, steps: index + 1..index + 1, before: self.store.now() },
                    ));
                    first = step.end;
                }
            }
            groups.push(group);
            if let Some((_, flaw)) = &piece.flaw {
                return (groups, Some(((number, piece.steps.len()), Some(flaw.clone().into()))));
            }
        }
        (groups, None)
    }

    /// Checks all groups; returns the first step that is refused.
    fn check(
        &mut self,
        pieces: &[&Piece],
        groups: &[Group],
        cancel: &AtomicBool,
        meanwhile: impl FnOnce(),
    ) -> Result<Option<Refused>, Cancelled> {
        let spent = self.meter.spent();
        let left = Budget {
            steps: self.budget.steps - spent.steps,
            nodes: self.budget.nodes - spent.nodes,
            memory_bytes: self.budget.memory_bytes,
        };
        let (steps, nodes) = (AtomicU64::new(0), AtomicU64::new(0));
        // The first group in which a step was refused: groups behind it are of no interest.
        let end = AtomicUsize::new(groups.len());
        let (store, largest_code) = (&self.store, self.largest_code);
        let task = |worker: &mut Worker, number: usize| {
            if number > end.load(Ordering::Relaxed) || cancel.load(Ordering::Relaxed) {
                return false;
            }
            worker.assignment.reserve(largest_code);
            let mut meter = Meter::new(&left);
            if let Err(refused) = check_group(store, pieces, &groups[number], &mut worker.assignment, &mut meter) {
                end.fetch_min(number, Ordering::Relaxed);
                if worker.refused.as_ref().is_none_or(|(place, _)| refused.0 < *place) {
                    worker.refused = Some(refused);
                }
            }
            let spent = meter.spent();
            let steps = steps.fetch_add(spent.steps, Ordering::Relaxed) + spent.steps;
            let nodes = nodes.fetch_add(spent.nodes, Ordering::Relaxed) + spent.nodes;
            steps <= left.steps && nodes <= left.nodes
        };
        share(&mut self.workers, groups.len(), task, |_| meanwhile());
        if cancel.load(Ordering::Relaxed) {
            return Err(Cancelled);
        }
        let refused =
            self.workers.iter_mut().filter_map(|worker| worker.refused.take()).min_by_key(|&(place, _)| place);
        let paid = self.meter.steps(steps.into_inner()).and_then(|()| self.meter.nodes(nodes.into_inner()));
        if paid.is_ok() && !matches!(refused, Some((_, Refusal::Exhausted(_)))) {
            return Ok(refused);
        }
        // Who spent how much when depends on the threads. So what was left is spent once more, in order.
        self.meter = Meter::new(&self.budget);
        let _ = self.meter.steps(spent.steps).and_then(|()| self.meter.nodes(spent.nodes));
        let assignment = &mut self.workers[0].assignment;
        assignment.reserve(largest_code);
        Ok(groups.iter().find_map(|group| check_group(&self.store, pieces, group, assignment, &mut self.meter).err()))
    }
}

fn check_group(
    store: &Store,
    pieces: &[&Piece],
    group: &Group,
    assignment: &mut Assignment,
    meter: &mut Meter,
) -> Result<(), Refused> {
    let piece = pieces[group.piece];
    let mut now = group.before;
    for index in group.steps.clone() {
        let step = &piece.steps[index];
        now += 1;
        if step.id != 0 {
            kernel::check(store, now, piece.literals(step), piece.ids(step), assignment, meter)
                .map_err(|refusal| ((group.piece, index), refusal))?;
        }
    }
    Ok(())
}

fn whole<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}
