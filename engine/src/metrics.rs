//! Counters and histograms that many threads add to without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The first bucket of a histogram ends at 2^10 ns, about a microsecond; each of the others at twice the one before.
const FIRST_BUCKET_LOG2_NS: u32 = 10;
/// The last bucket ends at 2^40 ns, 18 minutes; what takes longer is counted, but in no bucket.
const BUCKETS: usize = 31;

/// Durations, counted in buckets whose bounds double.
#[derive(Debug)]
pub(crate) struct Recorder {
    buckets: [AtomicU64; BUCKETS + 1],
    sum_ns: AtomicU64,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self { buckets: std::array::from_fn(|_| AtomicU64::new(0)), sum_ns: AtomicU64::new(0) }
    }

    pub(crate) fn record(&self, time_ns: u64) {
        let log2_ceil = u64::BITS - time_ns.saturating_sub(1).leading_zeros();
        let bucket = (log2_ceil.saturating_sub(FIRST_BUCKET_LOG2_NS) as usize).min(BUCKETS);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(time_ns, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Histogram {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let bound = |bucket: usize| Duration::from_nanos(1 << (FIRST_BUCKET_LOG2_NS as usize + bucket));
        Histogram {
            count: counts.iter().sum(),
            sum: Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed)),
            buckets: counts[..BUCKETS].iter().enumerate().map(|(bucket, count)| (bound(bucket), *count)).collect(),
        }
    }
}

/// A histogram of durations at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// How many durations.
    pub count: u64,
    /// Their sum.
    pub sum: Duration,
    /// Upper bound, and how many were not above it but above the one before. What is above all bounds is only in `count`.
    pub buckets: Vec<(Duration, u64)>,
}

impl Histogram {
    /// A bound that at least the share `q` (0 to 1) of the durations do not exceed; `None` when there are none, or it is above all
    /// bounds.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let wanted = q * self.count as f64;
        let mut seen = 0;
        self.buckets
            .iter()
            .find(|(_, count)| {
                seen += count;
                *count > 0 && seen as f64 >= wanted
            })
            .map(|(bound, _)| *bound)
    }
}

/// Makes the counters of a part of the engine (`Counters`), and what they were at one moment (`Counts`).
macro_rules! counters {
    ($since:literal $($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Counters that only rise.
        #[derive(Debug, Default)]
        pub(super) struct Counters { $(pub(super) $name: std::sync::atomic::AtomicU64,)+ }

        #[doc = $since]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counts { $($(#[doc = $doc])+ pub $name: u64,)+ }

        impl Counters {
            fn read(&self) -> Counts {
                Counts { $($name: self.$name.load(std::sync::atomic::Ordering::Relaxed),)+ }
            }
        }

        impl Counts {
            /// Every count with its name and what it means.
            pub fn named(&self) -> Vec<(&'static str, u64, &'static str)> {
                vec![$((stringify!($name), self.$name, concat!($($doc),+).trim_ascii()),)+]
            }
        }
    };
}

pub(crate) use counters;

/// Counts one more, or several.
pub(crate) fn count(counter: &AtomicU64, more: u32) {
    counter.fetch_add(u64::from(more), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_bucket_that_it_does_not_exceed() {
        let recorder = Recorder::new();
        for time_ns in [0, 1, 1024, 1025, 2048, 2049, 1 << 40, (1 << 40) + 1, u64::MAX >> 1] {
            recorder.record(time_ns);
        }
        let histogram = recorder.read();
        let filled: Vec<_> = histogram.buckets.iter().filter(|(_, count)| *count > 0).collect();
        let ns = Duration::from_nanos;
        assert_eq!(filled, [&(ns(1024), 3), &(ns(2048), 2), &(ns(4096), 1), &(ns(1 << 40), 1)]);
        assert_eq!(histogram.count, 9);
        assert_eq!(histogram.quantile(0.5), Some(ns(2048)));
        assert_eq!(histogram.quantile(1.0), None);
    }
}
