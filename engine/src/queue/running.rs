//! Work that a worker has taken.

use std::sync::Arc;
use std::time::Duration;

use super::job::NEVER;
use super::outcome::Outcome;
use super::shared::{Job, Shared};

/// A piece of work under way. Whoever holds it owes an answer: dropped without one, its requests end as [`Outcome::Crashed`].
#[derive(Debug)]
pub struct Running<P, A>
where
    P: Send + 'static,
    A: Clone + Send + 'static,
{
    pub(super) context: Context<P, A>,
    pub(super) payload: Option<P>,
    pub(super) started_ns: u64,
    pub(super) charged_ns: u64,
    pub(super) answered: bool,
}

impl<P, A> Running<P, A>
where
    P: Send + 'static,
    A: Clone + Send + 'static,
{
    /// What is to be done; `None` when it was taken before.
    pub fn payload(&mut self) -> Option<P> {
        self.payload.take()
    }

    /// What the worker may want to know while it works.
    pub fn context(&self) -> &Context<P, A> {
        &self.context
    }

    /// Answers everyone who waits for it.
    pub fn finish(mut self, answer: A) {
        self.end(&Outcome::Answered(answer));
    }

    /// Tells everyone who waits for it that the worker broke.
    pub fn crash(mut self, reason: &str) {
        self.end(&Outcome::Crashed(reason.into()));
    }

    fn end(&mut self, outcome: &Outcome<A>) {
        self.answered = true;
        self.context.shared.finish(&self.context.job, outcome, self.started_ns, self.charged_ns);
    }
}

impl<P, A> Drop for Running<P, A>
where
    P: Send + 'static,
    A: Clone + Send + 'static,
{
    fn drop(&mut self) {
        if !self.answered {
            self.end(&Outcome::Crashed("the worker went away without an answer".into()));
        }
    }
}

/// How a worker learns that its answer is not wanted any more, and until when it is.
#[derive(Debug)]
pub struct Context<P, A> {
    pub(super) shared: Arc<Shared<P, A>>,
    pub(super) job: Arc<Job<P, A>>,
}

impl<P, A> Clone for Context<P, A> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), job: Arc::clone(&self.job) }
    }
}

impl<P, A> Context<P, A>
where
    P: Send + 'static,
    A: Clone + Send + 'static,
{
    /// Whether the last one who waited has left: by cancelling, by a deadline, or because the queue was closed.
    pub fn is_stopped(&self) -> bool {
        self.job.is_over()
    }

    /// Has `stop` called when the last one who waits leaves; at once if that has happened. It must not block. A second call
    /// replaces the first.
    pub fn when_stopped(&self, stop: impl FnOnce() + Send + 'static) {
        if let Some(stop) = self.job.when_stopped(Box::new(stop)) {
            stop();
        }
    }

    /// How long somebody still waits; `None`: without an end. An equal request that comes later can make it longer.
    pub fn time_left(&self) -> Option<Duration> {
        let latest = self.job.latest_deadline();
        (latest != NEVER).then(|| Duration::from_nanos(latest.saturating_sub(self.shared.now_ns())))
    }
}
