//! The work that is waiting or running, by its key: an equal request joins it.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard};

use porism_native::sync::{Mutex, lock};

use super::request::Key;

/// So many threads can look at once without waiting for each other, mostly.
const SHARDS: usize = 16;

#[derive(Debug)]
pub(super) struct InFlight<J> {
    shards: [Mutex<HashMap<Key, Arc<J>>>; SHARDS],
}

/// The part of the map in which a key stands; nobody else adds or removes there meanwhile.
pub(super) type Shard<'a, J> = MutexGuard<'a, HashMap<Key, Arc<J>>>;

impl<J> InFlight<J> {
    pub(super) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::new(HashMap::new())) }
    }

    pub(super) fn shard(&self, key: &Key) -> Shard<'_, J> {
        lock(&self.shards[key.spread() % SHARDS])
    }

    /// Nobody can join `job` from now on. A job that has taken its place under the key stays.
    pub(super) fn remove(&self, key: &Key, job: &Arc<J>) {
        let mut shard = self.shard(key);
        if shard.get(key).is_some_and(|found| Arc::ptr_eq(found, job)) {
            shard.remove(key);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }
}
