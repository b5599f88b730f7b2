//! How a request ends.

use std::sync::Arc;

/// What a ticket gets: exactly one of these, exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<A> {
    /// The worker answered.
    Answered(A),
    /// The deadline passed first; whoever else shares the work may still get an answer.
    TimedOut,
    /// The ticket was cancelled.
    Cancelled,
    /// The worker broke; the reason is for people. It says nothing about the request.
    Crashed(Arc<str>),
    /// The queue was closed before the work was done.
    Closed,
}
