//! Evidence in the catalog.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::catalog::{list, take_number};
use super::error::{MemoryError, Result};
use super::event::{Evidence, EvidenceId, NewEvidence, Receipt};
use super::record::{RecordId, Status};
use super::records;
use super::tombstones::Moment;
use crate::verdict::Verdict;

const COLUMNS: &str = "id, goal, verdict, prover, prover_version, label, seconds, reprover, reprover_version, claim_hash, \
                       certificate_hash, checker, checker_version, created_ms";

/// Records evidence, and raises the status of the goal that it proves.
pub(super) fn insert(connection: &Connection, new: &NewEvidence, moment: Moment) -> Result<EvidenceId> {
    records::require(connection, &[new.goal])?;
    records::require(connection, &new.used)?;
    let id = EvidenceId(take_number(connection, "next_evidence")?);
    put(connection, id, new, moment.now_ms)?;
    if new.verdict == Verdict::Proved {
        let status = if new.receipt.is_some() { Status::Verified } else { Status::Checked };
        records::raise_status(connection, new.goal, status, moment)?;
    }
    Ok(id)
}

/// Stores evidence under its number.
pub(super) fn put(connection: &Connection, id: EvidenceId, new: &NewEvidence, created_ms: i64) -> Result<()> {
    let receipt = new.receipt.as_ref();
    let mut statement = connection.prepare_cached(
        "INSERT INTO evidence (id, goal, verdict, prover, prover_version, label, seconds, reprover, reprover_version,
                               claim_hash, certificate_hash, checker, checker_version, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    statement.execute(params![
        id,
        new.goal,
        new.verdict,
        new.prover,
        new.prover_version,
        new.label,
        new.seconds,
        new.reprover,
        new.reprover_version,
        receipt.map(|receipt| &receipt.claim_hash),
        receipt.map(|receipt| &receipt.certificate_hash),
        receipt.map(|receipt| &receipt.checker),
        receipt.map(|receipt| &receipt.checker_version),
        created_ms
    ])?;
    insert_members(connection, "evidence_premise", "evidence", id.0, &new.used)
}

/// The evidence for `goal` and what was merged into it, or all of it, in the order of its numbers.
pub(super) fn find(connection: &Connection, goal: Option<RecordId>) -> Result<Vec<Evidence>> {
    let mut found = Vec::new();
    for_each(connection, goal, |evidence| {
        found.push(evidence);
        Ok(())
    })?;
    Ok(found)
}

/// Hands the evidence for `goal`, or all of it, to `visit`, in the order of its numbers, one piece at a time.
pub(super) fn for_each(
    connection: &Connection,
    goal: Option<RecordId>,
    mut visit: impl FnMut(Evidence) -> Result<()>,
) -> Result<()> {
    let condition = if goal.is_some() { "goal IN (SELECT id FROM same)" } else { "?1 IS NULL" };
    let mut statement = connection.prepare(&format!(
        "WITH RECURSIVE same (id) AS (SELECT ?1 UNION SELECT record.id FROM record JOIN same ON merged_into = same.id)
         SELECT {COLUMNS} FROM evidence WHERE {condition} ORDER BY id"
    ))?;
    let mut members = connection.prepare("SELECT record FROM evidence_premise WHERE evidence = ?1 ORDER BY record")?;
    let mut rows = statement.query([goal])?;
    while let Some(row) = rows.next()? {
        let mut evidence = read(row)?;
        evidence.content.used = members.query_map([evidence.id], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        visit(evidence)?;
    }
    Ok(())
}

/// An error if there is no evidence `id`.
pub(super) fn require(connection: &Connection, id: EvidenceId) -> Result<()> {
    let found = connection.query_row("SELECT 1 FROM evidence WHERE id = ?1", [id], |_| Ok(())).optional()?;
    found.ok_or_else(|| MemoryError::Input(format!("there is no evidence {id}")))
}

/// Stores the set of `records` that belong to the thing `owner`.
pub(super) fn insert_members(
    connection: &Connection,
    table: &str,
    column: &str,
    owner: i64,
    records: &[RecordId],
) -> Result<()> {
    let sql = format!("INSERT OR IGNORE INTO {table} ({column}, record) SELECT ?1, value FROM json_each(?2)");
    connection.prepare_cached(&sql)?.execute(params![owner, list(records.iter().map(|id| id.0))])?;
    Ok(())
}

/// Evidence without its premises, from a row of [`COLUMNS`].
fn read(row: &Row<'_>) -> rusqlite::Result<Evidence> {
    Ok(Evidence {
        id: row.get(0)?,
        created_ms: row.get(13)?,
        content: NewEvidence {
            goal: row.get(1)?,
            verdict: row.get(2)?,
            used: Vec::new(),
            prover: row.get(3)?,
            prover_version: row.get(4)?,
            label: row.get(5)?,
            seconds: row.get(6)?,
            reprover: row.get(7)?,
            reprover_version: row.get(8)?,
            receipt: read_receipt(row)?,
        },
    })
}

fn read_receipt(row: &Row<'_>) -> rusqlite::Result<Option<Receipt>> {
    let Some(claim_hash) = row.get(9)? else {
        return Ok(None);
    };
    Ok(Some(Receipt {
        claim_hash,
        certificate_hash: row.get(10)?,
        checker: row.get(11)?,
        checker_version: row.get(12)?,
    }))
}
