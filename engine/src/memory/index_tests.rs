//! A memory with an index: the same answers as a plain model, whatever happened to the memory or to the file of the index.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use porism_native::isa::Isa;
use porism_native::simd::Routines;
use proptest::prelude::*;
use tempfile::TempDir;

use super::builder::Builder;
use super::tests::lemma;
use super::*;

const DIMENSION: usize = 8;
const CATALOG: &str = "catalog.sqlite";

fn options() -> Options {
    Options { embedder: "own".into(), dimension: 8, ..Options::default() }
}

fn open(directory: &TempDir) -> Memory {
    Memory::open(&directory.path().join("m.porism"), options()).unwrap()
}

/// Vectors that are not quite alike, and now and then quite.
fn vector(number: usize) -> Vec<f32> {
    let number = if number % 10 == 9 { number - 9 } else { number };
    (0..DIMENSION).map(|place| ((number * 7 + place * place) as f32).sin()).collect()
}

fn fill(memory: &Memory, numbers: std::ops::Range<usize>) {
    let records: Vec<_> = numbers.clone().map(|number| lemma(&format!("p{number}(a)"))).collect();
    memory.insert_many(&records, Some(&numbers.flat_map(vector).collect::<Vec<_>>())).unwrap();
}

fn filled(rows: usize) -> (TempDir, Memory) {
    let directory = tempfile::tempdir().unwrap();
    let memory = open(&directory);
    fill(&memory, 0..rows);
    (directory, memory)
}

fn hits(memory: &Memory, query: &[f32], k: usize, recall: f32, filter: &Filter) -> Vec<(i64, u32)> {
    let query = Query { text: None, vector: Some(query), views: &[View::Dense], k, recall };
    memory.search(&query, filter).unwrap().hits.iter().map(|hit| (hit.id.0, hit.score.to_bits())).collect()
}

/// What an exact search finds among `alive`, worked out one by one with the plainest routines.
fn expected(alive: impl Iterator<Item = (i64, usize)>, query: &[f32]) -> Vec<(i64, u32)> {
    let routines = Routines::of(Isa::Portable).unwrap();
    let query = segment::unit(query);
    let score = |number| {
        let mut row = Vec::new();
        segment::push_unit_row(&mut row, &vector(number));
        routines.dot(&query, &row)
    };
    let mut scored: Vec<_> = alive.map(|(id, number)| (id, score(number))).collect();
    scored.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    scored.into_iter().map(|(id, score)| (id, score.to_bits())).collect()
}

/// Both kinds of recall among the records that are `alive`: exactly right, or as many of them with their right scores.
fn check(memory: &Memory, alive: &BTreeMap<i64, usize>, filter: &Filter) {
    let query = vector(3);
    let expected = expected(alive.iter().map(|(&id, &number)| (id, number)), &query);
    for k in [0, 4, expected.len() + 2] {
        let best = &expected[..k.min(expected.len())];
        assert_eq!(hits(memory, &query, k, 1.0, filter), best, "{filter:?}");
        let found = hits(memory, &query, k, 0.99, filter);
        assert_eq!(found.len(), best.len(), "{filter:?}");
        assert!(found.iter().all(|hit| expected.contains(hit)), "{found:?} among {expected:?} by {filter:?}");
        assert!(found.iter().map(|hit| hit.0).collect::<BTreeSet<_>>().len() == found.len(), "{found:?}");
    }
    assert_eq!(hits(memory, &[0.0; DIMENSION], 9, 0.99, filter), []);
}

fn all_of(rows: usize) -> BTreeMap<i64, usize> {
    (0..rows).map(|number| (i64::try_from(number).unwrap() + 1, number)).collect()
}

fn indexes(directory: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.path().join("m.porism")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "lsh" || extension == "new"));
    files.sort_unstable();
    files
}

