//! Bringing a memory of an older format up to this one.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::blocks;
use super::catalog::{self, FORMAT, State};
use super::create;
use super::error::{CATALOG, MemoryError, Result};
use super::segment::{self, Segment};

const DRAFT: &str = "catalog.sqlite.upgrade";
/// The number of the file of rows of format 1, which is never compacted.
const OLD_SEGMENT: u32 = 1;

/// What a catalog of format 1 holds, as rows of format 2: all its records have been alive from its present generation on.
const FROM_1: &str = "
INSERT INTO memory (one, embedder, dimension, rows, generation, segment, horizon, next_record, next_evidence, next_event, identity)
    SELECT one, embedder, dimension, rows, generation, 2, generation,
        ifnull((SELECT seq FROM old.sqlite_sequence WHERE name = 'record'), 0) + 1,
        ifnull((SELECT seq FROM old.sqlite_sequence WHERE name = 'evidence'), 0) + 1,
        ifnull((SELECT seq FROM old.sqlite_sequence WHERE name = 'event'), 0) + 1,
        randomblob(16)
    FROM old.memory;
INSERT INTO record (id, kind, name, statement, source, namespace, key, status, created_ms, inserts, checksum, row, row_checksum, born)
    SELECT id, kind, name, statement, source, namespace, key, status, created_ms, inserts, checksum, row, row_checksum, generation
    FROM old.record, old.memory ORDER BY id;
INSERT INTO evidence SELECT * FROM old.evidence;
INSERT INTO evidence_premise SELECT * FROM old.evidence_premise;
INSERT INTO event SELECT * FROM old.event;
INSERT INTO candidate SELECT * FROM old.candidate;
INSERT INTO settlement SELECT * FROM old.settlement;
INSERT INTO settlement_used SELECT * FROM old.settlement_used;
";

/// Rewrites the catalog of the memory at `path` in the current format; returns the format that it had.
///
/// Nobody else may have the memory open. A new catalog is written beside the old one and then takes its place: a process that dies
/// in between leaves the old one.
pub fn upgrade(path: &Path) -> Result<u32> {
    create::check_directory(path)?;
    upgrade_catalog(path).map_err(|error| error.within(path, Duration::ZERO))
}

fn upgrade_catalog(path: &Path) -> Result<u32> {
    let found = catalog::format(path)?;
    if found == FORMAT {
        return Ok(found);
    }
    if found != 1 {
        return Err(MemoryError::Format { path: path.into(), found, supported: FORMAT });
    }
    close_log(path)?;
    let draft = path.join(DRAFT);
    let written = write_draft(path, &draft);
    if written.is_err() {
        // What failed is reported; that its remains could not be removed adds nothing.
        let _ = fs::remove_file(&draft);
    }
    written?;
    let replaced = fs::rename(&draft, path.join(CATALOG)).and_then(|()| create::sync_directory(path));
    replaced.map_err(|error| MemoryError::io(CATALOG, "replace the catalog", &error))?;
    let rows = path.join(segment::file_name(OLD_SEGMENT));
    fs::remove_file(&rows).map_err(|error| MemoryError::io(rows, "remove the old rows", &error))?;
    Ok(found)
}

/// Folds the log of the old catalog and does without one: this fails while anybody else has it open.
fn close_log(path: &Path) -> Result<()> {
    let old = Connection::open_with_flags(path.join(CATALOG), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    old.busy_timeout(Duration::ZERO)?;
    let mode: String = old.query_row("PRAGMA journal_mode = delete", [], |row| row.get(0))?;
    if mode != "delete" {
        return Err(MemoryError::Locked { path: CATALOG.into(), waited: Duration::ZERO });
    }
    Ok(())
}

fn write_draft(path: &Path, draft: &Path) -> Result<()> {
    if draft.exists() {
        fs::remove_file(draft).map_err(|error| MemoryError::io(draft, "remove what an upgrade left", &error))?;
    }
    let new = catalog::create_empty(draft)?;
    new.execute("ATTACH ?1 AS old", [catalog::plain_uri(&path.join(CATALOG))])?;
    new.execute_batch(&format!("BEGIN; {FROM_1} COMMIT; DETACH old;"))?;
    let state = catalog::state(&new)?;
    blocks::fill(&new, state.rows)?;
    copy_rows(path, &state)?;
    catalog::fold_log(&new, true)?;
    new.close().map_err(|(_, error)| error)?;
    create::sync_file(draft).map_err(|error| MemoryError::io(draft, "sync the catalog", &error))
}

/// Copies the rows of the old file behind a header of this format.
fn copy_rows(path: &Path, state: &State) -> Result<()> {
    let old = path.join(segment::file_name(OLD_SEGMENT));
    let copy = || -> std::io::Result<()> {
        let mut from = File::open(&old)?;
        from.seek(SeekFrom::Start(segment::HEADER_BYTES as u64))?;
        let mut to = Segment::create(path, state.segment, state.dimension, &state.identity)?;
        std::io::copy(&mut from, &mut to)?;
        to.sync_all()
    };
    copy().map_err(|error| MemoryError::io(&old, "copy the rows", &error))?;
    // The checksums of the rows stand in the catalog and are compared when they are read, as ever.
    Segment::open(path, state, false)?.map(state.rows).map(drop)
}
