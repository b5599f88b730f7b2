//! Against the real `SQLite`. Miri runs no foreign code: of this module it can run the tests of `page` and `checks` only.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::ffi::SQLITE_IOERR_DATA;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::{DamagedPage, create, create_with, damaged_page, open, page};

const SCHEMA: &str = "
CREATE TABLE record (id INTEGER PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL) STRICT;
CREATE INDEX record_name ON record (name);
CREATE INDEX record_status ON record (status, name);
CREATE TABLE used (goal INTEGER NOT NULL, record INTEGER NOT NULL, PRIMARY KEY (goal, record)) STRICT, WITHOUT ROWID;
CREATE TABLE text (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
";

/// Everything, through the tables and through each index.
const QUERIES: [&str; 6] = [
    "SELECT type || name || tbl_name || ifnull(sql, '') FROM sqlite_schema",
    "SELECT id || name || status FROM record NOT INDEXED ORDER BY id",
    "SELECT name || id FROM record INDEXED BY record_name WHERE name > '' ORDER BY name",
    "SELECT status || name || id FROM record INDEXED BY record_status WHERE status > '' ORDER BY status, name",
    "SELECT goal || ' ' || record FROM used ORDER BY goal, record",
    "SELECT id || body FROM text ORDER BY id",
];

const READ_ONLY: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);
const READ_WRITE: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

fn fill(connection: &mut Connection, rows: u32) {
    let transaction = connection.transaction().unwrap();
    let first: u32 = transaction.query_one("SELECT count(*) FROM used", [], |row| row.get(0)).unwrap();
    for row in first..first + rows {
        let status = ["proved", "open", "refuted"][row as usize % 3];
        transaction.execute("INSERT INTO record (name, status) VALUES (?1, ?2)", (format!("r{row}"), status)).unwrap();
        transaction.execute("INSERT INTO used VALUES (?1, ?2)", (row / 3, row)).unwrap();
    }
    // Longer than a page: it overflows.
    transaction.execute("INSERT INTO text (body) VALUES (?1)", [format!("{rows}").repeat(700)]).unwrap();
    transaction.commit().unwrap();
}

fn pragma(connection: &Connection, name: &str) -> u32 {
    connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
}

/// All that can be read, or the first error.
fn everything(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut all = Vec::new();
    for query in QUERIES {
        let mut statement = connection.prepare(query)?;
        for row in statement.query_map([], |row| row.get(0))? {
            all.push(row?);
        }
    }
    // The check reports a page that it cannot read as a row, and goes on.
    match connection.query_one("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))?.as_str() {
        "ok" => Ok(all),
        _ => Err(rusqlite::Error::InvalidQuery),
    }
}

fn read_all(path: &Path) -> rusqlite::Result<Vec<String>> {
    everything(&open(path, READ_ONLY)?)
}

fn immutable(path: &Path) -> rusqlite::Result<Vec<String>> {
    let uri = format!("file:{}?immutable=1", path.display());
    everything(&open(uri, READ_ONLY | OpenFlags::SQLITE_OPEN_URI)?)
}

/// A closed database of ten small pages, some free, in a folder of its own.
fn small(journal_mode: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.sqlite");
    let mut connection = create_with(&path, "PRAGMA page_size = 512").unwrap();
    connection.pragma_update(None, "journal_mode", journal_mode).unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    fill(&mut connection, 12);
    connection.execute_batch("DELETE FROM text WHERE id = 1; INSERT INTO text (body) VALUES ('short')").unwrap();
    connection.close().unwrap();
    (folder, path)
}

fn page_of(error: &rusqlite::Error) -> Option<u64> {
    damaged_page(error).map(|damaged| damaged.page)
}

/// Every page is sealed, and a program without the layer reads the same.
fn assert_sound(path: &Path) {
    let plain = Connection::open_with_flags(path, READ_ONLY).unwrap();
    assert_eq!(read_all(path).unwrap(), everything(&plain).unwrap());
    assert_sealed(path);
}

fn assert_sealed(path: &Path) {
    let bytes = fs::read(path).unwrap();
    let header = page::Header::read(&bytes).unwrap();
    assert!(header.has_room);
    for (number, page) in (1..).zip(bytes.chunks(usize::try_from(header.page_bytes).unwrap())) {
        assert!(page::is_sealed(number, page), "page {number}");
    }
}

