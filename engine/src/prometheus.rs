//! Numbers in the text format of Prometheus (exposition format, version 0.0.4).

use std::fmt::Write as _;

use crate::metrics::Histogram;

/// A page of metrics that share a prefix and a label.
pub(crate) struct Page {
    prefix: &'static str,
    label: String,
    text: String,
}

impl Page {
    /// An empty page: names begin with `prefix`, and the label `name` has the value `value`.
    pub(crate) fn new(prefix: &'static str, name: &str, value: &str) -> Self {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        Self { prefix, label: format!("{name}=\"{value}\""), text: String::new() }
    }

    /// What is so now.
    pub(crate) fn gauge(&mut self, name: &str, value: f64, help: &str) {
        let name = self.metric(name, "gauge", help);
        self.line(&name, "", value);
    }

    /// What has happened so far.
    pub(crate) fn counter(&mut self, name: &str, value: u64, help: &str) {
        let name = self.metric(&format!("{name}_total"), "counter", help);
        self.line(&name, "", value as f64);
    }

    /// Durations.
    pub(crate) fn histogram(&mut self, name: &str, histogram: &Histogram, help: &str) {
        let name = self.metric(&format!("{name}_seconds"), "histogram", help);
        let bucket = format!("{name}_bucket");
        let mut so_far = 0;
        for (bound, count) in &histogram.buckets {
            so_far += count;
            self.line(&bucket, &format!(",le=\"{}\"", bound.as_secs_f64()), so_far as f64);
        }
        self.line(&bucket, ",le=\"+Inf\"", histogram.count as f64);
        self.line(&format!("{name}_sum"), "", histogram.sum.as_secs_f64());
        self.line(&format!("{name}_count"), "", histogram.count as f64);
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn metric(&mut self, name: &str, kind: &str, help: &str) -> String {
        let name = format!("{}_{name}", self.prefix);
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        name
    }

    fn line(&mut self, name: &str, more_labels: &str, value: f64) {
        let _ = writeln!(self.text, "{name}{{{}{more_labels}}} {value}", self.label);
    }
}
