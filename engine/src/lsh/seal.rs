//! Making an index of rows, and writing it into a file.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use porism_native::simd::Routines;

use super::calibration::calibrate;
use super::code::encode;
use super::layout::{Belonging, Front, Header, RECORDS_AT_ONCE};
use super::list::List;
use super::rotation::Rotation;
use super::rows::{Rows, floats};
use super::sealed::{Damage, Sealed};
use super::train::{assign, train};
use super::workers::{Cancelled, Workers};

/// How many rows a cluster has in the mean, of a small index; of a large one it has more, as its square root does.
const ROWS_IN_CLUSTER: usize = 48;
/// How many vectors the centroid of one cluster is made from.
const SAMPLES_IN_CLUSTER: usize = 40;
/// How many rows stand in as queries while too few real ones are known.
const STAND_INS: usize = 400;
/// How many lists are in memory at once.
const LISTS_AT_ONCE: usize = 256;

/// What an index is made of.
#[derive(Debug)]
pub struct Source<'a, R> {
    /// What it will belong to.
    pub belonging: Belonging,
    /// Its number among the indexes of its file of rows.
    pub number: u32,
    /// Decides the rotation, and which rows are taken as a sample.
    pub seed: u64,
    /// All rows that it shall have.
    pub rows: &'a R,
    /// For each of them, the number of its record and its checksum.
    pub records: &'a [(i64, u32)],
    /// Queries that were asked; the recall is measured on them if they are many enough.
    pub queries: &'a [Vec<f32>],
    /// The routines of this machine.
    pub routines: &'static Routines,
}

/// Why an index was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// It was called off.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The file could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What was written does not read back.
    #[error("the index that was written is damaged: {0}")]
    Damaged(#[from] Damage),
    /// This row is not what was stored.
    #[error("row {0} is damaged")]
    Row(u32),
}

/// Makes an index and writes it to `path`; it appears there whole, or not at all.
pub fn seal<R: Rows>(source: &Source<'_, R>, path: &Path, workers: &Workers<'_>) -> Result<(), SealError> {
    appear(path, |scratch| write(source, scratch, workers))
}

/// Writes an index to `path` that has the rows of `sealed` under their new numbers, without those that have none.
///
/// The codes stay what they are, so this takes a fraction of the time of [`seal`]. Where so few rows are left that they need no index,
/// none is written.
pub fn carry(
    sealed: &Sealed,
    belonging: Belonging,
    number: u32,
    renumbered: &[Option<u32>],
    records: &[(i64, u32)],
    path: &Path,
) -> Result<(), SealError> {
    let rows = renumbered.iter().take(sealed.rows() as usize).flatten().count();
    if rows < sealed.clusters() as usize || rows == 0 {
        return Ok(());
    }
    let lists = (0..sealed.clusters()).map(|cluster| {
        let old = sealed.cluster(cluster)?;
        let mut list = List::new(sealed.rotation().bits());
        for place in 0..sealed.cluster_len(cluster) {
            if let Some(number) = renumbered.get(old.number(place) as usize).copied().flatten() {
                list.push_from(&old, place, number);
            }
        }
        Ok(list)
    });
    let mut header = sealed.header().clone();
    // What it took to find a hundred rows finds fifty where every second is gone.
    for promise in &mut header.promises {
        let k = (u64::from(promise.k) * rows as u64 + header.rows / 2) / header.rows;
        promise.k = u32::try_from(k).unwrap_or(u32::MAX);
    }
    header.promises.retain(|promise| promise.k > 0);
    (header.belonging, header.rows, header.number) = (belonging, rows as u64, number);
    appear(path, |scratch| {
        let mut file = File::options().read(true).write(true).create(true).truncate(true).open(scratch)?;
        write_body(&mut file, &mut header, sealed.centroid_bytes(), &records[..rows], lists)?;
        Ok(file.sync_all()?)
    })
}

/// Writes a file beside `path` and puts it there when it is complete.
fn appear(path: &Path, write: impl FnOnce(&Path) -> Result<(), SealError>) -> Result<(), SealError> {
    let scratch = path.with_extension("new");
    let outcome = write(&scratch).and_then(|()| Ok(fs::rename(&scratch, path)?));
    if outcome.is_err() {
        let _ = fs::remove_file(&scratch);
    }
    outcome
}

