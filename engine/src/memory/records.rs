//! Records in the catalog.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::catalog::{list, signed};
use super::error::{CATALOG, MemoryError, Result};
use super::record::{FactKey, Inserted, NewRecord, Record, RecordId, Status};

/// The columns of a [`Record`], then its checksum.
const COLUMNS: &str = "id, kind, name, statement, source, namespace, key, status, created_ms, inserts, checksum";

/// Which records to find. Nothing set finds everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of this name.
    pub name: Option<String>,
    /// Those from this source.
    pub source: Option<String>,
    /// Those in this namespace.
    pub namespace: Option<String>,
}

/// Counts another insert of a known record, if `new` is known.
pub(super) fn count_insert(connection: &Connection, new: &NewRecord) -> Result<Option<Inserted>> {
    let id = connection
        .query_row(
            "UPDATE record SET inserts = inserts + 1 WHERE key = ?1 AND namespace = ?2 AND ifnull(name, '') = ?3
             RETURNING id",
            params![new.key.0, new.namespace, new.name.as_deref().unwrap_or_default()],
            |row| row.get(0),
        )
        .optional()?;
    Ok(id.map(|id| Inserted { id, new: false }))
}

/// Stores a record whose vector is row `row`.
pub(super) fn insert(
    connection: &Connection,
    new: &NewRecord,
    created_ms: i64,
    row: u64,
    row_checksum: u32,
) -> Result<Inserted> {
    let mut record = Record {
        id: RecordId(0),
        kind: new.kind,
        name: new.name.clone(),
        statement: new.statement.clone(),
        source: new.source.clone(),
        namespace: new.namespace.clone(),
        key: new.key,
        status: new.status,
        created_ms,
        inserts: 1,
    };
    let checksum = record.checksum();
    connection.execute(
        "INSERT INTO record (kind, name, statement, source, namespace, key, status, created_ms, inserts, checksum, row,
                             row_checksum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, ?11)",
        params![
            record.kind,
            record.name,
            record.statement,
            record.source,
            record.namespace,
            record.key.0,
            record.status,
            created_ms,
            checksum,
            signed(row),
            row_checksum
        ],
    )?;
    record.id = RecordId(connection.last_insert_rowid());
    Ok(Inserted { id: record.id, new: true })
}

/// The records `ids`, in that order; a record that does not exist is an error.
pub(super) fn get(connection: &Connection, ids: &[RecordId]) -> Result<Vec<Record>> {
    require(connection, ids)?;
    // The join keeps the order and the repetitions of the list. Its columns are renamed: `json_each` has a `key` of its own.
    let mut statement = connection.prepare(&format!(
        "WITH wanted (place, wanted_id) AS (SELECT key, value FROM json_each(?1))
         SELECT {COLUMNS} FROM wanted JOIN record ON id = wanted_id ORDER BY place"
    ))?;
    let rows = statement.query_and_then([list(ids.iter().map(|id| id.0))], read)?;
    rows.collect()
}

/// The records that pass `filter`, in the order of their numbers.
pub(super) fn find(connection: &Connection, filter: &Filter) -> Result<Vec<Record>> {
    let conditions = [("name = ?", &filter.name), ("source = ?", &filter.source), ("namespace = ?", &filter.namespace)];
    // One condition for each value that was given, so that the index for it can be used.
    let (mut condition, mut values) = (vec!["true"], Vec::new());
    for (clause, value) in conditions {
        if let Some(value) = value {
            condition.push(clause);
            values.push(value);
        }
    }
    let condition = condition.join(" AND ");
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM record WHERE {condition} ORDER BY id"))?;
    let rows = statement.query_and_then(rusqlite::params_from_iter(values), read)?;
    rows.collect()
}

/// Hands every record to `visit`, in the order of their numbers, one at a time.
pub(super) fn for_each(connection: &Connection, mut visit: impl FnMut(Result<Record>) -> Result<()>) -> Result<()> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM record ORDER BY id"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(read(row))?;
    }
    Ok(())
}

/// An error that names the first of `ids` that is no record.
pub(super) fn require(connection: &Connection, ids: &[RecordId]) -> Result<()> {
    let missing: Option<i64> = connection
        .query_row(
            "SELECT value FROM json_each(?1) WHERE value NOT IN (SELECT id FROM record) LIMIT 1",
            [list(ids.iter().map(|id| id.0))],
            |row| row.get(0),
        )
        .optional()?;
    match missing {
        Some(id) => Err(MemoryError::Input(format!("there is no record {id}"))),
        None => Ok(()),
    }
}

/// Raises the status of a record; it never falls.
pub(super) fn raise_status(connection: &Connection, id: RecordId, status: Status) -> Result<()> {
    let lower: Vec<&str> = Status::ALL.iter().filter(|&&other| other < status).map(|other| other.as_str()).collect();
    connection.execute(
        "UPDATE record SET status = ?2 WHERE id = ?1 AND status IN (SELECT value FROM json_each(?3))",
        params![id, status, serde_json::json!(lower).to_string()],
    )?;
    Ok(())
}

/// A record from a row of [`COLUMNS`], after its checksum was compared.
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
    };
    let (computed, stored) = (record.checksum(), row.get::<_, u32>(10)?);
    if computed != stored {
        let reason = format!("its checksum is {computed:08x}, {stored:08x} was committed");
        return Err(MemoryError::damaged(CATALOG, format!("record {}", record.id), reason));
    }
    Ok(record)
}