fn index(directory: &TempDir) -> PathBuf {
    let mut files = indexes(directory);
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn rows_behind_the_index_are_found_at_once_and_the_dead_never() {
    let (directory, memory) = filled(300);
    let other = open(&directory);
    let mut alive = all_of(300);
    check(&other, &alive, &Filter::default());
    assert!(memory.build_index().unwrap());
    assert!(!memory.build_index().unwrap(), "there is nothing left to do");
    for round in 0..10 {
        let number = 300 + round;
        fill(&memory, number..number + 1);
        alive.insert(i64::try_from(number).unwrap() + 1, number);
        let id = i64::try_from(round * 29).unwrap() + 4;
        memory.forget(&[RecordId(id)], "").unwrap();
        alive.remove(&id);
        for memory in [&memory, &other] {
            check(memory, &alive, &Filter::default());
        }
    }
    assert_eq!((memory.index().unwrap().indexed, memory.index().unwrap().rows), (300, 310));
    let late = Memory::open(memory.path(), Options { read_only: true, create: false, ..options() }).unwrap();
    check(&late, &alive, &Filter::default());
    assert_eq!(late.index().unwrap().indexed, 300);
}

#[test]
fn a_dimension_beyond_the_largest_is_searched_without_an_index() {
    let directory = tempfile::tempdir().unwrap();
    for (dimension, indexed) in [(8192, 3), (8193, 0)] {
        let path = directory.path().join(format!("{dimension}.porism"));
        let memory = Memory::open(&path, Options { embedder: "wide".into(), dimension, ..Options::default() }).unwrap();
        let mut vectors = vec![0.0; 3 * dimension as usize];
        vectors.iter_mut().step_by(dimension as usize + 1).for_each(|x| *x = 1.0);
        memory.insert_many(&["p", "q", "r"].map(lemma), Some(&vectors)).unwrap();
        assert_eq!(memory.build_index().unwrap(), indexed > 0);
        assert_eq!(memory.index().unwrap().indexed, indexed);
        let query = &vectors[dimension as usize..2 * dimension as usize];
        let found = hits(&memory, query, 2, 0.9, &Filter::default());
        assert_eq!(found, [(2, 1.0_f32.to_bits()), (1, 0)]);
    }
}

#[test]
fn a_memory_that_was_opened_for_reading_makes_no_index() {
    let (directory, memory) = filled(50);
    drop(memory);
    let path = directory.path().join("m.porism");
    let before = fs::read_dir(&path).unwrap().count();
    let reader = Memory::open(&path, Options { read_only: true, ..options() }).unwrap();
    let names = || fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect::<BTreeSet<_>>();
    assert!(matches!(reader.build_index(), Err(MemoryError::Io { .. })));
    assert!(!names().contains(std::ffi::OsStr::new("index.lock")), "{before}: {:?}", names());
    check(&reader, &all_of(50), &Filter::default());
}

/// Opens the memory as its files are now: it answers right, says what is wrong, and is repaired by a new index.
fn check_damaged(directory: &TempDir, rows: usize, what: &str) {
    let memory = open(directory);
    check(&memory, &all_of(rows), &Filter::default());
    let findings = memory.verify().unwrap().findings;
    assert!(findings.iter().any(|one| one.file.to_string_lossy().starts_with("index-")), "{what}: {findings:?}");
    assert!(memory.build_index().unwrap(), "{what}: a damaged index is made anew");
    check(&memory, &all_of(rows), &Filter::default());
    assert_eq!(memory.index().unwrap().indexed, rows as u64, "{what}");
    assert_eq!(memory.verify().unwrap().findings, [], "{what}");
    index(directory);
}

#[test]
fn a_damaged_index_is_done_without_reported_and_made_anew() {
    const ROWS: usize = 120;
    let (directory, memory) = filled(ROWS);
    memory.build_index().unwrap();
    let path = index(&directory);
    let good = fs::read(&path).unwrap();
    drop(memory);
    let end = good.len();
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    // The header, the centroids, two clusters, the records of rows.
    for at in [9, 50, 500, 700, end - 12 * ROWS - 300, end - 12 * ROWS - 3000, end - 12 * ROWS + 5, end - 3] {
        fs::write(index(&directory), flipped(at)).unwrap();
        check_damaged(&directory, ROWS, &format!("byte {at} of {end}"));
        fs::remove_file(index(&directory)).unwrap();
        fs::write(&path, &good).unwrap();
    }
    for length in [0, 1, 511, 512, 600, end / 2, end - 1] {
        fs::write(index(&directory), &good[..length]).unwrap();
        check_damaged(&directory, ROWS, &format!("{length} bytes of {end}"));
        fs::remove_file(index(&directory)).unwrap();
        fs::write(&path, &good).unwrap();
    }
}

#[test]
fn an_index_that_is_damaged_under_an_open_memory_is_done_without() {
    let (directory, memory) = filled(200);
    memory.build_index().unwrap();
    drop(memory);
    let path = index(&directory);
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len();
    // Nothing of the clusters is sound, but opening does not look at them.
    (end - 12 * 200 - 4000..end - 12 * 200).step_by(64).for_each(|at| bytes[at] ^= 1);
    fs::write(&path, bytes).unwrap();
    let memory = open(&directory);
    assert_eq!(memory.index().unwrap().indexed, 200, "nobody has looked yet");
    let vectors: Vec<f32> = (0..9).flat_map(vector).collect();
    let many = memory.search_many(&vectors, 5, 0.9, &Filter::default()).unwrap();
    let best: Vec<_> = (0..9).map(|number| memory.recall(&vector(number), 5).unwrap()).collect();
    assert_eq!(many.iter().map(|one| one.hits.len()).collect::<Vec<_>>(), [5; 9]);
    assert_eq!(many[3].hits[0].score.to_bits(), best[3].hits[0].score.to_bits());
    assert_eq!(memory.index().unwrap().indexed, 0, "now somebody has");
    check(&memory, &all_of(200), &Filter::default());
    assert!(memory.build_index().unwrap());
    assert_eq!(memory.index().unwrap().indexed, 200);
}

#[test]
fn an_index_of_other_rows_is_not_used() {
    let (elsewhere, foreign) = filled(100);
    foreign.build_index().unwrap();
    let foreign = fs::read(index(&elsewhere)).unwrap();
    let (directory, memory) = filled(100);
    memory.build_index().unwrap();
    let path = index(&directory);
    let old = fs::read(&path).unwrap();
    memory.forget(&[RecordId(1), RecordId(2)], "").unwrap();
    memory.compact().unwrap();
    let alive: BTreeMap<i64, usize> = all_of(100).split_off(&3);
    check(&memory, &alive, &Filter::default());
    let now = index(&directory);
    assert_ne!(now, path, "the index was taken along");
    assert_eq!(memory.index().unwrap().indexed, 98);
    let newer = fs::read(&now).unwrap();
    drop(memory);
    // Of another memory, of rows as they were, of these under another number.
    for (name, bytes) in [(&now, &foreign), (&now, &old), (&now.with_file_name("index-000002-000007.lsh"), &newer)] {
        fs::write(name, bytes).unwrap();
        let memory = open(&directory);
        check(&memory, &alive, &Filter::default());
        assert!(memory.index().unwrap().number < 7);
        drop(memory);
        fs::write(&now, &newer).unwrap();
    }
    // An earlier catalog knows fewer rows than the index, and then others.
    let memory = open(&directory);
    memory.flush().unwrap();
    drop(memory);
    let earlier = fs::read(now.with_file_name(CATALOG)).unwrap();
    let memory = open(&directory);
    fill(&memory, 200..240);
    memory.build_index().unwrap();
    memory.flush().unwrap();
    drop(memory);
    fs::write(now.with_file_name(CATALOG), earlier).unwrap();
    let memory = open(&directory);
    check(&memory, &alive, &Filter::default());
    fill(&memory, 300..345);
    let alive = alive.into_iter().chain((101_i64..).zip(300..345)).collect();
    check(&memory, &alive, &Filter::default());
    assert!(memory.build_index().unwrap());
    check(&memory, &alive, &Filter::default());
}

#[test]
fn builders_and_compaction_leave_the_files_of_each_other_alone() {
    let (directory, memory) = filled(100);
    memory.build_index().unwrap();
    let path = index(&directory);
    let [building, carrying, carried] =
        ["index-000001-000002.new", "index-000002-000001.new", "index-000002-000001.lsh"]
            .map(|name| path.with_file_name(name));
    // A compaction that has not committed yet, while an index is made.
    fs::write(&carrying, "being written").unwrap();
    fs::write(&carried, "written").unwrap();
    fill(&memory, 100..110);
    assert!(memory.build_index().unwrap());
    assert!(carrying.exists() && carried.exists());
    // An index that is being made, while a compaction commits.
    fs::write(&building, "being written").unwrap();
    memory.forget(&[RecordId(1)], "").unwrap();
    memory.compact().unwrap();
    assert!(building.exists() && !carrying.exists());
    assert_eq!(memory.index().unwrap().indexed, 109);
    // What the dead have left goes with the next index.
    fill(&memory, 110..111);
    assert!(memory.build_index().unwrap());
    index(&directory);
    assert_eq!(memory.verify().unwrap().findings, []);
}

// A compaction that came while an index was made used to throw the index away: with one always on its way, none was ever made.
#[test]
fn rows_that_are_written_anew_take_along_an_index_that_is_being_made() {
    let (directory, memory) = filled(300);
    let (path, options) = (memory.path().to_owned(), options());
    let cancel = std::sync::atomic::AtomicBool::new(false);
    let workers = crate::lsh::Workers { threads: 1, cancel: &cancel };
    let mut alive = all_of(300);
    for round in 1..=3 {
        let mut builder = Builder::begin(&path, &options).unwrap();
        let draft = builder.seal(&[], &workers).unwrap().unwrap();
        for id in [round * 2, round * 70] {
            memory.forget(&[RecordId(id)], "").unwrap();
            alive.remove(&id);
            // Twice, so that the file of the rows that were read is long gone.
            assert_eq!(memory.compact().unwrap().dropped, 1);
        }
        let number = 300 + usize::try_from(round).unwrap();
        fill(&memory, number..number + 1);
        alive.insert(300 + round, number);
        builder.place(&draft).unwrap();
        drop(builder);
        let report = memory.index().unwrap();
        assert_eq!((report.indexed, report.rows), (report.rows - 1, alive.len() as u64), "in round {round}");
        check(&memory, &alive, &Filter::default());
        check(&open(&directory), &alive, &Filter::default());
        assert_eq!(memory.verify().unwrap().findings, []);
        index(&directory);
    }
    // Other vectors leave nothing to take along.
    let mut builder = Builder::begin(&path, &options).unwrap();
    let draft = builder.seal(&[], &workers).unwrap().unwrap();
    let ids: Vec<_> = alive.keys().copied().map(RecordId).collect();
    memory
        .reembed("own", 8, &ids, &alive.values().rev().flat_map(|&number| vector(number)).collect::<Vec<_>>())
        .unwrap();
    builder.place(&draft).unwrap();
    assert_eq!(indexes(&directory), [] as [PathBuf; 0]);
    assert_eq!(memory.verify().unwrap().findings, []);
}

#[test]
fn an_index_that_another_handle_made_is_seen_without_a_commit_of_records() {
    let (directory, memory) = filled(300);
    let other = open(&directory);
    let seen = |memory: &Memory| {
        hits(memory, &vector(1), 3, 0.9, &Filter::default());
        let report = memory.index().unwrap();
        (report.indexed, report.number)
    };
    assert_eq!(seen(&other), (0, 0));
    memory.build_index().unwrap();
    assert_eq!(seen(&other), (300, 1));
    assert_eq!(other.generation().unwrap(), 1);
    // Few rows are behind: nothing but the new index says that there is one.
    fill(&memory, 300..310);
    assert_eq!(seen(&other), (300, 1));
    memory.build_index().unwrap();
    fill(&memory, 310..311);
    assert_eq!(seen(&other), (310, 2));
}

#[test]
fn indexes_are_made_while_others_write_compact_and_recall() {
    let (directory, memory) = filled(150);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let other = open(&directory);
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                match other.build_index() {
                    Ok(_) | Err(MemoryError::Locked { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
        scope.spawn(|| {
            let other = open(&directory);
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let dead = other.find(&Filter { dead: true, ..Filter::default() }).unwrap();
                let dead: BTreeSet<_> = dead.iter().filter(|one| one.died.is_some()).map(|one| one.id).collect();
                let query = Query { text: None, vector: Some(&vector(5)), views: &[View::Dense], k: 10, recall: 0.95 };
                let found = other.search(&query, &Filter::default()).unwrap();
                assert_eq!(found.hits.len(), 10);
                assert!(found.hits.iter().all(|hit| !dead.contains(&hit.id)));
            }
        });
        let finish = Finish(&done);
        for round in 0..8 {
            let first = 150 + round * 20;
            fill(&memory, first..first + 20);
            let id = RecordId(i64::try_from(first).unwrap() - 7);
            memory.forget(&[id], "").unwrap();
            memory.compact().unwrap();
        }
        drop(finish);
    });
    assert_eq!(memory.verify().unwrap().findings, []);
    memory.build_index().unwrap();
    index(&directory);
    assert_eq!(memory.index().unwrap().indexed, 150 + 8 * 20 - 8);
}

/// Lets the other threads end, whatever happens to this one.
struct Finish<'a>(&'a std::sync::atomic::AtomicBool);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u8),
    Forget(u8),
    Restore(u8),
    Merge(u8, u8),
    Purge(u8),
    Compact,
    Build,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let number = 0_u8..60;
    prop_oneof![
        4 => (1_u8..30).prop_map(Step::Insert),
        3 => number.clone().prop_map(Step::Forget),
        1 => number.clone().prop_map(Step::Restore),
        1 => (number.clone(), number.clone()).prop_map(|(one, other)| Step::Merge(one, other)),
        1 => number.prop_map(Step::Purge),
        2 => Just(Step::Compact),
        3 => Just(Step::Build),
        1 => Just(Step::Reopen),
    ]
}

