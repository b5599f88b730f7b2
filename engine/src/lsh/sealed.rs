//! An index in a file: mapped, checked piece by piece on first touch, never changed.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};

use porism_native::map::MappedFile;
use porism_native::simd::{BLOCK_ROWS, Routines};

use super::calibration::Promise;
use super::centroids::CentroidsView;
use super::layout::{Belonging, Front, HEADER_BYTES, Header, RECORD_BYTES, RECORDS_AT_ONCE, long, word};
use super::list::{ListView, NO_ROW, blocks, list_bytes};
use super::rotation::{Rotation, bits};
use super::rows::floats;

/// What is wrong with an index. It can be made anew from the rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Damage {
    /// Where.
    pub place: String,
    /// What.
    pub reason: String,
}

/// An index of the first rows of a file.
#[derive(Debug)]
pub struct Sealed {
    map: MappedFile,
    header: Header,
    front: Front,
    rotation: Rotation,
    mean: Vec<f32>,
    rotated_mean: Vec<f32>,
    scales: Vec<f32>,
    half_squares: Vec<f32>,
    clusters: Vec<Part>,
    records: Vec<Part>,
}

const START_BYTES: usize = 1024;

/// A piece of the file with a checksum of its own.
#[derive(Debug)]
struct Part {
    start: usize,
    rows: usize,
    checksum: u32,
    sound: AtomicBool,
}

impl Sealed {
    /// Opens the index in `file`, which must be one of `belonging`.
    pub fn open(file: &File, belonging: &Belonging, routines: &'static Routines) -> Result<Self, Damage> {
        let length = file.metadata().map_err(|error| whole(error.to_string()))?.len();
        let map = MappedFile::open(file, length).map_err(|error| whole(error.to_string()))?;
        let bytes = map.bytes();
        let header = Header::read(bytes)?;
        if header.belonging != *belonging {
            return Err(whole(format!("it belongs to {:?}, wanted is {belonging:?}", header.belonging)));
        }
        // Each row has twelve bytes here, and each cluster a centroid: no file is so short and claims more.
        let least = u128::from(header.rows) * RECORD_BYTES as u128
            + u128::from(header.clusters) * u128::from(belonging.dimension);
        let front = Front::new(&header);
        if u128::from(length) < least || bytes.len() < front.end {
            return Err(whole(format!("it has {length} bytes, too few for {} rows", header.rows)));
        }
        check(&bytes[HEADER_BYTES..front.end], header.front_checksum, || "its centroids".into())?;
        let rotation = Rotation::new(header.dimension(), header.seed, routines);
        let mean = floats(&bytes[front.mean..][..4 * header.dimension()]);
        let scales = floats(&bytes[front.scales..][..4 * header.clusters as usize]);
        let half_squares = floats(&bytes[front.half_squares..][..4 * header.clusters as usize]);
        let (clusters, records) = parts(&header, &front, bytes)?;
        if ![&mean, &scales, &half_squares].into_iter().flatten().all(|x| x.is_finite()) {
            return Err(whole("a number of its centroids is none".into()));
        }
        let rotated_mean = rotation.rotate(&mean);
        let sealed = Self { map, header, front, rotation, mean, rotated_mean, scales, half_squares, clusters, records };
        let clusters = sealed.clusters() as usize;
        match misplaced(&sealed.centroids().list, clusters, |place, number| number as usize == place) {
            Some(place) => Err(whole(format!("place {place} of its centroids names another one"))),
            None => Ok(sealed),
        }
    }

    /// How many rows it has: the first ones of their file.
    #[allow(clippy::cast_possible_truncation, reason = "checked when the header was read")]
    pub fn rows(&self) -> u32 {
        self.header.rows as u32
    }

    /// How many clusters it has.
    pub fn clusters(&self) -> u32 {
        self.header.clusters
    }

    /// Its number among the indexes of its file of rows.
    pub fn number(&self) -> u32 {
        self.header.number
    }

    /// What was measured when it was made.
    pub fn promises(&self) -> &[Promise] {
        &self.header.promises
    }

    /// How many bytes its file has.
    pub fn size_bytes(&self) -> u64 {
        self.map.bytes().len() as u64
    }

    /// The number of the record of `row`, and the checksum of the row.
    pub fn record(&self, row: u32) -> Result<(i64, u32), Damage> {
        let row = row as usize;
        let (block, place) = (row / RECORDS_AT_ONCE, row % RECORDS_AT_ONCE);
        let part = &self.records[block];
        let bytes = self.piece(part, part.rows * RECORD_BYTES, |bytes, checksum| {
            check(bytes, checksum, || format!("records from row {}", row - place))
        })?;
        Ok((long(bytes, place * 8).cast_signed(), word(bytes, part.rows * 8 + place * 4)))
    }

