//! Records in the catalog.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::catalog::{list, signed};
use super::changes::{self, Action};
use super::error::{CATALOG, MemoryError, Result};
use super::filter::{Filter, status_at};
use super::record::{FactKey, Inserted, NewRecord, Record, RecordId, Status};
use super::tombstones::Moment;

/// The columns of a [`Record`], then its checksum.
fn columns(at: Option<i64>) -> String {
    let status = status_at(at);
    format!(
        "record.id, record.kind, record.name, record.statement, record.source, record.namespace, record.key, {status},
         record.created_ms, record.inserts, record.born, record.died, record.merged_into, record.checksum"
    )
}

/// Which record it is, and since when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) id: RecordId,
    pub(super) born: i64,
    pub(super) created_ms: i64,
}

/// What stands beside a record that is stored.
pub(super) struct Place {
    pub(super) origin: Origin,
    pub(super) row: u64,
    pub(super) checksum: u32,
}

/// Stores a record at `place`, or counts another insert of one that is known.
pub(super) fn insert(connection: &Connection, new: &NewRecord, place: &Place) -> Result<Inserted> {
    let origin = place.origin;
    let mut statement = connection.prepare_cached(
        "INSERT INTO record (id, row, row_checksum, born, created_ms, inserts, checksum, kind, status, key, name, namespace,
                             source, statement)
         VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (key, namespace, ifnull(name, '')) DO NOTHING",
    )?;
    let stored = statement.execute(params![
        origin.id,
        signed(place.row),
        place.checksum,
        origin.born,
        origin.created_ms,
        new.checksum(),
        new.kind,
        new.status,
        new.key.0,
        new.name,
        new.namespace,
        new.source,
        new.statement,
    ])?;
    if stored == 0 {
        count_insert(connection, new)
    } else {
        Ok(Inserted { id: origin.id, new: true, forgotten: false })
    }
}

/// Counts another insert of the record that is known under the same key, name and namespace.
fn count_insert(connection: &Connection, new: &NewRecord) -> Result<Inserted> {
    let mut statement = connection.prepare_cached(
        "UPDATE record SET inserts = inserts + 1 WHERE key = ?1 AND namespace = ?2 AND ifnull(name, '') = ?3
         RETURNING id, died IS NOT NULL",
    )?;
    Ok(statement.query_one(params![new.key.0, new.namespace, new.name.as_deref().unwrap_or_default()], |row| {
        Ok(Inserted { id: row.get(0)?, new: false, forgotten: row.get(1)? })
    })?)
}

/// The records `ids`, in that order; a record that does not exist is an error.
pub(super) fn get(connection: &Connection, ids: &[RecordId], at: Option<i64>) -> Result<Vec<Record>> {
    require(connection, ids)?;
    // The join keeps the order and the repetitions of the list. Its columns are renamed: `json_each` has a `key` of its own.
    let mut statement = connection.prepare(&format!(
        "WITH wanted (place, wanted_id) AS (SELECT key, value FROM json_each(?1))
         SELECT {} FROM wanted JOIN record ON record.id = wanted_id ORDER BY place",
        columns(at)
    ))?;
    let rows = statement.query_and_then([list(ids.iter().map(|id| id.0))], read)?;
    rows.collect()
}

/// The records that pass `filter`, in the order of their numbers.
pub(super) fn find(connection: &Connection, filter: &Filter) -> Result<Vec<Record>> {
    let (condition, values) = filter.condition();
    let columns = columns(filter.at);
    let mut statement =
        connection.prepare(&format!("SELECT {columns} FROM record WHERE {condition} ORDER BY record.id"))?;
    let rows = statement.query_and_then(rusqlite::params_from_iter(values), read)?;
    rows.collect()
}

/// Hands every record to `visit`, in the order of their numbers, one at a time.
pub(super) fn for_each(connection: &Connection, mut visit: impl FnMut(Result<Record>) -> Result<()>) -> Result<()> {
    let mut statement = connection.prepare(&format!("SELECT {} FROM record ORDER BY id", columns(None)))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(read(row))?;
    }
    Ok(())
}

/// An error that names the first of `ids` that is no record.
pub(super) fn require(connection: &Connection, ids: &[RecordId]) -> Result<()> {
    let missing: Option<i64> = connection
        .prepare_cached("SELECT value FROM json_each(?1) WHERE value NOT IN (SELECT id FROM record) LIMIT 1")?
        .query_row([list(ids.iter().map(|id| id.0))], |row| row.get(0))
        .optional()?;
    match missing {
        Some(id) => Err(self::missing(RecordId(id))),
        None => Ok(()),
    }
}

/// The error for a record that does not exist.
pub(super) fn missing(id: RecordId) -> MemoryError {
    MemoryError::Input(format!("there is no record {id}"))
}

/// Raises the status of a record; it never falls.
pub(super) fn raise_status(connection: &Connection, id: RecordId, status: Status, moment: Moment) -> Result<()> {
    let mut statement = connection.prepare_cached("SELECT status FROM record WHERE id = ?1")?;
    let before: Status = statement.query_row([id], |row| row.get(0))?;
    if before < status {
        connection.prepare_cached("UPDATE record SET status = ?2 WHERE id = ?1")?.execute(params![id, status])?;
        changes::note(connection, &[id], Action::Raised, before.as_str(), moment)?;
    }
    Ok(())
}

/// A record from a row of [`columns`], after its checksum was compared.
fn read(row: &Row<'_>) -> Result<Record> {
    let record = Record {
        id: row.get(0)?,
        kind: row.get(1)?,
        name: row.get(2)?,
        statement: row.get(3)?,
        source: row.get(4)?,
        namespace: row.get(5)?,
        key: FactKey(row.get(6)?),
        status: row.get(7)?,
        created_ms: row.get(8)?,
        inserts: row.get(9)?,
        born: row.get(10)?,
        died: row.get(11)?,
        merged_into: row.get(12)?,
    };
    let (computed, stored) = (record.checksum(), row.get::<_, u32>(13)?);
    if computed != stored {
        let reason = format!("its checksum is {computed:08x}, {stored:08x} was committed");
        return Err(MemoryError::damaged(CATALOG, format!("record {}", record.id), reason));
    }
    Ok(record)
}
