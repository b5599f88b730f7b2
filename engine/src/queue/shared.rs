//! The state of a queue, how it ends, and what it tells of itself. `submit.rs` lets requests in, `take.rs` lets them out.
//!
//! Locks are taken in this order, and released in any: a shard of the work in flight, the scheduler, a job, a port.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use porism_native::event::EventCount;
use porism_native::sync::{Mutex, lock};

use super::coalesce::InFlight;
use super::deadlines::Deadlines;
use super::job::{self, Left};
use super::metrics::{Gauges, Metrics, Recorders};
use super::outcome::Outcome;
use super::places::Places;
use super::port::{Message, Port};
use super::request::Key;
use super::scheduler::{Item, Name, Scheduler};
use super::{Clock, Close, Options};
use crate::metrics::count;

/// How many requests may be on their way from submitters to the scheduler; beyond, a submitter sorts them in itself.
const RING: usize = 1024;
/// Below so many entries that nobody wants, nobody cleans up.
const FEW: usize = 1024;

pub(super) const OPEN: u8 = 0;
/// Nothing new is taken; workers finish what waits.
pub(super) const FINISHING: u8 = 1;
/// A worker has found nothing left. What comes in late is answered by whoever brings it.
pub(super) const FINISHED: u8 = 2;
pub(super) const ABANDONED: u8 = 3;

/// What the queue knows of a job.
#[derive(Debug)]
pub(super) struct Meta {
    pub(super) seq: u64,
    pub(super) submitted_ns: u64,
    pub(super) tenant: Name,
    pub(super) key: Option<Box<Key>>,
    /// The best rank that anyone who waits for it has brought.
    pub(super) rank: AtomicI64,
    /// How many have brought a deadline.
    pub(super) deadlines: AtomicU32,
}

pub(super) type Job<P, A> = job::Job<P, A, Meta>;

impl<P, A: Clone> Item for Arc<Job<P, A>> {
    fn seq(&self) -> u64 {
        self.meta.seq
    }

    fn is_wanted(&self) -> bool {
        self.is_waiting()
    }
}

/// A job on its way to the scheduler.
type Arrived<P, A> = (i64, Arc<Job<P, A>>);

/// A job that runs, and since when.
pub(super) type UnderWay<P, A> = (Arc<Job<P, A>>, u64);

#[derive(Debug)]
pub(super) struct Shared<P, A> {
    pub(super) ageing_ns: i64,
    pub(super) patience_ns: u64,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) state: AtomicU8,
    pub(super) next_seq: AtomicU64,
    pub(super) places: Arc<Places>,
    pub(super) in_flight: InFlight<Job<P, A>>,
    pub(super) ring: ArrayQueue<Arrived<P, A>>,
    pub(super) scheduler: Mutex<Scheduler<Arc<Job<P, A>>>>,
    /// Entries of the scheduler, to be read without its lock.
    pub(super) sorted: AtomicUsize,
    /// At most how many entries of the scheduler nobody wants.
    pub(super) unwanted: AtomicUsize,
    /// There is work, or the end.
    pub(super) event: EventCount,
    pub(super) deadlines: Deadlines<Job<P, A>>,
    /// What runs, by its number.
    pub(super) running: Mutex<HashMap<u64, UnderWay<P, A>>>,
    /// The moving average of what work takes; 0 until some has ended.
    pub(super) run_ns: AtomicU64,
    /// The moving average of the time between two requests.
    pub(super) gap_ns: AtomicU64,
    pub(super) last_arrival_ns: AtomicU64,
    /// What each tenant has used matters.
    pub(super) several_tenants: AtomicBool,
    pub(super) workers: AtomicUsize,
    /// Who wants to know when the last worker has gone.
    pub(super) farewell: Mutex<Vec<(Arc<Port<A>>, u64)>>,
    pub(super) recorders: Recorders,
}

/// Whether a queue does its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Work is taken and there are workers for it.
    pub ok: bool,
    /// What is wrong, for people.
    pub problems: Vec<String>,
    /// The numbers behind it.
    pub now: Gauges,
    /// How long the longest piece of work under way has been running.
    pub longest_run: Duration,
    /// How many pieces of work are still under way although everyone who waited for them has left.
    pub ignored_stops: usize,
}

