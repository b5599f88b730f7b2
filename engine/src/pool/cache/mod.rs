//! The verdict cache: what was checked once is not checked again, by whichever process.
//!
//! A check is found by its [`Question`]: the prover's build, the library, the options, the trusted prefix, the candidate and the
//! statement. What is kept and what it answers is in `rules.rs`: answers about the goal and the candidate, for requests of at most their
//! own trust; limits, for budgets that are not larger; nothing that is about one attempt alone.
//!
//! The file is an `SQLite` database with a checksum in every page (`porism_native::sqlite`), written by any number of processes, and
//! no larger than its budget: what was used least recently makes room. Uses are noted by the minute, with the next write, so that a
//! hit writes nothing. In front of the file stands a sharded map of hot entries. It believes what it has for a minute at most: then it
//! sees what other processes have found out meanwhile. Every entry carries a BLAKE3 seal, which is compared when it is read.

mod error;
mod file;
mod key;
mod row;
mod rules;
mod store;

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod process_tests;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

pub use error::{CacheError, Result};
pub use key::{CacheKey, Question};
pub use row::MAX_ENTRY_BYTES;
pub use rules::{Budget, Entry, Place, Request};

use crate::memory::{Clock, SystemClock};
use rules::Merge;
use store::Store;

/// How coarse uses are noted, and how long the front believes what it has.
const TICK_MS: i64 = 60_000;
/// So many uses are noted at once when nothing else is written.
const USES_AT_ONCE: usize = 256;
/// The smallest budget: the tables alone take several pages.
const SMALLEST_BYTES: u64 = 256 << 10;
/// What an entry takes in memory beside its texts.
const ENTRY_BYTES: u64 = 512;

/// How to open a cache.
#[derive(Debug)]
pub struct Options {
    /// Make it if the path does not exist.
    pub create: bool,
    /// Refuse every write.
    pub read_only: bool,
    /// Read everything first, and begin an empty one if it is damaged or of another format. What is no cache stays.
    pub rebuild: bool,
    /// How long a write waits for writers of other processes.
    pub timeout: Duration,
    /// How many bytes of the file may be in use, without its log.
    pub budget_bytes: u64,
    /// How many bytes hot entries may take in memory, about.
    pub front_bytes: u64,
    /// What says which minute it is.
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            create: true,
            read_only: false,
            rebuild: false,
            timeout: Duration::from_secs(5),
            budget_bytes: 1 << 30,
            front_bytes: 64 << 20,
            clock: Arc::new(SystemClock),
        }
    }
}

/// What became of an entry that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kept {
    /// It is in the cache.
    Stored,
    /// What is there says as much, or more.
    Known,
    /// It says nothing about the next attempt.
    Passing,
    /// It is longer than an entry may be, or than an eighth of the budget.
    TooLong,
    /// It contradicts what is there, and both are vouched for alike: neither is in the cache now.
    Contradicted,
}

/// What a cache holds, and what this handle did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Entries in the file.
    pub entries: u64,
    /// Bytes of the file in use.
    pub size_bytes: u64,
    /// Requests that were answered without the file.
    pub hot_hits: u64,
    /// Requests that were answered from the file.
    pub disk_hits: u64,
    /// Requests without an answer.
    pub misses: u64,
    /// Entries that were stored.
    pub stored: u64,
    /// Entries that made room.
    pub evicted: u64,
    /// Entries that contradicted what was there.
    pub contradicted: u64,
}

#[derive(Debug, Default)]
struct Counters {
    hot_hits: AtomicU64,
    disk_hits: AtomicU64,
    misses: AtomicU64,
    stored: AtomicU64,
    evicted: AtomicU64,
    contradicted: AtomicU64,
}

/// All that is known under one key, as it was in a minute.
#[derive(Clone, Debug)]
struct Hot {
    tick: i64,
    entries: Arc<[Arc<Entry>]>,
}

#[derive(Clone, Debug)]
struct Weight;

impl Weighter<CacheKey, Hot> for Weight {
    fn weight(&self, _: &CacheKey, hot: &Hot) -> u64 {
        hot.entries.iter().map(|entry| weight(entry)).sum::<u64>() + ENTRY_BYTES
    }
}

/// Checks that were made, on disk. Threads share it, and processes share its file.
#[derive(Debug)]
pub struct VerdictCache {
    store: Store,
    front: Cache<CacheKey, Hot, Weight>,
    /// Keys whose use is to be noted.
    used: Mutex<Vec<CacheKey>>,
    counters: Counters,
    clock: Arc<dyn Clock>,
    read_only: bool,
}

impl VerdictCache {
    /// Opens the cache at `path`, by custom `NAME.verdicts`.
    pub fn open(path: &Path, options: Options) -> Result<Self> {
        if options.budget_bytes < SMALLEST_BYTES {
            let reason = format!("a budget of {} bytes: the smallest is {SMALLEST_BYTES}", options.budget_bytes);
            return Err(CacheError::Input(reason));
        }
        let store = if options.rebuild { rebuild(path, &options)? } else { Store::open(path, &options)? };
        let items = usize::try_from(options.front_bytes / (2 * ENTRY_BYTES)).unwrap_or(usize::MAX);
        Ok(Self {
            store,
            front: Cache::with_weighter(items.min(1 << 20), options.front_bytes, Weight),
            used: Mutex::default(),
            counters: Counters::default(),
            clock: options.clock,
            read_only: options.read_only,
        })
    }

