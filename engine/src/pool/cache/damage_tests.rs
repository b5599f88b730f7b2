//! Tries every byte of a small cache: a changed one is a miss, an error that names the file, or harmless; never another verdict.
//!
//! `PORISM_CRASH_ROUNDS` of 1000 or more takes every byte and several bits; otherwise it is a sample of them.

use std::fs;
use std::path::Path;

use super::samples::{check, entry, key, seconds};
use super::{CacheError, Entry, Kept, Options, VerdictCache};
use crate::verdict::{Trust, Verdict};

fn contents() -> Vec<(u32, Entry)> {
    let timeout = Entry { check: check(Verdict::Timeout, Trust::L0), request: seconds(Trust::L2, 7) };
    let answers = [Verdict::Proved, Verdict::Refuted, Verdict::Rejected, Verdict::Mismatch];
    let mut all: Vec<_> = (0..).zip(answers.map(entry)).collect();
    all.push((0, timeout));
    // One that does not fit into a page.
    let mut long = entry(Verdict::Incomplete);
    long.check.raw = "long ".repeat(2000);
    all.push((9, long));
    all
}

/// An error if what is there is not what was written.
fn read(path: &Path) -> Result<(), String> {
    let fine = |error: CacheError| match error {
        CacheError::Input(reason) => Err(format!("blames the caller: {reason}")),
        named if named.to_string().contains(path.to_str().unwrap()) => Ok(()),
        other => Err(format!("names no file: {other}")),
    };
    let options = Options { create: false, ..Options::default() };
    let cache = match VerdictCache::open(path, options) {
        Ok(cache) => cache,
        Err(error) => return fine(error),
    };
    for (number, stored) in contents() {
        match cache.get(&key(number), &stored.request) {
            Ok(None) => {}
            Ok(Some(found)) if *found == stored => {}
            Ok(Some(found)) => return Err(format!("{number}: {found:?}")),
            Err(error) => fine(error)?,
        }
    }
    match cache.put(&key(100), entry(Verdict::Proved)) {
        Ok(kept) => assert_eq!(kept, Kept::Stored),
        Err(error) => fine(error)?,
    }
    Ok(())
}

#[test]
fn every_byte_changed_is_noticed_or_harmless() {
    let full = std::env::var("PORISM_CRASH_ROUNDS").is_ok_and(|rounds| rounds.parse().is_ok_and(|n: u32| n >= 1000));
    let folder = tempfile::tempdir().unwrap();
    let (whole, path) = (folder.path().join("whole.verdicts"), folder.path().join("damaged.verdicts"));
    let cache = VerdictCache::open(&whole, Options::default()).unwrap();
    for (number, entry) in contents() {
        cache.put(&key(number), entry).unwrap();
    }
    drop(cache);
    let bytes = fs::read(&whole).unwrap();
    let masks: &[u8] = if full { &[0x01, 0x10, 0x80, 0xff] } else { &[0x04] };
    let mut wrong = Vec::new();
    for place in 0..bytes.len() {
        // The header is tried in full, and of the rest what means something more often than what does not.
        let stride = if bytes[place] == 0 { 1_501 } else { 97 };
        if !full && place >= 100 && place % stride != 0 {
            continue;
        }
        for mask in masks {
            let mut damaged = bytes.clone();
            damaged[place] ^= mask;
            fs::write(&path, &damaged).unwrap();
            if let Err(reason) = read(&path) {
                wrong.push(format!("byte {place} ^ {mask:#x}: {reason}"));
            }
            let _ = fs::remove_file(folder.path().join("damaged.verdicts-wal"));
            let _ = fs::remove_file(folder.path().join("damaged.verdicts-shm"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_length_is_noticed_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("short.verdicts");
    let cache = VerdictCache::open(&path, Options::default()).unwrap();
    contents()
        .into_iter()
        .for_each(|(number, entry)| assert_eq!(cache.put(&key(number), entry).unwrap(), Kept::Stored));
    drop(cache);
    let bytes = fs::read(&path).unwrap();
    for length in (0..bytes.len()).step_by(997) {
        fs::write(&path, &bytes[..length]).unwrap();
        assert_eq!(read(&path), Ok(()), "of length {length}");
    }
}

#[test]
fn a_damaged_cache_can_be_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.verdicts");
    let rebuild = || Options { rebuild: true, ..Options::default() };
    let cache = VerdictCache::open(&path, rebuild()).unwrap();
    contents()
        .into_iter()
        .for_each(|(number, entry)| assert_eq!(cache.put(&key(number), entry).unwrap(), Kept::Stored));
    drop(cache);
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 2000;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    let damaged = VerdictCache::open(&path, Options::default()).unwrap();
    assert!(matches!(damaged.verify().unwrap_err(), CacheError::Damaged { .. }));
    drop(damaged);
    let cache = VerdictCache::open(&path, rebuild()).unwrap();
    assert_eq!(cache.verify().unwrap(), 0);
    assert_eq!(cache.put(&key(0), entry(Verdict::Proved)).unwrap(), Kept::Stored);
}

/// A handle that was still open on the damaged file removed the log of the new one when it was closed: its entries were gone for
/// everybody who came later.
#[test]
fn who_holds_the_old_file_does_no_harm_to_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replaced.verdicts");
    let open = |rebuild| VerdictCache::open(&path, Options { rebuild, ..Options::default() }).unwrap();
    let stored = entry(Verdict::Proved);
    open(false).put(&key(1), stored.clone()).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    let old = open(false);
    let new = open(true);
    new.put(&key(2), stored.clone()).unwrap();
    drop(old);
    let later = open(false);
    assert_eq!(later.get(&key(2), &stored.request).unwrap().as_deref(), Some(&stored));
    later.put(&key(3), stored.clone()).unwrap();
    assert_eq!(new.get(&key(3), &stored.request).unwrap().as_deref(), Some(&stored));
    assert_eq!(new.verify().unwrap(), 2);
}
