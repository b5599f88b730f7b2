//! What is asked, by whom, how urgently, and how an asking can be refused.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

/// Two requests with equal keys ask for the same work, and share it while it waits or runs.
///
/// A key is a digest of 256 bits, so that nobody can craft a request that is taken for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of whatever `parts` describe. How they are cut matters: `["ab", "c"]` is not `["a", "bc"]`.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// A number that spreads keys evenly.
    pub(crate) fn spread(&self) -> usize {
        usize::from(self.0[0])
    }
}

/// One piece of work to be queued. What the payload is, only the worker knows.
#[derive(Clone, Debug)]
pub struct Request<P> {
    /// What the worker gets.
    pub payload: P,
    /// Equal requests share work; `None` shares with nobody.
    pub key: Option<Key>,
    /// Higher is sooner. A level is worth `Options::ageing` of waiting.
    pub priority: i8,
    /// Whose fair share it comes out of; `None` is a tenant like the others.
    pub tenant: Option<Arc<str>>,
    /// How long the answer may take, counted from the submission. Waiting in the queue counts.
    pub deadline: Option<Duration>,
}

impl<P> Request<P> {
    /// A request of the usual priority, without a deadline, that shares with nobody.
    pub fn new(payload: P) -> Self {
        Self { payload, key: None, priority: 0, tenant: None, deadline: None }
    }

    /// The same, to share work with equal requests.
    #[must_use]
    pub fn key(self, key: Key) -> Self {
        Self { key: Some(key), ..self }
    }

    /// The same at another priority.
    #[must_use]
    pub fn priority(self, priority: i8) -> Self {
        Self { priority, ..self }
    }

    /// The same, out of a tenant's share.
    #[must_use]
    pub fn tenant(self, tenant: impl Into<Arc<str>>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// The same, to be answered within that time.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline: Some(deadline), ..self }
    }
}

/// How large a tenant's share is, next to the others': positive and finite.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Weight(f64);

impl Weight {
    /// That weight, if it is one.
    pub fn new(weight: f64) -> Option<Self> {
        (weight.is_finite() && weight > 0.0).then_some(Self(weight))
    }

    pub(super) fn get(self) -> f64 {
        self.0
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self(1.0)
    }
}

/// Why a request was not taken. Nothing was queued, and nothing was dropped: it is handed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// As many requests wait as the queue holds.
    #[error("the queue is full ({capacity} requests wait); a place is expected in {expected_wait:?}")]
    Full {
        /// How many may wait.
        capacity: usize,
        /// About how long until a place is free.
        expected_wait: Duration,
    },
    /// It would wait beyond its deadline.
    #[error("work would start in about {expected_wait:?}, after the deadline, which is in {left:?}")]
    TooLate {
        /// About how long it would wait.
        expected_wait: Duration,
        /// How long it may take.
        left: Duration,
    },
    /// The queue is closed.
    #[error("the queue is closed")]
    Closed,
}

/// A refused request, whole.
#[derive(Clone, Debug, Error)]
#[error("{why}")]
pub struct Refused<P> {
    /// Why.
    pub why: Refusal,
    /// What was asked.
    pub request: Request<P>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_where_its_parts_end() {
        let key = |parts: &[&'static str]| Key::of(parts.iter().map(|part| part.as_bytes()));
        assert_eq!(key(&["ab", "c"]), key(&["ab", "c"]));
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["ab", ""]), key(&["ab"]));
    }
}
