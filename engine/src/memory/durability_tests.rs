//! What an insert costs and survives: rows that a power cut takes are put back, and threads share commits.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;

const DIMENSION: u32 = 4;

fn open(path: &Path, durability: Durability) -> Memory {
    let options = Options { embedder: "own".into(), dimension: DIMENSION, durability, ..Options::default() };
    Memory::open(path, options).unwrap()
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.porism");
    (folder, path)
}

/// Inserts so many records in one commit, each in a direction of its own.
fn insert(memory: &Memory, first: usize, count: usize) {
    let records: Vec<_> =
        (first..first + count).map(|number| NewRecord::new(Kind::Fact, format!("p{number}"))).collect();
    let vectors: Vec<f32> = (first..first + count).flat_map(direction).collect();
    memory.insert_many(&records, Some(&vectors)).unwrap();
}

#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn direction(number: usize) -> [f32; 4] {
    let angle = number as f32 / 100.0;
    [angle.cos(), angle.sin(), 0.0, 0.0]
}

/// What a power cut may do to rows that were not synced: those from `first` on are gone, or zero.
fn lose_rows(path: &Path, first: u64, length_stays: bool) {
    let file = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let rows = file.into_iter().find(|file| file.extension().is_some_and(|end| end == "f32")).unwrap();
    let length = fs::metadata(&rows).unwrap().len();
    let file = OpenOptions::new().write(true).open(rows).unwrap();
    file.set_len(64 + first * 16).unwrap();
    if length_stays {
        file.set_len(length).unwrap();
    }
}

fn assert_whole(memory: &Memory, records: usize) {
    assert!(memory.verify().unwrap().findings.is_empty());
    for number in 0..records {
        let found = memory.recall(&direction(number), 1).unwrap();
        assert_eq!(found.hits[0].id, RecordId(i64::try_from(number).unwrap() + 1));
    }
}

#[test]
fn rows_that_a_power_cut_takes_are_put_back_by_whoever_opens_the_memory() {
    for (length_stays, durability) in [(false, Durability::Power), (true, Durability::Process)] {
        let (_folder, path) = place();
        let memory = open(&path, Durability::Power);
        for count in 1..=300 {
            insert(&memory, count - 1, 1);
            if count % 37 == 0 || count % 64 < 2 {
                let synced = memory.read(|reader| catalog::state(&reader.connection)).unwrap().synced_rows;
                assert!(count as u64 - synced <= pending::SLOTS);
                lose_rows(&path, synced, length_stays);
                assert_whole(&open(&path, durability), count);
            }
        }
    }
}

#[test]
fn a_large_insert_is_synced_and_what_others_write_is_not_promised() {
    let (_folder, path) = place();
    let memory = open(&path, Durability::Power);
    insert(&memory, 0, 5);
    open(&path, Durability::Process).insert_many(&[], None).unwrap();
    insert(&open(&path, Durability::Process), 5, 100);
    lose_rows(&path, 105, false);
    insert(&memory, 105, 1);
    // The rows of the other were synced with it, for there was no slot left.
    lose_rows(&path, 106, false);
    assert_whole(&open(&path, Durability::Power), 106);
    insert(&memory, 106, 40);
    lose_rows(&path, 146, false);
    assert_whole(&open(&path, Durability::Power), 146);
}

#[test]
fn what_is_purged_is_not_kept_for_the_case_of_a_power_cut() {
    let (_folder, path) = place();
    let memory = open(&path, Durability::Power);
    insert(&memory, 0, 3);
    memory.purge(&[RecordId(2)]).unwrap();
    let kept: i64 = memory
        .read(|reader| Ok(reader.connection.query_one("SELECT count(*) FROM pending_row", [], |row| row.get(0))?))
        .unwrap();
    assert_eq!(kept, 0);
    insert(&memory, 3, 1);
    lose_rows(&path, 2, true);
    let again = open(&path, Durability::Power);
    assert!(again.verify().unwrap().findings.is_empty());
    assert_eq!(again.recall(&direction(3), 1).unwrap().hits[0].id, RecordId(4));
}

