//! The way of a request into the queue.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering, fence};
use std::time::{Duration, Instant};

use porism_native::sync::{Condvar, Mutex, MutexGuard, lock, sleep};

use super::job::{NEVER, To};
use super::places::Place;
use super::request::{Refusal, Refused, Request};
use super::scheduler::Scheduler;
use super::shared::{FINISHED, Job, Meta, OPEN, Shared};
use super::ticket::Handle;
use crate::metrics::count;

/// When a request came, and what follows from that.
#[derive(Clone, Copy)]
struct Arrival {
    now_ns: u64,
    /// On the queue's clock; [`NEVER`] for none.
    deadline_ns: u64,
    rank: i64,
}

impl<P, A> Shared<P, A>
where
    P: Send + 'static,
    A: Clone + Send + 'static,
{
    pub(super) fn submit(
        self: &Arc<Self>,
        request: Request<P>,
        to: To<A>,
        place: Option<Place>,
    ) -> Result<Handle<P, A>, Refused<P>> {
        let arrival = self.arrive(&request);
        self.submit_by(request, to, place, arrival)
    }

    /// Submits, after waiting for a place if there is none.
    pub(super) fn put(
        self: &Arc<Self>,
        request: Request<P>,
        timeout: Option<Duration>,
    ) -> Result<Handle<P, A>, Refused<P>> {
        let arrival = self.arrive(&request);
        // Once the deadline has passed, a place is of no use.
        let patience = [timeout, request.deadline].into_iter().flatten().min();
        let refused = match self.submit_by(request, To::Here(None), None, arrival) {
            Err(refused) if matches!(refused.why, Refusal::Full { .. }) => refused,
            done => return done,
        };
        match self.wait_for_place(patience) {
            Waited::Place(place) => self.submit_by(refused.request, To::Here(None), Some(place), arrival),
            Waited::Closed => Err(Refused { why: Refusal::Closed, ..refused }),
            Waited::InLine | Waited::Gone => Err(refused),
        }
    }

    fn arrive(&self, request: &Request<P>) -> Arrival {
        let now_ns = self.now_ns();
        let deadline_ns = request.deadline.map_or(NEVER, |time| later(now_ns, time));
        let due_ns =
            if deadline_ns == NEVER { later(now_ns, Duration::from_nanos(self.patience_ns)) } else { deadline_ns };
        let due_ns = due_ns.min(i64::MAX.cast_unsigned()).cast_signed();
        Arrival { now_ns, deadline_ns, rank: due_ns.saturating_sub(i64::from(request.priority) * self.ageing_ns) }
    }

    fn submit_by(
        self: &Arc<Self>,
        request: Request<P>,
        mut to: To<A>,
        place: Option<Place>,
        arrival: Arrival,
    ) -> Result<Handle<P, A>, Refused<P>> {
        if self.state.load(Ordering::Acquire) != OPEN {
            return Err(Refused { why: Refusal::Closed, request });
        }
        let job = if let Some(key) = request.key {
            // The shard stays locked until the job stands in it, so that two equal requests cannot both become jobs.
            let mut shard = self.in_flight.shard(&key);
            if let Some(job) = shard.get(&key).cloned() {
                match job.join(arrival.deadline_ns, to) {
                    Ok((waiter, waits)) => {
                        drop(shard);
                        return Ok(self.joined(job, waiter, waits, arrival));
                    }
                    Err(back) => to = back,
                }
            }
            let job = self.admit(request, to, place, arrival)?;
            shard.insert(key, Arc::clone(&job));
            job
        } else {
            self.admit(request, to, place, arrival)?
        };
        self.hand_over(&job, arrival);
        Ok(Handle { shared: Arc::clone(self), job, waiter: 0 })
    }

    /// Finds a place, and looks whether the deadline can be met.
    fn admit(
        &self,
        request: Request<P>,
        to: To<A>,
        place: Option<Place>,
        arrival: Arrival,
    ) -> Result<Arc<Job<P, A>>, Refused<P>> {
        let Some(place) = place.or_else(|| self.places.try_take()) else {
            count(&self.recorders.counters.refused_full, 1);
            let why = Refusal::Full { capacity: self.places.capacity(), expected_wait: self.expected_wait(1) };
            return Err(Refused { why, request });
        };
        if let Some(why) = self.too_late(&request, arrival) {
            count(&self.recorders.counters.refused_late, 1);
            return Err(Refused { why, request });
        }
        place.occupy();
        count(&self.recorders.counters.submitted, 1);
        let meta = Meta {
            seq: self.next_seq.fetch_add(1, Ordering::Relaxed),
            submitted_ns: arrival.now_ns,
            tenant: request.tenant,
            key: request.key.map(Box::new),
            rank: AtomicI64::new(arrival.rank),
            deadlines: AtomicU32::new(u32::from(arrival.deadline_ns != NEVER)),
        };
        Ok(Arc::new(Job::new(meta, request.payload, arrival.deadline_ns, to)))
    }

    fn too_late(&self, request: &Request<P>, arrival: Arrival) -> Option<Refusal> {
        if arrival.deadline_ns == NEVER {
            return None;
        }
        let left = Duration::from_nanos(arrival.deadline_ns.saturating_sub(arrival.now_ns));
        // Mostly there is time for everything that waits, and nobody has to ask how much of it comes first.
        let mut expected_wait = self.expected_wait(self.places.taken().saturating_sub(1));
        if expected_wait > left {
            let mut scheduler = lock(&self.scheduler);
            self.sort_in(&mut scheduler);
            let ahead = scheduler.ahead(&request.tenant, arrival.rank);
            drop(scheduler);
            expected_wait = expected_wait.min(self.expected_wait(ahead));
        }
        (expected_wait > left || left.is_zero()).then_some(Refusal::TooLate { expected_wait, left })
    }

    /// Brings a job to the workers.
    fn hand_over(&self, job: &Arc<Job<P, A>>, arrival: Arrival) {
        if arrival.deadline_ns != NEVER {
            self.deadlines.add(arrival.deadline_ns, job);
        }
        self.push(job, arrival.rank);
        // Either we see that the queue is closed, or whoever closed it sees the job.
        fence(Ordering::SeqCst);
        if self.state.load(Ordering::Relaxed) >= FINISHED {
            self.answer_all_waiting();
        }
    }

    fn push(&self, job: &Arc<Job<P, A>>, rank: i64) {
        if let Err((rank, job)) = self.ring.push((rank, Arc::clone(job))) {
            // The workers are busy: make room in the ring for them.
            let mut scheduler = lock(&self.scheduler);
            self.sort_in(&mut scheduler);
            self.insert(&mut scheduler, rank, job);
            self.sorted.store(scheduler.len(), Ordering::Relaxed);
        }
        self.event.notify_one();
    }

    /// Moves what is on its way into the scheduler.
    pub(super) fn sort_in(&self, scheduler: &mut MutexGuard<'_, Scheduler<Arc<Job<P, A>>>>) {
        // No more than there were: submitters must not keep one worker at it for ever.
        for _ in 0..self.ring.len() {
            let Some((rank, job)) = self.ring.pop() else { break };
            self.insert(scheduler, rank, job);
        }
    }

    fn insert(&self, scheduler: &mut Scheduler<Arc<Job<P, A>>>, rank: i64, job: Arc<Job<P, A>>) {
        if job.meta.tenant.is_some() {
            self.several_tenants.store(true, Ordering::Relaxed);
        }
        let tenant = job.meta.tenant.clone();
        scheduler.push(&tenant, rank, job);
    }

    /// A request shares the work of an equal one.
    fn joined(self: &Arc<Self>, job: Arc<Job<P, A>>, waiter: u32, waits: bool, arrival: Arrival) -> Handle<P, A> {
        count(&self.recorders.counters.submitted, 1);
        count(&self.recorders.counters.coalesced, 1);
        if arrival.deadline_ns != NEVER {
            job.meta.deadlines.fetch_add(1, Ordering::Relaxed);
            self.deadlines.add(arrival.deadline_ns, &job);
        }
        // Work is as urgent as the most urgent who waits for it. The entry at the old rank is of no use then.
        if waits && job.meta.rank.fetch_min(arrival.rank, Ordering::Relaxed) > arrival.rank {
            self.push(&job, arrival.rank);
            self.note_unwanted();
        }
        Handle { shared: Arc::clone(self), job, waiter }
    }

    fn wait_for_place(&self, patience: Option<Duration>) -> Waited {
        let until = patience.and_then(|patience| Instant::now().checked_add(patience));
        let slot = Arc::new((Mutex::new(Waited::InLine), Condvar::new()));
        let offered = Arc::clone(&slot);
        self.places.stand_in_line(Box::new(move |place| {
            let mut waited = lock(&offered.0);
            if matches!(*waited, Waited::Gone) {
                return place;
            }
            *waited = place.map_or(Waited::Closed, Waited::Place);
            offered.1.notify_one();
            None
        }));
        let mut waited = lock(&slot.0);
        while matches!(*waited, Waited::InLine) {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                break;
            }
            waited = sleep(&slot.1, waited, left);
        }
        mem::replace(&mut *waited, Waited::Gone)
    }
}

/// One who waits for a place.
enum Waited {
    InLine,
    Place(Place),
    Closed,
    /// The time has run out, or the place was taken: whatever is offered from now on goes to the next.
    Gone,
}

/// That much later; [`NEVER`] is out of reach.
fn later(now_ns: u64, time: Duration) -> u64 {
    let time_ns = u64::try_from(time.as_nanos()).unwrap_or(NEVER);
    now_ns.saturating_add(time_ns).min(NEVER - 1)
}
