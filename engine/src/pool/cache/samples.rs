//! Checks for tests.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::{Budget, CacheKey, Entry, Question, Request};
use crate::memory::{Clock, Receipt};
use crate::verdict::{Check, Message, Severity, Trust, Verdict};

pub(super) fn key(number: u32) -> CacheKey {
    Question { candidate: &number.to_le_bytes(), ..Question::default() }.key()
}

pub(super) fn check(verdict: Verdict, trust: Trust) -> Check {
    Check {
        verdict,
        trust,
        prover: "Rocq".into(),
        prover_version: "8.16.1".into(),
        axioms: vec!["Classical_Prop.classic".into()],
        messages: vec![Message { severity: Severity::Warning, text: "unused: \u{3b1} \0".into(), line: 3, column: 7 }],
        detail: "one line".into(),
        wait: Duration::from_micros(12),
        work: Duration::new(1, 234_567_891),
        raw: "Qed".into(),
        receipt: Some(Receipt {
            claim_hash: "a".repeat(64),
            certificate_hash: "b".repeat(64),
            checker: "coqchk".into(),
            checker_version: "8.16.1".into(),
        }),
    }
}

pub(super) fn seconds(trust: Trust, seconds: u64) -> Request {
    Request { trust, budget: Budget { time: Some(Duration::from_secs(seconds)), units: None } }
}

/// At L1, within ten seconds.
pub(super) fn entry(verdict: Verdict) -> Entry {
    Entry { check: check(verdict, Trust::L1), request: seconds(Trust::L1, 10) }
}

/// A clock that a test sets.
#[derive(Debug, Default)]
pub(super) struct HandClock(pub(super) AtomicI64);

impl HandClock {
    pub(super) fn pass(&self, minutes: i64) {
        self.0.fetch_add(minutes * 60_000, Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}
