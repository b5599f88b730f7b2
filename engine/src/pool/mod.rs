//! Warm workers on loan: what is costly to start is started once and used many times.
//!
//! ```text
//! lease(key) ---> warm worker of that key ------------------------------> work ---> give back, or end
//!      |                                                                   ^
//!      +--------> room? (number, memory; idle ones of other keys go) ---> start
//!      |
//!      +--------> wait in line: first come, first served
//! ```
//!
//! - [`Pool`] is the door: lease, tend, close, measure. It starts no thread.
//! - [`Lease`] is the right to use one worker. [`work`] uses it, and decides by one rule what becomes of the worker.
//! - [`Keeper`] is the thread that reads sizes, ends what is worn, and stops what uses too much.
//!
//! A worker is started, and mostly ended, by the thread that leases it. A process may die with the thread that started it, so these
//! threads live as long as the pool.

mod admission;
mod backoff;
pub mod cache;
mod framing;
mod keeper;
mod keys;
mod lease;
mod metrics;
mod recovery;
mod session;
mod shared;
mod state;
mod warm;
mod worker;

#[cfg(test)]
mod lease_tests;
#[cfg(test)]
mod recovery_tests;
#[cfg(test)]
mod session_tests;
#[cfg(test)]
mod storm_tests;
#[cfg(test)]
mod tests;

use std::fmt::{self, Display};
use std::io;
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use porism_native::process::Until;
use porism_native::process::{Cancel, SpawnError};
use porism_native::sync::lock;
use thiserror::Error;

pub use backoff::Retry;
pub use framing::{Dialect, Frames, Framing, FramingError, MarkerLine};
pub use keeper::Keeper;
pub use lease::{Condition, Lease};
pub use metrics::{Cause, Counts, Gauges, Health, Metrics};
pub use recovery::{Driver, Failure, Fate, Used, ask, settle, work};
pub use session::{Session, SessionError, nonce};
pub use warm::Wear;
pub use worker::{Worker, WorkerKey};

use crate::queue::{Clock, MonotonicClock};
use lease::GivenUp;
use metrics::Recorders;
use shared::Shared;
use state::State;

/// How a pool is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many workers there are at most, of all keys together.
    pub workers: NonZero<usize>,
    /// How many bytes they may use together; `None`: no end.
    pub memory_bytes: Option<u64>,
    /// What a worker is expected to need, in bytes, before any of its prover has run.
    pub guess_bytes: u64,
    /// Who has waited for longer comes before those who could go on at once with the worker that became free.
    pub patience: Duration,
    /// How long a start may take. The deadline of the request that caused it does not end it.
    pub start_limit: Duration,
    /// How long a worker has to come back after an interrupt, and to answer a canary.
    pub grace: Duration,
    /// After how many uses a canary is put to a worker that seems healthy.
    pub canary_every: Option<NonZero<u32>>,
    /// How often the sizes of workers are read.
    pub sample_every: Duration,
    /// How failed starts are tried again.
    pub retry: Retry,
    /// When a worker is ended although it is well.
    pub wear: Wear,
    /// What time it is, for all of the above but the limits of starts and recoveries.
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// As many `workers`, and the rest as usual.
    pub fn new(workers: NonZero<usize>) -> Self {
        Self {
            workers,
            memory_bytes: None,
            guess_bytes: 512 << 20,
            patience: Duration::from_secs(2),
            start_limit: Duration::from_secs(120),
            grace: Duration::from_secs(1),
            canary_every: None,
            sample_every: Duration::from_millis(250),
            retry: Retry::default(),
            wear: Wear::default(),
            clock: Arc::new(MonotonicClock::default()),
        }
    }
}

/// Why there is no lease. None of these says anything about what was to be asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LeaseError<E: Display> {
    /// The worker could not be started.
    #[error("the prover could not be started: {0}")]
    Start(E),
    /// Starts keep failing, and the next one is not due.
    #[error("the prover keeps failing to start (next try in {:.1} s): {reason}", retry_after.as_secs_f64())]
    BackingOff {
        /// When the next start is due.
        retry_after: Duration,
        /// Why the last one failed.
        reason: Arc<str>,
    },
    /// The deadline passed.
    #[error("no prover was free in time")]
    TimedOut,
    /// Somebody cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The pool is closed.
    #[error("the pool of provers is closed")]
    Closed,
    /// The system lacks something that waiting needs.
    #[error("waiting for a prover failed: {0}")]
    System(io::Error),
}

impl<E: Display> From<GivenUp> for LeaseError<E> {
    fn from(given_up: GivenUp) -> Self {
        match given_up {
            GivenUp::TimedOut => Self::TimedOut,
            GivenUp::Cancelled => Self::Cancelled,
            GivenUp::System(error) => Self::System(error),
        }
    }
}

/// A pool of workers; a clone is the same pool. When the last handle and the last lease are gone, so are the workers.
pub struct Pool<W: Worker> {
    shared: Arc<Shared<W>>,
}

impl<W: Worker> Clone for Pool<W> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<W: Worker> fmt::Debug for Pool<W> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Pool").field("now", &self.gauges()).finish_non_exhaustive()
    }
}

impl<W: Worker> Pool<W> {
    /// An empty pool.
    ///
    /// # Errors
    ///
    /// No descriptor is left.
    pub fn new(options: Options) -> Result<Self, SpawnError> {
        let closing = Cancel::new()?;
        let state = Mutex::new(State::new(&options));
        Ok(Self { shared: Arc::new(Shared { options, state, recorders: Recorders::new(), closing }) })
    }

    /// Gets a worker of `key`: a warm one, else one that `start` makes in this thread, else waits in line.
    ///
    /// `start` is given its own limit, and goes on when `until` is over: the next one would have to begin it again. The token of
    /// `until` belongs to this request alone: the pool cancels it when the worker uses too much memory.
    ///
    /// # Errors
    ///
    /// There is none in time, none can be started, or the pool is closed.
    pub fn lease<E: Display>(
        &self,
        key: &WorkerKey,
        until: &Until<'_>,
        start: impl FnOnce(&Until<'_>) -> Result<W, E>,
    ) -> Result<Lease<W>, LeaseError<E>> {
        lease::lease(&self.shared, key, until, start)
    }

    /// Reads the sizes of all workers, ends those that are worn, idle for too long or gone, and if the memory is exceeded, whoever
    /// exceeds it. A [`Keeper`] does it in time.
    pub fn tend(&self) {
        self.shared.tend();
    }

    /// Ends the pool: whoever waits is refused, idle workers end now and leased ones when they are given back.
    pub fn close(&self) {
        self.shared.close();
    }

    /// What it measures.
    pub fn metrics(&self) -> Metrics {
        self.shared.recorders.read(self.gauges())
    }

    /// Whether it does its work.
    pub fn health(&self) -> Health {
        let now = self.gauges();
        let state = lock(&self.shared.state);
        let mut problems: Vec<String> = state
            .keys
            .failing()
            .map(|(key, failures, reason)| format!("{key:?} failed to start {failures} times in a row: {reason}"))
            .collect();
        problems.sort_unstable();
        if state.closed {
            problems.push("the pool is closed".to_owned());
        }
        drop(state);
        if let Some(cap) = now.memory_cap_bytes.filter(|cap| now.memory_bytes > *cap) {
            problems.push(format!("{} bytes in use, and {cap} are allowed", now.memory_bytes));
        }
        Health { ok: problems.is_empty(), problems, now }
    }

    fn gauges(&self) -> Gauges {
        lock(&self.shared.state).gauges(self.shared.now_ns())
    }
}
