//! The catalog: an `SQLite` file that says what the memory holds. It alone decides what is committed.

use std::io;
use std::path::Path;
use std::time::Duration;

use porism_native::sqlite;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::durability::Durability;
use super::error::{CATALOG, MemoryError, Result};
use super::transaction::WriteTransaction;

/// The number of the format that is described here and in `docs/format.md`.
pub(super) const FORMAT: u32 = 2;
/// `porm` in ASCII: how a catalog is told from another program's database.
const APPLICATION: u32 = 0x706f_726d;

/// The tables. STRICT, so that a value of a wrong type is an error when it is written, not when it is read.
const SCHEMA: &str = "
CREATE TABLE memory (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    embedder TEXT NOT NULL,
    dimension INTEGER NOT NULL CHECK (dimension > 0),
    rows INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL DEFAULT 0,
    -- The number of the file of rows: compaction writes a new one.
    segment INTEGER NOT NULL DEFAULT 1,
    -- The oldest generation that can still be seen.
    horizon INTEGER NOT NULL DEFAULT 0,
    -- Records up to this number are in the full-text index.
    indexed INTEGER NOT NULL DEFAULT 0,
    -- Rows before this one are on the disk, whatever happens.
    synced_rows INTEGER NOT NULL DEFAULT 0,
    -- The numbers of what comes next: none is used twice. They stand here because this row is written by every commit.
    next_record INTEGER NOT NULL DEFAULT 1,
    next_evidence INTEGER NOT NULL DEFAULT 1,
    next_event INTEGER NOT NULL DEFAULT 1,
    -- What the files of rows carry too, so that those of another memory are told.
    identity BLOB NOT NULL CHECK (length(identity) = 16)
) STRICT;

CREATE TABLE record (
    -- The number. Rows are in the order of numbers.
    id INTEGER PRIMARY KEY,
    row INTEGER NOT NULL,
    row_checksum INTEGER NOT NULL,
    -- Generations: from the first on the record is seen, from the second on no more.
    born INTEGER NOT NULL,
    died INTEGER,
    merged_into INTEGER REFERENCES record (id),
    created_ms INTEGER NOT NULL,
    inserts INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    key BLOB NOT NULL CHECK (length(key) = 32),
    -- What can be long stands last: what is before it is read without it.
    name TEXT,
    namespace TEXT NOT NULL,
    source TEXT,
    statement TEXT NOT NULL
) STRICT;
-- One record for one statement under one name: NULL names would all be different from each other.
CREATE UNIQUE INDEX record_identity ON record (key, namespace, ifnull(name, ''));
CREATE INDEX record_name ON record (name) WHERE name IS NOT NULL;
CREATE INDEX record_source ON record (source) WHERE source IS NOT NULL;
CREATE INDEX record_died ON record (died, row) WHERE died IS NOT NULL;
CREATE INDEX record_merged ON record (merged_into) WHERE merged_into IS NOT NULL;

-- Of 1,024 rows each: the numbers of their records and their checksums, so that readers need not read the records for them.
CREATE TABLE row_block (
    block INTEGER PRIMARY KEY,
    entries BLOB NOT NULL
) STRICT;

-- Rows that may not be on the disk yet, from `memory.synced_rows` on: row n in slot n % 64. The others are left from before.
CREATE TABLE pending_row (
    slot INTEGER PRIMARY KEY,
    row INTEGER NOT NULL,
    vector BLOB NOT NULL
) STRICT;

