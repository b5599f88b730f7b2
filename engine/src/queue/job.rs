//! One piece of work, and everyone who waits for it.
//!
//! ```text
//!            start            finish
//! Waiting ----------> Running --------> Over
//!    |                   |               ^
//!    +--- the last waiter leaves: by     |
//!         cancelling, by its deadline ---+
//! ```
//!
//! A job answers each of its waiters exactly once, under its lock, and never again touches one that was answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use porism_native::sync::atomic::{AtomicU8, Ordering};
use porism_native::sync::{Condvar, Mutex, MutexGuard, lock, sleep};

use super::outcome::Outcome;
use super::port::{Message, Port};

/// No deadline.
pub(super) const NEVER: u64 = u64::MAX;

/// How many more than one may wait for the same work, ever: what is queued stays bounded, whatever is asked again and again.
const MOST_OTHERS: usize = 1 << 16;

/// What a worker wants to be called when nobody wants its answer any more.
pub(super) type Stop = Box<dyn FnOnce() + Send>;

const WAITING: u8 = 0;
const RUNNING: u8 = 1;
const OVER: u8 = 2;

#[derive(Debug)]
pub(super) struct Job<P, A, M> {
    /// What the queue knows of it and the job does not look at.
    pub(super) meta: M,
    /// A copy of the stage, to be read without the lock.
    phase: AtomicU8,
    state: Mutex<State<P, A>>,
    /// Some waiter that is read here was answered.
    answered: Condvar,
}

struct State<P, A> {
    stage: Stage<P>,
    /// How many have not been answered.
    live: u32,
    /// How many threads sleep until one of them is.
    sleeping: u32,
    first: Waiter<A>,
    /// Empty, and not allocated, unless work is shared.
    others: Vec<Waiter<A>>,
}

impl<P, A> std::fmt::Debug for State<P, A> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("State").field("live", &self.live).finish_non_exhaustive()
    }
}

enum Stage<P> {
    Waiting(P),
    Running(Option<Stop>),
    Over,
}

/// One who waits: until when, and where the answer goes.
struct Waiter<A> {
    deadline: u64,
    to: To<A>,
}

/// Where an answer goes.
pub(super) enum To<A> {
    /// To a port, under a token. Becomes `Gone` when it is sent.
    Port(Arc<Port<A>>, u64),
    /// Into this place, from where a ticket reads it.
    Here(Option<Outcome<A>>),
    Gone,
}

impl<A> To<A> {
    fn is_live(&self) -> bool {
        matches!(self, Self::Port(..) | Self::Here(None))
    }
}

/// What is left to do, outside the lock, when waiters have left.
#[must_use]
pub(super) enum Left<P> {
    /// That one had been answered before.
    Nobody,
    /// Others still wait, or the work was over.
    Somebody,
    /// The last one has left before the work began. Its place is free.
    LastOfWaiting(P),
    /// The last one has left, and a worker is at it.
    LastOfRunning(Option<Stop>),
}

impl<P, A: Clone, M> Job<P, A, M> {
    pub(super) fn new(meta: M, payload: P, deadline: u64, to: To<A>) -> Self {
        let state = State {
            stage: Stage::Waiting(payload),
            live: 1,
            sleeping: 0,
            first: Waiter { deadline, to },
            others: Vec::new(),
        };
        Self { meta, phase: AtomicU8::new(WAITING), state: Mutex::new(state), answered: Condvar::new() }
    }

    /// Whether it still waits for a worker; may be outdated at once.
    pub(super) fn is_waiting(&self) -> bool {
        self.phase.load(Ordering::Relaxed) == WAITING
    }

    /// Whether nobody wants an answer any more, or everybody has one. Final once true.
    pub(super) fn is_over(&self) -> bool {
        self.phase.load(Ordering::Acquire) == OVER
    }

    /// One more waits for the same work: its number, and whether no worker is at it yet. `to` comes back when the work is over, or
    /// when enough wait for it.
    pub(super) fn join(&self, deadline: u64, to: To<A>) -> Result<(u32, bool), To<A>> {
        let mut state = lock(&self.state);
        if matches!(state.stage, Stage::Over) || state.others.len() >= MOST_OTHERS {
            return Err(to);
        }
        let number = u32::try_from(state.others.len() + 1).unwrap_or(u32::MAX);
        state.others.push(Waiter { deadline, to });
        state.live += 1;
        Ok((number, matches!(state.stage, Stage::Waiting(_))))
    }

    /// A worker begins. `None` when it is too late, or when another one has.
    pub(super) fn start(&self) -> Option<P> {
        let mut state = lock(&self.state);
        if !matches!(state.stage, Stage::Waiting(_)) {
            return None;
        }
        self.phase.store(RUNNING, Ordering::Release);
        match std::mem::replace(&mut state.stage, Stage::Running(None)) {
            Stage::Waiting(payload) => Some(payload),
            Stage::Running(_) | Stage::Over => None,
        }
    }