#[test]
fn numbers_are_not_used_twice_when_the_latest_are_purged() {
    let (_folder, path) = place();
    let memory = open(&path, Durability::Process);
    insert(&memory, 0, 3);
    memory.purge(&[RecordId(2), RecordId(3)]).unwrap();
    insert(&memory, 3, 2);
    assert!(memory.get(&[RecordId(4), RecordId(5)], None).is_ok());
    assert_eq!(memory.recall(&direction(4), 1).unwrap().hits[0].id, RecordId(5));
    assert_eq!(open(&path, Durability::Process).recall(&direction(4), 1).unwrap().hits[0].id, RecordId(5));
    assert!(memory.verify().unwrap().findings.is_empty());
}

#[test]
fn rows_know_their_records_over_many_blocks_and_after_purges() {
    let (_folder, path) = place();
    let memory = open(&path, Durability::None);
    let reader = open(&path, Durability::None);
    for (first, count) in [(0, 1000), (1000, 24), (1024, 1), (1025, 3000), (4025, 100)] {
        insert(&memory, first, count);
        for handle in [&reader, &open(&path, Durability::None)] {
            let last = first + count;
            assert_eq!(handle.recall(&direction(last - 1), 1).unwrap().hits.len(), 1);
            assert_eq!(handle.verify().unwrap().findings, []);
        }
    }
    let purged: Vec<_> = (1..=4125).filter(|number| number % 3 == 0).map(RecordId).collect();
    memory.purge(&purged).unwrap();
    for handle in [&memory, &reader, &open(&path, Durability::None)] {
        assert_eq!(handle.verify().unwrap().findings, []);
        let found = handle.recall(&direction(3), 3000).unwrap();
        assert_eq!(found.hits.len(), 2750);
        assert!(found.hits.iter().all(|hit| hit.id.0 % 3 != 0));
    }
    insert(&memory, 5000, 700);
    assert_eq!(reader.verify().unwrap().findings, []);
    memory
        .maintain(|write| Ok(write.transaction.execute("UPDATE record SET row_checksum = 7 WHERE id = 1", [])?))
        .unwrap();
    let found = memory.verify().unwrap().findings;
    assert_eq!(found[0].place, "block 0 of rows");
}

#[test]
fn threads_share_commits_and_each_hears_of_its_own_error() {
    const THREADS: usize = 8;
    const EACH: usize = 40;
    let (_folder, path) = place();
    let memory = open(&path, Durability::Power);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let memory = &memory;
            scope.spawn(move || {
                for step in 0..EACH {
                    let number = thread * EACH + step;
                    let record = NewRecord::new(Kind::Fact, format!("p{number}"));
                    let inserted =
                        memory.insert_many(std::slice::from_ref(&record), Some(&direction(number))).unwrap()[0];
                    assert!(inserted.new);
                    assert_eq!(memory.get(&[inserted.id], None).unwrap()[0].statement, record.statement);
                    let again = memory.insert_many(&[record], Some(&direction(number))).unwrap()[0];
                    assert_eq!((again.id, again.new), (inserted.id, false));
                    assert!(memory.insert(&NewRecord::new(Kind::Fact, "q")).is_err(), "there is no embedder");
                }
            });
        }
    });
    let all = memory.find(&Filter::default()).unwrap();
    assert_eq!(all.len(), THREADS * EACH);
    assert!(all.iter().all(|record| record.inserts == 2));
    assert!(memory.generation().unwrap() <= i64::try_from(2 * THREADS * EACH).unwrap());
    assert!(memory.verify().unwrap().findings.is_empty());
}

#[test]
fn an_insert_that_breaks_the_budget_does_not_take_others_with_it() {
    let (_folder, path) = place();
    insert(&open(&path, Durability::Process), 0, 1);
    let size = stats::sizes(&path).unwrap().values().sum::<u64>();
    let options = Options {
        embedder: "own".into(),
        dimension: DIMENSION,
        budget_bytes: Some(size + 2_000_000),
        ..Options::default()
    };
    let memory = Memory::open(&path, options).unwrap();
    let stored: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let memory = &memory;
                scope.spawn(move || {
                    let tries = (0..40).map(|step| {
                        let statement = format!("p{thread} {step} {}", "x".repeat(30_000));
                        memory.insert_many(&[NewRecord::new(Kind::Fact, statement)], Some(&direction(step)))
                    });
                    tries
                        .filter(|outcome| match outcome {
                            Ok(_) => true,
                            Err(error) => {
                                assert!(matches!(error, MemoryError::Budget { .. }), "{error}");
                                false
                            }
                        })
                        .count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!((10..160).contains(&stored), "{stored}");
    assert_eq!(memory.find(&Filter::default()).unwrap().len(), stored + 1);
}
