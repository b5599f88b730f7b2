//! A memory whose files were changed anywhere: an error, or the answers that it gave before.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use porism_engine::features;
use porism_engine::memory::{Filter, Kind, Memory, NewRecord, Options, Record, Result};
use tempfile::TempDir;

static PLACE: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder for the memory"));
static GOOD: LazyLock<(Vec<(PathBuf, Vec<u8>)>, Vec<Record>)> = LazyLock::new(good);

/// The files of a small memory, and what it answers.
fn good() -> (Vec<(PathBuf, Vec<u8>)>, Vec<Record>) {
    let path = PLACE.path().join("good.porism");
    let memory = Memory::open(&path, Options::default()).expect("an empty memory");
    let lemmas: Vec<_> = (0..20).map(|number| NewRecord::new(Kind::Lemma, format!("p{number}(a)"))).collect();
    memory.insert_many(&lemmas, None).expect("room for twenty lemmas");
    let answers = read(&path).expect("a sound memory");
    drop(memory);
    let files = ["catalog.sqlite", "rows-000001.f32"].map(PathBuf::from);
    (files.map(|file| (file.clone(), fs::read(path.join(file)).expect("its file"))).into(), answers)
}

fn read(path: &Path) -> Result<Vec<Record>> {
    let memory = Memory::open(path, Options { create: false, read_only: true, ..Options::default() })?;
    let found = memory.find(&Filter::default())?;
    let ids: Vec<_> = found.iter().map(|record| record.id).collect();
    assert_eq!(memory.recall(&features::embed("p7(a)"), 99)?.hits.len(), ids.len());
    memory.get(&ids, None)
}

fuzz_target!(|changes: Vec<(bool, u32, u8)>| {
    let (files, answers) = &*GOOD;
    let path = PLACE.path().join("bad.porism");
    let _ = fs::remove_dir_all(&path);
    fs::create_dir(&path).expect("a folder for the copy");
    let mut files = files.clone();
    for (catalog, at, flip) in changes {
        let bytes = &mut files[usize::from(!catalog)].1;
        let at = at as usize % (bytes.len() + 1);
        match bytes.get_mut(at) {
            Some(byte) if flip != 0 => *byte ^= flip,
            _ => bytes.truncate(at),
        }
    }
    for (file, bytes) in &files {
        fs::write(path.join(file), bytes).expect("room for the copy");
    }
    if let Ok(found) = read(&path) {
        assert_eq!(&found, answers);
    }
});