    /// Registers what to call when the last waiter leaves; hands it back if that has happened.
    pub(super) fn when_stopped(&self, stop: Stop) -> Option<Stop> {
        match &mut lock(&self.state).stage {
            Stage::Running(registered) => {
                *registered = Some(stop);
                None
            }
            Stage::Waiting(_) | Stage::Over => Some(stop),
        }
    }

    /// Until when somebody waits: the latest of the deadlines, [`NEVER`] if one has none.
    pub(super) fn latest_deadline(&self) -> u64 {
        let state = lock(&self.state);
        state.waiters().filter(|waiter| waiter.to.is_live()).map(|waiter| waiter.deadline).max().unwrap_or(0)
    }

    /// Answers everyone who still waits; `count` is told how many, before they are.
    pub(super) fn finish(&self, outcome: &Outcome<A>, count: impl FnOnce(u32)) -> Left<P> {
        let mut state = lock(&self.state);
        count(state.live);
        self.answer(&mut state, |_| true, outcome);
        self.close(&mut state)
    }

    /// Answers those whose deadline is not after `now_ns`; `count` is told how many, before they are.
    pub(super) fn expire(&self, now_ns: u64, count: impl FnOnce(u32)) -> Left<P> {
        let mut state = lock(&self.state);
        let late = |waiter: &Waiter<A>| waiter.deadline <= now_ns;
        let found = state.waiters().filter(|waiter| waiter.to.is_live() && late(waiter)).count();
        if found == 0 {
            return Left::Nobody;
        }
        count(u32::try_from(found).unwrap_or(u32::MAX));
        self.answer(&mut state, late, &Outcome::TimedOut);
        self.close_if_last(&mut state)
    }

    /// Answers the waiter `number`, which wants no more; `count` is told, unless it had been answered.
    pub(super) fn leave(&self, number: u32, count: impl FnOnce(u32)) -> Left<P> {
        let mut state = lock(&self.state);
        if !state.waiter(number).to.is_live() {
            return Left::Nobody;
        }
        count(1);
        state.waiter(number).to.send(&Outcome::Cancelled);
        state.live -= 1;
        self.wake(&state);
        self.close_if_last(&mut state)
    }

    /// The answer of the waiter `number`; waits for it, at most for `timeout`. `None`: not yet, or it went to a port.
    pub(super) fn result(&self, number: u32, timeout: Option<Duration>) -> Option<Outcome<A>> {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = lock(&self.state);
        loop {
            match &state.waiter(number).to {
                To::Here(Some(outcome)) => return Some(outcome.clone()),
                To::Port(..) | To::Gone => return None,
                To::Here(None) => {}
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) || timeout == Some(Duration::ZERO) {
                return None;
            }
            state.sleeping += 1;
            state = sleep(&self.answered, state, left);
            state.sleeping -= 1;
        }
    }

    fn answer(&self, state: &mut MutexGuard<'_, State<P, A>>, who: impl Fn(&Waiter<A>) -> bool, outcome: &Outcome<A>) {
        let state = &mut **state;
        for waiter in std::iter::once(&mut state.first).chain(&mut state.others) {
            if waiter.to.is_live() && who(waiter) {
                waiter.to.send(outcome);
                state.live -= 1;
            }
        }
        self.wake(state);
    }

    /// To notify a condition variable is a system call, even when nobody sleeps.
    fn wake(&self, state: &State<P, A>) {
        if state.sleeping > 0 {
            self.answered.notify_all();
        }
    }

    fn close_if_last(&self, state: &mut MutexGuard<'_, State<P, A>>) -> Left<P> {
        if state.live == 0 { self.close(state) } else { Left::Somebody }
    }

    fn close(&self, state: &mut MutexGuard<'_, State<P, A>>) -> Left<P> {
        self.phase.store(OVER, Ordering::Release);
        match std::mem::replace(&mut state.stage, Stage::Over) {
            Stage::Waiting(payload) => Left::LastOfWaiting(payload),
            Stage::Running(stop) => Left::LastOfRunning(stop),
            Stage::Over => Left::Somebody,
        }
    }
}

impl<P, A> State<P, A> {
    fn waiter(&mut self, number: u32) -> &mut Waiter<A> {
        match number {
            0 => &mut self.first,
            _ => &mut self.others[number as usize - 1],
        }
    }

    fn waiters(&self) -> impl Iterator<Item = &Waiter<A>> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl<A: Clone> To<A> {
    fn send(&mut self, outcome: &Outcome<A>) {
        match std::mem::replace(self, Self::Gone) {
            // A port that is closed wants no answer.
            Self::Port(port, token) => drop(port.post(token, Message::Outcome(outcome.clone()))),
            Self::Here(_) => *self = Self::Here(Some(outcome.clone())),
            Self::Gone => {}
        }
    }
}