    /// Checks all of it.
    pub fn verify(&self) -> Result<(), Damage> {
        (0..self.clusters()).try_for_each(|cluster| self.cluster(cluster).map(drop))?;
        let mut seen = super::RowSet::none(self.rows() as usize);
        for cluster in 0..self.clusters() {
            let part = &self.clusters[cluster as usize];
            let list = self.cluster(cluster)?;
            (0..part.rows).for_each(|place| seen.set(u64::from(list.number(place)), true));
        }
        if seen.len() != self.rows() as usize {
            return Err(whole(format!("{} of its {} rows are in a cluster", seen.len(), self.rows())));
        }
        (0..self.rows()).step_by(RECORDS_AT_ONCE).try_for_each(|row| self.record(row).map(drop))
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The parts of the centroids.
    pub(crate) fn centroid_bytes(&self) -> &[u8] {
        &self.map.bytes()[HEADER_BYTES..self.front.sizes]
    }

    pub(crate) fn rotation(&self) -> &Rotation {
        &self.rotation
    }

    pub(crate) fn mean(&self) -> &[f32] {
        &self.mean
    }

    pub(crate) fn rotated_mean(&self) -> &[f32] {
        &self.rotated_mean
    }

    pub(crate) fn centroids(&self) -> CentroidsView<'_> {
        let bytes = self.map.bytes();
        let list = &bytes[self.front.list..self.front.sizes];
        CentroidsView {
            mean: &self.mean,
            bytes: &bytes[self.front.centroids..][..self.mean.len() * self.scales.len()],
            scales: &self.scales,
            list: ListView::read(self.rotation.bits(), self.clusters() as usize, list),
            half_squares: &self.half_squares,
        }
    }

    pub(crate) fn cluster_len(&self, cluster: u32) -> usize {
        self.clusters[cluster as usize].rows
    }

    /// The first bytes of the codes of a cluster: with these at hand, a machine fetches the rest by itself.
    pub(crate) fn start_of(&self, cluster: u32) -> &[u8] {
        let start = self.clusters[cluster as usize].start;
        let bytes = self.map.bytes();
        &bytes[start..bytes.len().min(start + START_BYTES)]
    }

    /// The codes of a cluster.
    pub(crate) fn cluster(&self, cluster: u32) -> Result<ListView<'_>, Damage> {
        let part = &self.clusters[cluster as usize];
        let bits = self.rotation.bits();
        let length = list_bytes(bits, part.rows);
        let bytes = self.piece(part, length, |bytes, checksum| {
            let place = || format!("cluster {cluster}");
            check(bytes, checksum, place)?;
            let list = ListView::read(bits, part.rows, bytes);
            match misplaced(&list, part.rows, |_, row| row < self.rows()) {
                Some(at) => {
                    let reason = format!("it names row {} of {}", list.number(at), self.rows());
                    Err(Damage { place: place(), reason })
                }
                None => Ok(()),
            }
        })?;
        Ok(ListView::read(bits, part.rows, bytes))
    }

    /// The bytes of a part, checked at the first touch.
    fn piece(
        &self,
        part: &Part,
        length: usize,
        check: impl FnOnce(&[u8], u32) -> Result<(), Damage>,
    ) -> Result<&[u8], Damage> {
        let bytes = &self.map.bytes()[part.start..part.start + length];
        if !part.sound.load(Ordering::Relaxed) {
            check(bytes, part.checksum)?;
            part.sound.store(true, Ordering::Relaxed);
        }
        Ok(bytes)
    }
}

/// Where the clusters and the blocks of records are, which must fill the file to its end.
fn parts(header: &Header, front: &Front, bytes: &[u8]) -> Result<(Vec<Part>, Vec<Part>), Damage> {
    let bits = bits(header.dimension());
    let part = |start: usize, rows: usize, checksum_at: usize| Part {
        start,
        rows,
        checksum: word(bytes, checksum_at),
        sound: AtomicBool::new(false),
    };
    let mut start = front.end;
    let mut rows = 0_u64;
    let mut clusters = Vec::with_capacity(header.clusters as usize);
    for cluster in 0..header.clusters as usize {
        let size = word(bytes, front.sizes + 4 * cluster) as usize;
        rows += size as u64;
        if rows > header.rows {
            break;
        }
        clusters.push(part(start, size, front.cluster_checksums + 4 * cluster));
        start += list_bytes(bits, size);
    }
    if rows != header.rows {
        return Err(whole(format!("its clusters have {rows} rows, it says {}", header.rows)));
    }
    let mut left = usize::try_from(rows).unwrap_or(usize::MAX);
    let mut records = Vec::with_capacity(header.blocks_of_records());
    for block in 0..header.blocks_of_records() {
        let size = left.min(RECORDS_AT_ONCE);
        left -= size;
        records.push(part(start, size, front.record_checksums + 4 * block));
        start += size * RECORD_BYTES;
    }
    if start != bytes.len() {
        return Err(whole(format!("it has {} bytes, its parts {start}", bytes.len())));
    }
    Ok((clusters, records))
}

/// The first place of a list of `rows` rows whose number does not `fit`, or that has one where there is no row.
fn misplaced(list: &ListView<'_>, rows: usize, fit: impl Fn(usize, u32) -> bool) -> Option<usize> {
    (0..blocks(rows) * BLOCK_ROWS).find(|&place| {
        let number = list.number(place);
        if place < rows { !fit(place, number) } else { number != NO_ROW }
    })
}

fn check(bytes: &[u8], stored: u32, place: impl FnOnce() -> String) -> Result<(), Damage> {
    let computed = crc32fast::hash(bytes);
    if computed == stored {
        return Ok(());
    }
    let reason = format!("the checksum is {computed:08x}, {stored:08x} was written");
    Err(Damage { place: place(), reason })
}

fn whole(reason: String) -> Damage {
    Damage { place: "the whole file".into(), reason }
}
