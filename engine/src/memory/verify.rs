//! Checking everything that a memory holds.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::Serialize;

use super::blocks;
use super::catalog::{self, count};
use super::error::{CATALOG, MemoryError, Result};
use super::reader::Reader;
use super::record::RecordId;
use super::segment::Segment;
use super::{index, records};

/// How many findings are listed: a file full of damage need not fill the memory.
const MAX_FINDINGS: usize = 100;

/// What cannot be true of a sound memory: the complaint, and a query that selects a description of each place.
const IMPOSSIBLE: [(&str, &str); 7] = [
    (
        "the rows are not in the order of the records",
        "SELECT 'record ' || id FROM (SELECT id, row, lag(row, 1, -1) OVER (ORDER BY id) AS before FROM record) WHERE row <= before",
    ),
    (
        "a number was given that comes next",
        "SELECT 'record ' || id FROM record, memory WHERE id >= next_record
         UNION ALL SELECT 'evidence ' || id FROM evidence, memory WHERE id >= next_evidence
         UNION ALL SELECT 'event ' || id FROM event, memory WHERE id >= next_event",
    ),
    (
        "the record is verified without a receipt",
        "SELECT 'record ' || id FROM record WHERE status = 'verified' AND id NOT IN
            (SELECT goal FROM evidence WHERE verdict = 'proved' AND claim_hash IS NOT NULL)
            AND id NOT IN (SELECT merged_into FROM record WHERE status = 'verified' AND merged_into IS NOT NULL)",
    ),
    (
        "the record is merged, but alive or into a younger one",
        "SELECT 'record ' || id FROM record WHERE merged_into IS NOT NULL AND (died IS NULL OR merged_into >= id)",
    ),
    (
        "the record comes or goes in a later generation than the memory's",
        "SELECT 'record ' || id FROM record, memory WHERE max(born, ifnull(died, 0)) > generation",
    ),
    (
        "a receipt is incomplete",
        "SELECT 'evidence ' || id FROM evidence
         WHERE (claim_hash IS NULL) + (certificate_hash IS NULL) + (checker IS NULL) + (checker_version IS NULL) NOT IN (0, 4)",
    ),
    (
        "the event is of a later generation than the memory",
        "SELECT 'event ' || event.id FROM event, memory WHERE snapshot > generation",
    ),
];

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// In which file.
    pub file: PathBuf,
    /// Where in it.
    pub place: String,
    /// What is wrong.
    pub reason: String,
}

/// What a check of everything came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Records whose checksums were compared.
    pub records: u64,
    /// Rows whose checksums were compared.
    pub rows: u64,
    /// What is wrong, at most the first hundred; nothing in a sound memory.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Takes damage down and goes on; any other error ends the check.
    fn note(&mut self, outcome: Result<()>) -> Result<()> {
        match outcome {
            Err(MemoryError::Damaged { file, place, reason }) => {
                if self.findings.len() < MAX_FINDINGS {
                    self.findings.push(Finding { file, place, reason });
                }
                Ok(())
            }
            other => other,
        }
    }

    fn add(&mut self, place: String, reason: impl Into<String>) -> Result<()> {
        self.note(Err(MemoryError::damaged(CATALOG, place, reason)))
    }
}

/// Checks every page, reference, record and row.
pub(super) fn verify(reader: &mut Reader, directory: &Path) -> Result<Report> {
    let mut report = Report { records: 0, rows: 0, findings: Vec::new() };
    for check in [check_pages, check_references, check_rules, check_records] {
        let outcome = check(&reader.connection, &mut report);
        report.note(outcome)?;
    }
    for check in [check_rows, check_indexes] {
        let outcome = check(&mut reader.connection, directory, &mut report);
        report.note(outcome)?;
    }
    Ok(report)
}

fn check_pages(connection: &Connection, report: &mut Report) -> Result<()> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MAX_FINDINGS})"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let complaint: String = row.get(0)?;
        if complaint != "ok" {
            report.add("its pages".into(), complaint)?;
        }
    }
    Ok(())
}

fn check_references(connection: &Connection, report: &mut Report) -> Result<()> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, target): (String, String) = (row.get(0)?, row.get(2)?);
        report.add(format!("table {table}"), format!("it refers to a {target} that does not exist"))?;
    }
    Ok(())
}

fn check_rules(connection: &Connection, report: &mut Report) -> Result<()> {
    for (complaint, query) in IMPOSSIBLE {
        let mut statement = connection.prepare(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            report.add(row.get(0)?, complaint)?;
        }
    }
    Ok(())
}

fn check_records(connection: &Connection, report: &mut Report) -> Result<()> {
    records::for_each(connection, |record| {
        report.records += 1;
        report.note(record.map(drop))
    })
}

fn check_rows(connection: &mut Connection, directory: &Path, report: &mut Report) -> Result<()> {
    let transaction = catalog::begin_read(connection)?;
    let state = catalog::state(&transaction)?;
    let segment = Segment::open(directory, &state, false)?;
    let rows = segment.map(state.rows)?;
    let mut statement = transaction.prepare("SELECT row, row_checksum, id FROM record ORDER BY id")?;
    let mut stored = statement.query([])?;
    blocks::for_each(&transaction, 0, RecordId(0), |index, entry| {
        let found = stored.next()?.map(|row| Ok::<_, MemoryError>((count(row, 0)?, row.get(1)?, row.get(2)?)));
        if found.transpose()? != Some((index, entry.checksum, entry.number)) {
            let reason = "the records say something else about its rows";
            report.add(format!("block {} of rows", index / blocks::ROWS), reason)?;
        }
        let bytes = usize::try_from(index).ok().and_then(|index| rows.row(index));
        report.rows += 1;
        report.note(match bytes {
            Some(bytes) => segment.check(index, bytes, entry.checksum),
            None => Err(MemoryError::damaged(CATALOG, format!("row {index}"), "it is beyond the committed length")),
        })
    })?;
    if report.rows != state.rows {
        report.add("table memory".into(), format!("{} rows are committed, {} are named", state.rows, report.rows))?;
    }
    Ok(())
}

/// An index that is damaged costs time and nothing else; it is reported all the same.
fn check_indexes(connection: &mut Connection, directory: &Path, report: &mut Report) -> Result<()> {
    let state = catalog::state(connection)?;
    for (file, damage) in index::damaged(directory, &state)? {
        let reason = format!("{}; it will be made anew", damage.reason);
        report.note(Err(MemoryError::damaged(file, damage.place, reason)))?;
    }
    Ok(())
}
