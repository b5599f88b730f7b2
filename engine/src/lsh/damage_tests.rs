//! Files that are not what was written: an error, or the answers that the right file gives.

use std::fs;
use std::path::Path;

use porism_native::simd::Routines;

use super::layout::{Front, HEADER_BYTES, Header, word};
use super::list::list_bytes;
use super::tests::{Block, belonging, clustered, open, seal_some, tail};
use super::*;

const DIMENSION: usize = 6;
const ROWS: usize = 110;

/// Every so many bytes are changed, or all of them in a long run.
fn stride() -> usize {
    let rounds = std::env::var("PORISM_CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(25);
    if rounds >= 1000 { 1 } else { 13 }
}

struct Trials {
    directory: tempfile::TempDir,
    block: Block,
    query: Vec<f32>,
    good: Vec<u8>,
    answers: Vec<Vec<Scored>>,
}

impl Trials {
    fn new() -> Self {
        let (block, mut queries) = clustered(ROWS, 1, DIMENSION);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index.lsh");
        seal_some(&block, ROWS - 10, Routines::chosen().unwrap(), &path);
        let good = fs::read(&path).unwrap();
        let mut trials = Self { directory, block, query: queries.remove(0), good, answers: Vec::new() };
        trials.answers = trials.answers_of(&path).unwrap();
        assert!(trials.answers.iter().all(|answer| answer.len() == 10));
        trials
    }

    /// What searches find with the index at `path`.
    fn answers_of(&self, path: &Path) -> Result<Vec<Vec<Scored>>, Damage> {
        let sealed = open(path, DIMENSION)?;
        let tail = tail(&sealed, &self.block);
        let scope = Scope { sealed: Some(&sealed), tail: &tail, rows: &self.block, admitted: None };
        let mut answers = Vec::new();
        for recall in [0.8, 0.95, 1.0] {
            match search(&scope, &self.query, 10, Promises(sealed.promises()).setting(10, recall)) {
                Ok(found) => answers.push(found.best),
                Err(Trouble::Index(damage)) => return Err(damage),
                Err(Trouble::Row(row)) => panic!("row {row} is sound"),
            }
        }
        for row in 0..sealed.rows() {
            sealed.record(row)?;
        }
        Ok(answers)
    }

    fn try_bytes(&self, bytes: &[u8]) -> Result<Vec<Vec<Scored>>, Damage> {
        let path = self.directory.path().join("bad.lsh");
        fs::write(&path, bytes).unwrap();
        self.answers_of(&path)
    }

    fn front(&self) -> (Header, Front) {
        let header = Header::read(&self.good).unwrap();
        let front = Front::new(&header);
        (header, front)
    }

    /// The right file with other bytes, and the checksum of all that is checked at its opening put right.
    fn with_checksum(&self, header: &Header, at: usize, bytes: &[u8]) -> Vec<u8> {
        let (_, front) = self.front();
        let mut file = self.good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        let front_checksum = crc32fast::hash(&file[HEADER_BYTES..front.end]);
        file[..HEADER_BYTES].copy_from_slice(&Header { front_checksum, ..header.clone() }.write());
        file
    }
}

#[test]
fn a_flipped_byte_is_noticed_or_changes_nothing() {
    let trials = Trials::new();
    for at in (0..trials.good.len()).step_by(stride()) {
        let mut bytes = trials.good.clone();
        bytes[at] ^= 1 << (at % 8);
        if let Ok(answers) = trials.try_bytes(&bytes) {
            panic!("byte {at} of {} is not checked: {}", bytes.len(), answers == trials.answers);
        }
    }
}

#[test]
fn a_truncated_file_is_refused() {
    let trials = Trials::new();
    let lengths = (0..trials.good.len()).step_by(stride()).chain([511, 512, 513, trials.good.len() - 1]);
    for length in lengths {
        assert!(trials.try_bytes(&trials.good[..length]).is_err(), "{length} bytes");
    }
    assert!(trials.try_bytes(&[&*trials.good, &[0]].concat()).is_err(), "one byte too many");
}

#[test]
fn numbers_that_cannot_be_are_refused_whatever_the_checksum_says() {
    let trials = Trials::new();
    let (good, _) = trials.front();
    let promise = good.promises[0];
    let other = |promise: Promise| Header { promises: vec![promise], ..good.clone() };
    let setting = |probes, width| other(Promise { setting: Setting { probes, width }, ..promise });
    let headers = [
        Header { rows: 0, ..good.clone() },
        Header { rows: good.rows - 1, ..good.clone() },
        Header { rows: good.rows + 1, ..good.clone() },
        Header { rows: u64::from(u32::MAX), ..good.clone() },
        Header { rows: u64::MAX, ..good.clone() },
        Header { clusters: 0, ..good.clone() },
        Header { clusters: good.clusters + 1, ..good.clone() },
        Header { clusters: u32::MAX, ..good.clone() },
        Header { rows: u64::from(u32::MAX) - 1, clusters: u32::MAX - 1, ..good.clone() },
        Header { belonging: Belonging { dimension: 0, ..good.belonging }, ..good.clone() },
        Header { belonging: Belonging { dimension: 7, ..good.belonging }, ..good.clone() },
        Header { belonging: Belonging { dimension: u32::MAX, ..good.belonging }, ..good.clone() },
        Header { belonging: Belonging { segment: 2, ..good.belonging }, ..good.clone() },
        Header { belonging: Belonging { identity: [4; 16], ..good.belonging }, ..good.clone() },
        setting(0, promise.setting.width),
        setting(u32::MAX, promise.setting.width),
        setting(1, 0.0),
        setting(1, -1.0),
        setting(1, f32::NAN),
        setting(1, f32::INFINITY),
        other(Promise { k: 0, ..promise }),
        other(Promise { recall: f32::NAN, ..promise }),
        other(Promise { recall: 2.0, ..promise }),
        other(Promise { measured: f32::NAN, ..promise }),
    ];
    for header in headers {
        let mut bytes = trials.good.clone();
        bytes[..HEADER_BYTES].copy_from_slice(&header.write());
        assert!(trials.try_bytes(&bytes).is_err(), "{header:?}");
    }
    let mut bytes = good.write();
    bytes[60..64].copy_from_slice(&17_u32.to_le_bytes());
    let checksum = crc32fast::hash(&bytes[..508]);
    bytes[508..].copy_from_slice(&checksum.to_le_bytes());
    assert!(Header::read(&bytes).is_err(), "more promises than there is room for");
}

#[test]
fn what_cannot_be_behind_the_header_is_refused_whatever_the_checksum_says() {
    let trials = Trials::new();
    let (header, front) = trials.front();
    let clusters = header.clusters as usize;
    assert!((2..32).contains(&clusters));
    // The numbers of centroids are the last column of one block of 32.
    let numbers = front.sizes - 128;
    let places = [
        ("a mean", front.mean, f32::NAN.to_bits()),
        ("a scale", front.scales, f32::INFINITY.to_bits()),
        ("a length", front.half_squares, f32::NAN.to_bits()),
        ("a centroid that is not there", numbers, 77),
        ("a centroid twice", numbers, 1),
        ("a centroid behind the last", numbers + 4 * clusters, 0),
        ("too many rows in a cluster", front.sizes, u32::MAX),
        ("one more row in a cluster", front.sizes, 1 + word(&trials.good, front.sizes)),
    ];
    for (what, at, word) in places {
        assert!(trials.try_bytes(&trials.with_checksum(&header, at, &word.to_le_bytes())).is_err(), "{what}");
    }
    assert_eq!(trials.try_bytes(&trials.with_checksum(&header, 0, &[])).as_ref(), Ok(&trials.answers));
}

#[test]
fn rows_that_cannot_be_in_a_cluster_are_refused_whatever_the_checksum_says() {
    let trials = Trials::new();
    let (header, front) = trials.front();
    let size = word(&trials.good, front.sizes) as usize;
    let length = list_bytes(64, size);
    let numbers = front.end + length - size.div_ceil(32) * 128;
    for (what, place, row) in [("beyond the last", 0, 100), ("no row", 0, u32::MAX), ("behind the last", size, 3)] {
        assert!(!size.is_multiple_of(32), "the block has room");
        let mut cluster = trials.good[front.end..front.end + length].to_vec();
        let at = numbers - front.end + 4 * place;
        cluster[at..at + 4].copy_from_slice(&u32::to_le_bytes(row));
        let checksum = crc32fast::hash(&cluster).to_le_bytes();
        let mut bytes = trials.with_checksum(&header, front.cluster_checksums, &checksum);
        bytes[front.end..front.end + length].copy_from_slice(&cluster);
        assert!(trials.try_bytes(&bytes).is_err(), "{what}");
    }
}

#[test]
fn the_index_of_another_memory_is_refused() {
    let trials = Trials::new();
    let path = trials.directory.path().join("index.lsh");
    for other in [
        Belonging { identity: [9; 16], ..belonging(DIMENSION) },
        Belonging { segment: 7, ..belonging(DIMENSION) },
        Belonging { dimension: 5, ..belonging(DIMENSION) },
    ] {
        assert!(Sealed::open(&fs::File::open(&path).unwrap(), &other, Routines::chosen().unwrap()).is_err());
    }
}
