//! Bringing a memory of an older format up to this one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::catalog::{self, FORMAT};
use super::error::{CATALOG, MemoryError, Result};

const DRAFT: &str = "catalog.sqlite.upgrade";

/// What a catalog of format 1 holds, as rows of format 2: all its records have been alive from its present generation on.
const FROM_1: &str = "
INSERT INTO memory (one, embedder, dimension, rows, generation, horizon)
    SELECT one, embedder, dimension, rows, generation, generation FROM old.memory;
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
    super::create::check_directory(path)?;
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
    let replaced = fs::rename(&draft, path.join(CATALOG)).and_then(|()| fs::File::open(path)?.sync_all());
    replaced.map_err(|error| MemoryError::io(CATALOG, "replace the catalog", &error))?;
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
    new.pragma_update(None, "synchronous", "full")?;
    catalog::fold_log(&new, true)?;
    new.close().map_err(|(_, error)| error.into())
}
