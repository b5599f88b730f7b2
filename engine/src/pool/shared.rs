//! What all handles, leases and threads of a pool share: the state under its lock, and the slow things around it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use porism_native::event::Descriptor;
use porism_native::process::Cancel;
use porism_native::sync::lock;

use super::admission::Stage;
use super::lease::GivenUp;
use super::metrics::{Cause, Recorders};
use super::state::{Grant, State};
use super::warm::Kept;
use super::worker::{Worker, WorkerKey};
use super::{Options, Until};

pub(super) struct Shared<W: Worker> {
    pub(super) options: Options,
    pub(super) state: Mutex<State<W>>,
    pub(super) recorders: Recorders,
    /// Ends starts and recoveries when the pool is closed.
    pub(super) closing: Cancel,
}

impl<W: Worker> Shared<W> {
    pub(super) fn now_ns(&self) -> u64 {
        self.options.clock.now_ns()
    }

    /// Waits until there is something for one who wants a worker of `key`.
    pub(super) fn wait_for_grant(&self, key: &WorkerKey, until: &Until<'_>) -> Result<Grant<W>, GivenUp> {
        let now_ns = self.now_ns();
        let mut state = lock(&self.state);
        let number = state.arrive(key, until.cancel, now_ns);
        state.dispatch(now_ns);
        let mut event: Option<Arc<Descriptor>> = None;
        loop {
            if let Some(grant) = state.take_grant(number) {
                return Ok(grant);
            }
            let woken = match &event {
                None => Descriptor::new().map(|new| {
                    let new = Arc::new(new);
                    state.sleeps(number, &new);
                    event = Some(new);
                }),
                Some(event) => {
                    let pause = state.pause(key, self.now_ns());
                    drop(state);
                    let slept = sleep(event, pause, until);
                    state = lock(&self.state);
                    slept
                }
            };
            let over = woken.map_err(GivenUp::System).and_then(|()| still_wanted(until));
            if let Err(given_up) = over {
                // What was given in the meantime is used all the same: the caller looks at its time again.
                let Some(grant) = state.take_grant(number) else {
                    state.leave(number);
                    state.dispatch(self.now_ns());
                    return Err(given_up);
                };
                return Ok(grant);
            }
            state.dispatch(self.now_ns());
        }
    }

    /// Takes a worker back that was given back sound; why it was ended instead of kept, if it was.
    pub(super) fn keep(self: &Arc<Self>, mut kept: Kept<W>) -> Option<Cause> {
        let now_ns = self.now_ns();
        let due = now_ns.saturating_sub(kept.measured_ns) >= super::backoff::nanos(self.options.sample_every);
        let read = due.then(|| size(&kept.worker)).flatten();
        if read.is_some() {
            kept.measured_ns = now_ns;
        }
        kept.idle_ns = now_ns;
        let mut state = lock(&self.state);
        let closed = state.closed;
        let Some(place) = state.ledger.places.get_mut(&kept.place) else {
            unreachable!("a leased worker has its place")
        };
        if let Some(read) = read {
            place.measured(read);
        }
        let (bytes, peak) = (place.bytes, place.peak);
        let unfit = match (closed, place.condemned) {
            (true, _) => Some(Cause::Closed),
            (_, true) => Some(Cause::Monster),
            _ => kept.worn(&self.options.wear, bytes, now_ns),
        };
        if unfit.is_some() {
            place.stage = Stage::Ending;
        } else {
            place.stage = Stage::Idle;
            place.since_ns = now_ns;
        }
        if let Some(peak) = peak.filter(|_| unfit != Some(Cause::Monster)) {
            state.keys.learn(&kept.key, peak);
        }
        match unfit {
            Some(cause) => {
                drop(state);
                self.end(kept, cause);
            }
            None => {
                state.warm.push(kept);
                state.dispatch(now_ns);
            }
        }
        unfit
    }

    /// Ends a worker, and frees its place then.
    pub(super) fn end(self: &Arc<Self>, kept: Kept<W>, cause: Cause) {
        let place = Taken::new(self, kept.place);
        if let Some(place) = lock(&self.state).ledger.places.get_mut(&kept.place) {
            place.stage = Stage::Ending;
        }
        self.recorders.counters.ended(cause);
        kept.worker.end();
        drop(place);
    }

