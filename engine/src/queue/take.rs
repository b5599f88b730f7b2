//! The way of a piece of work to a worker, and back.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use porism_native::sync::lock;

use super::job::Left;
use super::outcome::Outcome;
use super::running::{Context, Running};
use super::shared::{ABANDONED, FINISHED, FINISHING, Job, OPEN, Shared};
use crate::metrics::count;

/// A worker without work looks for it for a while, if the next request is expected sooner than that: to wake a thread takes some
/// ten microseconds of whoever submits, and as long until it runs.
const SOON_NS: u64 = 100_000;
/// About how long one look takes.
const LOOK_NS: u64 = 30;
/// How much work is guessed to take before any has ended.
const FIRST_GUESS_NS: u64 = 1_000_000;
/// The moving average moves by one part in so many.
const INERTIA: u64 = 16;

impl<P, A> Shared<P, A>
where
    P: Send + 'static,
    A: Clone + Send + 'static,
{
    /// The next piece of work; waits for it.
    pub(super) fn take(self: &Arc<Self>) -> Option<Running<P, A>> {
        loop {
            if let Some(running) = self.try_take() {
                return Some(running);
            }
            if self.state.load(Ordering::Acquire) != OPEN {
                // What came before the end may have come after the first look.
                let last = self.try_take();
                if last.is_none() {
                    self.finished();
                }
                return last;
            }
            if self.event.spin(self.looks(), || self.has_work() || self.state.load(Ordering::Relaxed) != OPEN) {
                continue;
            }
            let prepared = self.event.prepare();
            if let Some(running) = self.try_take() {
                return Some(running);
            }
            if self.state.load(Ordering::Acquire) == OPEN {
                prepared.wait(None);
            }
        }
    }

    /// How often to look before sleeping: for twice the usual time between two requests, or not at all.
    fn looks(&self) -> u32 {
        let gap_ns = self.gap_ns.load(Ordering::Relaxed);
        if gap_ns < SOON_NS { u32::try_from(2 * gap_ns / LOOK_NS).unwrap_or(u32::MAX) } else { 0 }
    }

    /// Keeps the moving average of the time between two requests. One that is lost to another thread does not matter.
    fn note_arrival(&self, submitted_ns: u64) {
        let last_ns = self.last_arrival_ns.fetch_max(submitted_ns, Ordering::Relaxed);
        // After a long pause, a few requests in a row count for more than the pause.
        let gap_ns = submitted_ns.saturating_sub(last_ns).min(10 * SOON_NS);
        let before = self.gap_ns.load(Ordering::Relaxed);
        self.gap_ns.store(before - before / INERTIA + gap_ns / INERTIA, Ordering::Relaxed);
    }

    fn has_work(&self) -> bool {
        !self.ring.is_empty() || self.sorted.load(Ordering::Relaxed) > 0
    }

    /// The next piece of work, if there is one.
    pub(super) fn try_take(self: &Arc<Self>) -> Option<Running<P, A>> {
        loop {
            let charged_ns = match self.run_ns.load(Ordering::Relaxed) {
                0 => FIRST_GUESS_NS,
                run_ns => run_ns,
            };
            let mut scheduler = lock(&self.scheduler);
            self.sort_in(&mut scheduler);
            let job = scheduler.pop(charged_ns);
            self.sorted.store(scheduler.len(), Ordering::Relaxed);
            drop(scheduler);
            if let Some(running) = self.start(job?, charged_ns) {
                if self.has_work() {
                    self.event.notify_one();
                }
                return Some(running);
            }
        }
    }

    /// Begins a job, unless it is too late for that.
    fn start(self: &Arc<Self>, job: Arc<Job<P, A>>, charged_ns: u64) -> Option<Running<P, A>> {
        let now_ns = self.now_ns();
        if job.meta.deadlines.load(Ordering::Relaxed) > 0 {
            self.expire_job(&job, now_ns);
        }
        let payload = job.start()?;
        self.places.give_back();
        lock(&self.running).insert(job.meta.seq, (Arc::clone(&job), now_ns));
        // Either we see that the queue was abandoned, or whoever abandons it sees what runs.
        fence(Ordering::SeqCst);
        if self.state.load(Ordering::Relaxed) == ABANDONED {
            lock(&self.running).remove(&job.meta.seq);
            self.conclude(&job, &Outcome::Closed);
            return None;
        }
        count(&self.recorders.counters.started, 1);
        self.note_arrival(job.meta.submitted_ns);
        self.recorders.wait.record(now_ns.saturating_sub(job.meta.submitted_ns));
        let context = Context { shared: Arc::clone(self), job };
        Some(Running { context, payload: Some(payload), started_ns: now_ns, charged_ns, answered: false })
    }

    /// A worker is done with a job.
    pub(super) fn finish(&self, job: &Arc<Job<P, A>>, outcome: &Outcome<A>, started_ns: u64, charged_ns: u64) {
        lock(&self.running).remove(&job.meta.seq);
        let took_ns = self.now_ns().saturating_sub(started_ns).max(1);
        self.recorders.run.record(took_ns);
        let average = match self.run_ns.load(Ordering::Relaxed) {
            0 => took_ns,
            // Of two updates at once one may be lost; an average bears that.
            before => (before - before / INERTIA + took_ns / INERTIA).max(1),
        };
        self.run_ns.store(average, Ordering::Relaxed);
        // Over before: then whoever ended it has cleaned up, and there is nobody left to answer.
        if let Left::LastOfRunning(_) = job.finish(outcome, |ended| self.count(outcome, ended)) {
            self.forget(job);
        }
        if self.several_tenants.load(Ordering::Relaxed) {
            lock(&self.scheduler).correct(&job.meta.tenant, charged_ns, took_ns);
        }
    }

    /// A worker of a closed queue has found nothing left.
    fn finished(&self) {
        if self.state.compare_exchange(FINISHING, FINISHED, Ordering::SeqCst, Ordering::Relaxed).is_ok() {
            fence(Ordering::SeqCst);
            self.answer_all_waiting();
        }
    }
}