#[test]
fn what_is_written_is_read_in_every_journal_mode() {
    for mode in ["delete", "truncate", "persist", "memory", "wal"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it is 100%.sqlite");
        let mut connection = create(&path).unwrap();
        connection.pragma_update(None, "journal_mode", mode).unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        for _ in 0..3 {
            fill(&mut connection, 200);
        }
        let transaction = connection.transaction().unwrap();
        transaction.execute("DELETE FROM record", []).unwrap();
        transaction.rollback().unwrap();
        let seen = everything(&connection).unwrap();
        connection.close().unwrap();
        assert_sound(&path);
        assert_eq!(read_all(&path).unwrap(), seen, "{mode}");
    }
}

#[test]
fn creating_again_opens_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.sqlite");
    create(&path).unwrap().close().unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(before.len(), 4096, "the first page is there, and says what all are like");
    create(&path).unwrap().close().unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// A page that is taken and given back within one change is not written, and if a later page is, the file has a hole.
#[test]
fn a_page_that_sqlite_never_wrote_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hole.sqlite");
    let connection = create(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, body);
             BEGIN;
             INSERT INTO t VALUES (1, zeroblob(100000));
             INSERT INTO t VALUES (2, zeroblob(5000));
             DELETE FROM t WHERE id = 1;
             COMMIT",
        )
        .unwrap();
    assert!(pragma(&connection, "freelist_count") > 20);
    assert_sealed(&path);
    connection.execute_batch("INSERT INTO t VALUES (3, 'x'); VACUUM").unwrap();
    drop(connection);
    assert_sealed(&path);
}

#[test]
fn a_checkpoint_seals_the_pages_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.sqlite");
    let mut connection = create(&path).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    fill(&mut connection, 500);
    for kind in ["passive", "full", "restart", "truncate"] {
        fill(&mut connection, 50);
        let busy: i64 = connection.query_one(&format!("PRAGMA wal_checkpoint({kind})"), [], |row| row.get(0)).unwrap();
        assert_eq!(busy, 0);
        assert_sound(&path);
    }
}

#[test]
fn connections_see_the_changes_of_each_other() {
    for mode in ["delete", "wal"] {
        let (_folder, path) = small(mode);
        let mut writer = open(&path, READ_WRITE).unwrap();
        let reader = open(&path, READ_ONLY).unwrap();
        let count = |connection: &Connection| {
            connection.query_one("SELECT count(*) FROM record", [], |row| row.get::<_, u32>(0)).unwrap()
        };
        for round in 1..=5 {
            fill_more(&mut writer, round);
            assert_eq!(count(&reader), 12 + round);
            everything(&reader).unwrap();
        }
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let path = path.clone();
                std::thread::spawn(move || {
                    for _ in 0..20 {
                        read_all(&path).unwrap();
                    }
                })
            })
            .collect();
        for round in 6..=60 {
            fill_more(&mut writer, round);
            if mode == "wal" && round % 10 == 0 {
                let _ = writer.query_one("PRAGMA wal_checkpoint(passive)", [], |row| row.get::<_, i64>(0)).unwrap();
            }
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        drop((reader, writer));
        assert_sound(&path);
    }
}

fn fill_more(connection: &mut Connection, round: u32) {
    connection.execute("INSERT INTO record (name, status) VALUES (?1, 'open')", [format!("more{round}")]).unwrap();
}

#[test]
fn a_vacuum_keeps_the_room_and_the_seals() {
    for mode in ["delete", "wal"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vacuum.sqlite");
        let mut connection = create(&path).unwrap();
        connection.pragma_update(None, "journal_mode", mode).unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        fill(&mut connection, 3000);
        connection.execute_batch("DELETE FROM record WHERE id % 7; VACUUM").unwrap();
        let copy = folder.path().join("copy.sqlite");
        connection.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
        connection.execute_batch("PRAGMA auto_vacuum = full; VACUUM").unwrap();
        assert_eq!(pragma(&connection, "auto_vacuum"), 1);
        fill(&mut connection, 1000);
        connection.execute_batch("DELETE FROM record WHERE id % 5").unwrap();
        connection.execute_batch("PRAGMA auto_vacuum = incremental; VACUUM; DELETE FROM used").unwrap();
        connection.execute_batch("PRAGMA incremental_vacuum(3)").unwrap();
        connection.close().unwrap();
        assert_sound(&path);
        assert_sound(&copy);
    }
}

