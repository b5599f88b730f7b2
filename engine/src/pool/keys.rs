//! What a pool has learned of each key: how large its workers get, and whether they start.

use std::collections::HashMap;

use super::backoff::Backoff;
use super::worker::WorkerKey;

/// How many keys are remembered; whoever makes up headers cannot fill the memory.
const MOST: usize = 1024;
/// One part in so many of the distance is what an estimate sinks by when a use stayed below it.
const SINK: u64 = 8;

/// Everything known of one key.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) backoff: Backoff,
    size: Size,
    /// When it was last asked for.
    used: u64,
}

/// How large workers get: at once up to the largest, slowly down again.
#[derive(Clone, Copy, Debug, Default)]
struct Size(Option<u64>);

impl Size {
    fn learn(&mut self, peak: u64) {
        self.0 = Some(match self.0 {
            Some(before) if before > peak => before - (before - peak) / SINK,
            _ => peak,
        });
    }
}

#[derive(Debug, Default)]
pub(super) struct Keys {
    known: HashMap<WorkerKey, Known>,
    asked: u64,
}

impl Keys {
    /// Looks a key up that is asked for now.
    pub(super) fn get(&mut self, key: &WorkerKey) -> &mut Known {
        self.asked += 1;
        if self.known.len() >= MOST && !self.known.contains_key(key) {
            // What was not asked for longest goes, with whatever was learned of it.
            let mut ages: Vec<u64> = self.known.values().map(|known| known.used).collect();
            let (_, &mut half, _) = ages.select_nth_unstable(MOST / 2);
            self.known.retain(|_, known| known.used > half);
        }
        let known = self.known.entry(key.clone()).or_default();
        known.used = self.asked;
        known
    }

    /// What a worker of that key is expected to need, in bytes: what its like needed, else the largest that others of the same prover
    /// did, else `guess`.
    pub(super) fn estimate(&self, key: &WorkerKey, guess: u64) -> u64 {
        let own = self.known.get(key).and_then(|known| known.size.0);
        let kin = || self.known.iter().filter(|(other, _)| other.prover() == key.prover());
        own.or_else(|| kin().filter_map(|(_, known)| known.size.0).max()).unwrap_or(guess)
    }

    /// A use went well, and the worker had at most `peak` bytes.
    pub(super) fn learn(&mut self, key: &WorkerKey, peak: u64) {
        self.get(key).size.learn(peak);
    }

    /// The keys whose starts fail: how often in a row, and why.
    pub(super) fn failing(&self) -> impl Iterator<Item = (&WorkerKey, u32, &str)> {
        self.known.iter().filter_map(|(key, known)| {
            let (failures, reason) = known.backoff.failures();
            (failures > 0).then_some((key, failures, &**reason))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(prover: &str, header: usize) -> WorkerKey {
        WorkerKey::new(prover, "1", &header.to_le_bytes())
    }

    #[test]
    fn an_estimate_rises_at_once_and_sinks_slowly() {
        let mut keys = Keys::default();
        let lean = key("lean", 0);
        assert_eq!(keys.estimate(&lean, 5), 5);
        keys.learn(&lean, 1000);
        keys.learn(&lean, 200);
        assert_eq!(keys.estimate(&lean, 5), 900);
        keys.learn(&lean, 2000);
        assert_eq!(keys.estimate(&lean, 5), 2000);
    }

    #[test]
    fn an_unknown_header_is_taken_for_the_largest_of_its_prover() {
        let mut keys = Keys::default();
        keys.learn(&key("lean", 0), 1000);
        keys.learn(&key("lean", 1), 3000);
        keys.learn(&key("z3", 0), 50);
        assert_eq!(keys.estimate(&key("lean", 2), 5), 3000);
        assert_eq!(keys.estimate(&key("rocq", 0), 5), 5);
    }

    #[test]
    fn made_up_headers_do_not_fill_the_memory() {
        let mut keys = Keys::default();
        for header in 0..10 * MOST {
            keys.learn(&key("lean", 0), 7);
            keys.get(&key("lean", header));
            assert!(keys.known.len() <= MOST);
        }
        assert_eq!(keys.known[&key("lean", 0)].size.0, Some(7), "what is in use stays");
    }
}
