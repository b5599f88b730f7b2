//! The face of the cache: what it keeps, what it refuses, and who makes room.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use super::samples::{HandClock, check, entry, key, seconds};
use super::*;
use crate::verdict::{Trust, Verdict};

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.verdicts");
    (folder, path)
}

fn open(path: &Path) -> VerdictCache {
    VerdictCache::open(path, Options::default()).unwrap()
}

#[test]
fn what_was_put_is_found_here_and_after_it_is_opened_again() {
    let (_folder, path) = folder();
    let stored = entry(Verdict::Proved);
    let cache = open(&path);
    assert_eq!(cache.get(&key(1), &stored.request).unwrap(), None);
    assert_eq!(cache.put(&key(1), stored.clone()).unwrap(), Kept::Stored);
    assert_eq!(cache.put(&key(1), stored.clone()).unwrap(), Kept::Known);
    assert_eq!(*cache.peek(&key(1), &stored.request).unwrap(), stored);
    assert_eq!(*cache.get(&key(1), &stored.request).unwrap().unwrap(), stored);
    assert_eq!(cache.get(&key(2), &stored.request).unwrap(), None);
    drop(cache);
    let cache = open(&path);
    assert_eq!(cache.peek(&key(1), &stored.request), None);
    assert_eq!(*cache.get(&key(1), &stored.request).unwrap().unwrap(), stored);
    assert_eq!(*cache.peek(&key(1), &stored.request).unwrap(), stored);
    let stats = cache.stats().unwrap();
    assert_eq!((stats.entries, stats.hot_hits, stats.disk_hits, stats.misses), (1, 1, 1, 0));
    assert!(cache.remove(&key(1)).unwrap() && !cache.remove(&key(1)).unwrap());
    assert_eq!(cache.get(&key(1), &stored.request).unwrap(), None);
    assert_eq!(cache.verify().unwrap(), 0);
}

#[test]
fn a_timeout_and_an_answer_stand_side_by_side() {
    let (_folder, path) = folder();
    let cache = open(&path);
    let proved = Entry { check: check(Verdict::Proved, Trust::L1), request: seconds(Trust::L1, 10) };
    let timeout = Entry { check: check(Verdict::Timeout, Trust::L0), request: seconds(Trust::L2, 10) };
    for one in [&proved, &timeout] {
        assert_eq!(cache.put(&key(1), one.clone()).unwrap(), Kept::Stored);
    }
    let found = |request| cache.get(&key(1), &request).unwrap().map(|entry| entry.check.verdict);
    assert_eq!(found(seconds(Trust::L1, 99)), Some(Verdict::Proved));
    assert_eq!(found(seconds(Trust::L2, 9)), Some(Verdict::Timeout));
    assert_eq!(found(seconds(Trust::L2, 11)), None);
    assert_eq!(cache.stats().unwrap().entries, 2);
}

#[test]
fn failures_of_an_attempt_are_not_kept_nor_what_is_too_long() {
    let (_folder, path) = folder();
    let cache = open(&path);
    assert_eq!(cache.put(&key(1), entry(Verdict::Crashed)).unwrap(), Kept::Passing);
    let mut long = entry(Verdict::Proved);
    long.check.raw = "x".repeat(MAX_ENTRY_BYTES as usize);
    assert_eq!(cache.put(&key(1), long).unwrap(), Kept::TooLong);
    assert_eq!(cache.stats().unwrap().entries, 0);
}

#[test]
fn answers_that_contradict_each_other_are_both_gone() {
    let (_folder, path) = folder();
    let cache = open(&path);
    cache.put(&key(1), entry(Verdict::Proved)).unwrap();
    assert_eq!(cache.put(&key(1), entry(Verdict::Rejected)).unwrap(), Kept::Contradicted);
    assert_eq!(cache.get(&key(1), &Request::default()).unwrap(), None);
}

#[test]
fn what_another_handle_finds_out_is_believed_a_minute_later() {
    let (_folder, path) = folder();
    let clock = Arc::new(HandClock(AtomicI64::new(0)));
    let one = VerdictCache::open(&path, Options { clock: clock.clone(), ..Options::default() }).unwrap();
    let other = open(&path);
    let weak = entry(Verdict::Proved);
    one.put(&key(1), weak.clone()).unwrap();
    let strong = Entry { check: check(Verdict::Rejected, Trust::L4), ..weak.clone() };
    other.put(&key(1), strong.clone()).unwrap();
    assert_eq!(*one.get(&key(1), &weak.request).unwrap().unwrap(), weak);
    clock.pass(1);
    assert_eq!(one.peek(&key(1), &weak.request), None);
    assert_eq!(*one.get(&key(1), &weak.request).unwrap().unwrap(), strong);
}