#[test]
fn a_vacuum_that_would_change_the_size_of_pages_fails_and_changes_nothing() {
    for size in [512, 16384] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("size.sqlite");
        let mut connection = create(&path).unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        fill(&mut connection, 300);
        let before = everything(&connection).unwrap();
        connection.pragma_update(None, "page_size", size).unwrap();
        connection.execute_batch("VACUUM").unwrap_err();
        connection.close().unwrap();
        assert_eq!(read_all(&path).unwrap(), before);
        assert_sound(&path);
    }
}

/// Pages that are taken and given back within one change leave holes, which a small cache makes real.
#[test]
fn large_changes_in_a_small_cache_leave_no_page_without_a_seal() {
    for mode in ["delete", "wal"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spill.sqlite");
        let connection = create_with(&path, "PRAGMA page_size = 512").unwrap();
        connection.pragma_update(None, "journal_mode", mode).unwrap();
        connection.execute_batch("PRAGMA cache_size = 10").unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        for round in 0..20_u32 {
            let keep = if round % 4 == 3 { "ROLLBACK" } else { "COMMIT" };
            connection
                .execute_batch(&format!(
                    "BEGIN;
                     CREATE TABLE passing (body TEXT);
                     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
                         INSERT INTO passing SELECT hex(randomblob(300 + i)) FROM n;
                     SAVEPOINT inner;
                     INSERT INTO text (body) SELECT body FROM passing LIMIT 20;
                     ROLLBACK TO inner;
                     RELEASE inner;
                     INSERT INTO text (body) SELECT 'kept' || body FROM passing LIMIT {round};
                     DROP TABLE passing;
                     INSERT INTO text (body) SELECT hex(zeroblob(500)) FROM text;
                     DELETE FROM text WHERE id % 3 = {round} % 3;
                     {keep}"
                ))
                .unwrap();
            everything(&connection).unwrap();
        }
        connection.execute_batch("PRAGMA auto_vacuum = full; VACUUM").unwrap();
        connection.close().unwrap();
        assert_sound(&path);
    }
}

#[test]
fn a_change_that_was_interrupted_is_taken_back() {
    let (folder, path) = small("delete");
    let sound = fs::read(&path).unwrap();
    let before = read_all(&path).unwrap();
    let connection = open(&path, READ_WRITE).unwrap();
    connection.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE").unwrap();
    connection
        .execute_batch(
            "UPDATE record SET status = 'wrong', name = name || hex(zeroblob(100)); UPDATE used SET goal = goal + 99",
        )
        .unwrap();
    // What a crash now would leave on the disk.
    let crashed = folder.path().join("crashed.sqlite");
    fs::copy(&path, &crashed).unwrap();
    fs::copy(folder.path().join("small.sqlite-journal"), folder.path().join("crashed.sqlite-journal")).unwrap();
    assert_ne!(fs::read(&crashed).unwrap(), sound, "the change has reached the file");
    connection.execute_batch("ROLLBACK").unwrap();
    let recovered = open(&crashed, READ_WRITE).unwrap();
    assert_eq!(everything(&recovered).unwrap(), before);
    drop(recovered);
    assert_sound(&crashed);
}

