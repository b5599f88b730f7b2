//! A queue of requests in front of workers: priorities, deadlines, fair shares, shared work, back-pressure.
//!
//! ```text
//! submit ---> ring (lock-free) ---> scheduler (whose turn?) ---> worker ---> answer ---> ticket, or port of an event loop
//!    |                                                              |
//!    +-- refused: full, too late                                    +-- told when nobody wants the answer any more
//! ```
//!
//! A request is answered exactly once, whatever happens: by a worker, by its deadline, by being cancelled, by a worker that breaks, or
//! by the end of the queue. What the payload is, and what the answer, only the worker knows.
//!
//! - [`Queue`] is the door: submit, close, measure. It starts no thread.
//! - [`Ticket`] is one request's claim to an answer; a [`Port`] collects the answers of many.
//! - [`Running`] is work that was taken. [`Crew`] is a set of threads that take work and keep the deadlines.

mod clock;
mod coalesce;
mod crew;
mod deadlines;
mod job;
mod metrics;
mod outcome;
mod places;
mod port;
mod request;
mod running;
mod scheduler;
mod shared;
mod submit;
mod take;
mod ticket;

#[cfg(test)]
mod life_tests;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

pub use crate::metrics::Histogram;
pub use clock::{Clock, MonotonicClock};
pub use crew::{Crew, Worker};
pub use metrics::{Counts, Gauges, Metrics};
pub use outcome::Outcome;
pub use places::Place;
pub use port::{Message, Port};
pub use request::{Key, Refusal, Refused, Request, Weight};
pub use running::{Context, Running};
pub use shared::Health;
pub use ticket::{Handle, Ticket};

use job::To;
use shared::Shared;

/// How a queue is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many pieces of work may wait.
    pub capacity: usize,
    /// How long one must have waited to pass a newcomer of one level more.
    pub ageing: Duration,
    /// Where a request without a deadline stands among those with one: as if it were due that long after its submission.
    pub patience: Duration,
    /// The weights of tenants' shares of the working time; a tenant that is not named has 1.
    pub shares: HashMap<Arc<str>, Weight>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            capacity: 1 << 20,
            ageing: Duration::from_secs(10),
            patience: Duration::from_secs(60),
            shares: HashMap::new(),
            clock: Arc::new(MonotonicClock::default()),
        }
    }
}

/// How to close a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// Nothing new is taken; what waits is still worked on.
    Finish,
    /// Everything that waits or runs is answered [`Outcome::Closed`] at once, and the workers are told to stop.
    Abandon,
}

/// A queue of requests with payloads `P` and answers `A`; a clone is the same queue.
#[derive(Debug)]
pub struct Queue<P, A> {
    shared: Arc<Shared<P, A>>,
}

impl<P, A> Clone for Queue<P, A> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<P, A> Queue<P, A>
where
    P: Send + 'static,
    A: Clone + Send + 'static,
{
    /// An empty queue.
    pub fn new(options: Options) -> Self {
        Self { shared: Arc::new(Shared::new(options)) }
    }

    /// Queues a request, or lets it join equal work. Never waits.
    ///
    /// # Errors
    ///
    /// The queue is full or closed, or the deadline could not be met; the request comes back.
    pub fn submit(&self, request: Request<P>) -> Result<Ticket<P, A>, Refused<P>> {
        self.shared.submit(request, To::Here(None), None).map(Ticket)
    }

    /// Like [`submit`](Self::submit), into a place that was kept.
    ///
    /// # Errors
    ///
    /// As of `submit`, but never full.
    pub fn submit_with(&self, request: Request<P>, place: Place) -> Result<Ticket<P, A>, Refused<P>> {
        self.shared.submit(request, To::Here(None), Some(place)).map(Ticket)
    }

    /// Like [`submit`](Self::submit); the answer goes to `port`, under `token`.
    pub fn submit_to(
        &self,
        request: Request<P>,
        port: &Arc<Port<A>>,
        token: u64,
        place: Option<Place>,
    ) -> Result<Handle<P, A>, Refused<P>> {
        self.shared.submit(request, To::Port(Arc::clone(port), token), place)
    }

    /// Like [`submit`](Self::submit), but waits for a place, at most for `timeout`; the time counts against the deadline.
    ///
    /// # Errors
    ///
    /// As of `submit`; [`Refusal::Full`] means that the time ran out.
    pub fn put(&self, request: Request<P>, timeout: Option<Duration>) -> Result<Ticket<P, A>, Refused<P>> {
        self.shared.put(request, timeout).map(Ticket)
    }

    /// Asks for a place: it is posted to `port` under `token` when one is free, first come, first served. Pass it to
    /// [`submit_to`](Self::submit_to), or drop it.
    pub fn ask_for_place(&self, port: &Arc<Port<A>>, token: u64) {
        let port = Arc::clone(port);
        self.shared.places.stand_in_line(Box::new(move |place| match port.post(token, Message::Place(place)) {
            Some(Message::Place(handed_back)) => handed_back,
            _ => None,
        }));
    }

    /// Takes the next piece of work; waits for it. `None` when the queue is closed and nothing is left for this worker.
    pub fn take(&self) -> Option<Running<P, A>> {
        self.shared.take()
    }

    /// Takes the next piece of work if there is one.
    pub fn try_take(&self) -> Option<Running<P, A>> {
        self.shared.try_take()
    }

    /// Answers every request whose deadline has passed. A [`Crew`] does it in time.
    pub fn expire(&self) {
        self.shared.expire();
    }

    /// Ends the queue; to close it again can only make it harder.
    pub fn close(&self, how: Close) {
        self.shared.close(how);
    }

    /// What it measures.
    pub fn metrics(&self) -> Metrics {
        self.shared.metrics()
    }

    /// Whether it does its work.
    pub fn health(&self) -> Health {
        self.shared.health()
    }
}
