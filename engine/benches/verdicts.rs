//! How long the verdict cache takes to answer and to store. Prints quantiles, which a mean would hide.

use std::hint::black_box;
use std::time::{Duration, Instant};

use porism_engine::pool::cache::{Budget, CacheKey, Entry, Kept, Options, Question, Request, VerdictCache};
use porism_engine::verdict::{Check, Message, Severity, Trust, Verdict};

const ENTRIES: u32 = 20_000;

fn key(number: u32) -> CacheKey {
    Question { candidate: &number.to_le_bytes(), ..Question::default() }.key()
}

fn entry(number: u32) -> Entry {
    let check = Check {
        verdict: Verdict::Proved,
        trust: Trust::L1,
        prover: "Rocq".into(),
        prover_version: "8.16.1".into(),
        axioms: vec!["Classical_Prop.classic".into()],
        messages: vec![Message { severity: Severity::Warning, text: "unused variable".into(), line: 3, column: 7 }],
        detail: format!("number {number}"),
        wait: Duration::from_micros(12),
        work: Duration::from_millis(250),
        raw: "Qed".into(),
        receipt: None,
    };
    Entry { check, request: Request { trust: Trust::L1, budget: Budget::default() } }
}

/// Times `action` on every number.
fn quantiles(name: &str, numbers: impl Iterator<Item = u32>, mut action: impl FnMut(u32)) {
    let mut times: Vec<Duration> = numbers
        .map(|number| {
            let start = Instant::now();
            action(number);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 1000];
    println!("{name}: p50 {:?}, p99 {:?}, p99.9 {:?}", at(500), at(990), at(999));
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bench.verdicts");
    let open = || VerdictCache::open(&path, Options::default()).expect("a cache");
    let request = Request { trust: Trust::L1, budget: Budget::default() };
    let candidate = "x".repeat(2000);

    let cache = open();
    quantiles("put", 0..ENTRIES, |number| {
        assert_eq!(cache.put(&key(number), entry(number)).expect("a place"), Kept::Stored);
    });
    let stats = cache.stats().expect("stats");
    println!("{} entries, {} bytes each", stats.entries, stats.size_bytes / stats.entries);
    drop(cache);

    let cache = open();
    let get = |key: &CacheKey| cache.get(key, &request).expect("a sound cache");
    let keys: Vec<CacheKey> = (0..2 * ENTRIES).map(key).collect();
    let at = |number: u32| &keys[number as usize];
    quantiles("hit on disk", 0..ENTRIES, |number| assert!(get(at(number)).is_some()));
    quantiles("miss", ENTRIES..2 * ENTRIES, |number| assert!(get(at(number)).is_none()));
    quantiles("hot hit", (0..50).flat_map(|_| 0..ENTRIES), |number| assert!(get(at(number)).is_some()));
    quantiles("key of 2 kB", 0..ENTRIES, |_| {
        black_box(Question { candidate: candidate.as_bytes(), ..Question::default() }.key());
    });
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..50).flat_map(|_| 0..ENTRIES).for_each(|number| assert!(get(at(number)).is_some())));
        }
    });
    println!("hot hits by two threads: {:.0} a second", 100.0 * f64::from(ENTRIES) / start.elapsed().as_secs_f64());
}
