//! Who is served next: everything that is decided under the lock of a pool, and nothing that takes long.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use porism_native::event::Descriptor;
use porism_native::process::Cancel;

use super::admission::{Caps, Ledger, Stage};
use super::backoff::{Gate, nanos};
use super::keys::Keys;
use super::metrics::Gauges;
use super::warm::{Kept, Warm};
use super::worker::{Worker, WorkerKey};
use super::{Options, Retry};

/// What one who waits is given.
#[derive(Debug)]
pub(super) enum Grant<W> {
    /// A worker.
    Warm(Kept<W>),
    /// A place to start one in, once those that made room are ended.
    Start { place: u64, evicted: Vec<Kept<W>> },
    /// Nothing: starts keep failing.
    Refuse { retry_after: Duration, reason: Arc<str> },
    /// Nothing: the pool is closed.
    Closed,
}

/// One who waits for a worker.
struct Waiter<W> {
    number: u64,
    key: WorkerKey,
    since_ns: u64,
    cancel: Cancel,
    /// What wakes it, if it sleeps.
    event: Option<Arc<Descriptor>>,
    grant: Option<Grant<W>>,
}

pub(super) struct State<W: Worker> {
    pub(super) caps: Caps,
    guess_bytes: u64,
    patience_ns: u64,
    retry: Retry,
    pub(super) ledger: Ledger<W::Meter>,
    pub(super) warm: Warm<W>,
    pub(super) keys: Keys,
    /// First come, first in front.
    line: VecDeque<Waiter<W>>,
    next: u64,
    pub(super) closed: bool,
}

