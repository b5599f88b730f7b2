//! Workers that wait to be used again, and when they are too worn for it.

use std::num::NonZero;
use std::time::Duration;

use super::backoff::nanos;
use super::metrics::Cause;
use super::worker::WorkerKey;

/// When a worker is ended although it is well. Processes leak, and their states pile up.
#[derive(Clone, Copy, Debug)]
pub struct Wear {
    /// After so many uses.
    pub uses: Option<NonZero<u32>>,
    /// So long after its start.
    pub age: Option<Duration>,
    /// When it is so many bytes larger than just after its start.
    pub growth_bytes: Option<u64>,
    /// When nobody has used it for so long.
    pub idle: Option<Duration>,
}

impl Default for Wear {
    fn default() -> Self {
        Self {
            uses: NonZero::new(10_000),
            age: Some(Duration::from_secs(3600)),
            growth_bytes: Some(2 << 30),
            idle: Some(Duration::from_secs(900)),
        }
    }
}

/// A worker and its life so far.
#[derive(Debug)]
pub(super) struct Kept<W> {
    /// The number of its place in the ledger.
    pub(super) place: u64,
    pub(super) key: WorkerKey,
    pub(super) worker: W,
    pub(super) born_ns: u64,
    /// When it was last given back.
    pub(super) idle_ns: u64,
    pub(super) uses: u32,
    /// Its size just after the start.
    pub(super) first_bytes: Option<u64>,
    /// When its size was read last, by whoever used it.
    pub(super) measured_ns: u64,
}

impl<W> Kept<W> {
    /// Why it should not be used again, if so; `bytes` is its size now.
    pub(super) fn worn(&self, wear: &Wear, bytes: Option<u64>, now_ns: u64) -> Option<Cause> {
        let grown = bytes.zip(self.first_bytes).map(|(now, first)| now.saturating_sub(first));
        let passed =
            |limit: Option<Duration>, since| limit.is_some_and(|limit| now_ns.saturating_sub(since) >= nanos(limit));
        if wear.uses.is_some_and(|most| self.uses >= most.get()) {
            Some(Cause::Uses)
        } else if passed(wear.age, self.born_ns) {
            Some(Cause::Age)
        } else if grown.zip(wear.growth_bytes).is_some_and(|(grown, most)| grown > most) {
            Some(Cause::Growth)
        } else if passed(wear.idle, self.idle_ns) {
            Some(Cause::Idle)
        } else {
            None
        }
    }
}

/// The idle workers, the one that was given back first in front. There are as many as processors, so they are looked through.
#[derive(Debug)]
pub(super) struct Warm<W>(Vec<Kept<W>>);

impl<W> Warm<W> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn push(&mut self, kept: Kept<W>) {
        self.0.push(kept);
    }

    /// Takes the one of `key` that was used last: its pages are in memory, and those that are not needed grow old.
    pub(super) fn take(&mut self, key: &WorkerKey) -> Option<Kept<W>> {
        self.0.iter().rposition(|kept| kept.key == *key).map(|at| self.0.remove(at))
    }

    /// Takes the one in that place of the ledger.
    pub(super) fn take_place(&mut self, place: u64) -> Option<Kept<W>> {
        self.0.iter().position(|kept| kept.place == place).map(|at| self.0.remove(at))
    }

    /// Takes those for which `unfit` has a reason.
    pub(super) fn take_unfit(&mut self, mut unfit: impl FnMut(&mut Kept<W>) -> Option<Cause>) -> Vec<(Kept<W>, Cause)> {
        let (mut fit, mut taken) = (Vec::new(), Vec::new());
        for mut kept in self.0.drain(..) {
            match unfit(&mut kept) {
                Some(cause) => taken.push((kept, cause)),
                None => fit.push(kept),
            }
        }
        self.0 = fit;
        taken
    }

    /// The places of those that are not of `key`, the least recently used first.
    pub(super) fn others(&self, key: &WorkerKey) -> Vec<u64> {
        self.0.iter().filter(|kept| kept.key != *key).map(|kept| kept.place).collect()
    }

    /// All places, the least recently used first.
    pub(super) fn places(&self) -> Vec<u64> {
        self.0.iter().map(|kept| kept.place).collect()
    }

    pub(super) fn drain(&mut self) -> Vec<Kept<W>> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn kept(place: u64, header: &str) -> Kept<()> {
        let key = WorkerKey::new("p", "1", header.as_bytes());
        Kept { place, key, worker: (), born_ns: 0, idle_ns: 0, uses: 0, first_bytes: Some(100), measured_ns: 0 }
    }

    #[test]
    fn the_last_used_is_taken_and_the_first_goes() {
        let mut warm = Warm::new();
        for (place, header) in [(1, "a"), (2, "b"), (3, "a"), (4, "c")] {
            warm.push(kept(place, header));
        }
        let key = kept(0, "a").key;
        assert_eq!(warm.others(&key), [2, 4]);
        assert_eq!(warm.take(&key).map(|kept| kept.place), Some(3));
        assert_eq!(warm.take(&key).map(|kept| kept.place), Some(1));
        assert!(warm.take(&key).is_none());
        assert_eq!(warm.places(), [2, 4]);
    }

    #[test]
    fn wear_is_by_uses_age_growth_and_idleness() {
        let wear = Wear {
            uses: NonZero::new(3),
            age: Some(Duration::from_secs(10)),
            growth_bytes: Some(50),
            idle: Some(Duration::from_secs(5)),
        };
        let worker = Kept { idle_ns: 8 * SECOND, ..kept(0, "a") };
        assert_eq!(worker.worn(&wear, Some(150), 9 * SECOND), None);
        assert_eq!(worker.worn(&wear, None, 9 * SECOND), None);
        assert_eq!(worker.worn(&wear, Some(151), 9 * SECOND), Some(Cause::Growth));
        assert_eq!(worker.worn(&wear, None, 10 * SECOND), Some(Cause::Age));
        assert_eq!(kept(0, "a").worn(&wear, None, 5 * SECOND), Some(Cause::Idle));
        assert_eq!(Kept { uses: 3, ..worker }.worn(&wear, None, 9 * SECOND), Some(Cause::Uses));
    }
}