    /// What is known without a look at the file: it never waits for the disk.
    pub fn peek(&self, key: &CacheKey, request: &Request) -> Option<Arc<Entry>> {
        let found = self.hot(key, request, self.tick())?;
        self.counters.hot_hits.fetch_add(1, Ordering::Relaxed);
        Some(found)
    }

    /// The entry under `key` that answers `request`.
    pub fn get(&self, key: &CacheKey, request: &Request) -> Result<Option<Arc<Entry>>> {
        let now = self.tick();
        if let Some(found) = self.hot(key, request, now) {
            self.counters.hot_hits.fetch_add(1, Ordering::Relaxed);
            return Ok(Some(found));
        }
        let stored = self.store.read(key)?;
        let used = stored.iter().map(|(_, used)| *used).max();
        let entries: Arc<[_]> = stored.into_iter().map(|(entry, _)| Arc::new(entry)).collect();
        let Some(found) = serving(&entries, request) else {
            self.counters.misses.fetch_add(1, Ordering::Relaxed);
            return Ok(None);
        };
        self.counters.disk_hits.fetch_add(1, Ordering::Relaxed);
        self.front.insert(*key, Hot { tick: now, entries });
        if used < Some(now) {
            self.note_use(*key, now);
        }
        Ok(Some(found))
    }

    /// Hands over the check of the question behind `key`, with the request that it was made for.
    pub fn put(&self, key: &CacheKey, entry: Entry) -> Result<Kept> {
        let Some(place) = entry.place() else { return Ok(Kept::Passing) };
        let now = self.tick();
        let touched = std::mem::take(&mut *self.used());
        let Some(written) = self.store.write(key, place, entry, now, &touched)? else { return Ok(Kept::TooLong) };
        self.counters.evicted.fetch_add(written.evicted, Ordering::Relaxed);
        self.front.insert(*key, Hot { tick: now, entries: written.entries.into_iter().map(Arc::new).collect() });
        Ok(match written.merge {
            Merge::Write => {
                self.counters.stored.fetch_add(1, Ordering::Relaxed);
                Kept::Stored
            }
            Merge::Keep => Kept::Known,
            Merge::Remove => {
                self.counters.contradicted.fetch_add(1, Ordering::Relaxed);
                Kept::Contradicted
            }
        })
    }

    /// Removes all that is known under `key`; returns whether there was anything. Other processes may answer from memory for a minute.
    pub fn remove(&self, key: &CacheKey) -> Result<bool> {
        let removed = self.store.remove(key);
        self.front.remove(key);
        removed
    }

    /// Reads everything, and compares it with its seals; returns how many entries there are.
    pub fn verify(&self) -> Result<u64> {
        self.store.verify()
    }

    /// What the cache holds, and what this handle did.
    pub fn stats(&self) -> Result<Stats> {
        let (entries, size_bytes) = self.store.size()?;
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Ok(Stats {
            entries,
            size_bytes,
            hot_hits: of(&self.counters.hot_hits),
            disk_hits: of(&self.counters.disk_hits),
            misses: of(&self.counters.misses),
            stored: of(&self.counters.stored),
            evicted: of(&self.counters.evicted),
            contradicted: of(&self.counters.contradicted),
        })
    }

    fn hot(&self, key: &CacheKey, request: &Request, now: i64) -> Option<Arc<Entry>> {
        let hot = self.front.get(key)?;
        if hot.tick == now { serving(&hot.entries, request) } else { None }
    }

    fn note_use(&self, key: CacheKey, now: i64) {
        if self.read_only {
            return;
        }
        let mut used = self.used();
        used.push(key);
        if used.len() >= USES_AT_ONCE {
            let touched = std::mem::take(&mut *used);
            drop(used);
            self.store.touch(now, &touched);
        }
    }

    fn used(&self) -> MutexGuard<'_, Vec<CacheKey>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) -> i64 {
        self.clock.now_ms().div_euclid(TICK_MS)
    }
}

impl Drop for VerdictCache {
    fn drop(&mut self) {
        let touched = std::mem::take(&mut *self.used());
        if !touched.is_empty() {
            self.store.touch(self.tick(), &touched);
        }
    }
}

fn rebuild(path: &Path, options: &Options) -> Result<Store> {
    let number = store::number_of(path);
    let looked = Store::open(path, options).and_then(|store| store.verify().map(|_| store));
    match looked {
        Err(CacheError::Damaged { .. } | CacheError::Format { .. }) if !options.read_only => {
            Store::begin_anew(path, options, number)?;
            Store::open(path, options)
        }
        other => other,
    }
}

/// The first entry that answers `request`: at most one answer stands under a key, and it goes before limits.
fn serving(entries: &[Arc<Entry>], request: &Request) -> Option<Arc<Entry>> {
    let serves = |entry: &&Arc<Entry>| entry.serves(request);
    entries.iter().filter(serves).min_by_key(|entry| entry.place()).cloned()
}

/// What an entry takes in memory, about.
fn weight(entry: &Entry) -> u64 {
    let check = &entry.check;
    let text = |text: &String| text.len() as u64;
    let messages: u64 = check.messages.iter().map(|message| text(&message.text) + 48).sum();
    let axioms: u64 = check.axioms.iter().map(|axiom| text(axiom) + 24).sum();
    ENTRY_BYTES + messages + axioms + text(&check.raw) + text(&check.detail)
}
