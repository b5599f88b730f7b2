//! A worker on loan.

use std::fmt::Display;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Instant;
use std::{fmt, io};

use porism_native::process::Cancel;
use porism_native::sync::lock;

use crate::metrics::count;

use super::admission::Stage;
use super::metrics::Cause;
use super::shared::{Shared, Taken, size, still_wanted};
use super::state::Grant;
use super::warm::Kept;
use super::worker::{Worker, WorkerKey};
use super::{LeaseError, Until};

/// In what state a worker is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It answered, and waits for the next request.
    Sound,
    /// It was left while it worked. [`settle`](super::settle) could have saved it; here it is ended.
    Suspect,
    /// It did something that it must not.
    Broken,
}

/// Why a wait ended without a worker.
#[derive(Debug)]
pub(super) enum GivenUp {
    TimedOut,
    Cancelled,
    System(io::Error),
}

/// The only one who may use a worker. Give it back: dropped, the worker is ended.
pub struct Lease<W: Worker> {
    pub(super) shared: Arc<Shared<W>>,
    /// Empty only while it is taken apart.
    kept: Option<Kept<W>>,
}

impl<W: Worker> Lease<W> {
    /// Puts the worker back, or ends it; why it was ended, if it was. A sound one is ended too when it is worn.
    pub fn give_back(self, condition: Condition) -> Option<Cause> {
        match condition {
            Condition::Sound => self.keep(),
            Condition::Suspect => Some(self.end(Cause::Unrecovered)),
            Condition::Broken => Some(self.end(Cause::Broken)),
        }
    }

    /// The number of uses before this one.
    pub fn uses(&self) -> u32 {
        self.kept.as_ref().map_or(0, |kept| kept.uses)
    }

    /// Whether the worker drove the pool over its memory, so that it was told to stop.
    pub fn is_condemned(&self) -> bool {
        let place = self.kept.as_ref().map(|kept| kept.place);
        let state = lock(&self.shared.state);
        place.and_then(|place| state.ledger.places.get(&place)).is_some_and(|place| place.condemned)
    }

    pub(super) fn keep(mut self) -> Option<Cause> {
        let mut kept = self.kept.take()?;
        kept.uses = kept.uses.saturating_add(1);
        self.shared.keep(kept)
    }

    /// Puts the worker back as if it had not been asked for.
    pub(super) fn keep_unused(mut self) -> Option<Cause> {
        self.kept.take().and_then(|kept| self.shared.keep(kept))
    }

    pub(super) fn end(mut self, cause: Cause) -> Cause {
        if let Some(kept) = self.kept.take() {
            self.shared.end(kept, cause);
        }
        cause
    }
}

impl<W: Worker> Drop for Lease<W> {
    fn drop(&mut self) {
        if let Some(kept) = self.kept.take() {
            self.shared.end(kept, Cause::Dropped);
        }
    }
}

impl<W: Worker> Deref for Lease<W> {
    type Target = W;

    fn deref(&self) -> &W {
        let Some(kept) = &self.kept else { unreachable!("only a lease that is consumed is empty") };
        &kept.worker
    }
}

impl<W: Worker> DerefMut for Lease<W> {
    fn deref_mut(&mut self) -> &mut W {
        let Some(kept) = &mut self.kept else { unreachable!("only a lease that is consumed is empty") };
        &mut kept.worker
    }
}

impl<W: Worker> fmt::Debug for Lease<W> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.kept.as_ref().map(|kept| kept.place);
        out.debug_struct("Lease").field("place", &place).finish_non_exhaustive()
    }
}

