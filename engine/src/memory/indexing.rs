//! What a memory says of its index, and the recall that it measures.

use serde::Serialize;

use super::error::{MemoryError, Result};
use super::filter::Filter;
use super::indexer::{Task, threads};
use super::reader::{Reader, routines};
use super::recall::check_recall;
use super::{Memory, lock};

/// The index of a memory.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IndexReport {
    /// How many rows the memory has.
    pub rows: u64,
    /// How many of them the index has. The others are searched too, one by one.
    pub indexed: u64,
    /// Into how many clusters they are parted.
    pub clusters: u32,
    /// Its number: it changes with every index that is made of the same rows.
    pub number: u32,
    /// How many bytes its file has.
    pub size_bytes: u64,
    /// The instruction set that searches use.
    pub isa: String,
    /// What each promise takes, as measured when the index was made.
    pub promises: Vec<PromiseReport>,
    /// How many queries this process has asked.
    pub queries: u64,
}

/// What it takes to find a share of the nearest rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PromiseReport {
    /// For up to so many records.
    pub k: u32,
    /// The share that is promised.
    pub recall: f32,
    /// The share that was found on the sample.
    pub measured: f32,
    /// How many queries the sample had.
    pub queries: u32,
    /// How many clusters are looked at.
    pub probes: u32,
    /// How many deviations wide the bounds are taken.
    pub width: f32,
}

/// The recall that was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measurement {
    /// For so many records.
    pub k: usize,
    /// The share of the nearest that was found, in the mean of the queries.
    pub recall: f64,
    /// It lies between these, with 95 % confidence.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How many queries were asked.
    pub queries: usize,
}

/// The instruction set that searches use; an error if the environment asks for one that is not there.
pub fn isa() -> Result<String> {
    Ok(routines()?.isa().to_string())
}

impl IndexReport {
    /// The numbers as a JSON object.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| MemoryError::io("the report", "write it", &error.into()))
    }
}

impl Memory {
    /// What the memory's index is.
    pub fn index(&self) -> Result<IndexReport> {
        let view = self.read(Reader::view)?;
        let mut report = IndexReport {
            rows: view.state.rows,
            indexed: 0,
            clusters: 0,
            number: 0,
            size_bytes: 0,
            isa: view.routines().isa().to_string(),
            promises: Vec::new(),
            queries: lock(&self.indexer.sample).asked(),
        };
        if let Some(sealed) = &view.sealed {
            report.indexed = sealed.rows().into();
            report.clusters = sealed.clusters();
            report.number = sealed.number();
            report.size_bytes = sealed.size_bytes();
            report.promises = sealed
                .promises()
                .iter()
                .map(|promise| PromiseReport {
                    k: promise.k,
                    recall: promise.recall,
                    measured: promise.measured,
                    queries: promise.queries,
                    probes: promise.setting.probes,
                    width: promise.setting.width,
                })
                .collect();
        }
        Ok(report)
    }

    /// Makes an index of all records now, instead of in the background some time; says whether there was anything to do.
    ///
    /// Recalls and writes go on meanwhile.
    pub fn build_index(&self) -> Result<bool> {
        let task = Task::new(&self.directory, &self.options);
        self.indexer.build(&task, threads()).map_err(|error| self.complete(error))
    }

    /// Measures the recall of searches that promise `recall`: what share of the exact answers they find.
    ///
    /// `queries` holds vectors one behind the other; without it, a sample of those that this process was asked.
    pub fn measure_recall(&self, k: usize, recall: f32, queries: Option<&[f32]>) -> Result<Measurement> {
        check_recall(recall)?;
        let vectors = match queries {
            Some(vectors) => vectors.to_vec(),
            None => lock(&self.indexer.sample).queries().concat(),
        };
        let all = Filter::default();
        let exact = self.answer_many(&vectors, k, 1.0, &all)?;
        let found = self.answer_many(&vectors, k, recall, &all)?;
        let shares = exact.iter().zip(&found).filter(|(exact, _)| !exact.hits.is_empty()).map(|(exact, found)| {
            let hit = |hit: &&super::Hit| found.hits.iter().any(|found| found.id == hit.id);
            exact.hits.iter().filter(hit).count() as f64 / exact.hits.len() as f64
        });
        let shares: Vec<f64> = shares.collect();
        if shares.is_empty() {
            return Err(MemoryError::input(
                "there is no query to measure the recall with: ask some, or hand them over",
            ));
        }
        let count = shares.len() as f64;
        let mean = shares.iter().sum::<f64>() / count;
        let (low, high) = wilson(mean, count);
        Ok(Measurement { k, recall: mean, low, high, queries: shares.len() })
    }
}

/// The interval that covers the true mean of `count` shares with 95 % confidence (Wilson, 1927). A share varies at most as a coin that
/// falls with that chance, so it is rather too wide.
fn wilson(mean: f64, count: f64) -> (f64, f64) {
    const Z: f64 = 1.96;
    let spread = Z * Z / count;
    let centre = mean + spread / 2.0;
    let half = Z * (mean * (1.0 - mean) / count + spread / (4.0 * count)).sqrt();
    (((centre - half) / (1.0 + spread)).max(0.0), ((centre + half) / (1.0 + spread)).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::wilson;

    #[test]
    fn the_interval_is_that_of_the_textbook() {
        // Brown, Cai, DasGupta: Interval Estimation for a Binomial Proportion, 2001: 0.5 of 100.
        let (low, high) = wilson(0.5, 100.0);
        assert!((low - 0.4038).abs() < 1e-3 && (high - 0.5962).abs() < 1e-3, "{low} to {high}");
        assert!(wilson(1.0, 10.0).1 > 0.999);
    }
}