    /// Looks after the workers: reads their memory, ends the worn and the idle, and tells those to stop that use too much.
    pub(super) fn tend(self: &Arc<Self>) {
        let (places, meters) = self.meters();
        let sizes = W::measure(&meters);
        let now_ns = self.now_ns();
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        for (place, bytes) in places.into_iter().zip(sizes) {
            if let Some((place, bytes)) = state.ledger.places.get_mut(&place).zip(bytes) {
                place.measured(bytes);
            }
        }
        let places = &state.ledger.places;
        let mut ended = state.warm.take_unfit(|kept| {
            if kept.worker.has_ended() {
                return Some(Cause::Gone);
            }
            kept.worn(&self.options.wear, places.get(&kept.place).and_then(|place| place.bytes), now_ns)
        });
        for (kept, _) in &ended {
            if let Some(place) = state.ledger.places.get_mut(&kept.place) {
                place.stage = Stage::Ending;
            }
        }
        let mut stopped = Vec::new();
        let idle = state.warm.places();
        for number in state.ledger.relieve(&state.caps, &idle) {
            if let Some(kept) = state.warm.take_place(number) {
                ended.push((kept, Cause::Monster));
            } else if let Some(Stage::Busy(cancel)) = state.ledger.places.get(&number).map(|place| &place.stage) {
                stopped.push(cancel.clone());
            }
        }
        state.dispatch(now_ns);
        drop(guard);
        stopped.iter().for_each(Cancel::cancel);
        ended.into_iter().for_each(|(kept, cause)| self.end(kept, cause));
    }

    fn meters(&self) -> (Vec<u64>, Vec<W::Meter>) {
        let state = lock(&self.state);
        state.ledger.places.iter().filter_map(|(number, place)| Some((*number, place.meter.clone()?))).unzip()
    }

    pub(super) fn close(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        state.closed = true;
        let idle = state.warm.drain();
        state.dispatch(self.now_ns());
        drop(state);
        self.closing.cancel();
        idle.into_iter().for_each(|kept| self.end(kept, Cause::Closed));
    }
}

impl<W: Worker> Drop for Shared<W> {
    /// Without handles and leases only idle workers are left.
    fn drop(&mut self) {
        self.closing.cancel();
        for kept in lock(&self.state).warm.drain() {
            self.recorders.counters.ended(Cause::Closed);
            kept.worker.end();
        }
    }
}

/// A place that is free again when this is dropped, even by a panic.
pub(super) struct Taken<W: Worker> {
    shared: Arc<Shared<W>>,
    /// Empty once it was handed on.
    place: Option<u64>,
}

impl<W: Worker> Taken<W> {
    pub(super) fn new(shared: &Arc<Shared<W>>, place: u64) -> Self {
        Self { shared: Arc::clone(shared), place: Some(place) }
    }

    /// Whoever gets the number has to free the place.
    pub(super) fn hand_on(mut self) -> Option<u64> {
        self.place.take()
    }
}

impl<W: Worker> Drop for Taken<W> {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let now_ns = self.shared.now_ns();
        let mut state = lock(&self.shared.state);
        state.ledger.places.remove(&place);
        state.dispatch(now_ns);
    }
}

/// Whether there is still time.
pub(super) fn still_wanted(until: &Until<'_>) -> Result<(), GivenUp> {
    if until.cancel.is_cancelled() {
        Err(GivenUp::Cancelled)
    } else if until.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
        Err(GivenUp::TimedOut)
    } else {
        Ok(())
    }
}

/// The size of one worker, in bytes.
pub(super) fn size<W: Worker>(worker: &W) -> Option<u64> {
    W::measure(&[worker.meter()]).first().copied().flatten()
}

fn sleep(event: &Descriptor, pause: Option<Duration>, until: &Until<'_>) -> std::io::Result<()> {
    let pause_ends = pause.and_then(|pause| Instant::now().checked_add(pause));
    let wake_at = [pause_ends, until.deadline].into_iter().flatten().min();
    until.cancel.sleep(event, wake_at).map_err(std::io::Error::other)
}
