//! Compaction, purging and embedding anew: everything that writes the rows into a new file.

use std::fs;
use std::io::BufWriter;
use std::path::Path;

use porism_native::map::MappedRows;
use rusqlite::{Connection, params};

use super::catalog::{State, count, list, signed};
use super::changes::{self, Action};
use super::error::{MemoryError, Result};
use super::record::{RecordId, check_vector};
use super::segment::{self, Segment};
use super::writer::Write;
use super::{Memory, blocks, create, index, keyword, pending, records, snapshots};

/// Records that compaction may drop: dead since before every snapshot, and not what a proof or an event rests on.
///
/// The only proof of a fact is never dropped: what was ever verified stays, and so does what the evidence for other records uses.
const DROPPABLE: &str = "died IS NOT NULL AND died <= ?1 AND status <> 'verified'
    AND id NOT IN (SELECT record FROM evidence_premise)
    AND id NOT IN (SELECT goal FROM evidence)
    AND id NOT IN (SELECT goal FROM event)
    AND id NOT IN (SELECT merged_into FROM record WHERE merged_into IS NOT NULL)";

/// What a compaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compaction {
    /// How many records were dropped.
    pub dropped: u64,
    /// Bytes of all files before.
    pub bytes_before: u64,
    /// Bytes of all files after.
    pub bytes_after: u64,
}

/// What a purge did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// The records that are gone.
    pub ids: Vec<RecordId>,
    /// Records whose evidence used one of them, or whose evidence stood in one of them: they lose support.
    pub unsupported: Vec<RecordId>,
}

impl Memory {
    /// Drops what was forgotten before every snapshot, and gives its bytes back to the disk.
    ///
    /// Readers go on meanwhile; writers wait.
    pub fn compact(&self) -> Result<Compaction> {
        let bytes_before = self.size_bytes()?;
        let dropped = self.write_through(|write| {
            let horizon = snapshots::oldest(&write.transaction)?.unwrap_or_else(|| write.generation());
            let dropped = select(&write.transaction, DROPPABLE, horizon)?;
            remove(&write.transaction, &dropped)?;
            write.transaction.execute("UPDATE memory SET horizon = ?1 WHERE horizon < ?1", [horizon])?;
            keyword::catch_up(&write.transaction)?;
            write.transaction.execute("INSERT INTO words (words) VALUES ('optimize')", [])?;
            if !dropped.is_empty() {
                write.renumber(None)?;
            }
            Ok(dropped.len() as u64)
        })?;
        self.tidy()?;
        Ok(Compaction { dropped, bytes_before, bytes_after: self.size_bytes()? })
    }

    /// What a purge of `ids` would do.
    pub fn plan_purge(&self, ids: &[RecordId]) -> Result<Purged> {
        self.read(|reader| plan(&reader.connection, ids))
    }

    /// Removes records with all that was recorded for them, for good and from every snapshot.
    pub fn purge(&self, ids: &[RecordId]) -> Result<Purged> {
        let purged = self.write_through(|write| {
            let purged = plan(&write.transaction, ids)?;
            let doomed = list(purged.ids.iter().map(|id| id.0));
            for sql in [
                "DELETE FROM settlement_used WHERE record IN (SELECT value FROM json_each(?1))
                     OR event IN (SELECT id FROM event WHERE goal IN (SELECT value FROM json_each(?1)))",
                "DELETE FROM settlement WHERE event IN
                     (SELECT id FROM event WHERE goal IN (SELECT value FROM json_each(?1)))",
                "DELETE FROM candidate WHERE record IN (SELECT value FROM json_each(?1))
                     OR event IN (SELECT id FROM event WHERE goal IN (SELECT value FROM json_each(?1)))",
                "DELETE FROM event WHERE goal IN (SELECT value FROM json_each(?1))",
                "UPDATE settlement SET evidence = NULL WHERE evidence IN
                     (SELECT id FROM evidence WHERE goal IN (SELECT value FROM json_each(?1)))",
                "DELETE FROM evidence_premise WHERE record IN (SELECT value FROM json_each(?1))
                     OR evidence IN (SELECT id FROM evidence WHERE goal IN (SELECT value FROM json_each(?1)))",
                "DELETE FROM evidence WHERE goal IN (SELECT value FROM json_each(?1))",
                "UPDATE record SET merged_into = NULL WHERE merged_into IN (SELECT value FROM json_each(?1))",
                "DELETE FROM change WHERE record IN (SELECT value FROM json_each(?1))",
            ] {
                write.transaction.execute(sql, [&doomed])?;
            }
            remove(&write.transaction, &purged.ids)?;
            // A record that was verified by evidence that stood in a purged one keeps what it has left.
            write.transaction.execute(
                "UPDATE record SET status = 'checked' WHERE id IN (SELECT value FROM json_each(?1)) AND status = 'verified'
                 AND id NOT IN (SELECT goal FROM evidence WHERE verdict = 'proved' AND claim_hash IS NOT NULL)
                 AND id NOT IN (SELECT merged_into FROM record WHERE status = 'verified' AND merged_into IS NOT NULL)",
                [list(purged.unsupported.iter().map(|id| id.0))],
            )?;
            changes::note(&write.transaction, &purged.ids, Action::Purged, "", write.moment())?;
            write.renumber(None)?;
            Ok(purged)
        })?;
        self.tidy()?;
        Ok(purged)
    }

