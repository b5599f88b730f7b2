//! What a queue has done and is doing, in numbers.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The first bucket of a histogram ends at 2^10 ns, about a microsecond; each of the others at twice the one before.
const FIRST_BUCKET_LOG2_NS: u32 = 10;
/// The last bucket ends at 2^40 ns, 18 minutes; what takes longer is counted, but in no bucket.
const BUCKETS: usize = 31;

/// Durations, counted in buckets whose bounds double.
#[derive(Debug)]
pub(super) struct Recorder {
    buckets: [AtomicU64; BUCKETS + 1],
    sum_ns: AtomicU64,
}

impl Recorder {
    fn new() -> Self {
        Self { buckets: std::array::from_fn(|_| AtomicU64::new(0)), sum_ns: AtomicU64::new(0) }
    }

    pub(super) fn record(&self, time_ns: u64) {
        let log2_ceil = u64::BITS - time_ns.saturating_sub(1).leading_zeros();
        let bucket = (log2_ceil.saturating_sub(FIRST_BUCKET_LOG2_NS) as usize).min(BUCKETS);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(time_ns, Ordering::Relaxed);
    }

    fn read(&self) -> Histogram {
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

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Counters that only rise.
        #[derive(Debug, Default)]
        pub(super) struct Counters { $(pub(super) $name: AtomicU64,)+ }

        /// How often what has happened since the queue was made.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counts { $($(#[doc = $doc])+ pub $name: u64,)+ }

        impl Counters {
            fn read(&self) -> Counts {
                Counts { $($name: self.$name.load(Ordering::Relaxed),)+ }
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

counters! {
    /// Requests taken in, those that share work too.
    submitted,
    /// Requests that joined work under way.
    coalesced,
    /// Requests that a worker answered.
    answered,
    /// Requests whose deadline passed first.
    timed_out,
    /// Requests that were cancelled.
    cancelled,
    /// Requests whose worker broke.
    crashed,
    /// Requests that the closing of the queue ended.
    closed,
    /// Requests refused because the queue was full.
    refused_full,
    /// Requests refused because their deadline could not be met.
    refused_late,
    /// Pieces of work that were begun.
    started,
    /// Pieces of work that were stopped because nobody wanted them any more.
    stopped,
}

/// Everything that a queue measures while it works.
#[derive(Debug)]
pub(super) struct Recorders {
    pub(super) counters: Counters,
    pub(super) wait: Recorder,
    pub(super) run: Recorder,
}

impl Recorders {
    pub(super) fn new() -> Self {
        Self { counters: Counters::default(), wait: Recorder::new(), run: Recorder::new() }
    }

    pub(super) fn read(&self, now: Gauges) -> Metrics {
        Metrics { now, counts: self.counters.read(), wait: self.wait.read(), run: self.run.read() }
    }
}

/// Counts one more, or several.
pub(super) fn count(counter: &AtomicU64, more: u32) {
    counter.fetch_add(u64::from(more), Ordering::Relaxed);
}

/// The state of a queue at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauges {
    /// Pieces of work that wait for a worker.
    pub waiting: usize,
    /// Pieces of work under way.
    pub running: usize,
    /// How many may wait.
    pub capacity: usize,
    /// Workers that take work.
    pub workers: usize,
    /// How long a newcomer of the lowest rank would wait.
    pub expected_wait: Duration,
}

/// The numbers of a queue at one moment. They are read one after another while work goes on, so sums may be off by what is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// The state now.
    pub now: Gauges,
    /// Since the queue was made.
    pub counts: Counts,
    /// From submission until a worker began.
    pub wait: Histogram,
    /// From there until it ended.
    pub run: Histogram,
}

impl Metrics {
    /// The numbers in the [text format of Prometheus](https://prometheus.io/docs/instrumenting/exposition_formats/), with the
    /// label `queue`.
    pub fn prometheus(&self, queue: &str) -> String {
        let label = format!("queue=\"{}\"", queue.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
        let mut text = String::new();
        let gauges = [
            ("waiting", self.now.waiting as f64, "Pieces of work that wait for a worker."),
            ("running", self.now.running as f64, "Pieces of work under way."),
            ("capacity", self.now.capacity as f64, "How many pieces of work may wait."),
            ("workers", self.now.workers as f64, "Workers that take work."),
            ("expected_wait_seconds", self.now.expected_wait.as_secs_f64(), "How long a newcomer would wait."),
        ];
        for (name, value, help) in gauges {
            metric(&mut text, &format!("porism_queue_{name}"), "gauge", help);
            line(&mut text, &format!("porism_queue_{name}"), &label, value);
        }
        for (name, value, help) in self.counts.named() {
            metric(&mut text, &format!("porism_queue_{name}_total"), "counter", help);
            line(&mut text, &format!("porism_queue_{name}_total"), &label, value as f64);
        }
        let histograms = [
            ("wait_seconds", &self.wait, "From submission until a worker began."),
            ("run_seconds", &self.run, "From the beginning of the work until its end."),
        ];
        for (name, histogram, help) in histograms {
            let name = format!("porism_queue_{name}");
            metric(&mut text, &name, "histogram", help);
            let mut so_far = 0;
            for (bound, count) in &histogram.buckets {
                so_far += count;
                let labels = format!("{label},le=\"{}\"", bound.as_secs_f64());
                line(&mut text, &format!("{name}_bucket"), &labels, so_far as f64);
            }
            line(&mut text, &format!("{name}_bucket"), &format!("{label},le=\"+Inf\""), histogram.count as f64);
            line(&mut text, &format!("{name}_sum"), &label, histogram.sum.as_secs_f64());
            line(&mut text, &format!("{name}_count"), &label, histogram.count as f64);
        }
        text
    }
}

fn metric(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(text: &mut String, name: &str, labels: &str, value: f64) {
    let _ = writeln!(text, "{name}{{{labels}}} {value}");
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

    #[test]
    fn the_text_escapes_its_label_and_adds_up_its_buckets() {
        let recorders = Recorders::new();
        recorders.wait.record(1);
        recorders.wait.record(3000);
        count(&recorders.counters.submitted, 2);
        let now =
            Gauges { waiting: 1, running: 0, capacity: 4, workers: 1, expected_wait: Duration::from_millis(1500) };
        let text = recorders.read(now).prometheus("a\"b");
        for line in [
            "# TYPE porism_queue_submitted_total counter",
            "porism_queue_submitted_total{queue=\"a\\\"b\"} 2",
            "porism_queue_expected_wait_seconds{queue=\"a\\\"b\"} 1.5",
            "porism_queue_wait_seconds_bucket{queue=\"a\\\"b\",le=\"0.000001024\"} 1",
            "porism_queue_wait_seconds_bucket{queue=\"a\\\"b\",le=\"0.000004096\"} 2",
            "porism_queue_wait_seconds_bucket{queue=\"a\\\"b\",le=\"+Inf\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
