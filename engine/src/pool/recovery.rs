//! What becomes of a worker after it was asked something: used again, interrupted and saved, or ended.
//!
//! | the check | the worker |
//! |---|---|
//! | answered | waits for the next one; now and then a canary looks whether it is as well as it seems |
//! | timed out, cancelled | interrupted; used again if the driver brings it back within the grace |
//! | out of memory | ended, whatever it says: provers have survived it and then failed right proofs for the lack of memory |
//! | broke its protocol | ended: what it prints next may belong to the last request |
//! | driver failed | ended, for the same reason |
//! | ended | reaped |

use std::time::Instant;

use crate::metrics::count;

use super::Until;
use super::lease::{GivenUp, Lease};
use super::metrics::Cause;
use super::shared::still_wanted;
use super::worker::Worker;

/// Why there is no answer. None of these says anything about what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The deadline passed.
    #[error("the time was over")]
    TimedOut,
    /// Nobody wants the answer any more.
    #[error("cancelled")]
    Cancelled,
    /// The worker ended; the reason is for people.
    #[error("the worker ended: {0}")]
    Ended(String),
    /// The worker ran out of memory.
    #[error("out of memory")]
    OutOfMemory,
    /// The worker did not say what it had to: what was expected and found.
    #[error("{0}")]
    Protocol(String),
    /// The driver failed.
    #[error("{0}")]
    Other(String),
}

/// Knows how to talk to the workers of one kind.
pub trait Driver<W, J, A> {
    /// Does one job. It comes back soon after `until`, with [`Failure::TimedOut`] or [`Failure::Cancelled`].
    fn check(&self, worker: &mut W, job: J, until: &Until<'_>) -> Result<A, Failure>;

    /// Brings a worker that was interrupted, or may be unwell, back to where it was after its start, and makes sure that it is well: rolls
    /// back, then puts something to it whose answer is known and that uses what was loaded. Any failure ends the worker.
    fn recover(&self, worker: &mut W, until: &Until<'_>) -> Result<(), Failure>;
}

impl From<GivenUp> for Failure {
    fn from(given_up: GivenUp) -> Self {
        match given_up {
            GivenUp::TimedOut => Self::TimedOut,
            GivenUp::Cancelled => Self::Cancelled,
            GivenUp::System(error) => Self::Other(error.to_string()),
        }
    }
}

/// What became of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It waits for the next request.
    Kept,
    /// It was interrupted, came back, and waits for the next request.
    Recovered,
    /// It was ended.
    Ended(Cause),
}

/// A worker after a check, before it is decided what becomes of it. Dropped, it is ended.
#[must_use = "a worker that is not settled is ended"]
#[derive(Debug)]
pub struct Used<W: Worker> {
    lease: Lease<W>,
    next: Next,
}

#[derive(Debug)]
enum Next {
    Unused,
    Keep,
    Recover,
    End(Cause),
}

/// Does one job, and says what became of the worker: [`ask`] and then [`settle`].
pub fn work<W: Worker, J, A>(
    lease: Lease<W>,
    driver: &impl Driver<W, J, A>,
    job: J,
    until: &Until<'_>,
) -> (Result<A, Failure>, Fate) {
    let (answer, used) = ask(lease, driver, job, until);
    (answer, settle(used, driver))
}

/// Does one job. Answer whoever waits, and then [`settle`] the worker, which may take as long as the grace.
///
/// A panic of the driver passes through; the worker is ended.
pub fn ask<W: Worker, J, A>(
    mut lease: Lease<W>,
    driver: &impl Driver<W, J, A>,
    job: J,
    until: &Until<'_>,
) -> (Result<A, Failure>, Used<W>) {
    if let Err(given_up) = still_wanted(until) {
        return (Err(given_up.into()), Used { lease, next: Next::Unused });
    }
    let mut answer = driver.check(&mut lease, job, until);
    if lease.is_condemned() {
        // The pool cancelled it. An answer that was faster is as good as any.
        answer = answer.map_err(|_| Failure::OutOfMemory);
        return (answer, Used { lease, next: Next::End(Cause::Monster) });
    }
    let next = match &answer {
        Ok(_) => Next::Keep,
        Err(Failure::TimedOut | Failure::Cancelled) => Next::Recover,
        Err(Failure::OutOfMemory) => Next::End(Cause::OutOfMemory),
        Err(Failure::Ended(_)) => Next::End(Cause::Gone),
        Err(Failure::Protocol(_) | Failure::Other(_)) => Next::End(Cause::Broken),
    };
    (answer, Used { lease, next })
}

/// Decides what becomes of a worker. Its place is taken meanwhile, at most for the grace of the pool.
pub fn settle<W: Worker, J, A>(used: Used<W>, driver: &impl Driver<W, J, A>) -> Fate {
    let Used { mut lease, next } = used;
    match next {
        Next::Unused => kept(lease.keep_unused(), Fate::Kept),
        Next::End(cause) => Fate::Ended(lease.end(cause)),
        Next::Keep => {
            let every = lease.shared.options.canary_every;
            let due = every.is_some_and(|every| (lease.uses().saturating_add(1)).is_multiple_of(every.get()));
            if due {
                count(&lease.shared.recorders.counters.canaries, 1);
                if !comes_back(&mut lease, driver) {
                    return Fate::Ended(lease.end(Cause::Canary));
                }
            }
            kept(lease.keep(), Fate::Kept)
        }
        Next::Recover => {
            count(&lease.shared.recorders.counters.interrupts, 1);
            lease.interrupt();
            if !comes_back(&mut lease, driver) {
                return Fate::Ended(lease.end(Cause::Unrecovered));
            }
            count(&lease.shared.recorders.counters.recoveries, 1);
            kept(lease.keep(), Fate::Recovered)
        }
    }
}

fn kept(ended: Option<Cause>, otherwise: Fate) -> Fate {
    ended.map_or(otherwise, Fate::Ended)
}

fn comes_back<W: Worker, J, A>(lease: &mut Lease<W>, driver: &impl Driver<W, J, A>) -> bool {
    let shared = std::sync::Arc::clone(&lease.shared);
    let began_ns = shared.now_ns();
    let until = Until { deadline: Instant::now().checked_add(shared.options.grace), cancel: &shared.closing };
    let recovered = driver.recover(lease, &until);
    shared.recorders.recover.record(shared.now_ns().saturating_sub(began_ns));
    recovered.is_ok()
}