/// What there is, in plain words: the number in the statement of each record, and whether it is alive.
#[derive(Default)]
struct Model {
    records: BTreeMap<i64, (usize, bool)>,
    inserted: usize,
    past: Vec<(i64, BTreeMap<i64, usize>)>,
}

impl Model {
    fn alive(&self, keep: impl Fn(i64) -> bool) -> BTreeMap<i64, usize> {
        let alive = self.records.iter().filter(|&(&id, &(_, alive))| alive && keep(id));
        alive.map(|(&id, &(number, _))| (id, number)).collect()
    }

    fn take(&mut self, memory: &Memory, step: &Step) {
        let known = |number: u8| Some(i64::from(number) + 1).filter(|id| self.records.contains_key(id));
        match *step {
            Step::Insert(count) => {
                let numbers = self.inserted..self.inserted + usize::from(count);
                self.inserted = numbers.end;
                let kinds = |number: usize| if number.is_multiple_of(3) { Kind::Fact } else { Kind::Lemma };
                let records = numbers.clone().map(|number| NewRecord::new(kinds(number), format!("p{number}(a)")));
                let vectors: Vec<f32> = numbers.clone().flat_map(vector).collect();
                let inserted = memory.insert_many(&records.collect::<Vec<_>>(), Some(&vectors)).unwrap();
                self.records.extend(inserted.iter().zip(numbers).map(|(one, number)| (one.id.0, (number, true))));
            }
            Step::Forget(number) | Step::Restore(number) => {
                if let Some(id) = known(number) {
                    let restores = matches!(step, Step::Restore(_));
                    let ids = [RecordId(id)];
                    if restores { memory.restore(&ids) } else { memory.forget(&ids, "") }.unwrap();
                    self.records.get_mut(&id).unwrap().1 = restores;
                }
            }
            Step::Merge(one, other) => {
                if let (Some(one), Some(other)) = (known(one), known(other))
                    && one != other
                    && self.records[&one].1
                    && self.records[&other].1
                {
                    memory.merge(RecordId(one), RecordId(other)).unwrap();
                    self.records.get_mut(&one.max(other)).unwrap().1 = false;
                }
            }
            Step::Purge(number) => {
                if let Some(id) = known(number) {
                    memory.purge(&[RecordId(id)]).unwrap();
                    self.records.remove(&id);
                    self.past.iter_mut().for_each(|(_, alive)| alive.retain(|other, _| *other != id));
                }
            }
            Step::Compact => {
                memory.compact().unwrap();
                let left = memory.find(&Filter { dead: true, ..Filter::default() }).unwrap();
                let left: BTreeSet<_> = left.iter().map(|record| record.id.0).collect();
                self.records.retain(|id, (_, alive)| *alive || left.contains(id));
                self.past.clear();
            }
            Step::Build => drop(memory.build_index().unwrap()),
            Step::Reopen => {}
        }
    }

