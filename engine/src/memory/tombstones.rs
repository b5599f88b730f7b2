//! Forgetting, restoring and merging: what is seen of a record changes, its bytes stay until the memory is compacted.

use rusqlite::{Connection, OptionalExtension, params};

use super::catalog::list;
use super::changes::{self, Action};
use super::error::{MemoryError, Result};
use super::record::{FactKey, RecordId, Status};
use super::records;

/// The moment of a write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) generation: i64,
    pub(super) now_ms: i64,
}

/// Forgets those of `ids` that are alive, and returns them.
pub(super) fn forget(connection: &Connection, ids: &[RecordId], reason: &str, moment: Moment) -> Result<Vec<RecordId>> {
    super::record::check_label("reason", reason)?;
    let forgotten = update(
        connection,
        ids,
        "UPDATE record SET died = ?2 WHERE id IN (SELECT value FROM json_each(?1)) AND died IS NULL RETURNING id",
        Some(moment.generation),
    )?;
    changes::note(connection, &forgotten, Action::Forgotten, reason, moment)?;
    Ok(forgotten)
}

/// Brings back those of `ids` that were forgotten or merged away, and returns them.
pub(super) fn restore(connection: &Connection, ids: &[RecordId], moment: Moment) -> Result<Vec<RecordId>> {
    let restored = update(
        connection,
        ids,
        "UPDATE record SET died = NULL, merged_into = NULL
         WHERE id IN (SELECT value FROM json_each(?1)) AND died IS NOT NULL AND ?2 IS NULL RETURNING id",
        None,
    )?;
    changes::note(connection, &restored, Action::Restored, "", moment)?;
    Ok(restored)
}

fn update(connection: &Connection, ids: &[RecordId], sql: &str, generation: Option<i64>) -> Result<Vec<RecordId>> {
    records::require(connection, ids)?;
    let mut statement = connection.prepare_cached(sql)?;
    let changed = statement.query_map(params![list(ids.iter().map(|id| id.0)), generation], |row| row.get(0))?;
    let mut changed = changed.collect::<rusqlite::Result<Vec<RecordId>>>()?;
    changed.sort_unstable();
    Ok(changed)
}

/// Makes two records one, and returns the one that stays: the older. Its evidence is then that of both.
///
/// In whatever order records are merged, the same one stays. Records that say different things are merged only if nothing is known
/// of the one that goes: what was proved of one statement does not hold for another.
pub(super) fn merge(connection: &Connection, one: RecordId, other: RecordId, moment: Moment) -> Result<RecordId> {
    let (one, other) = (root(connection, one)?, root(connection, other)?);
    if one.id == other.id {
        return Ok(one.id);
    }
    let (kept, gone) = if one.id < other.id { (one, other) } else { (other, one) };
    for record in [&kept, &gone] {
        if record.dead {
            return Err(MemoryError::Input(format!("record {} is forgotten: restore it before merging", record.id)));
        }
    }
    if kept.key == gone.key {
        records::raise_status(connection, kept.id, gone.status, moment)?;
    } else if gone.status != Status::Conjectural {
        return Err(MemoryError::Input(format!(
            "records {} and {} say different things, and {} is {}: only a conjectural record can be merged away",
            kept.id, gone.id, gone.id, gone.status
        )));
    }
    connection.execute(
        "UPDATE record SET died = ?2, merged_into = ?3 WHERE id = ?1",
        params![gone.id, moment.generation, kept.id],
    )?;
    changes::note(connection, &[gone.id], Action::Merged, &kept.id.to_string(), moment)?;
    Ok(kept.id)
}

/// What merging needs to know of a record.
struct Member {
    id: RecordId,
    key: FactKey,
    status: Status,
    dead: bool,
}

/// The record that `id` was merged into, or itself.
fn root(connection: &Connection, id: RecordId) -> Result<Member> {
    let mut statement =
        connection.prepare_cached("SELECT key, status, died IS NOT NULL, merged_into FROM record WHERE id = ?1")?;
    let mut id = id;
    loop {
        let found = statement.query_row([id], |row| {
            let member = Member { id, key: FactKey(row.get(0)?), status: row.get(1)?, dead: row.get(2)? };
            Ok((member, row.get::<_, Option<RecordId>>(3)?))
        });
        match found.optional()?.ok_or_else(|| records::missing(id))? {
            (member, None) => return Ok(member),
            // Records are merged into older ones only, so this ends.
            (_, Some(into)) if into < id => id = into,
            (_, Some(into)) => {
                let reason = format!("it is merged into {into}, which is not older");
                return Err(MemoryError::damaged(super::error::CATALOG, format!("record {id}"), reason));
            }
        }
    }
}