/// Gets a worker: a warm one, or a new one.
pub(super) fn lease<W: Worker, E: Display>(
    shared: &Arc<Shared<W>>,
    key: &WorkerKey,
    until: &Until<'_>,
    start: impl FnOnce(&Until<'_>) -> Result<W, E>,
) -> Result<Lease<W>, LeaseError<E>> {
    let counters = &shared.recorders.counters;
    let asked_ns = shared.now_ns();
    let grant = shared.wait_for_grant(key, until).map_err(|given_up| {
        count(&counters.given_up, 1);
        LeaseError::from(given_up)
    })?;
    shared.recorders.wait.record(shared.now_ns().saturating_sub(asked_ns));
    let place = match grant {
        Grant::Warm(mut kept) => {
            if !kept.worker.has_ended() {
                count(&counters.reuses, 1);
                count(&counters.leases, 1);
                return Ok(Lease { shared: Arc::clone(shared), kept: Some(kept) });
            }
            // The place stays ours, for one that takes its turn.
            begin_in_place_of(shared, &kept);
            counters.ended(Cause::Gone);
            let place = Taken::new(shared, kept.place);
            kept.worker.end();
            place
        }
        Grant::Start { place, evicted } => {
            let place = Taken::new(shared, place);
            for (number, kept) in evicted.into_iter().enumerate() {
                // The place of the first is the one that was taken over.
                let _free = (number > 0).then(|| Taken::new(shared, kept.place));
                counters.ended(Cause::Evicted);
                kept.worker.end();
            }
            place
        }
        Grant::Refuse { retry_after, reason } => {
            count(&counters.refused, 1);
            return Err(LeaseError::BackingOff { retry_after, reason });
        }
        Grant::Closed => return Err(LeaseError::Closed),
    };
    let starting = Starting { shared, key, place: Some(place) };
    still_wanted(until).map_err(|given_up| {
        count(&counters.given_up, 1);
        LeaseError::from(given_up)
    })?;
    let lease = starting.run(until.cancel, start)?;
    // The start is finished although its time may be over: the next one would have to begin it again.
    if let Err(given_up) = still_wanted(until) {
        count(&counters.given_up, 1);
        lease.keep_unused();
        return Err(given_up.into());
    }
    count(&counters.leases, 1);
    Ok(lease)
}

fn begin_in_place_of<W: Worker>(shared: &Shared<W>, kept: &Kept<W>) {
    let now_ns = shared.now_ns();
    let mut state = lock(&shared.state);
    state.keys.get(&kept.key).backoff.begin();
    if let Some(place) = state.ledger.places.get_mut(&kept.place) {
        place.stage = Stage::Starting;
        place.since_ns = now_ns;
        (place.meter, place.bytes, place.peak, place.condemned) = (None, None, None, false);
    }
}

/// A place in which a worker is about to start. Dropped before it has, it is as if nobody had tried.
struct Starting<'a, W: Worker> {
    shared: &'a Arc<Shared<W>>,
    key: &'a WorkerKey,
    place: Option<Taken<W>>,
}

impl<W: Worker> Starting<'_, W> {
    fn run<E: Display>(
        mut self,
        cancel: &Cancel,
        start: impl FnOnce(&Until<'_>) -> Result<W, E>,
    ) -> Result<Lease<W>, LeaseError<E>> {
        let shared = self.shared;
        let counters = &shared.recorders.counters;
        let began_ns = shared.now_ns();
        let deadline = Instant::now().checked_add(shared.options.start_limit);
        let started = start(&Until { deadline, cancel: &shared.closing });
        let now_ns = shared.now_ns();
        let worker = match started {
            Ok(worker) => worker,
            Err(_) if shared.closing.is_cancelled() => return Err(LeaseError::Closed),
            Err(error) => {
                count(&counters.failed_starts, 1);
                lock(&shared.state).start_failed(self.key, &error.to_string(), now_ns);
                self.place = None;
                return Err(LeaseError::Start(error));
            }
        };
        count(&counters.starts, 1);
        shared.recorders.start.record(now_ns.saturating_sub(began_ns));
        let first_bytes = size(&worker);
        let Some(place) = self.place.take().and_then(Taken::hand_on) else { unreachable!("a start runs once") };
        let mut state = lock(&shared.state);
        state.keys.get(self.key).backoff.succeed();
        if let Some(place) = state.ledger.places.get_mut(&place) {
            place.stage = Stage::Busy(cancel.clone());
            place.since_ns = now_ns;
            place.meter = Some(worker.meter());
            (place.bytes, place.peak) = (first_bytes, first_bytes);
        }
        // Starts of this key that waited for the outcome of this one may go on.
        state.dispatch(now_ns);
        drop(state);
        let kept = Kept {
            place,
            key: self.key.clone(),
            worker,
            born_ns: now_ns,
            idle_ns: now_ns,
            uses: 0,
            first_bytes,
            measured_ns: now_ns,
        };
        Ok(Lease { shared: Arc::clone(shared), kept: Some(kept) })
    }
}

impl<W: Worker> Drop for Starting<'_, W> {
    fn drop(&mut self) {
        if self.place.is_some() {
            lock(&self.shared.state).keys.get(self.key).backoff.withdraw();
        }
    }
}
