//! How long to wait before a start is tried again after starts have failed, each time longer.

use std::sync::Arc;
use std::time::Duration;

/// How failed starts of one key are tried again.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// The pause after the first failure; each failure in a row doubles it.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// After so many failures in a row, requests are refused during the pause, where they wait for its end before.
    pub refuse_after: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first: Duration::from_millis(100), longest: Duration::from_secs(30), refuse_after: 4 }
    }
}

/// What may be done about a key now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Start one.
    Open,
    /// Wait: until the end of the pause, or (`None`) for the one start that tries.
    Later(Option<Duration>),
    /// Give up for now.
    Refuse { retry_after: Duration, reason: Arc<str> },
}

/// The starts of one key that failed in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    until_ns: u64,
    /// After a failure only one start at a time is tried.
    trying: bool,
    reason: Arc<str>,
}

impl Backoff {
    pub(super) fn gate(&self, retry: &Retry, now_ns: u64) -> Gate {
        let left = Duration::from_nanos(self.until_ns.saturating_sub(now_ns));
        match (self.failures, self.trying) {
            (0, _) => Gate::Open,
            (_, true) => Gate::Later(None),
            (_, false) if left.is_zero() => Gate::Open,
            (failures, false) if failures < retry.refuse_after => Gate::Later(Some(left)),
            _ => Gate::Refuse { retry_after: left, reason: Arc::clone(&self.reason) },
        }
    }

    /// A start begins.
    pub(super) fn begin(&mut self) {
        self.trying = true;
    }

    /// It worked, or was given up for a reason that says nothing about the next one.
    pub(super) fn withdraw(&mut self) {
        self.trying = false;
    }

    pub(super) fn succeed(&mut self) {
        *self = Self::default();
    }

    pub(super) fn fail(&mut self, retry: &Retry, now_ns: u64, reason: &str) {
        if self.failures > 0 && !self.trying {
            // One of several that began before the first of them failed: the same trouble, counted already.
            return;
        }
        let doubled = retry.first.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        self.until_ns = now_ns.saturating_add(nanos(doubled.min(retry.longest)));
        self.trying = false;
        self.reason = reason.into();
    }

    /// How many starts have failed in a row, and the reason of the last one.
    pub(super) fn failures(&self) -> (u32, &Arc<str>) {
        (self.failures, &self.reason)
    }
}

/// Nanoseconds; 584 years and more are the same.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn pauses_double_up_to_the_longest_and_end_with_a_success() {
        let retry =
            Retry { first: Duration::from_millis(100), longest: Duration::from_millis(300), refuse_after: u32::MAX };
        let mut backoff = Backoff::default();
        assert_eq!(backoff.gate(&retry, 0), Gate::Open);
        for (now_ms, pause_ms) in [(0, 100), (100, 200), (300, 300), (600, 300)] {
            backoff.begin();
            backoff.fail(&retry, now_ms * MS, "no");
            let left = Gate::Later(Some(Duration::from_millis(pause_ms)));
            assert_eq!(backoff.gate(&retry, now_ms * MS), left);
            assert_eq!(backoff.gate(&retry, (now_ms + pause_ms) * MS), Gate::Open);
        }
        backoff.succeed();
        assert_eq!(backoff.gate(&retry, 0), Gate::Open);
    }

    #[test]
    fn after_a_failure_one_start_tries_at_a_time() {
        let (retry, mut backoff) = (Retry::default(), Backoff::default());
        backoff.begin();
        assert_eq!(backoff.gate(&retry, 0), Gate::Open, "nothing has failed");
        backoff.begin();
        backoff.fail(&retry, 0, "no");
        backoff.fail(&retry, 0, "neither");
        assert_eq!(backoff.failures().0, 1, "two that began together");
        backoff.begin();
        assert_eq!(backoff.gate(&retry, u64::MAX), Gate::Later(None));
        backoff.withdraw();
        assert_eq!(backoff.gate(&retry, u64::MAX), Gate::Open);
    }

    #[test]
    fn after_enough_failures_requests_are_refused_with_the_reason() {
        let (retry, mut backoff) = (Retry { refuse_after: 2, ..Retry::default() }, Backoff::default());
        let fail = |backoff: &mut Backoff, reason| {
            backoff.begin();
            backoff.fail(&retry, 0, reason);
        };
        fail(&mut backoff, "first");
        assert!(matches!(backoff.gate(&retry, 0), Gate::Later(Some(_))));
        fail(&mut backoff, "second");
        let retry_after = Duration::from_millis(200);
        assert_eq!(backoff.gate(&retry, 0), Gate::Refuse { retry_after, reason: "second".into() });
        for _ in 0..100 {
            fail(&mut backoff, "still");
        }
        assert_eq!(backoff.gate(&retry, nanos(retry.longest)), Gate::Open);
    }
}
