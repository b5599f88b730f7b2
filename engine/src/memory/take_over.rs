//! An export that comes into an empty memory, which becomes the one that was exported: the same numbers, generations, history and
//! snapshots. Only how it was stored differs, and what was purged or compacted there is not in the export.

use rusqlite::{Connection, params};

use super::changes::{self, Action};
use super::error::{MemoryError, Result};
use super::export::History;
use super::import::Imported;
use super::incoming::{IncomingChange, IncomingEvent, IncomingEvidence, IncomingRecord, IncomingSnapshot, Line};
use super::record::{RecordId, Status, check_label};
use super::records::Origin;
use super::tombstones::Moment;
use super::writer::Write;
use super::{Memory, events, evidence, segment, snapshots};

/// Numbers and generations go up to this, so that none that comes later can overflow.
const MAX_NUMBER: i64 = 1 << 62;

/// How far the square of the length of a row may be from 1: rounding its numbers to `f32` moves it less.
const UNIT_TOLERANCE: f64 = 1e-6;

/// What cannot be true of an export, and a query that selects the records of which it is said.
const CONTRADICTIONS: [(&str, &str); 2] = [
    (
        "its changes say otherwise when it died",
        "SELECT id FROM record WHERE died IS NOT
             (SELECT CASE action WHEN 'restored' THEN NULL ELSE generation END FROM change
              WHERE change.record = record.id AND action IN ('forgotten', 'merged', 'restored') ORDER BY id DESC LIMIT 1)",
    ),
    (
        "its changes say otherwise what it was merged into",
        "SELECT id FROM record WHERE merged_into IS NOT NULL AND 'merged ' || merged_into IS NOT
             (SELECT action || ' ' || detail FROM change
              WHERE change.record = record.id AND action IN ('forgotten', 'merged', 'restored') ORDER BY id DESC LIMIT 1)",
    ),
];

/// Only evidence verifies: its own, or that of a verified record of the same statement that was merged into it.
const UNSUPPORTED: &str = "
WITH RECURSIVE supported (id) AS (
    SELECT goal FROM evidence WHERE verdict = 'proved' AND claim_hash IS NOT NULL
    UNION
    SELECT kept.id FROM supported JOIN record AS gone ON gone.id = supported.id AND gone.status = 'verified'
        JOIN record AS kept ON kept.id = gone.merged_into AND kept.key = gone.key
)
UPDATE record SET status = 'checked' WHERE status = 'verified' AND id NOT IN (SELECT id FROM supported)";

/// An empty memory on its way to become another.
pub(super) struct TakeOver<'a> {
    memory: &'a Memory,
    generation: i64,
    history: History,
    /// Whether the vectors of the export are those of this memory.
    vectors: bool,
    /// The records so far, in ascending order.
    records: Vec<i64>,
    last_evidence: i64,
    last_event: i64,
    last_change: i64,
    done: Imported,
}

impl<'a> TakeOver<'a> {
    pub(super) fn new(memory: &'a Memory, generation: i64, history: History, vectors: bool) -> Result<Self> {
        let History { horizon, next_record, next_evidence, next_event } = history;
        check_range("generation", generation, 0, MAX_NUMBER)?;
        check_range("oldest visible generation", horizon, 0, generation)?;
        for (what, next) in [("record", next_record), ("evidence", next_evidence), ("event", next_event)] {
            check_range(&format!("number of the next {what}"), next, 1, MAX_NUMBER)?;
        }
        Ok(Self {
            memory,
            generation,
            history,
            vectors,
            records: Vec::new(),
            last_evidence: 0,
            last_event: 0,
            last_change: 1,
            done: Imported { history: true, ..Imported::default() },
        })
    }

    pub(super) fn line(&mut self, write: &mut Write<'_>, line: Line) -> Result<()> {
        match line {
            Line::Record(record) => self.record(write, record),
            Line::Evidence(evidence) => self.evidence(&write.transaction, &evidence),
            Line::Event(event) => self.event(&write.transaction, *event),
            Line::Change(change) => self.change(&write.transaction, &change),
            Line::Snapshot(snapshot) => self.snapshot(&write.transaction, &snapshot),
            Line::Header(_) => Ok(()),
        }
    }

    /// Checks what no line alone can show, and names what comes next.
    pub(super) fn finish(self, write: &mut Write<'_>) -> Result<Imported> {
        for (complaint, query) in CONTRADICTIONS {
            let mut statement = write.transaction.prepare(&format!("{query} LIMIT 1"))?;
            if let Some(found) = statement.query([])?.next()? {
                let id: RecordId = found.get(0)?;
                return Err(MemoryError::Input(format!("record {id}: {complaint}")));
            }
        }
        write.transaction.execute(UNSUPPORTED, [])?;
        let History { horizon, next_record, next_evidence, next_event } = self.history;
        // To commit counts one up.
        write.state.generation = self.generation - 1;
        write.state.next_record = next_record;
        write.transaction.execute(
            "UPDATE memory SET generation = ?1, horizon = ?2, next_evidence = ?3, next_event = ?4",
            [write.state.generation, horizon, next_evidence, next_event],
        )?;
        Ok(self.done)
    }

