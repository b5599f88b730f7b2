//! The entries on disk.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use porism_native::sqlite;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::Options;
use super::error::{CacheError, Result};
use super::file::{self, Hold};
use super::key::CacheKey;
use super::row::{self, Identity, MAX_ENTRY_BYTES, Row};
use super::rules::{Entry, Merge, Place};
use crate::memory::immutable_uri;

/// So many connections for reading are kept for the next threads; more of them are closed after use.
const IDLE_READERS: usize = 8;
/// So many entries are removed at once when there is no room.
const EVICTED_AT_ONCE: u32 = 64;
/// So often at most, in one write. A budget that was lowered is reached over several writes.
const EVICTIONS: u32 = 32;
/// What the tree of a file and its indexes may take beside an entry, in pages.
const PAGES_BESIDE: u64 = 8;
/// The log is cut to this when it begins anew.
const LOG_BYTES: u32 = 4 << 20;
/// So long the last one who closes a file waits for those who open or replace it, before it leaves its log behind.
const CLOSE_WAIT: Duration = Duration::from_millis(200);
/// No more places than this exist under one key.
const PLACES: u8 = 6;

/// An entry that was read, and the minute of its last use as the file has it.
pub(super) type Found = (Entry, i64);

/// What a write did.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) merge: Merge,
    /// All that stands under the key now.
    pub(super) entries: Vec<Entry>,
    /// How many entries made room.
    pub(super) evicted: u64,
}

