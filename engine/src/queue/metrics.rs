//! What a queue has done and is doing, in numbers.

use std::time::Duration;

use crate::metrics::{Histogram, Recorder, counters};
use crate::prometheus::Page;

counters! {
    "How often what has happened since the queue was made."
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
        let mut page = Page::new("porism_queue", "queue", queue);
        page.gauge("waiting", self.now.waiting as f64, "Pieces of work that wait for a worker.");
        page.gauge("running", self.now.running as f64, "Pieces of work under way.");
        page.gauge("capacity", self.now.capacity as f64, "How many pieces of work may wait.");
        page.gauge("workers", self.now.workers as f64, "Workers that take work.");
        let expected_wait_s = self.now.expected_wait.as_secs_f64();
        page.gauge("expected_wait_seconds", expected_wait_s, "How long a newcomer would wait.");
        for (name, value, help) in self.counts.named() {
            page.counter(name, value, help);
        }
        page.histogram("wait", &self.wait, "From submission until a worker began.");
        page.histogram("run", &self.run, "From the beginning of the work until its end.");
        page.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::count;

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