    fn check(&self, memory: &Memory) {
        check(memory, &self.alive(|_| true), &Filter::default());
        let kinds = Filter { kinds: vec![Kind::Fact], ..Filter::default() };
        check(memory, &self.alive(|id| self.records[&id].0.is_multiple_of(3)), &kinds);
        let ids = Filter { ids: Some([2, 3, 5, 44].map(RecordId).to_vec()), ..Filter::default() };
        check(memory, &self.alive(|id| [2, 3, 5, 44].contains(&id)), &ids);
        let all = self.records.iter().map(|(&id, &(number, _))| (id, number)).collect();
        check(memory, &all, &Filter { dead: true, ..Filter::default() });
        for (at, alive) in self.past.iter().rev().step_by(3) {
            check(memory, alive, &Filter { at: Some(*at), ..Filter::default() });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// A second handle looks on, so that what it remembers is put to the test too.
    #[test]
    fn any_sequence_of_steps_agrees_with_a_plain_model(steps in prop::collection::vec(step(), 1..24)) {
        let directory = tempfile::tempdir().unwrap();
        let mut memory = open(&directory);
        let witness = open(&directory);
        let mut model = Model::default();
        for step in steps {
            if matches!(step, Step::Reopen) {
                drop(memory);
                memory = open(&directory);
            }
            model.take(&memory, &step);
            let alive = model.alive(|_| true);
            model.past.push((memory.generation().unwrap(), alive));
            model.check(&memory);
            model.check(&witness);
        }
        prop_assert_eq!(memory.verify().unwrap().findings, []);
    }
}
