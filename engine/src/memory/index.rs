//! Indexes beside the rows: made from them in the background, found by their names, done without when damaged.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use porism_native::simd::Routines;
use rusqlite::Connection;

use super::catalog::{State, count};
use super::error::{MemoryError, Result};
use super::reader::routines;
use crate::lsh::{Belonging, Damage, SealError, Sealed, carry};

/// The name of the index `number` of the file of rows `segment`.
pub(super) fn file_name(segment: u32, number: u32) -> String {
    format!("index-{segment:06}-{number:06}.lsh")
}

/// The numbers of the file of rows and of the index in a name that [`file_name`] could have made.
fn file_numbers(name: &str) -> Option<(u32, u32)> {
    let (segment, number) = name.strip_prefix("index-")?.strip_suffix(".lsh")?.split_once('-')?;
    Some((segment.parse().ok()?, number.parse().ok()?))
}

/// The numbers of the indexes in `directory` of the file of rows `segment`, the newest first.
fn numbers(directory: &Path, segment: u32) -> Result<Vec<u32>> {
    let list = || {
        let mut found = Vec::new();
        for entry in fs::read_dir(directory)? {
            found.extend(file_numbers(&entry?.file_name().to_string_lossy()));
        }
        Ok(found)
    };
    let found = list().map_err(|error| MemoryError::io(directory, "look for indexes", &error))?;
    let mut numbers: Vec<u32> = found.into_iter().filter(|found| found.0 == segment).map(|found| found.1).collect();
    numbers.sort_unstable_by(|left, right| right.cmp(left));
    Ok(numbers)
}

/// The number that comes after those of the indexes of the file of rows `segment`.
pub(super) fn next_number(directory: &Path, segment: u32) -> Result<u32> {
    Ok(numbers(directory, segment)?.first().map_or(1, |newest| newest + 1))
}

/// Whether an index of the file of rows `segment` has been removed, for a newer one.
pub(super) fn is_replaced(directory: &Path, segment: u32, number: u32) -> bool {
    !directory.join(file_name(segment, number)).exists()
}

/// What an index of the rows of `state` belongs to.
pub(super) fn belonging(state: &State) -> Belonging {
    Belonging { identity: state.identity, segment: state.segment, dimension: state.dimension }
}

/// The newest sound index that is newer than `known`. One that cannot be used is passed over: rows without an index are searched too.
pub(super) fn newest(
    directory: &Path,
    connection: &Connection,
    state: &State,
    known: Option<u32>,
    damaged: &BTreeSet<u32>,
    routines: &'static Routines,
) -> Result<Option<Arc<Sealed>>> {
    newest_that(directory, state, known, damaged, routines, |sealed| agrees(connection, sealed))
}

fn newest_that(
    directory: &Path,
    state: &State,
    known: Option<u32>,
    damaged: &BTreeSet<u32>,
    routines: &'static Routines,
    agrees: impl Fn(&Sealed) -> Result<bool>,
) -> Result<Option<Arc<Sealed>>> {
    for number in numbers(directory, state.segment)? {
        if known >= Some(number) {
            break;
        }
        if damaged.contains(&number) {
            continue;
        }
        let opened = File::open(directory.join(file_name(state.segment, number)))
            .ok()
            .and_then(|file| Sealed::open(&file, &belonging(state), routines).ok())
            .filter(|sealed| sealed.number() == number);
        if let Some(sealed) = opened
            && u64::from(sealed.rows()) <= state.rows
            && agrees(&sealed)?
        {
            return Ok(Some(Arc::new(sealed)));
        }
    }
    Ok(None)
}

/// What is wrong with the indexes of the rows of `state`, each with its name.
pub(super) fn damaged(directory: &Path, state: &State) -> Result<Vec<(String, Damage)>> {
    let mut damaged = Vec::new();
    for number in numbers(directory, state.segment)? {
        let name = file_name(state.segment, number);
        // One that was removed meanwhile is no damage.
        if let Ok(file) = File::open(directory.join(&name))
            && let Err(damage) = Sealed::open(&file, &belonging(state), routines()?).and_then(|sealed| sealed.verify())
        {
            damaged.push((name, damage));
        }
    }
    Ok(damaged)
}