/// Flips every byte, reads everything, and returns the pages in which no flip was noticed.
fn unnoticed(path: &Path, original: &[String], read: impl Fn(&Path) -> rusqlite::Result<Vec<String>>) -> BTreeSet<u64> {
    let sound = fs::read(path).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    let pages = sound.len() as u64 / 512;
    assert!((6..=20).contains(&pages), "{pages} pages");
    let (mut noticed, mut not_noticed) = (BTreeSet::new(), BTreeSet::new());
    for place in 0..sound.len() {
        let page = place as u64 / 512 + 1;
        // What stands in the header decides how all else is read, so each bit of it is tried.
        let flips: &[u8] = if place < 100 { &[1, 2, 4, 8, 16, 32, 64, 128, 255] } else { &[1 << (place % 8)] };
        for flip in flips {
            // In place: writing the whole file ten thousand times is slow on many disks.
            file.write_all_at(&[sound[place] ^ flip], place as u64).unwrap();
            match read(path) {
                Ok(seen) if seen == original => not_noticed.insert(page),
                Ok(seen) => panic!("byte {place}: a wrong answer: {seen:?}"),
                Err(error) => {
                    if let Some(named) = damaged_page(&error) {
                        assert_eq!(named, DamagedPage { file: path.canonicalize().unwrap(), page });
                    } else {
                        assert!(matches!(error, rusqlite::Error::InvalidQuery), "byte {place}: {error}");
                    }
                    noticed.insert(page)
                }
            };
        }
        file.write_all_at(&sound[place..=place], place as u64).unwrap();
    }
    assert!(noticed.is_disjoint(&not_noticed), "a flip in {noticed:?} was noticed at one byte and not at another");
    assert_eq!(noticed.len() + not_noticed.len(), usize::try_from(pages).unwrap());
    not_noticed
}

#[test]
fn a_flip_of_any_byte_is_an_error_that_names_the_page_or_changes_no_answer() {
    for (mode, read) in [("delete", read_all as fn(&Path) -> _), ("wal", immutable), ("wal", read_all)] {
        let (_folder, path) = small(mode);
        let original = read(&path).unwrap();
        let free = u64::from(pragma(&open(&path, READ_ONLY).unwrap(), "freelist_count"));
        // The first free page lists the others, which nobody reads.
        let not_read = unnoticed(&path, &original, read).len() as u64;
        assert_eq!(not_read, free - 1, "{mode}");
    }
}

#[test]
fn swapped_zeroed_and_old_pages_are_noticed() {
    let (_folder, path) = small("delete");
    let old = fs::read(&path).unwrap();
    open(&path, READ_WRITE).unwrap().execute_batch("UPDATE record SET status = 'open' WHERE id = 1").unwrap();
    let sound = fs::read(&path).unwrap();
    let original = read_all(&path).unwrap();
    let pages: Vec<&[u8]> = sound.chunks(512).collect();
    for first in 0..pages.len() {
        for second in 0..first {
            let mut swapped = pages.clone();
            swapped.swap(first, second);
            assert_harmless(&path, &swapped.concat(), &original);
        }
        let mut zeroed = pages.clone();
        zeroed[first] = &[0; 512];
        assert_harmless(&path, &zeroed.concat(), &original);
    }
    assert_ne!(old, sound);
}

fn assert_harmless(path: &Path, damaged: &[u8], original: &[String]) {
    fs::write(path, damaged).unwrap();
    if let Ok(seen) = read_all(path) {
        assert_eq!(seen, original);
    }
}

#[test]
fn a_truncated_file_is_noticed_with_and_without_a_log() {
    let (_folder, path) = small("delete");
    let sound = fs::read(&path).unwrap();
    let original = read_all(&path).unwrap();
    // The last page is a free one that nobody reads. An empty file is an empty database to `SQLite`: the tables are missed.
    for length in (0..sound.len()).step_by(64) {
        fs::write(&path, &sound[..length]).unwrap();
        match read_all(&path) {
            Ok(seen) => assert!(seen == original && length > sound.len() - 512, "{length} bytes"),
            Err(error) => assert!(page_of(&error).is_none_or(|page| page == length as u64 / 512 + 1)),
        }
    }

    let (folder, path) = small("wal");
    let mut writer = open(&path, READ_WRITE).unwrap();
    fill_more(&mut writer, 1);
    let log = |of: &Path| of.with_extension("sqlite-wal");
    let sound = fs::read(&path).unwrap();
    let original = everything(&writer).unwrap();
    for length in (1..sound.len()).step_by(64) {
        let copy = folder.path().join("copy.sqlite");
        fs::write(&copy, &sound[..length]).unwrap();
        fs::copy(log(&path), log(&copy)).unwrap();
        let _ = fs::remove_file(copy.with_extension("sqlite-shm"));
        let connection = open(&copy, READ_WRITE).unwrap();
        if let Ok(seen) = everything(&connection) {
            assert_eq!(seen, original, "{length} bytes");
        }
        drop(connection);
        // Closing folded the log into the file: what was lost must not look whole now.
        if let Ok(seen) = read_all(&copy) {
            assert_eq!(seen, original, "{length} bytes, folded");
        }
    }
}

