//! Whether anything was committed since, without a transaction.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use rusqlite::Connection;
use rusqlite::ffi::{SQLITE_NOTFOUND, SQLITE_OK};

use super::control;
use super::layer::Below;

/// The words of the header of the index of a log. It stands there twice (the WAL-index format, section 2.1).
const WORDS: usize = 6;
/// What a database is asked for its header with; `SQLite` keeps the numbers up to 100 for itself.
pub(super) const STAMP: c_int = 0x506f_7269;
/// The size of a part of the shared memory.
const REGION_BYTES: c_int = 32 << 10;

/// Both copies of the header.
type Copies = [u64; 2 * WORDS];

/// What every commit to a database changes, whichever process makes it; `None` while one is about to be seen, and where nobody can
/// tell.
///
/// A read transaction begins by comparing the same header with the one that the connection saw last, between six calls of the
/// operating system. Whoever only wants to know whether there is anything new can do with this. The connection must have read the
/// database before, and not as an immutable one.
pub fn commit_stamp(connection: &Connection) -> Option<[u64; WORDS]> {
    let mut copies: Copies = [0; 2 * WORDS];
    // SAFETY: the argument of this operation is a pointer to both copies.
    unsafe { control(connection, STAMP, &raw mut copies) }.ok()?;
    let (first, second) = copies.split_first_chunk::<WORDS>()?;
    (first == second && *first != [0; WORDS]).then_some(*first)
}

/// Copies the header of the log of a database.
///
/// # Safety
/// `argument` points to [`Copies`].
pub(super) unsafe fn copy(below: &Below, argument: *mut c_void) -> c_int {
    let Some(map) = below.methods.xShmMap else { return SQLITE_NOTFOUND };
    let mut region: *mut c_void = ptr::null_mut();
    // SAFETY: the method belongs to this file, which is open while we are; the pointer is to a live local.
    let code = unsafe { map(below.file, 0, REGION_BYTES, 0, &raw mut region) };
    if code != SQLITE_OK || region.is_null() {
        return SQLITE_NOTFOUND;
    }
    let words: *const AtomicU64 = region.cast();
    let word = |place: usize| {
        // SAFETY: the region begins at a page and is larger than both copies, so the word is aligned and within it.
        let word = unsafe { words.add(place) };
        // SAFETY: other processes write this memory while it is read, so it is read atomically. It stays mapped while the file is
        // open.
        unsafe { (*word).load(Ordering::Relaxed) }
    };
    let mut copies: Copies = [0; 2 * WORDS];
    // A writer writes the second copy first. Read in the other order, two equal copies are of one commit.
    (0..WORDS).for_each(|place| copies[place] = word(place));
    fence(Ordering::SeqCst);
    (WORDS..2 * WORDS).for_each(|place| copies[place] = word(place));
    // SAFETY: the caller promises the room.
    unsafe { argument.cast::<Copies>().write(copies) };
    SQLITE_OK
}

#[cfg(test)]
mod tests {
    use super::super::{create, open};
    use super::*;

    #[test]
    fn every_commit_changes_it_and_nothing_else_does() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stamped.sqlite");
        let writer = create(&path).unwrap();
        writer.pragma_update(None, "journal_mode", "wal").unwrap();
        writer.execute_batch("CREATE TABLE one (x)").unwrap();
        let reader = open(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let count = || reader.query_one("SELECT count(*) FROM one", [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count(), 0);
        let mut seen = vec![commit_stamp(&reader).unwrap()];
        for _ in 0..20 {
            writer.execute_batch("BEGIN; INSERT INTO one VALUES (1)").unwrap();
            assert_eq!(commit_stamp(&reader), seen.last().copied());
            writer.execute_batch("ROLLBACK").unwrap();
            assert_eq!(commit_stamp(&reader), seen.last().copied());
            writer.execute("INSERT INTO one VALUES (1)", []).unwrap();
            let now = commit_stamp(&reader).unwrap();
            assert!(!seen.contains(&now));
            seen.push(now);
            count();
            assert_eq!(commit_stamp(&reader), Some(now));
        }
        // A log that begins anew has another salt.
        writer.execute_batch("PRAGMA wal_checkpoint(RESTART); INSERT INTO one VALUES (2)").unwrap();
        assert!(!seen.contains(&commit_stamp(&reader).unwrap()));
    }

    #[test]
    fn a_database_without_a_log_has_none() {
        let directory = tempfile::tempdir().unwrap();
        let database = create(directory.path().join("plain.sqlite")).unwrap();
        assert_eq!(commit_stamp(&database), None);
    }
}