/// Whether the last row of an index is that of the catalog: after a power cut the catalog may know less than it did, and have other
/// rows by now.
fn agrees(connection: &Connection, sealed: &Sealed) -> Result<bool> {
    let Some(last) = sealed.rows().checked_sub(1) else {
        return Ok(false);
    };
    let Ok((id, checksum)) = sealed.record(last) else {
        return Ok(false);
    };
    let mut statement = connection.prepare_cached("SELECT row, row_checksum FROM record WHERE id = ?1")?;
    let found = statement.query_map([id], |row| Ok((count(row, 0)?, row.get::<_, u32>(1)?)))?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(found == [(u64::from(last), checksum)])
}

/// Takes the index of the rows of `old` along to the rows of `new`: `renumbered` says which number each row has now, if it is still
/// there, and `records` whose the rows are now. With other vectors than before (`None`), or without an index, nothing is taken along.
pub(super) fn take_along(
    directory: &Path,
    (old, new): (&State, &State),
    renumbered: Option<&[Option<u32>]>,
    records: &[(i64, u32)],
) -> Result<()> {
    // What an earlier attempt has left belongs to rows that never were.
    remove_all_but(directory, |one| one.segment != new.segment)
        .map_err(|error| MemoryError::io(directory, "remove old indexes", &error))?;
    let Some(renumbered) = renumbered else {
        return Ok(());
    };
    // The catalog has the new numbers already, so the last row that is still there is compared.
    let agrees = |sealed: &Sealed| {
        let stayed = renumbered
            .iter()
            .take(sealed.rows() as usize)
            .enumerate()
            .rev()
            .find_map(|(row, new)| Some((row, (*new)?)));
        let record = stayed.and_then(|(row, new)| Some((sealed.record(u32::try_from(row).ok()?).ok()?, new)));
        Ok(record.is_some_and(|(record, new)| records.get(new as usize) == Some(&record)))
    };
    let Some(sealed) = newest_that(directory, old, None, &BTreeSet::new(), routines()?, agrees)? else {
        return Ok(());
    };
    let path = directory.join(file_name(new.segment, 1));
    match carry(&sealed, belonging(new), 1, renumbered, records, &path) {
        // It can be made anew from the rows.
        Ok(()) | Err(SealError::Damaged(_)) => Ok(()),
        Err(error) => Err(MemoryError::io(&path, "write the index", &io::Error::other(error.to_string()))),
    }
}

/// The file of an index in a directory.
pub(super) struct Found {
    pub(super) segment: u32,
    number: u32,
    /// One that is not is being written, or was left behind by who died while writing it.
    pub(super) whole: bool,
}

/// Removes the indexes of older rows than those of `segment`, and those of these rows but for the newest.
pub(super) fn remove_older(directory: &Path, segment: u32) -> Result<()> {
    let newest = numbers(directory, segment)?.first().copied();
    // What belongs to rows that are about to come is not ours to remove.
    let kept =
        |one: &Found| one.segment > segment || (one.segment == segment && Some(one.number) == newest && one.whole);
    remove_all_but(directory, kept).map_err(|error| MemoryError::io(directory, "remove old indexes", &error))
}

/// Removes the files of indexes that are not `kept`.
///
/// What others have mapped stays until they let go of it.
pub(super) fn remove_all_but(directory: &Path, kept: impl Fn(&Found) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let scratch = name.strip_suffix(".new").map(|stem| format!("{stem}.lsh"));
        if let Some((segment, number)) = file_numbers(scratch.as_deref().unwrap_or(&name))
            && !kept(&Found { segment, number, whole: scratch.is_none() })
        {
            remove(&directory.join(&*name))?;
        }
    }
    Ok(())
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_read_back() {
        assert_eq!(file_numbers(&file_name(7, 12)), Some((7, 12)));
        assert_eq!(file_numbers("index-7.lsh"), None);
        assert_eq!(file_numbers("rows-000007.f32"), None);
    }
}
