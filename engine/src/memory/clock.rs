//! What time it is.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// What stamps records; a test brings one that it can set.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time in Unix milliseconds.
    fn now_ms(&self) -> i64;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        // A clock that is set before 1970 stamps with 0: a wrong time is no reason to lose a proof.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}
