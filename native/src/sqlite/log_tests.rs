//! A log whose frames are gathered, under the real `SQLite`: at every moment, what is committed is in the files.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::create;

/// The rows that a program without our layer finds in a copy of the files, as a kill at this moment would leave them.
fn left_behind(path: &Path) -> Vec<(i64, String)> {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.sqlite");
    fs::copy(path, &copy).unwrap();
    fs::copy(path.with_extension("sqlite-wal"), copy.with_extension("sqlite-wal")).unwrap();
    let connection = Connection::open(copy).unwrap();
    let sound: String = connection.query_one("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    rows(&connection)
}

fn rows(connection: &Connection) -> Vec<(i64, String)> {
    let mut statement = connection.prepare("SELECT id, body FROM t ORDER BY id").unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

/// Small numbers that look random.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn writer(path: &Path, synchronous: &str) -> Connection {
    let connection = create(path).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.pragma_update(None, "synchronous", synchronous).unwrap();
    // Changes outgrow so small a cache, and their frames are written and rewritten before the commit.
    connection.pragma_update(None, "cache_size", 3).unwrap();
    connection.pragma_update(None, "wal_autocheckpoint", 40).unwrap();
    connection
}

#[test]
fn writers_that_take_turns_and_give_up_leave_what_was_committed() {
    for (seed, synchronous) in (1..).zip(["normal", "full", "normal", "full"]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("turns.sqlite");
        let writers = [writer(&path, synchronous), writer(&path, synchronous)];
        writers[0].execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT").unwrap();
        writers[0].execute_batch("CREATE INDEX t_body ON t (body)").unwrap();
        let mut chance = Chance(seed);
        for _ in 0..25 {
            let connection = &writers[usize::try_from(chance.below(2)).unwrap()];
            let before = rows(connection);
            connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            for _ in 0..=chance.below(4) * chance.below(20) {
                change(connection, &mut chance);
            }
            if chance.below(3) == 0 {
                connection.execute_batch("SAVEPOINT s").unwrap();
                (0..chance.below(60)).for_each(|_| change(connection, &mut chance));
                connection.execute_batch("ROLLBACK TO s").unwrap();
            }
            let under_way = rows(connection);
            assert_eq!(left_behind(&path), before, "nobody sees a change before its commit");
            if chance.below(3) == 0 {
                connection.execute_batch("ROLLBACK").unwrap();
                assert_eq!(left_behind(&path), before);
            } else {
                connection.execute_batch("COMMIT").unwrap();
                assert_eq!(left_behind(&path), under_way);
            }
        }
        let seen = rows(&writers[0]);
        assert_eq!(seen, rows(&writers[1]));
        drop(writers);
        assert_eq!(rows(&Connection::open(&path).unwrap()), seen);
    }
}

fn change(connection: &Connection, chance: &mut Chance) {
    let body = format!("{:0>1$}", chance.below(1 << 20), usize::try_from(chance.below(900)).unwrap());
    let id = i64::try_from(chance.below(300)).unwrap();
    connection.execute("INSERT OR REPLACE INTO t VALUES (?1, ?2)", (id, body)).unwrap();
}

#[test]
fn behind_commits_that_are_synced_the_log_has_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("room.sqlite");
    let connection = writer(&path, "full");
    connection.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT").unwrap();
    connection.execute_batch("CREATE INDEX t_body ON t (body)").unwrap();
    let insert = |id: i64| connection.execute("INSERT INTO t VALUES (?1, 'x')", [id]).unwrap();
    let length = || fs::metadata(path.with_extension("sqlite-wal")).unwrap().len();
    insert(1);
    let before = length();
    (2..9).for_each(|id| assert_eq!((insert(id), length()), (1, before)));
    assert_eq!(left_behind(&path).len(), 8);
}