impl<P, A> Shared<P, A>
where
    P: Send + 'static,
    A: Clone + Send + 'static,
{
    pub(super) fn new(options: Options) -> Self {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).min(1 << 56);
        Self {
            // Times 128 levels it stays below 2^63.
            ageing_ns: nanos(options.ageing).cast_signed().min(1 << 55),
            patience_ns: nanos(options.patience),
            clock: options.clock,
            state: AtomicU8::new(OPEN),
            next_seq: AtomicU64::new(0),
            places: Arc::new(Places::new(options.capacity)),
            in_flight: InFlight::new(),
            ring: ArrayQueue::new(RING),
            scheduler: Mutex::new(Scheduler::new(options.shares)),
            sorted: AtomicUsize::new(0),
            unwanted: AtomicUsize::new(0),
            event: EventCount::new(),
            deadlines: Deadlines::new(),
            running: Mutex::new(HashMap::new()),
            run_ns: AtomicU64::new(0),
            gap_ns: AtomicU64::new(0),
            last_arrival_ns: AtomicU64::new(0),
            several_tenants: AtomicBool::new(false),
            workers: AtomicUsize::new(0),
            farewell: Mutex::new(Vec::new()),
            recorders: Recorders::new(),
        }
    }

    pub(super) fn now_ns(&self) -> u64 {
        self.clock.now_ns()
    }

    // --- what waiters leave behind ------------------------------------------------------------------------------------

    /// Ends a job from outside its worker.
    pub(super) fn conclude(&self, job: &Arc<Job<P, A>>, outcome: &Outcome<A>) {
        let left = job.finish(outcome, |ended| self.count(outcome, ended));
        self.dispose(job, left);
    }

    /// A ticket is cancelled.
    pub(super) fn cancel(&self, job: &Arc<Job<P, A>>, waiter: u32) {
        let left = job.leave(waiter, |ended| self.count(&Outcome::Cancelled, ended));
        self.dispose(job, left);
    }

    pub(super) fn count(&self, outcome: &Outcome<A>, ended: u32) {
        let counters = &self.recorders.counters;
        let counter = match outcome {
            Outcome::Answered(_) => &counters.answered,
            Outcome::TimedOut => &counters.timed_out,
            Outcome::Cancelled => &counters.cancelled,
            Outcome::Crashed(_) => &counters.crashed,
            Outcome::Closed => &counters.closed,
        };
        count(counter, ended);
    }

    /// Cleans up after a job that nobody waits for any more.
    pub(super) fn dispose(&self, job: &Arc<Job<P, A>>, left: Left<P>) {
        match left {
            Left::Nobody | Left::Somebody => {}
            Left::LastOfWaiting(payload) => {
                self.forget(job);
                self.places.give_back();
                drop(payload);
                self.note_unwanted();
            }
            Left::LastOfRunning(stop) => {
                self.forget(job);
                count(&self.recorders.counters.stopped, 1);
                if let Some(stop) = stop {
                    stop();
                }
            }
        }
    }

    /// Nobody can join it any more, and its deadlines need not be kept.
    pub(super) fn forget(&self, job: &Arc<Job<P, A>>) {
        if let Some(key) = &job.meta.key {
            self.in_flight.remove(key, job);
        }
        let deadlines = job.meta.deadlines.load(Ordering::Relaxed) as usize;
        if deadlines > 0 {
            self.deadlines.note_dead(deadlines, Job::is_over);
        }
    }

    /// An entry of the scheduler is of no use any more. They go when they are half of all.
    pub(super) fn note_unwanted(&self) {
        let unwanted = self.unwanted.fetch_add(1, Ordering::Relaxed) + 1;
        if unwanted >= FEW && unwanted * 2 >= self.sorted.load(Ordering::Relaxed) {
            let mut scheduler = lock(&self.scheduler);
            self.sort_in(&mut scheduler);
            scheduler.sweep();
            self.unwanted.store(0, Ordering::Relaxed);
            self.sorted.store(scheduler.len(), Ordering::Relaxed);
        }
    }

    /// Answers requests whose deadline has passed.
    pub(super) fn expire(&self) {
        let now_ns = self.now_ns();
        while let Some(job) = self.deadlines.pop_due(now_ns) {
            self.expire_job(&job, now_ns);
        }
    }

    pub(super) fn expire_job(&self, job: &Arc<Job<P, A>>, now_ns: u64) {
        let left = job.expire(now_ns, |ended| self.count(&Outcome::TimedOut, ended));
        self.dispose(job, left);
    }

    /// The life of the thread that keeps the deadlines.
    pub(super) fn keep_deadlines(&self) {
        while self.deadlines.wait(|| self.now_ns()) {
            self.expire();
        }
    }

    // --- the end ------------------------------------------------------------------------------------------------------

    pub(super) fn close(&self, how: Close) {
        let state = match how {
            Close::Finish => FINISHING,
            Close::Abandon => ABANDONED,
        };
        self.state.fetch_max(state, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.places.close();
        self.event.notify_all();
        if how == Close::Abandon {
            self.answer_all_waiting();
            let running: Vec<_> = lock(&self.running).values().map(|(job, _)| Arc::clone(job)).collect();
            running.iter().for_each(|job| self.conclude(job, &Outcome::Closed));
        }
        if self.workers.load(Ordering::SeqCst) == 0 {
            self.deadlines.close();
        }
    }

    /// What waits will not be worked on.
    pub(super) fn answer_all_waiting(&self) {
        let mut scheduler = lock(&self.scheduler);
        self.sort_in(&mut scheduler);
        let waiting = scheduler.drain();
        self.sorted.store(0, Ordering::Relaxed);
        drop(scheduler);
        waiting.iter().filter(|job| job.is_waiting()).for_each(|job| self.conclude(job, &Outcome::Closed));
    }

    pub(super) fn worker_comes(&self) {
        self.workers.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn worker_goes(&self) {
        if self.workers.fetch_sub(1, Ordering::SeqCst) > 1 {
            return;
        }
        self.deadlines.close();
        let farewell = std::mem::take(&mut *lock(&self.farewell));
        for (port, token) in farewell {
            drop(port.post(token, Message::WorkersGone));
        }
    }

    pub(super) fn tell_when_workers_are_gone(&self, port: &Arc<Port<A>>, token: u64) {
        let mut farewell = lock(&self.farewell);
        if self.workers.load(Ordering::SeqCst) > 0 {
            farewell.push((Arc::clone(port), token));
            return;
        }
        drop(farewell);
        drop(port.post(token, Message::WorkersGone));
    }

    // --- what it tells ------------------------------------------------------------------------------------------------

    /// How long the work ahead of a newcomer takes, if it takes as long as work did lately. What runs already is not counted.
    pub(super) fn expected_wait(&self, ahead: usize) -> Duration {
        let workers = self.workers.load(Ordering::Relaxed).max(1);
        let total_ns = self.run_ns.load(Ordering::Relaxed).saturating_mul(ahead as u64);
        Duration::from_nanos(total_ns / workers as u64)
    }

    fn gauges(&self) -> Gauges {
        let waiting = self.places.taken();
        Gauges {
            waiting,
            running: lock(&self.running).len(),
            capacity: self.places.capacity(),
            workers: self.workers.load(Ordering::Relaxed),
            expected_wait: self.expected_wait(waiting),
        }
    }

    pub(super) fn metrics(&self) -> Metrics {
        self.recorders.read(self.gauges())
    }

    pub(super) fn health(&self) -> Health {
        let now = self.gauges();
        let now_ns = self.now_ns();
        let running = lock(&self.running);
        let longest_ns = running.values().map(|(_, since_ns)| now_ns.saturating_sub(*since_ns)).max().unwrap_or(0);
        let ignored_stops = running.values().filter(|(job, _)| job.is_over()).count();
        drop(running);
        let checks = [
            (self.state.load(Ordering::Relaxed) != OPEN, "the queue is closed"),
            (now.workers == 0, "there is no worker"),
            (now.waiting >= now.capacity, "the queue is full"),
            (
                now.workers > 0 && ignored_stops >= now.workers,
                "every worker is busy with work that nobody wants any more",
            ),
        ];
        let problems: Vec<_> = checks.iter().filter(|check| check.0).map(|check| check.1.to_owned()).collect();
        let longest_run = Duration::from_nanos(longest_ns);
        Health { ok: problems.is_empty(), problems, now, longest_run, ignored_stops }
    }
}
