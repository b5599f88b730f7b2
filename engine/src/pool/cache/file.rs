//! The file: making it, telling whether it is one, and beginning anew where it is damaged.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use porism_native::sqlite;
use rusqlite::Connection;

use super::error::{CacheError, Result};
use crate::memory::{sync_directory, sync_file};

/// The number of the format that is described here.
pub(super) const FORMAT: u32 = 1;
/// `porv` in ASCII: how a cache is told from another program's database, and from a memory.
const APPLICATION: u32 = 0x706f_7276;

/// The tables and indexes, as `SQLite` keeps them: what is found in a file is compared with this.
pub(super) const SCHEMA: [&str; 4] = [
    "CREATE TABLE cache (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        identity BLOB NOT NULL CHECK (length(identity) = 16)
    ) STRICT",
    "CREATE TABLE entry (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL CHECK (length(key) = 32),
        place INTEGER NOT NULL,
        -- The minute of the last use, about.
        used INTEGER NOT NULL,
        seal BLOB NOT NULL CHECK (length(seal) = 32),
        body BLOB NOT NULL
    ) STRICT",
    "CREATE UNIQUE INDEX entry_key ON entry (key, place)",
    // Those of one minute are in the order of their numbers.
    "CREATE INDEX entry_used ON entry (used)",
];

/// Holds the folder of a cache while it is opened, made or replaced: who replaces a file must not meet who opens it, because `SQLite`
/// finds the log of a file by name.
#[derive(Debug)]
pub(super) struct Hold(#[expect(dead_code, reason = "held until it is dropped")] Option<File>);

impl Hold {
    /// Together with others who open, or alone.
    pub(super) fn take(path: &Path, alone: bool, timeout: Duration) -> Result<Self> {
        let folder = parent(path);
        let file = File::open(folder).map_err(|error| CacheError::io(folder, "open the folder", &error))?;
        let start = Instant::now();
        loop {
            match if alone { file.try_lock() } else { file.try_lock_shared() } {
                Ok(()) => return Ok(Self(Some(file))),
                Err(TryLockError::WouldBlock) if start.elapsed() < timeout => thread::sleep(Duration::from_millis(2)),
                Err(TryLockError::WouldBlock) => {
                    return Err(CacheError::Locked { path: path.into(), waited: timeout });
                }
                // A disk without such locks: then two must not begin anew at the same moment.
                Err(TryLockError::Error(_)) => return Ok(Self(None)),
            }
        }
    }
}

/// Whether anything is at `path`.
pub(super) fn exists(path: &Path) -> Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(CacheError::io(path, "look at the path", &error)),
    }
}

/// Puts an empty cache at `path`, which nobody else does meanwhile: see [`Hold`]. Half of one is never seen.
pub(super) fn make(path: &Path) -> Result<()> {
    let Some(name) = path.file_name() else {
        return Err(CacheError::Input(format!("{} does not name a file", path.display())));
    };
    let mut draft = OsString::from(".");
    draft.push(name);
    draft.push(format!(".{}", std::process::id()));
    let draft = path.with_file_name(draft);
    let made = remove_with_log(&draft).and_then(|()| write_empty(&draft)).and_then(|()| {
        // The log of a file that is gone would be taken for that of the new one.
        remove_with_log(path)?;
        fs::rename(&draft, path)
            .and_then(|()| sync_directory(parent(path)))
            .map_err(|error| CacheError::io(path, "make the cache", &error))
    });
    if made.is_err() {
        // What failed is reported; that its remains could not be removed adds nothing.
        let _ = remove_with_log(&draft);
    }
    made
}

fn write_empty(draft: &Path) -> Result<()> {
    let write = || -> Result<()> {
        let mut connection = sqlite::create(draft)?;
        connection.pragma_update(None, "synchronous", "off")?;
        connection.pragma_update(None, "application_id", APPLICATION)?;
        connection.pragma_update(None, "user_version", FORMAT)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        let transaction = connection.transaction()?;
        SCHEMA.iter().try_for_each(|statement| transaction.execute_batch(statement))?;
        transaction.execute("INSERT INTO cache (one, identity) VALUES (1, randomblob(16))", [])?;
        transaction.commit()?;
        connection.close().map_err(|(_, error)| error)?;
        sync_file(draft).map_err(|error| CacheError::io(draft, "write the cache", &error))
    };
    write().map_err(|error| error.within(draft, Duration::ZERO))
}

/// Removes the file and what `SQLite` keeps beside it, the file first: without it, nobody takes the rest for anything.
fn remove_with_log(path: &Path) -> Result<()> {
    for beside in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(beside);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(CacheError::io(&PathBuf::from(name), "remove the file", &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// An error that says what is at `path` if that is no cache of this format.
pub(super) fn check_header(path: &Path) -> Result<()> {
    let not_a_cache = |reason: String| Err(CacheError::NotACache { path: path.into(), reason });
    if !exists(path)? {
        return not_a_cache("nothing is there".into());
    }
    if !path.is_file() {
        return not_a_cache("it is no file".into());
    }
    let mut header = [0; 72];
    if !sqlite::read_header(path, &mut header).map_err(|error| CacheError::from(error).within(path, Duration::ZERO))? {
        return not_a_cache("it is too short".into());
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return not_a_cache("it does not begin as one".into());
    }
    // The database file format, section 1.3: numbers in the header are big-endian.
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if number(68) != APPLICATION {
        return not_a_cache(format!("it belongs to application {:#x}, a cache to {APPLICATION:#x}", number(68)));
    }
    match number(60) {
        FORMAT => Ok(()),
        found => Err(CacheError::Format { path: path.into(), found, current: FORMAT }),
    }
}

/// An error if the file has other tables, views or triggers than it was made with.
pub(super) fn check_schema(connection: &Connection) -> Result<()> {
    let mut statement = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY rowid LIMIT 5")?;
    let found = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    if found == SCHEMA { Ok(()) } else { Err(CacheError::damaged("its schema", "it is not that of a cache")) }
}

/// Where the file is.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