#[test]
fn the_least_recently_used_make_room_and_the_file_stays_in_its_budget() {
    let (_folder, path) = folder();
    let clock = Arc::new(HandClock::default());
    let budget_bytes = SMALLEST_BYTES;
    let options = || Options { budget_bytes, front_bytes: 0, clock: clock.clone(), ..Options::default() };
    let cache = VerdictCache::open(&path, options()).unwrap();
    let request = entry(Verdict::Proved).request;
    for number in 0..2000 {
        cache.put(&key(number), entry(Verdict::Proved)).unwrap();
        clock.pass(1);
        // This one is used all the time, and is the oldest.
        assert!(cache.get(&key(0), &request).unwrap().is_some(), "after {number}");
    }
    let stats = cache.stats().unwrap();
    assert!(stats.size_bytes <= budget_bytes, "{stats:?}");
    assert!(fs::metadata(&path).unwrap().len() <= budget_bytes);
    assert_eq!(stats.entries + stats.evicted, 2000);
    assert!(stats.entries > 100, "{stats:?}");
    let kept: Vec<u32> = (1..2000).filter(|n| cache.get(&key(*n), &request).unwrap().is_some()).collect();
    // With the one that is used all the time, all that there are: the latest ones, without a gap.
    assert_eq!(kept.len() as u64 + 1, stats.entries);
    assert!(kept.iter().copied().eq(kept[0]..2000), "{kept:?}");
    cache.verify().unwrap();
}

#[test]
fn what_is_no_cache_is_refused_and_left_alone() {
    let (folder, path) = folder();
    let refused = |path: &Path| {
        for rebuild in [false, true] {
            let error = VerdictCache::open(path, Options { rebuild, ..Options::default() }).unwrap_err();
            assert!(matches!(error, CacheError::NotACache { .. }), "{error}");
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        }
    };
    for content in [&b""[..], b"a note", &[b'x'; 5000]] {
        fs::write(&path, content).unwrap();
        refused(&path);
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    refused(folder.path());
    let memory = folder.path().join("some.porism");
    drop(crate::memory::Memory::open(&memory, crate::memory::Options { create: true, ..Default::default() }).unwrap());
    refused(&memory.join("catalog.sqlite"));
    let error = VerdictCache::open(&folder.path().join("none"), Options { create: false, ..Options::default() });
    assert!(matches!(error.unwrap_err(), CacheError::NotACache { .. }));
}

#[test]
fn another_format_is_refused_and_can_be_begun_anew() {
    let (_folder, path) = folder();
    open(&path).put(&key(1), entry(Verdict::Proved)).unwrap();
    let database = porism_native::sqlite::create(&path).unwrap();
    database.pragma_update(None, "user_version", 2).unwrap();
    database.close().unwrap();
    let error = VerdictCache::open(&path, Options::default()).unwrap_err();
    assert!(matches!(error, CacheError::Format { found: 2, current: 1, .. }), "{error}");
    let cache = VerdictCache::open(&path, Options { rebuild: true, ..Options::default() }).unwrap();
    assert_eq!(cache.stats().unwrap().entries, 0);
}

#[test]
fn a_sound_cache_survives_a_rebuild() {
    let (_folder, path) = folder();
    open(&path).put(&key(1), entry(Verdict::Proved)).unwrap();
    let cache = VerdictCache::open(&path, Options { rebuild: true, ..Options::default() }).unwrap();
    assert_eq!(cache.stats().unwrap().entries, 1);
}

#[test]
fn a_trigger_or_a_table_too_many_is_damage() {
    let (_folder, path) = folder();
    drop(open(&path));
    let database = porism_native::sqlite::create(&path).unwrap();
    database.execute_batch("CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END").unwrap();
    database.close().unwrap();
    let error = VerdictCache::open(&path, Options::default()).unwrap_err();
    assert!(matches!(error, CacheError::Damaged { .. }), "{error}");
}

#[test]
fn a_read_only_cache_answers_and_refuses_writes() {
    let (_folder, path) = folder();
    let stored = entry(Verdict::Refuted);
    let read_only = || Options { read_only: true, ..Options::default() };
    assert!(matches!(VerdictCache::open(&path, read_only()).unwrap_err(), CacheError::NotACache { .. }));
    let writer = open(&path);
    writer.put(&key(1), stored.clone()).unwrap();
    let cache = VerdictCache::open(&path, read_only()).unwrap();
    assert_eq!(*cache.get(&key(1), &stored.request).unwrap().unwrap(), stored);
    assert!(matches!(cache.put(&key(2), stored).unwrap_err(), CacheError::Io { .. }));
    assert!(matches!(cache.remove(&key(1)).unwrap_err(), CacheError::Io { .. }));
}

#[test]
fn threads_share_one_handle() {
    let (_folder, path) = folder();
    let cache = VerdictCache::open(&path, Options { front_bytes: 20_000, ..Options::default() }).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let cache = &cache;
            scope.spawn(move || {
                for number in 0..60 {
                    let mine = key((number * 7 + thread) % 40);
                    let mut one = entry(Verdict::Proved);
                    one.check.detail = mine.to_string();
                    assert!(matches!(cache.put(&mine, one.clone()).unwrap(), Kept::Stored | Kept::Known));
                    assert_eq!(cache.get(&mine, &one.request).unwrap().unwrap().check.detail, one.check.detail);
                }
            });
        }
    });
    assert_eq!(cache.verify().unwrap(), 40);
}