    /// Replaces the vectors of all records by `vectors`, made by another embedder. The memory is then to be opened with that one;
    /// this handle only says so.
    ///
    /// `vectors` holds `dimension` numbers for each record, in the order of `ids`, which must be all records of the memory.
    pub fn reembed(&self, embedder: &str, dimension: u32, ids: &[RecordId], vectors: &[f32]) -> Result<()> {
        if dimension == 0 || vectors.len() != ids.len() * dimension as usize {
            return Err(MemoryError::Input(format!(
                "{} numbers are not {dimension} for each of {} records",
                vectors.len(),
                ids.len()
            )));
        }
        vectors.chunks(dimension as usize).try_for_each(|vector| check_vector(vector, dimension as usize))?;
        self.write_through(|write| {
            let all = select(&write.transaction, "id >= ?1", 0)?;
            if all != ids {
                return Err(MemoryError::Input(format!(
                    "vectors for {} records were handed over, there are {}: look again, then repeat it",
                    ids.len(),
                    all.len()
                )));
            }
            write
                .transaction
                .execute("UPDATE memory SET embedder = ?1, dimension = ?2", params![embedder, dimension])?;
            write.renumber(Some((vectors, dimension)))
        })
    }

    /// How many bytes its files have.
    pub(super) fn size_bytes(&self) -> Result<u64> {
        Ok(super::stats::sizes(&self.directory)?.values().sum())
    }

    /// Gives free pages and old files of rows back to the disk.
    fn tidy(&self) -> Result<()> {
        self.with_writer(|writer, options| {
            writer.fold(false)?;
            writer.connection.execute_batch("VACUUM")?;
            // With readers about, the log keeps its length for now.
            writer.fold(true)?;
            let write = writer.begin(options)?;
            remove_old_files(&self.directory, write.state.segment)
        })
        .or_else(|error| match error {
            // Somebody else is busy: the bytes are freed, though not yet given back.
            MemoryError::Locked { .. } => Ok(()),
            other => Err(self.complete(other)),
        })
    }
}

