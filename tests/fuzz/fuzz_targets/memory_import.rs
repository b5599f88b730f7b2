//! Whatever is imported, the memory stays sound: all of it is stored, or nothing.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use porism_engine::memory::{Memory, Options};
use tempfile::TempDir;

static PLACE: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder for the memory"));

fuzz_target!(|lines: &[u8]| {
    let path = PLACE.path().join("m.porism");
    let _ = std::fs::remove_dir_all(&path);
    let memory = Memory::open(&path, Options::default()).expect("an empty memory");
    let mut text = br#"{"type":"header","version":2,"generation":1,"embedder":"symbols-v1","dimension":256}"#.to_vec();
    text.push(b'\n');
    text.extend_from_slice(lines);
    let before = memory.generation().expect("it is open");
    match memory.import(&mut &text[..]) {
        Ok(done) => assert!(memory.stats().expect("it is open").records <= done.new + done.known),
        Err(_) => assert_eq!(memory.generation().expect("it is open"), before),
    }
    assert!(memory.verify().expect("it can be checked").findings.is_empty());
});
