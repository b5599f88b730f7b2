//! What time it is for a queue.

use std::fmt;
use std::time::Instant;

/// A clock that never goes back; a test brings one that it can set.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Nanoseconds since some moment in the past, always the same one.
    fn now_ns(&self) -> u64;
}

/// The monotonic clock of the machine, from the moment that this was made.
#[derive(Clone, Copy, Debug)]
pub struct MonotonicClock(Instant);

impl Default for MonotonicClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for MonotonicClock {
    fn now_ns(&self) -> u64 {
        // Full after 584 years.
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