/// The file, and who reads and writes it.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    /// The number of the file, which one that takes its place does not have.
    number: Option<u64>,
    timeout: Duration,
    budget_bytes: u64,
    pub(super) identity: Identity,
    /// Nobody writes while it is open, nor leaves a log: a cache on a disk that is read-only.
    immutable: bool,
    process: u32,
    /// `None`: read-only.
    writer: Option<Mutex<Connection>>,
    readers: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens the cache at `path`, and makes it if there is none and `options` say so.
    pub(super) fn open(path: &Path, options: &Options) -> Result<Self> {
        let mut hold = Hold::take(path, false, options.timeout)?;
        if options.create && !options.read_only && !file::exists(path)? {
            drop(hold);
            hold = Hold::take(path, true, options.timeout)?;
            if !file::exists(path)? {
                file::make(path)?;
            }
        }
        let opened = Self::open_existing(path, options);
        drop(hold);
        opened
    }

    /// Puts an empty cache in the place of `damaged`, unless somebody else has done so.
    pub(super) fn begin_anew(path: &Path, options: &Options, damaged: Option<u64>) -> Result<()> {
        let _hold = Hold::take(path, true, options.timeout)?;
        if number_of(path) == damaged { file::make(path) } else { Ok(()) }
    }

    fn open_existing(path: &Path, options: &Options) -> Result<Self> {
        file::check_header(path)?;
        let open = || -> Result<Self> {
            let (reader, immutable) = open_reader(path, options)?;
            file::check_schema(&reader)?;
            let writer = if options.read_only { None } else { Some(Mutex::new(open_writer(path, options)?)) };
            Ok(Self {
                path: path.into(),
                number: number_of(path),
                timeout: options.timeout,
                budget_bytes: options.budget_bytes,
                identity: identity(&reader)?,
                immutable,
                process: std::process::id(),
                writer,
                readers: Mutex::new(vec![reader]),
            })
        };
        open().map_err(|error| error.within(path, options.timeout))
    }

    /// All that stands under `key`.
    pub(super) fn read(&self, key: &CacheKey) -> Result<Vec<Found>> {
        self.reading(|connection| self.entries(connection, key))
    }

    /// Keeps `entry` at `place` under `key` as its merge with what is there demands, and notes the uses in `touched`.
    pub(super) fn write(
        &self,
        key: &CacheKey,
        place: Place,
        entry: Entry,
        now: i64,
        touched: &[CacheKey],
    ) -> Result<Option<Written>> {
        let Some(row) = Row::write(&self.identity, key, place, &entry) else { return Ok(None) };
        if row.body.len() as u64 > self.budget_bytes / 8 {
            return Ok(None);
        }
        self.writing(|connection| {
            touch(connection, now, touched)?;
            let mut entries: Vec<Entry> = self.entries(connection, key)?.into_iter().map(|(entry, _)| entry).collect();
            let stored = entries.iter().position(|stored| stored.place() == Some(place));
            let merge = stored.map_or(Merge::Write, |at| entries[at].merge(&entry));
            let mut evicted = 0;
            if merge != Merge::Keep {
                connection
                    .prepare_cached("DELETE FROM entry WHERE key = ?1 AND place = ?2")?
                    .execute((key.0, place.number()))?;
                stored.map(|at| entries.swap_remove(at));
            }
            if merge == Merge::Write {
                evicted = self.make_room(connection, row.body.len() as u64)?;
                connection
                    .prepare_cached("INSERT INTO entry (key, place, used, seal, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
                    .execute((key.0, place.number(), now, row.seal, &row.body))?;
                entries.push(entry);
            }
            Ok(Some(Written { merge, entries, evicted }))
        })
    }

    /// Removes all that stands under `key`.
    pub(super) fn remove(&self, key: &CacheKey) -> Result<bool> {
        self.writing(|connection| Ok(connection.execute("DELETE FROM entry WHERE key = ?1", [key.0])? > 0))
    }

    /// Notes the uses in `touched`, unless somebody else is writing: they are worth no wait, and no error.
    pub(super) fn touch(&self, now: i64, touched: &[CacheKey]) {
        let Some(Ok(mut connection)) = self.writer.as_ref().map(Mutex::try_lock) else { return };
        if self.check_process().is_err() {
            return;
        }
        let note = |connection: &mut Connection| -> Result<()> {
            connection.busy_timeout(Duration::ZERO)?;
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            touch(&transaction, now, touched)?;
            Ok(transaction.commit()?)
        };
        let _ = note(&mut connection);
        let _ = connection.busy_timeout(self.timeout);
    }

    /// How many entries there are, and how many bytes of the file are in use.
    pub(super) fn size(&self) -> Result<(u64, u64)> {
        self.reading(|connection| {
            let entries: i64 = connection.query_one("SELECT count(*) FROM entry", [], |row| row.get(0))?;
            Ok((entries.unsigned_abs(), used_bytes(connection)?))
        })
    }

    /// Reads everything; returns how many entries there are.
    pub(super) fn verify(&self) -> Result<u64> {
        self.reading(|connection| {
            let found: String = connection.query_one("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
            if found != "ok" {
                return Err(CacheError::damaged("its tables", found));
            }
            let (mut statement, mut count) = (connection.prepare("SELECT key FROM entry ORDER BY key")?, 0);
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                // Twice for a key with two entries, which are few.
                self.entries(connection, &CacheKey(row.get(0)?))?;
                count += 1;
            }
            Ok(count)
        })
    }

    fn entries(&self, connection: &Connection, key: &CacheKey) -> Result<Vec<Found>> {
        // What is too long was not written here, and is not read into memory.
        let mut statement = connection.prepare_cached(
            "SELECT place, used, seal, CASE WHEN length(body) <= ?2 THEN body ELSE x'' END FROM entry WHERE key = ?1 LIMIT ?3",
        )?;
        let mut rows = statement.query((key.0, MAX_ENTRY_BYTES, PLACES))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (place, used): (u8, i64) = (row.get(0)?, row.get(1)?);
            let as_blob = |column| row.get_ref(column).and_then(|value| Ok(value.as_blob()?));
            found.push((row::read(&self.identity, key, place, as_blob(3)?, as_blob(2)?)?, used));
        }
        Ok(found)
    }

    /// Removes the entries that were used least recently until `bytes` more have room; returns how many.
    fn make_room(&self, connection: &Connection, bytes: u64) -> Result<u64> {
        let page: u64 = number(connection, "page_size")?;
        let wanted = bytes + PAGES_BESIDE * page;
        let mut evicted = 0;
        for _ in 0..EVICTIONS {
            if used_bytes(connection)? + wanted <= self.budget_bytes {
                break;
            }
            let removed = connection
                .prepare_cached("DELETE FROM entry WHERE id IN (SELECT id FROM entry ORDER BY used, id LIMIT ?1)")?
                .execute([EVICTED_AT_ONCE])?;
            evicted += removed as u64;
            if removed == 0 {
                break;
            }
        }
        Ok(evicted)
    }

    fn writing<T>(&self, action: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.check_process()?;
        let Some(writer) = &self.writer else {
            let reason = "it was opened read-only".to_owned();
            return Err(CacheError::Io { path: self.path.clone(), action: "write the cache", reason });
        };
        let act = || {
            let mut connection = lock(writer);
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = action(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        act().map_err(|error: CacheError| error.within(&self.path, self.timeout))
    }

    fn reading<T>(&self, action: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.check_process()?;
        let idle = lock(&self.readers).pop();
        let act = || {
            let connection = idle.map_or_else(|| self.another_reader(), Ok)?;
            let done = action(&connection)?;
            let mut readers = lock(&self.readers);
            if readers.len() < IDLE_READERS {
                readers.push(connection);
            }
            Ok(done)
        };
        act().map_err(|error: CacheError| error.within(&self.path, self.timeout))
    }

    fn another_reader(&self) -> Result<Connection> {
        let connection = if self.immutable {
            open_immutable(&self.path)?
        } else {
            let _hold = Hold::take(&self.path, false, self.timeout)?;
            open_shared(&self.path, self.writer.is_none(), self.timeout)?
        };
        if identity(&connection)? == self.identity {
            Ok(connection)
        } else {
            Err(CacheError::damaged("its identity", "another cache has taken its place: open it again"))
        }
    }

    /// `SQLite` must not be used on the other side of a fork.
    fn check_process(&self) -> Result<()> {
        if std::process::id() == self.process {
            Ok(())
        } else {
            Err(CacheError::Input("a cache does not survive a fork: open it in the child process".into()))
        }
    }
}

impl Drop for Store {
    /// Clears the log away, if nobody else needs it.
    fn drop(&mut self) {
        // `SQLite` removes a log by name. Where another file has taken the place of this one, that would be the log of the other.
        let hold = Hold::take(&self.path, false, CLOSE_WAIT);
        if hold.is_err() || number_of(&self.path) != self.number || self.check_process().is_err() {
            return;
        }
        let writer = self.writer.take().map(|writer| writer.into_inner().unwrap_or_else(PoisonError::into_inner));
        for connection in lock(&self.readers).drain(..).chain(writer) {
            // A log that stays is read by the next one who opens the file.
            let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
            drop(connection);
        }
    }
}

/// The number of the file at `path`, which another file in its place does not have.
pub(super) fn number_of(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    path.metadata().ok().map(|metadata| metadata.ino())
}

/// Without the lock of a thread that panicked, there would be none: what it held is a connection, whose transaction was rolled back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The answer is also whether the file is taken as one that nobody changes.
fn open_reader(path: &Path, options: &Options) -> Result<(Connection, bool)> {
    let opened = open_shared(path, options.read_only, options.timeout).and_then(|connection| {
        identity(&connection)?;
        Ok(connection)
    });
    match opened {
        // Readers of a log need a file of shared memory beside it, which a read-only disk cannot take. Without a log the file is the
        // whole truth.
        Err(CacheError::Io { .. }) if options.read_only && !has_log(path) => Ok((open_immutable(path)?, true)),
        other => Ok((other?, false)),
    }
}

fn open_shared(path: &Path, read_only: bool, timeout: Duration) -> Result<Connection> {
    // Even a reader opens the file for writing if it can: the first one after a crash has to recover the log.
    let mode = if read_only { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
    let connection = sqlite::open(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(timeout)?;
    harden(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn open_immutable(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = sqlite::open(immutable_uri(path), flags)?;
    harden(&connection)?;
    Ok(connection)
}

fn open_writer(path: &Path, options: &Options) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = sqlite::open(path, flags)?;
    connection.busy_timeout(options.timeout)?;
    harden(&connection)?;
    // After a power cut the latest entries may be missing, which a cache may be.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    Ok(connection)
}

/// Nothing that a file says is run, and no log is removed unless [`Store`] has looked whose it is.
fn harden(connection: &Connection) -> Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Path::new(&log).metadata().is_ok_and(|log| log.len() > 0)
}

fn identity(connection: &Connection) -> Result<Identity> {
    Ok(connection.query_one("SELECT identity FROM cache", [], |row| row.get(0))?)
}

fn touch(connection: &Connection, now: i64, touched: &[CacheKey]) -> Result<()> {
    let mut statement = connection.prepare_cached("UPDATE entry SET used = ?2 WHERE key = ?1 AND used < ?2")?;
    for key in touched {
        statement.execute((key.0, now))?;
    }
    Ok(())
}

/// Bytes of the pages that hold something.
fn used_bytes(connection: &Connection) -> Result<u64> {
    let pages = number(connection, "page_count")?.saturating_sub(number(connection, "freelist_count")?);
    Ok(pages * number(connection, "page_size")?)
}

fn number(connection: &Connection, pragma: &str) -> Result<u64> {
    let mut statement = connection.prepare_cached(&format!("PRAGMA {pragma}"))?;
    let number: i64 = statement.query_one([], |row| row.get(0))?;
    u64::try_from(number).map_err(|_| CacheError::damaged("its header", format!("{pragma} is {number}")))
}
