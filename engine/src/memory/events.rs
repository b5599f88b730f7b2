//! Events and their settlements in the catalog.

use rusqlite::{Connection, Row, params};

use super::catalog;
use super::error::{MemoryError, Result};
use super::event::{Candidate, Event, EventId, NewEvent, Settlement};
use super::evidence;
use super::records;

const COLUMNS: &str = "event.id, goal, snapshot, policy, seed, event.created_ms, \
                       verdict, attempts, seconds, evidence, settlement.created_ms";

/// Writes a recall down.
pub(super) fn insert(connection: &Connection, new: &NewEvent, created_ms: i64) -> Result<EventId> {
    new.check(catalog::state(connection)?.generation)?;
    records::require(connection, &[new.goal])?;
    records::require(connection, &new.candidates.iter().map(|candidate| candidate.record).collect::<Vec<_>>())?;
    let id = EventId(catalog::take_number(connection, "next_event")?);
    put(connection, id, new, created_ms)?;
    Ok(id)
}

/// Stores a recall under its number.
pub(super) fn put(connection: &Connection, id: EventId, new: &NewEvent, created_ms: i64) -> Result<()> {
    connection.execute(
        "INSERT INTO event (id, goal, snapshot, policy, seed, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![id, new.goal, new.snapshot, new.policy, new.seed, created_ms],
    )?;
    let mut statement = connection.prepare(
        "INSERT INTO candidate (event, rank, record, score, slot, propensity) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (rank, candidate) in (0_i64..).zip(&new.candidates) {
        statement.execute(params![
            id,
            rank,
            candidate.record,
            candidate.score,
            candidate.slot,
            candidate.propensity
        ])?;
    }
    Ok(())
}

/// Settles `event`. Settled already, it stays as it is, and `new` must say the same.
pub(super) fn settle(connection: &Connection, event: EventId, new: &Settlement, created_ms: i64) -> Result<Settlement> {
    if let Some(known) = known_settlement(connection, event)? {
        return match known.difference(new) {
            None => Ok(known),
            Some(field) => Err(MemoryError::Input(format!(
                "event {event} is settled as {} and cannot be settled as {}: they differ in {field}",
                known.verdict, new.verdict
            ))),
        };
    }
    records::require(connection, &new.used)?;
    new.evidence.iter().try_for_each(|&id| evidence::require(connection, id))?;
    put_settlement(connection, event, new, created_ms)?;
    Ok(new.clone())
}

/// Stores what became of `event`.
pub(super) fn put_settlement(connection: &Connection, event: EventId, new: &Settlement, created_ms: i64) -> Result<()> {
    connection.execute(
        "INSERT INTO settlement (event, verdict, attempts, seconds, evidence, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![event, new.verdict, new.attempts, new.seconds, new.evidence, created_ms],
    )?;
    evidence::insert_members(connection, "settlement_used", "event", event.0, &new.used)
}

/// How `event` was settled, if it was; an event that does not exist is an error.
fn known_settlement(connection: &Connection, event: EventId) -> Result<Option<Settlement>> {
    let found = find(connection, Some(event))?.pop();
    let found = found.ok_or_else(|| MemoryError::Input(format!("there is no event {event}")))?;
    Ok(found.settlement)
}

/// The event of that number, or all of them, in the order of their numbers.
pub(super) fn find(connection: &Connection, id: Option<EventId>) -> Result<Vec<Event>> {
    let mut found = Vec::new();
    for_each(connection, id, |event| {
        found.push(event);
        Ok(())
    })?;
    Ok(found)
}

/// Hands the event of that number, or all of them, to `visit`, in the order of their numbers, one at a time.
pub(super) fn for_each(
    connection: &Connection,
    id: Option<EventId>,
    mut visit: impl FnMut(Event) -> Result<()>,
) -> Result<()> {
    let condition = if id.is_some() { "event.id = ?1" } else { "?1 IS NULL" };
    let mut statement = connection.prepare(&format!(
        "SELECT {COLUMNS} FROM event LEFT JOIN settlement ON settlement.event = event.id WHERE {condition} ORDER BY event.id"
    ))?;
    let mut candidates =
        connection.prepare("SELECT record, score, slot, propensity FROM candidate WHERE event = ?1 ORDER BY rank")?;
    let mut used = connection.prepare("SELECT record FROM settlement_used WHERE event = ?1 ORDER BY record")?;
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        let mut event = read(row)?;
        event.content.candidates =
            candidates.query_map([event.id], read_candidate)?.collect::<rusqlite::Result<_>>()?;
        if let Some(settlement) = &mut event.settlement {
            settlement.used = used.query_map([event.id], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        }
        visit(event)?;
    }
    Ok(())
}

/// An event without its candidates and what was used, from a row of [`COLUMNS`].
fn read(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        id: row.get(0)?,
        created_ms: row.get(5)?,
        content: NewEvent {
            goal: row.get(1)?,
            snapshot: row.get(2)?,
            candidates: Vec::new(),
            policy: row.get(3)?,
            seed: row.get(4)?,
        },
        settlement: read_settlement(row)?,
        settled_ms: row.get(10)?,
    })
}

fn read_settlement(row: &Row<'_>) -> rusqlite::Result<Option<Settlement>> {
    let Some(verdict) = row.get(6)? else {
        return Ok(None);
    };
    Ok(Some(Settlement {
        verdict,
        attempts: row.get(7)?,
        seconds: row.get(8)?,
        used: Vec::new(),
        evidence: row.get(9)?,
    }))
}

fn read_candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    Ok(Candidate { record: row.get(0)?, score: row.get(1)?, slot: row.get(2)?, propensity: row.get(3)? })
}
