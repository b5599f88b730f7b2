//! What a pool has done and is doing, in numbers.

use std::time::Duration;

use crate::metrics::{Histogram, Recorder, count, counters};
use crate::prometheus::Page;

/// Why a worker was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// It had ended by itself, or somebody else has killed it.
    Gone,
    /// It ran out of memory; whatever it said afterwards could not be trusted.
    OutOfMemory,
    /// It drove the pool over its memory.
    Monster,
    /// It did not keep to its protocol, or its driver failed.
    Broken,
    /// It was interrupted and did not come back well in time.
    Unrecovered,
    /// It was healthy to all appearances, and failed the canary.
    Canary,
    /// Whoever leased it left without giving it back.
    Dropped,
    /// It was used often enough.
    Uses,
    /// It was old enough.
    Age,
    /// It had grown too much.
    Growth,
    /// Nobody needed it.
    Idle,
    /// It made room for another one.
    Evicted,
    /// The pool was closed.
    Closed,
}

counters! {
    "How often what has happened since the pool was made."
    /// Leases that were granted.
    leases,
    /// Leases that got a warm worker.
    reuses,
    /// Workers that were started.
    starts,
    /// Starts that failed.
    failed_starts,
    /// Leases that were refused because starts keep failing.
    refused,
    /// Leases whose deadline passed, or that were cancelled, before they got a worker.
    given_up,
    /// Workers that were interrupted.
    interrupts,
    /// Interrupted workers that came back well: kills avoided.
    recoveries,
    /// Canaries put to workers that seemed healthy.
    canaries,
    /// Workers that were found to have ended.
    ended_gone,
    /// Workers ended because they ran out of memory.
    ended_out_of_memory,
    /// Workers ended because they drove the pool over its memory.
    ended_monster,
    /// Workers ended because they broke their protocol, or their driver failed.
    ended_broken,
    /// Workers ended because they did not recover from an interrupt.
    ended_unrecovered,
    /// Workers ended because a canary failed.
    ended_canary,
    /// Workers ended because their lease was dropped.
    ended_dropped,
    /// Workers ended after enough uses.
    ended_uses,
    /// Workers ended because of their age.
    ended_age,
    /// Workers ended because they had grown.
    ended_growth,
    /// Workers ended because nobody used them.
    ended_idle,
    /// Workers ended to make room.
    ended_evicted,
    /// Workers ended because the pool was closed.
    ended_closed,
}

impl Counters {
    pub(super) fn ended(&self, cause: Cause) {
        let counter = match cause {
            Cause::Gone => &self.ended_gone,
            Cause::OutOfMemory => &self.ended_out_of_memory,
            Cause::Monster => &self.ended_monster,
            Cause::Broken => &self.ended_broken,
            Cause::Unrecovered => &self.ended_unrecovered,
            Cause::Canary => &self.ended_canary,
            Cause::Dropped => &self.ended_dropped,
            Cause::Uses => &self.ended_uses,
            Cause::Age => &self.ended_age,
            Cause::Growth => &self.ended_growth,
            Cause::Idle => &self.ended_idle,
            Cause::Evicted => &self.ended_evicted,
            Cause::Closed => &self.ended_closed,
        };
        count(counter, 1);
    }
}

impl Counts {
    /// How many workers were ended, for whatever reason.
    pub fn ended(&self) -> u64 {
        self.named().iter().filter(|(name, ..)| name.starts_with("ended_")).map(|(_, value, _)| value).sum()
    }
}

/// Everything that a pool measures while it works.
#[derive(Debug)]
pub(super) struct Recorders {
    pub(super) counters: Counters,
    pub(super) wait: Recorder,
    pub(super) start: Recorder,
    pub(super) recover: Recorder,
}

impl Recorders {
    pub(super) fn new() -> Self {
        let [wait, start, recover] = [(); 3].map(|()| Recorder::new());
        Self { counters: Counters::default(), wait, start, recover }
    }

    pub(super) fn read(&self, now: Gauges) -> Metrics {
        Metrics {
            now,
            counts: self.counters.read(),
            wait: self.wait.read(),
            start: self.start.read(),
            recover: self.recover.read(),
        }
    }
}

/// The state of a pool at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Workers that are being started.
    pub starting: usize,
    /// Workers that wait to be used.
    pub idle: usize,
    /// Workers that are leased, those that are being recovered too.
    pub busy: usize,
    /// Workers that are being ended.
    pub ending: usize,
    /// How many there may be.
    pub capacity: usize,
    /// Leases that wait.
    pub waiting: usize,
    /// How long the one that came first has waited.
    pub longest_wait: Duration,
    /// How long the longest lease has lasted.
    pub longest_lease: Duration,
    /// Bytes in use, as far as they were read.
    pub memory_bytes: u64,
    /// Bytes that are kept for the workers there are.
    pub reserved_bytes: u64,
    /// How many bytes there may be; `None`: no end.
    pub memory_cap_bytes: Option<u64>,
}

/// The numbers of a pool at one moment. They are read one after another while work goes on, so sums may be off by what is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// The state now.
    pub now: Gauges,
    /// Since the pool was made.
    pub counts: Counts,
    /// From the wish for a worker until one was there, or could be started.
    pub wait: Histogram,
    /// What starts took that went well.
    pub start: Histogram,
    /// From an interrupt until the worker was well again, or was given up.
    pub recover: Histogram,
}

impl Metrics {
    /// The numbers in the text format of Prometheus, labelled with the name of the pool.
    pub fn prometheus(&self, pool: &str) -> String {
        let mut page = Page::new("porism_pool", "pool", pool);
        let now = &self.now;
        page.gauge("starting", now.starting as f64, "Workers that are being started.");
        page.gauge("idle", now.idle as f64, "Workers that wait to be used.");
        page.gauge("busy", now.busy as f64, "Workers that are leased.");
        page.gauge("ending", now.ending as f64, "Workers that are being ended.");
        page.gauge("capacity", now.capacity as f64, "How many workers there may be.");
        page.gauge("waiting", now.waiting as f64, "Leases that wait.");
        page.gauge("memory_bytes", now.memory_bytes as f64, "Bytes in use, as far as they were read.");
        if let Some(cap_bytes) = now.memory_cap_bytes {
            page.gauge("memory_cap_bytes", cap_bytes as f64, "How many bytes there may be.");
        }
        for (name, value, help) in self.counts.named() {
            page.counter(name, value, help);
        }
        page.histogram("wait", &self.wait, "From the wish for a worker until one was there.");
        page.histogram("start", &self.start, "What starts took that went well.");
        page.histogram("recover", &self.recover, "From an interrupt until the worker was well again.");
        page.finish()
    }
}

/// Whether a pool does its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Nothing is wrong.
    pub ok: bool,
    /// What is wrong, for people.
    pub problems: Vec<String>,
    /// The numbers behind it.
    pub now: Gauges,
}
