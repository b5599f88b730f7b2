//! An index whose file was changed anywhere, with its checksums put right or not: records that are there, with their true scores.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use porism_engine::memory::{Filter, Kind, Memory, NewRecord, Options, Query, Recall, Result, View};
use tempfile::TempDir;

const ROWS: u16 = 120;
const DIMENSION: u8 = 6;
const INDEX: &str = "index-000001-000001.lsh";
/// The header ends with its checksum, which covers that of what comes behind it.
const HEADER_BYTES: usize = 512;
const FRONT_CHECKSUM_AT: usize = 448;

struct Good {
    place: TempDir,
    index: Vec<u8>,
    answers: Recall,
}

static GOOD: LazyLock<Good> = LazyLock::new(good);

fn options() -> Options {
    Options { embedder: "own".into(), dimension: DIMENSION.into(), ..Options::default() }
}

fn vector(number: u16) -> Vec<f32> {
    (0..DIMENSION).map(|place| (f32::from(number * 3) + f32::from(place).powi(2)).sin()).collect()
}

fn good() -> Good {
    let place = TempDir::new().expect("a folder for the memory");
    let memory = Memory::open(&path(&place), options()).expect("an empty memory");
    let lemmas: Vec<_> = (0..ROWS).map(|number| NewRecord::new(Kind::Lemma, format!("p{number}(a)"))).collect();
    let vectors: Vec<f32> = (0..ROWS).flat_map(vector).collect();
    memory.insert_many(&lemmas, Some(&vectors)).expect("room for the lemmas");
    assert!(memory.build_index().expect("room for the index"));
    let answers = memory.recall(&vector(3), ROWS.into()).expect("a sound memory");
    let index = fs::read(path(&place).join(INDEX)).expect("its file");
    Good { place, index, answers }
}

fn path(place: &TempDir) -> PathBuf {
    place.path().join("m.porism")
}

fn read(good: &Good) -> Result<()> {
    let memory = Memory::open(&path(&good.place), Options { create: false, read_only: true, ..options() })?;
    for (k, recall) in [(0, 0.5), (9, 0.8), (9, 0.99), (200, 0.9)] {
        let query = Query { text: None, vector: Some(&vector(3)), views: &[View::Dense], k, recall };
        let found = memory.search(&query, &Filter::default())?.hits;
        assert_eq!(found.len(), k.min(ROWS.into()));
        assert!(found.is_sorted_by(|one, next| one.score > next.score || one.score == next.score && one.id < next.id));
        assert!(found.iter().all(|hit| good.answers.hits.contains(hit)));
    }
    assert_eq!(memory.recall(&vector(3), ROWS.into())?, good.answers);
    memory.verify().map(drop)
}

/// Puts both checksums right, the length of the front being what the intact header says.
fn seal(bytes: &mut [u8], front_end: usize) {
    if bytes.len() < front_end {
        return;
    }
    let front = crc32fast::hash(&bytes[HEADER_BYTES..front_end]).to_le_bytes();
    bytes[FRONT_CHECKSUM_AT..FRONT_CHECKSUM_AT + 4].copy_from_slice(&front);
    let header = crc32fast::hash(&bytes[..HEADER_BYTES - 4]).to_le_bytes();
    bytes[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&header);
}

/// Where the front ends: its checksum covers just that.
fn front_end(index: &[u8]) -> usize {
    let stored = &index[FRONT_CHECKSUM_AT..FRONT_CHECKSUM_AT + 4];
    let ends = (HEADER_BYTES..index.len()).step_by(4);
    ends.into_iter()
        .find(|&end| crc32fast::hash(&index[HEADER_BYTES..end]).to_le_bytes() == stored)
        .expect("a checksum")
}

fuzz_target!(|input: (bool, Vec<(u16, u8)>)| {
    static END: LazyLock<usize> = LazyLock::new(|| front_end(&GOOD.index));
    let (sealed, changes) = input;
    let mut bytes = GOOD.index.clone();
    for (at, flip) in changes {
        let at = usize::from(at) % (bytes.len() + 1);
        match bytes.get_mut(at) {
            Some(byte) if flip != 0 => *byte ^= flip,
            _ => bytes.truncate(at),
        }
    }
    if sealed {
        seal(&mut bytes, *END);
    }
    fs::write(path(&GOOD.place).join(INDEX), &bytes).expect("room for the index");
    read(&GOOD).expect("the memory itself is sound");
});