#[allow(clippy::cast_possible_truncation, reason = "rows have numbers of 32 bits")]
fn write<R: Rows>(source: &Source<'_, R>, path: &Path, workers: &Workers<'_>) -> Result<(), SealError> {
    let count = source.records.len();
    if let Some(row) = workers.map(count, |row| source.rows.sound(row as u32))?.iter().position(|sound| !sound) {
        return Err(SealError::Row(row as u32));
    }
    let stride = 4 * source.belonging.dimension as usize;
    let vector = |row: usize| floats(&source.rows.bytes()[row * stride..][..stride]);
    let shuffled = shuffle(count, source.seed);
    // Rows that stand in as queries must not have a part in what is measured on them.
    let (stand_ins, others) = shuffled.split_at(STAND_INS.min(count / 4));
    let clusters = clusters(count);
    let size = others.len().min(clusters * SAMPLES_IN_CLUSTER);
    let rotation = Rotation::new(source.belonging.dimension as usize, source.seed, source.routines);
    let centroids = train(&rotation, clusters, size, |one| vector(others[one] as usize), workers)?;
    let nearest = assign(&rotation, &centroids, count, vector, workers)?;
    let mut members = vec![Vec::new(); clusters];
    (0..).zip(&nearest).for_each(|(row, &cluster): (u32, _)| members[cluster as usize].push(row));

    let mut header = Header {
        belonging: source.belonging,
        seed: source.seed,
        rows: count as u64,
        number: source.number,
        clusters: clusters as u32,
        promises: Vec::new(),
        front_checksum: 0,
    };
    let mut file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
    let list = |cluster: usize| {
        let centre = rotation.rotate(&centroids.view().vector(cluster));
        let mut residual = vec![0.0; rotation.bits()];
        let mut list = List::new(rotation.bits());
        for &row in &members[cluster] {
            let factors = encode(&rotation.rotate(&vector(row as usize)), &centre, &mut residual);
            list.push(&residual, factors, row);
        }
        list
    };
    // Some at a time: all together would take the memory that the file has.
    let lists = (0..clusters).step_by(LISTS_AT_ONCE).flat_map(|first| {
        match workers.map(LISTS_AT_ONCE.min(clusters - first), |place| list(first + place)) {
            Ok(lists) => lists.into_iter().map(Ok).collect(),
            Err(cancelled) => vec![Err(SealError::from(cancelled))],
        }
    });
    let bytes = centroids.to_bytes();
    write_body(&mut file, &mut header, &bytes, source.records, lists)?;

    // What was written is opened and searched before anybody else sees it.
    let sealed = Sealed::open(&file, &header.belonging, source.routines)?;
    let asked = distinct(source.queries);
    let (queries, own) = if asked.len() >= stand_ins.len() / 2 && !asked.is_empty() {
        (asked, None)
    } else {
        (stand_ins.iter().map(|&row| vector(row as usize)).collect(), Some(stand_ins))
    };
    header.promises = calibrate(&sealed, source.rows, &queries, own, workers)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&header.write())?;
    Ok(file.sync_all()?)
}

/// Writes all parts, and the header with the checksum of those that are checked on opening.
fn write_body(
    file: &mut File,
    header: &mut Header,
    centroids: &[u8],
    records: &[(i64, u32)],
    lists: impl Iterator<Item = Result<List, SealError>>,
) -> Result<(), SealError> {
    let front = Front::new(header);
    file.seek(SeekFrom::Start(front.end as u64))?;
    let mut out = BufWriter::with_capacity(1 << 20, &mut *file);
    let (mut sizes, mut checksums) = (Vec::new(), Vec::new());
    for list in lists {
        let list = list?;
        let mut checksum = crc32fast::Hasher::new();
        for part in list.parts() {
            checksum.update(part);
            out.write_all(part)?;
        }
        sizes.push(u32::try_from(list.len()).unwrap_or(u32::MAX));
        checksums.push(checksum.finalize());
    }
    for block in records.chunks(RECORDS_AT_ONCE) {
        let mut bytes: Vec<u8> = block.iter().flat_map(|(id, _)| id.to_le_bytes()).collect();
        bytes.extend(block.iter().flat_map(|(_, checksum)| checksum.to_le_bytes()));
        checksums.push(crc32fast::hash(&bytes));
        out.write_all(&bytes)?;
    }
    out.flush()?;
    drop(out);

    let words = sizes.iter().chain(&checksums).flat_map(|word| word.to_le_bytes());
    let bytes: Vec<u8> = centroids.iter().copied().chain(words).collect();
    header.front_checksum = crc32fast::hash(&bytes);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&header.write())?;
    Ok(file.write_all(&bytes)?)
}

/// The queries without those that were asked before: one query says nothing of others, however often it is asked.
fn distinct(queries: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let mut seen = HashSet::new();
    let bits = |query: &[f32]| query.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    queries.iter().filter(|query| seen.insert(bits(query))).cloned().collect()
}

/// How many clusters so many rows are parted into: about twice their square root, the balance of centroids and rows to look at.
fn clusters(rows: usize) -> usize {
    (rows / ROWS_IN_CLUSTER).min(4 * rows.isqrt()).max(1)
}

/// The numbers below `count` in an order that depends on `seed` alone (Fisher, Yates; Durstenfeld, 1964).
#[allow(clippy::cast_possible_truncation, reason = "rows have numbers of 32 bits")]
fn shuffle(count: usize, seed: u64) -> Vec<u32> {
    let mut numbers: Vec<u32> = (0..count as u32).collect();
    let mut stream = blake3::Hasher::new().update(b"sample").update(&seed.to_le_bytes()).finalize_xof();
    for last in (1..count).rev() {
        let mut word = [0; 8];
        stream.fill(&mut word);
        // The remainder is uneven by less than one in 2^32.
        numbers.swap(last, (u64::from_le_bytes(word) % (last as u64 + 1)) as usize);
    }
    numbers
}