    fn record(&mut self, write: &mut Write<'_>, mut incoming: IncomingRecord) -> Result<()> {
        let (id, born) = (incoming.id, incoming.born);
        check_next("record", id.0, self.records.last().copied().unwrap_or(0), self.history.next_record)?;
        check_range("generation in which it was born", born, 1, self.generation)?;
        check_range("number of inserts", incoming.inserts, 1, MAX_NUMBER)?;
        if let Some(died) = incoming.died {
            check_range("generation in which it died", died, born, self.generation)?;
        }
        if let Some(into) = incoming.merged_into {
            self.known(into)?;
        }
        let (record, vector) = incoming.content()?;
        let vector = self.memory.record_vector(&record, vector.as_deref().filter(|_| self.vectors))?;
        let origin = Origin { id, born, created_ms: incoming.created_ms };
        let inserted = write.insert_as(&record, origin, |row| push_row(row, &vector))?;
        if !inserted.new {
            return Err(MemoryError::Input(format!("record {id} is record {} once more", inserted.id)));
        }
        write
            .transaction
            .prepare_cached("UPDATE record SET status = ?2, inserts = ?3, died = ?4, merged_into = ?5 WHERE id = ?1")?
            .execute(params![id, incoming.status, incoming.inserts, incoming.died, incoming.merged_into])?;
        self.records.push(id.0);
        self.done.new += 1;
        Ok(())
    }

    fn evidence(&mut self, connection: &Connection, incoming: &IncomingEvidence) -> Result<()> {
        let IncomingEvidence { id, created_ms, content } = incoming;
        check_next("evidence", id.0, self.last_evidence, self.history.next_evidence)?;
        self.last_evidence = id.0;
        content.check()?;
        self.known(content.goal)?;
        content.used.iter().try_for_each(|&used| self.known(used))?;
        evidence::put(connection, *id, content, *created_ms)?;
        self.done.evidence += 1;
        Ok(())
    }

    fn event(&mut self, connection: &Connection, incoming: IncomingEvent) -> Result<()> {
        let id = incoming.id.ok_or_else(|| MemoryError::input("an event without a number"))?;
        check_next("event", id.0, self.last_event, self.history.next_event)?;
        self.last_event = id.0;
        incoming.content.check(self.generation)?;
        self.known(incoming.content.goal)?;
        // What was compacted away is known by its number still.
        incoming.content.candidates.iter().try_for_each(|candidate| self.numbered(candidate.record))?;
        events::put(connection, id, &incoming.content, incoming.created_ms)?;
        self.done.events += 1;
        let Some(settlement) = incoming.settlement else {
            return Ok(());
        };
        settlement.check()?;
        settlement.used.iter().try_for_each(|&used| self.numbered(used))?;
        settlement.evidence.iter().try_for_each(|&id| evidence::require(connection, id))?;
        let settled_ms = incoming.settled_ms.unwrap_or(incoming.created_ms);
        events::put_settlement(connection, id, &settlement, settled_ms)
    }

    fn change(&mut self, connection: &Connection, incoming: &IncomingChange) -> Result<()> {
        let IncomingChange { record, generation, action, ref detail, created_ms } = *incoming;
        self.numbered(record)?;
        check_range("generation of a change", generation, self.last_change, self.generation)?;
        self.last_change = generation;
        check_label("detail", detail)?;
        let expected = match action {
            Action::Raised => detail.parse().is_ok_and(|before: Status| before < Status::Verified),
            Action::Merged => detail.parse().is_ok_and(|into: i64| (1..record.0).contains(&into)),
            Action::Forgotten => true,
            Action::Restored | Action::Purged => detail.is_empty(),
            Action::Inserted => false,
        };
        if !expected {
            return Err(MemoryError::Input(format!("a change {action} of record {record} with the detail {detail:?}")));
        }
        changes::note(connection, &[record], action, detail, Moment { generation, now_ms: created_ms })
    }

    fn snapshot(&self, connection: &Connection, incoming: &IncomingSnapshot) -> Result<()> {
        let IncomingSnapshot { name, generation, created_ms } = incoming;
        check_label("name", name)?;
        check_range("generation of a snapshot", *generation, self.history.horizon, self.generation)?;
        snapshots::insert(connection, name, Moment { generation: *generation, now_ms: *created_ms }).map(drop)
    }

    /// An error if no record of that number came before.
    fn known(&self, id: RecordId) -> Result<()> {
        match self.records.binary_search(&id.0) {
            Ok(_) => Ok(()),
            Err(_) => Err(MemoryError::Input(format!("record {id} was not listed before"))),
        }
    }

    /// An error if there never was a record of that number.
    fn numbered(&self, id: RecordId) -> Result<()> {
        check_range("number of a record", id.0, 1, self.history.next_record - 1)
    }
}

/// Appends the row of `vector`: a unit vector bit by bit, as it stood in the other memory.
fn push_row(row: &mut Vec<u8>, vector: &[f32]) {
    let square: f64 = vector.iter().map(|&x| f64::from(x).powi(2)).sum();
    if (square - 1.0).abs() <= UNIT_TOLERANCE {
        row.extend(vector.iter().flat_map(|x| x.to_le_bytes()));
    } else {
        segment::push_unit_row(row, vector);
    }
}

fn check_range(what: &str, found: i64, least: i64, most: i64) -> Result<()> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(MemoryError::Input(format!("the {what} is {found}: expected one from {least} to {most}")))
}

/// Numbers come in ascending order, and below that of the next.
fn check_next(what: &str, id: i64, last: i64, next: i64) -> Result<()> {
    if id == last && last > 0 {
        return Err(MemoryError::Input(format!("{what} {id} is listed twice")));
    }
    check_range(&format!("number of the {what}"), id, last + 1, next - 1)
}