#[test]
fn a_database_without_seals_is_refused_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    for reserved in [false, true] {
        let path = folder.path().join(format!("plain{reserved}.sqlite"));
        let plain = Connection::open(&path).unwrap();
        if reserved {
            let mut bytes: std::ffi::c_int = 8;
            // SAFETY: the argument of this operation is a pointer to such a number.
            unsafe { super::control(&plain, super::SQLITE_FCNTL_RESERVE_BYTES, &raw mut bytes) }.unwrap();
        }
        plain.execute_batch(SCHEMA).unwrap();
        plain.close().unwrap();
        let before = fs::read(&path).unwrap();
        assert_eq!(before[20], if reserved { 8 } else { 0 });
        let error = read_all(&path).unwrap_err();
        assert_eq!(error.sqlite_error().unwrap().extended_code, SQLITE_IOERR_DATA);
        assert_eq!(page_of(&error), Some(1));
        assert_eq!(page_of(&error), None, "it is told once");
        assert_eq!(page_of(&create(&path).unwrap_err()), Some(1));
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn what_is_attached_needs_seals_too() {
    let (folder, path) = small("delete");
    let connection = open(&path, READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).unwrap();
    connection.execute("ATTACH ?1 AS other", [folder.path().join("new.sqlite").to_str().unwrap()]).unwrap();
    connection.execute_batch("CREATE TABLE other.t (x)").unwrap_err();
    connection.execute_batch("CREATE TEMP TABLE passing AS SELECT * FROM record").unwrap();
    everything(&connection).unwrap();
}

#[test]
fn no_map_and_no_other_layer_goes_around_the_checks() {
    let (_folder, path) = small("delete");
    let connection = open(&path, READ_WRITE).unwrap();
    let mapped: i64 = connection.query_one("PRAGMA mmap_size = 1000000", [], |row| row.get(0)).unwrap();
    assert_eq!(mapped, 0);
    let uri = format!("file:{}?vfs=unix", path.display());
    let error = open(uri, READ_ONLY | OpenFlags::SQLITE_OPEN_URI).unwrap_err();
    assert!(error.to_string().contains("VFS"), "{error}");
}

#[test]
fn a_missing_database_is_not_made_by_opening() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(folder.path().join("none.sqlite"), READ_WRITE).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::CannotOpen));
    assert_eq!(damaged_page(&error), None);
}

/// Prints what the checks cost: `cargo test --release -p porism-native -- --ignored --nocapture what_the_checks_cost`.
#[test]
#[ignore = "a measurement, not a test"]
fn what_the_checks_cost() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..5 {
        for (name, checked) in [("plain", false), ("checked", true)] {
            let path = folder.path().join(format!("{name}{round}.sqlite"));
            let mut connection = if checked { create(&path) } else { Connection::open(&path) }.unwrap();
            connection.execute_batch("PRAGMA journal_mode = wal; PRAGMA synchronous = normal").unwrap();
            connection.execute_batch(SCHEMA).unwrap();
            let start = Instant::now();
            let transaction = connection.transaction().unwrap();
            {
                let mut insert =
                    transaction.prepare("INSERT INTO record (name, status) VALUES (?1, 'proved')").unwrap();
                for row in 0..100_000_u32 {
                    insert.execute([format!("name of record {}", row.wrapping_mul(2_654_435_761))]).unwrap();
                }
            }
            transaction.commit().unwrap();
            let inserted = start.elapsed();
            connection.close().unwrap();
            let closed = start.elapsed().saturating_sub(inserted);

            let scan = || {
                let start = Instant::now();
                let flags = READ_ONLY;
                let connection =
                    if checked { open(&path, flags) } else { Connection::open_with_flags(&path, flags) }.unwrap();
                let sum: i64 = connection
                    .query_one("SELECT sum(length(name) + id) FROM record NOT INDEXED", [], |row| row.get(0))
                    .unwrap();
                assert!(sum > 0);
                start.elapsed()
            };
            let scanned = (0..10).map(|_| scan()).min().unwrap();
            let size = fs::metadata(&path).unwrap().len();
            println!("{name:8} insert {inserted:?}, close {closed:?}, scan {scanned:?}, {size} bytes");
        }
    }
}