impl<W: Worker> State<W> {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            caps: Caps { workers: options.workers.get(), memory_bytes: options.memory_bytes },
            guess_bytes: options.guess_bytes,
            patience_ns: nanos(options.patience),
            retry: options.retry,
            ledger: Ledger::new(),
            warm: Warm::new(),
            keys: Keys::default(),
            line: VecDeque::new(),
            next: 0,
            closed: false,
        }
    }

    /// One more stands in line; its number.
    pub(super) fn arrive(&mut self, key: &WorkerKey, cancel: &Cancel, now_ns: u64) -> u64 {
        self.next += 1;
        let (key, cancel) = (key.clone(), cancel.clone());
        self.line.push_back(Waiter { number: self.next, key, since_ns: now_ns, cancel, event: None, grant: None });
        self.next
    }

    /// What the waiter was given, if anything; then it is out of the line.
    pub(super) fn take_grant(&mut self, number: u64) -> Option<Grant<W>> {
        let at = self.line.iter().position(|waiter| waiter.number == number && waiter.grant.is_some())?;
        self.line.remove(at)?.grant
    }

    /// The waiter goes to sleep until `event`.
    pub(super) fn sleeps(&mut self, number: u64, event: &Arc<Descriptor>) {
        if let Some(waiter) = self.line.iter_mut().find(|waiter| waiter.number == number) {
            waiter.event = Some(Arc::clone(event));
        }
    }

    /// How long until something may change for a waiter of `key` although nobody gives anything back.
    pub(super) fn pause(&mut self, key: &WorkerKey, now_ns: u64) -> Option<Duration> {
        match self.keys.get(key).backoff.gate(&self.retry, now_ns) {
            Gate::Later(pause) => pause,
            Gate::Open | Gate::Refuse { .. } => None,
        }
    }

    /// The waiter goes away without a grant.
    pub(super) fn leave(&mut self, number: u64) {
        self.line.retain(|waiter| waiter.number != number);
    }

    /// The start in `place` failed.
    pub(super) fn start_failed(&mut self, key: &WorkerKey, reason: &str, now_ns: u64) {
        let retry = self.retry;
        self.keys.get(key).backoff.fail(&retry, now_ns, reason);
    }

    /// Gives whatever can be given to those who wait, and wakes exactly those who get something; how many.
    ///
    /// Warm workers go to the first who wants their key, and what is free then to the first who can start there, at the cost of idle
    /// workers that nobody waits for. But whoever has waited longer than the patience comes before all, and what it lacks is kept for it:
    /// else a key that is always wanted would starve the others.
    pub(super) fn dispatch(&mut self, now_ns: u64) -> usize {
        let mut granted = 0;
        let waiting = |state: &Self| -> Vec<usize> {
            (0..state.line.len()).filter(|&at| state.line[at].grant.is_none()).collect()
        };
        if self.closed {
            for at in waiting(self) {
                granted += self.grant(at, Grant::Closed);
            }
            return granted;
        }
        for at in waiting(self) {
            if now_ns.saturating_sub(self.line[at].since_ns) < self.patience_ns {
                break;
            }
            granted += self.give_warm(at, now_ns);
            if self.line[at].grant.is_none() {
                let (given, lacks_room) = self.give_start(at, now_ns);
                granted += given;
                if lacks_room {
                    return granted;
                }
            }
        }
        for at in waiting(self) {
            granted += self.give_warm(at, now_ns);
        }
        for at in waiting(self) {
            granted += self.give_start(at, now_ns).0;
        }
        granted
    }

    fn give_warm(&mut self, at: usize, now_ns: u64) -> usize {
        let Some(kept) = self.warm.take(&self.line[at].key) else { return 0 };
        let reserved = self.keys.estimate(&kept.key, self.guess_bytes);
        if let Some(place) = self.ledger.places.get_mut(&kept.place) {
            place.stage = Stage::Busy(self.line[at].cancel.clone());
            place.since_ns = now_ns;
            place.reserved = reserved;
            place.peak = place.bytes;
        }
        self.grant(at, Grant::Warm(kept))
    }

    /// How many got something (none or one), and whether it is room that lacks.
    fn give_start(&mut self, at: usize, now_ns: u64) -> (usize, bool) {
        let key = self.line[at].key.clone();
        match self.keys.get(&key).backoff.gate(&self.retry, now_ns) {
            Gate::Open => {}
            Gate::Later(_) => return (0, false),
            Gate::Refuse { retry_after, reason } => {
                return (self.grant(at, Grant::Refuse { retry_after, reason }), false);
            }
        }
        let need = self.keys.estimate(&key, self.guess_bytes);
        let Some(going) = self.ledger.room(&self.caps, need, &self.warm.others(&key)) else { return (0, true) };
        let evicted: Vec<_> = going.iter().filter_map(|&place| self.warm.take_place(place)).collect();
        for (number, place) in going.iter().enumerate() {
            if number == 0 {
                // Its place is handed on: whoever starts there ends it first, so that there is never one too many.
                self.ledger.places.remove(place);
            } else if let Some(place) = self.ledger.places.get_mut(place) {
                place.stage = Stage::Ending;
            }
        }
        self.keys.get(&key).backoff.begin();
        let place = self.ledger.enter(need, now_ns);
        (self.grant(at, Grant::Start { place, evicted }), false)
    }

    fn grant(&mut self, at: usize, grant: Grant<W>) -> usize {
        let waiter = &mut self.line[at];
        waiter.grant = Some(grant);
        if let Some(event) = &waiter.event {
            event.set();
        }
        1
    }

    pub(super) fn gauges(&self, now_ns: u64) -> Gauges {
        let since =
            |since_ns: Option<u64>| Duration::from_nanos(since_ns.map_or(0, |since| now_ns.saturating_sub(since)));
        let places = || self.ledger.places.values();
        let count = |wanted: fn(&Stage) -> bool| places().filter(|place| wanted(&place.stage)).count();
        let waiting = || self.line.iter().filter(|waiter| waiter.grant.is_none());
        let busy = places().filter(|place| matches!(place.stage, Stage::Busy(_)));
        let (memory_bytes, reserved_bytes) = self.ledger.memory();
        Gauges {
            starting: count(|stage| matches!(stage, Stage::Starting)),
            idle: count(|stage| matches!(stage, Stage::Idle)),
            busy: count(|stage| matches!(stage, Stage::Busy(_))),
            ending: count(|stage| matches!(stage, Stage::Ending)),
            capacity: self.caps.workers,
            waiting: waiting().count(),
            longest_wait: since(waiting().map(|waiter| waiter.since_ns).min()),
            longest_lease: since(busy.map(|place| place.since_ns).min()),
            memory_bytes,
            reserved_bytes,
            memory_cap_bytes: self.caps.memory_bytes,
        }
    }
}