CREATE TABLE evidence (
    id INTEGER PRIMARY KEY,
    goal INTEGER NOT NULL REFERENCES record (id),
    verdict TEXT NOT NULL,
    prover TEXT NOT NULL,
    prover_version TEXT NOT NULL,
    label TEXT NOT NULL,
    seconds REAL NOT NULL,
    reprover TEXT,
    reprover_version TEXT,
    claim_hash TEXT,
    certificate_hash TEXT,
    checker TEXT,
    checker_version TEXT,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX evidence_goal ON evidence (goal);

CREATE TABLE evidence_premise (
    evidence INTEGER NOT NULL REFERENCES evidence (id),
    record INTEGER NOT NULL REFERENCES record (id),
    PRIMARY KEY (evidence, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_premise_record ON evidence_premise (record);

CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    goal INTEGER NOT NULL REFERENCES record (id),
    snapshot INTEGER NOT NULL,
    policy TEXT NOT NULL,
    seed INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE candidate (
    event INTEGER NOT NULL REFERENCES event (id),
    rank INTEGER NOT NULL,
    -- No reference: what was shown stays known when the record has been compacted away.
    record INTEGER NOT NULL,
    score REAL NOT NULL,
    slot INTEGER,
    propensity REAL NOT NULL CHECK (propensity > 0 AND propensity <= 1),
    PRIMARY KEY (event, rank)
) STRICT, WITHOUT ROWID;

CREATE TABLE settlement (
    event INTEGER PRIMARY KEY REFERENCES event (id),
    verdict TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    seconds REAL NOT NULL,
    evidence INTEGER REFERENCES evidence (id),
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE settlement_used (
    event INTEGER NOT NULL REFERENCES settlement (event),
    record INTEGER NOT NULL,
    PRIMARY KEY (event, record)
) STRICT, WITHOUT ROWID;

-- What happened to records after they were inserted.
CREATE TABLE change (
    id INTEGER PRIMARY KEY,
    record INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX change_record ON change (record, generation);

CREATE TABLE snapshot (
    name TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Words, and symbols with their walks; the statements themselves stand in `record`.
CREATE VIRTUAL TABLE words USING fts5 (statement, features, content = '', contentless_delete = 1, tokenize = 'unicode61');
";

/// The one row of the table `memory`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) embedder: String,
    pub(super) dimension: u32,
    pub(super) rows: u64,
    pub(super) generation: i64,
    /// The number of the file of rows.
    pub(super) segment: u32,
    /// The oldest generation that can still be seen.
    pub(super) horizon: i64,
    /// How many rows are surely on the disk; only commits of durability `power` count them.
    pub(super) synced_rows: u64,
    /// The number of the next record.
    pub(super) next_record: i64,
    /// What every file of this memory carries.
    pub(super) identity: Identity,
}

/// A random number that tells memories apart.
pub(super) type Identity = [u8; 16];

/// Writes an empty catalog into `directory`.
pub(super) fn create(directory: &Path, embedder: &str, dimension: u32) -> Result<State> {
    let connection = create_empty(&directory.join(CATALOG))?;
    connection.execute(
        "INSERT INTO memory (one, embedder, dimension, identity) VALUES (1, ?1, ?2, randomblob(16))",
        (embedder, dimension),
    )?;
    let state = state(&connection)?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(state)
}

/// Writes a catalog with all its tables, and nothing in them, to `path`.
///
/// Nothing is synced: whoever makes it syncs the whole file, once, before it gets its name.
pub(super) fn create_empty(path: &Path) -> Result<Connection> {
    let mut connection = sqlite::create(path)?;
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.commit()?;
    Ok(connection)
}

/// The format of the catalog in `directory`, from the header of its file: only the present one can be opened.
pub(super) fn format(directory: &Path) -> Result<u32> {
    let mut header = [0; 72];
    if !sqlite::read_header(&directory.join(CATALOG), &mut header)? {
        return Err(MemoryError::damaged(CATALOG, "its header", "the file ends within it"));
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(MemoryError::damaged(CATALOG, "byte 0", "it does not begin as a catalog"));
    }
    // The database file format, section 1.3: numbers in the header are big-endian.
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if number(68) != APPLICATION {
        let reason = format!("{CATALOG} belongs to application {:#x}, a memory's to {APPLICATION:#x}", number(68));
        return Err(MemoryError::NotAMemory { path: directory.into(), reason });
    }
    Ok(number(60))
}

fn check_format(directory: &Path) -> Result<()> {
    match format(directory)? {
        FORMAT => Ok(()),
        found @ 1 => Err(MemoryError::OldFormat { path: directory.into(), found, current: FORMAT }),
        found if found > FORMAT => Err(MemoryError::Format { path: directory.into(), found, supported: FORMAT }),
        found => Err(MemoryError::damaged(CATALOG, "its header", format!("format {found} was never written"))),
    }
}

/// Opens the catalog in `directory` for reading.
///
/// Even a reader opens the file for writing if it can: the first one after a crash has to recover the log.
///
/// The answer is also whether others may write it meanwhile.
pub(super) fn open_reader(directory: &Path, read_only: bool, timeout: Duration) -> Result<(Connection, bool)> {
    check_format(directory)?;
    let mode = if read_only { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
    let opened = open(directory, mode, timeout).and_then(|connection| {
        state(&connection)?;
        Ok(connection)
    });
    let (connection, shared) = match opened {
        // Readers of a log need a file of shared memory beside it, which a read-only directory cannot take. Without a log
        // nobody is writing, and the catalog alone is the whole truth.
        Err(MemoryError::Io { .. }) if !has_log(directory)? => (open_immutable(directory, timeout)?, false),
        other => (other?, true),
    };
    // The log is folded by who writes, after the rows that it names were synced; a reader would not know of them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok((connection, shared))
}

/// Lets a reader clear away a log in which there is nothing, if it is the last to close.
pub(super) fn clear_log_on_close(connection: &Connection) -> Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

/// How many pages the log may have before `SQLite` itself folds it into the catalog. The writer does so earlier, after it has synced
/// the rows; this bounds the log of a single large write.
const LOG_PAGES: u32 = 100_000;

/// How much of the catalog a writer keeps at hand: keys are hashes, so each insert looks at another page of their index. It is taken
/// as it is needed.
const WRITER_CACHE_KIB: i64 = 64 << 10;

/// Opens the catalog in `directory` for writing.
pub(super) fn open_writer(directory: &Path, durability: Durability, timeout: Duration) -> Result<Connection> {
    let connection = open(directory, OpenFlags::SQLITE_OPEN_READ_WRITE, timeout)?;
    let synchronous = match durability {
        // The log is synced before it is folded, so the catalog is whole at every moment.
        Durability::Process | Durability::None => "normal",
        Durability::Power => "full",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Folds the log into the catalog, as far as no reader needs it; what other processes do meanwhile is not waited for.
pub(super) fn fold_log(connection: &Connection, truncate: bool) -> Result<()> {
    let mode = if truncate { "TRUNCATE" } else { "PASSIVE" };
    Ok(connection.query_one(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))?)
}

fn open(directory: &Path, mode: OpenFlags, timeout: Duration) -> Result<Connection> {
    let connection = sqlite::open(directory.join(CATALOG), mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(timeout)?;
    Ok(connection)
}

fn open_immutable(directory: &Path, timeout: Duration) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = sqlite::open(immutable_uri(&directory.join(CATALOG)), flags)?;
    connection.busy_timeout(timeout)?;
    Ok(connection)
}

/// The URI of `path` for a database of another format.
pub(super) fn plain_uri(path: &Path) -> String {
    uri(path, "mode=ro&vfs=unix")
}

pub(crate) fn immutable_uri(path: &Path) -> String {
    uri(path, "immutable=1")
}

/// The URI of `path`, with everything escaped that could mean something else in it.
fn uri(path: &Path, parameters: &str) -> String {
    use std::fmt::Write;

    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => uri.push(char::from(byte)),
            other => write!(uri, "%{other:02x}").expect("a string takes any text"),
        }
    }
    uri.push('?');
    uri.push_str(parameters);
    uri
}

/// Whether there are commits that the catalog does not hold yet.
pub(super) fn has_log(directory: &Path) -> Result<bool> {
    match directory.join(format!("{CATALOG}-wal")).metadata() {
        Ok(log) => Ok(log.len() > 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(MemoryError::io(CATALOG, "look for its log", &error)),
    }
}

/// Reads what the memory is and how much of it is committed.
pub(super) fn state(connection: &Connection) -> Result<State> {
    let mut statement = connection.prepare_cached(
        "SELECT embedder, dimension, rows, generation, segment, horizon, synced_rows, next_record, identity FROM memory",
    )?;
    Ok(statement.query_one([], |row| {
        Ok(State {
            embedder: row.get(0)?,
            dimension: row.get(1)?,
            rows: count(row, 2)?,
            generation: row.get(3)?,
            segment: row.get(4)?,
            horizon: row.get(5)?,
            synced_rows: count(row, 6)?,
            next_record: row.get(7)?,
            identity: row.get(8)?,
        })
    })?)
}

/// A count from column `index`: `SQLite` has only signed numbers, and a negative count is damage.
pub(super) fn count(row: &rusqlite::Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let stored: i64 = row.get(index)?;
    u64::try_from(stored).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, stored))
}

/// Begins a read: everything read through it is of one generation. It blocks nobody and is blocked by nobody.
pub(super) fn begin_read(connection: &mut Connection) -> Result<Transaction<'_>> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Deferred)?)
}

/// Commits a write as the next generation, with as many rows and records as `state` says.
pub(super) fn commit(transaction: WriteTransaction<'_>, state: &State) -> Result<()> {
    transaction
        .prepare_cached("UPDATE memory SET generation = generation + 1, rows = ?1, synced_rows = ?2, next_record = ?3")?
        .execute([signed(state.rows), signed(state.synced_rows), state.next_record])?;
    transaction.commit()
}

/// Takes the number of the next piece of evidence (`next_evidence`) or event (`next_event`).
pub(super) fn take_number(transaction: &Connection, of: &str) -> Result<i64> {
    let mut statement = transaction.prepare_cached(&format!("UPDATE memory SET {of} = {of} + 1 RETURNING {of} - 1"))?;
    Ok(statement.query_one([], |row| row.get(0))?)
}

/// The numbers of the next piece of evidence and of the next event.
pub(super) fn next_numbers(connection: &Connection) -> Result<(i64, i64)> {
    Ok(connection
        .query_one("SELECT next_evidence, next_event FROM memory", [], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// A count as `SQLite` stores it. No disk holds so many rows that it would saturate.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// `numbers` as the one parameter of a query that takes any number of them, through `json_each`.
pub(super) fn list(numbers: impl IntoIterator<Item = i64>) -> String {
    let numbers: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
    format!("[{}]", numbers.join(","))
}

/// The version of `SQLite` that is built in.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_smuggle_parameters_into_the_uri() {
        assert_eq!(immutable_uri(Path::new("/a b?mode=rw#%/c")), "file:/a%20b%3fmode%3drw%23%25/c?immutable=1");
    }

    #[test]
    fn a_list_is_json() {
        assert_eq!(list([1, -2]), "[1,-2]");
        assert_eq!(list([]), "[]");
    }
}
