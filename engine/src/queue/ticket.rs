//! A request's claim to an answer.

use std::sync::Arc;
use std::time::Duration;

use super::outcome::Outcome;
use super::shared::{Job, Shared};

/// One request, seen by whoever submitted it. Dropping it changes nothing: the work goes on.
#[derive(Debug)]
pub struct Handle<P, A> {
    pub(super) shared: Arc<Shared<P, A>>,
    pub(super) job: Arc<Job<P, A>>,
    /// Which of the job's waiters it is.
    pub(super) waiter: u32,
}

impl<P, A> Handle<P, A>
where
    P: Send + 'static,
    A: Clone + Send + 'static,
{
    /// Gives up: the request is answered [`Outcome::Cancelled`], unless it was answered before. If nobody else wants the work, it
    /// does not begin, or its worker is told to stop.
    pub fn cancel(&self) {
        self.shared.cancel(&self.job, self.waiter);
    }
}

/// One request whose answer is fetched from here.
#[derive(Debug)]
pub struct Ticket<P, A>(pub(super) Handle<P, A>);

impl<P, A> Ticket<P, A>
where
    P: Send + 'static,
    A: Clone + Send + 'static,
{
    /// How the request ended; waits for it, at most for `timeout`. The same every time, once there is one.
    pub fn result(&self, timeout: Option<Duration>) -> Option<Outcome<A>> {
        self.0.job.result(self.0.waiter, timeout)
    }

    /// See [`Handle::cancel`].
    pub fn cancel(&self) {
        self.0.cancel();
    }
}