fn select(connection: &Connection, condition: &str, parameter: i64) -> Result<Vec<RecordId>> {
    let mut statement = connection.prepare(&format!("SELECT id FROM record WHERE {condition} ORDER BY id"))?;
    let ids = statement.query_map([parameter], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

fn remove(connection: &Connection, ids: &[RecordId]) -> Result<()> {
    let doomed = list(ids.iter().map(|id| id.0));
    keyword::remove(connection, ids)?;
    connection.execute("DELETE FROM record WHERE id IN (SELECT value FROM json_each(?1))", [&doomed])?;
    Ok(())
}

fn plan(connection: &Connection, ids: &[RecordId]) -> Result<Purged> {
    records::require(connection, ids)?;
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut statement = connection.prepare(
        "SELECT DISTINCT goal FROM evidence JOIN evidence_premise ON evidence = evidence.id
         WHERE record IN (SELECT value FROM json_each(?1)) AND goal NOT IN (SELECT value FROM json_each(?1))
         UNION
         SELECT merged_into FROM record WHERE id IN (SELECT value FROM json_each(?1)) AND merged_into IS NOT NULL
             AND merged_into NOT IN (SELECT value FROM json_each(?1))
         ORDER BY 1",
    )?;
    let unsupported = statement.query_map([list(ids.iter().map(|id| id.0))], |row| row.get(0))?;
    let unsupported = unsupported.collect::<rusqlite::Result<_>>()?;
    Ok(Purged { ids, unsupported })
}

impl Write<'_> {
    /// Writes the rows of all records, without gaps and in the order of their numbers, into the next file: the old rows, or new
    /// vectors of so many places.
    fn renumber(&mut self, vectors: Option<(&[f32], u32)>) -> Result<()> {
        self.write_rows()?;
        let old = self.segment.map(self.state.rows)?;
        let number = self.state.segment + 1;
        let path = self.directory.join(segment::file_name(number));
        let failed = |error: &std::io::Error| MemoryError::io(&path, "write the rows anew", error);
        let dimension = vectors.map_or(self.state.dimension, |(_, dimension)| dimension);
        let file =
            Segment::create(self.directory, number, dimension, &self.state.identity).map_err(|error| failed(&error))?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let copied = copy_rows(&self.transaction, self.segment, &old, vectors, &mut out)?;
        let file = out.into_inner().map_err(|error| failed(error.error()))?;
        let rows = copied.records.len() as u64;
        let new = State { segment: number, dimension, rows, synced_rows: rows, ..self.state.clone() };
        let renumbered = vectors.is_none().then_some(&*copied.renumbered);
        let states = (&self.state, &new);
        index::take_along(self.directory, states, renumbered, &copied.records)?;
        // The old file goes when this is committed, so the new one has to be there whatever the durability.
        file.sync_all().and_then(|()| create::sync_directory(self.directory)).map_err(|error| failed(&error))?;
        self.transaction.execute("UPDATE memory SET segment = ?1", [number])?;
        pending::clear(&self.transaction)?;
        blocks::clear(&self.transaction)?;
        blocks::fill(&self.transaction, rows)?;
        self.first = new.rows;
        self.state = new;
        Ok(())
    }
}

/// What became of rows that were copied.
#[derive(Default)]
struct Copied {
    /// For each row that there was, its number now, if it is still there.
    renumbered: Vec<Option<u32>>,
    /// For each row that there is, its record and its checksum.
    records: Vec<(i64, u32)>,
}

/// Copies the row of every record, and names its new place.
fn copy_rows(
    connection: &Connection,
    segment: &Segment,
    old: &MappedRows,
    vectors: Option<(&[f32], u32)>,
    out: &mut impl std::io::Write,
) -> Result<Copied> {
    let mut vectors = vectors.map(|(vectors, dimension)| vectors.chunks(dimension as usize));
    let mut all = connection.prepare("SELECT id, row, row_checksum FROM record ORDER BY id")?;
    let mut update = connection.prepare("UPDATE record SET row = ?2, row_checksum = ?3 WHERE id = ?1")?;
    let mut found = all.query([])?;
    let mut bytes = Vec::new();
    let mut copied = Copied { renumbered: vec![None; old.len()], records: Vec::new() };
    while let Some(record) = found.next()? {
        let (id, row, checksum): (RecordId, u64, u32) = (record.get(0)?, count(record, 1)?, record.get(2)?);
        bytes.clear();
        let checksum = if let Some(vector) = vectors.as_mut().and_then(Iterator::next) {
            segment::push_unit_row(&mut bytes, vector);
            crc32fast::hash(&bytes)
        } else {
            bytes.extend_from_slice(usize::try_from(row).ok().and_then(|row| old.row(row)).unwrap_or_default());
            segment.check(row, &bytes, checksum)?;
            checksum
        };
        out.write_all(&bytes).map_err(|error| MemoryError::io(segment::file_name(0), "write the rows anew", &error))?;
        let place = copied.records.len();
        update.execute(params![id, signed(place as u64), checksum])?;
        if let Some(renumbered) = usize::try_from(row).ok().and_then(|row| copied.renumbered.get_mut(row)) {
            *renumbered = u32::try_from(place).ok();
        }
        copied.records.push((id.0, checksum));
    }
    Ok(copied)
}

/// Removes every file of rows but `kept`, and the indexes of the others: what readers have mapped stays until they let go of it.
fn remove_old_files(directory: &Path, kept: u32) -> Result<()> {
    let tidy = || -> std::io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let name = entry?.file_name();
            if segment::file_number(&name.to_string_lossy()).is_some_and(|number| number != kept) {
                fs::remove_file(directory.join(name))?;
            }
        }
        // Somebody may still be writing one of the old rows, and removes it when it is done.
        index::remove_all_but(directory, |one| one.segment == kept || !one.whole)
    };
    tidy().map_err(|error| MemoryError::io(directory, "remove old rows", &error))
}
