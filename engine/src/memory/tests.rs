//! The memory as its callers see it.

use std::sync::atomic::{AtomicI64, Ordering};

use proptest::prelude::*;
use tempfile::TempDir;

use super::catalog::FORMAT;
use super::segment::{FIRST, file_name};
use super::*;

/// A clock that ticks once at every look.
#[derive(Debug, Default)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now_ms(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

fn options() -> Options {
    Options { clock: Box::<Ticking>::default(), timeout: Duration::from_millis(50), ..Options::default() }
}

pub(super) fn memory() -> (TempDir, Memory) {
    let directory = tempfile::tempdir().unwrap();
    let memory = open(&directory);
    (directory, memory)
}

pub(super) fn open(directory: &TempDir) -> Memory {
    Memory::open(&directory.path().join("m.porism"), options()).unwrap()
}

pub(super) fn lemma(statement: &str) -> NewRecord {
    NewRecord::new(Kind::Lemma, statement)
}

pub(super) fn evidence(goal: RecordId, used: Vec<RecordId>) -> NewEvidence {
    NewEvidence {
        goal,
        verdict: Verdict::Proved,
        used,
        prover: "E".into(),
        prover_version: "3.2".into(),
        label: "fused-64".into(),
        seconds: 0.25,
        reprover: None,
        reprover_version: None,
        receipt: None,
    }
}

pub(super) fn receipt() -> Receipt {
    let hash = blake3::hash(b"claim").to_hex().to_string();
    Receipt { claim_hash: hash.clone(), certificate_hash: hash, checker: "z3".into(), checker_version: "4.13".into() }
}

fn settlement(verdict: Verdict) -> Settlement {
    Settlement { verdict, attempts: 2, seconds: 1.5, used: Vec::new(), evidence: None }
}

#[test]
fn what_is_stored_is_there_after_reopening() {
    let (directory, memory) = memory();
    let stored = memory.insert(&lemma("p(a) => q(b)").named("step")).unwrap();
    let before = memory.get(&[stored.id], None).unwrap();
    drop(memory);
    let after = open(&directory).get(&[stored.id], None).unwrap();
    assert_eq!(before, after);
    assert_eq!((after[0].name.as_deref(), after[0].created_ms, after[0].inserts), (Some("step"), 0, 1));
}

#[test]
fn a_known_statement_is_counted_and_keeps_its_number() {
    let (_directory, memory) = memory();
    let first = memory.insert(&lemma("![X]: p(X)")).unwrap();
    let again = memory.insert(&NewRecord::new(Kind::Theorem, "![Y]: p(Y)")).unwrap();
    assert_eq!((first.new, again.new, first.id), (true, false, again.id));
    assert_eq!(memory.get(&[first.id], None).unwrap()[0].inserts, 2);
    let named = memory.insert(&lemma("![X]: p(X)").named("other")).unwrap();
    let elsewhere = memory.insert(&NewRecord { namespace: "team".into(), ..lemma("![X]: p(X)") }).unwrap();
    assert!(named.new && elsewhere.new);
}

#[test]
fn a_batch_is_all_or_nothing() {
    let (_directory, memory) = memory();
    assert!(memory.insert_many(&[lemma("p"), lemma(" ")], None).is_err());
    assert!(memory.insert_many(&[lemma("p"), lemma("q")], Some(&[0.0; 3])).is_err());
    assert_eq!(memory.stats().unwrap().generation, 0);
    let inserted = memory.insert_many(&[lemma("p"), lemma("q"), lemma("p")], None).unwrap();
    assert_eq!(inserted.iter().map(|one| one.new).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(memory.stats().unwrap().generation, 1);
}

#[test]
fn recall_finds_the_nearest_and_names_its_snapshot() {
    let (_directory, memory) = memory();
    let ids: Vec<_> = memory.insert_many(&[lemma("![X]: f(X,e) = X"), lemma("?[Y]: in(Y, union(Y))")], None).unwrap();
    let recall = memory.recall(&features::embed("![X]: f(e,X) = X"), 8).unwrap();
    assert_eq!((recall.snapshot, recall.hits[0].id, recall.hits.len()), (1, ids[0].id, 2));
    assert!(recall.hits[0].score > recall.hits[1].score);
    assert!(memory.recall(&vec![0.0; features::DIMENSION], 8).unwrap().hits.is_empty());
}

#[test]
fn two_handles_see_each_others_writes() {
    let (directory, one) = memory();
    let other = open(&directory);
    let first = one.insert(&lemma("p")).unwrap();
    let second = other.insert(&lemma("q")).unwrap();
    let third = one.insert(&lemma("r")).unwrap();
    for memory in [&one, &other] {
        let found = memory.find(&Filter::default()).unwrap();
        assert_eq!(found.iter().map(|record| record.id).collect::<Vec<_>>(), [first.id, second.id, third.id]);
        assert_eq!(memory.recall(&features::embed("r"), 1).unwrap().hits[0].id, third.id);
    }
    assert_eq!(one.verify().unwrap().findings, []);
}

#[test]
fn only_a_receipt_verifies() {
    let (_directory, memory) = memory();
    let (goal, premise) = (memory.insert(&lemma("p")).unwrap().id, memory.insert(&lemma("q")).unwrap().id);
    let status = || memory.get(&[goal], None).unwrap()[0].status;
    memory.add_evidence(&NewEvidence { verdict: Verdict::Unknown, ..evidence(goal, vec![]) }).unwrap();
    assert_eq!(status(), Status::Conjectural);
    memory.add_evidence(&evidence(goal, vec![premise, premise])).unwrap();
    assert_eq!(status(), Status::Checked);
    let signed = NewEvidence { receipt: Some(receipt()), ..evidence(goal, vec![]) };
    memory.add_evidence(&signed).unwrap();
    assert_eq!(status(), Status::Verified);
    memory.add_evidence(&evidence(goal, vec![])).unwrap();
    assert_eq!(status(), Status::Verified, "a status never falls");
    let stored = memory.evidence(Some(goal)).unwrap();
    assert_eq!(stored[1].content.used, [premise]);
    assert_eq!(stored[2].content, signed);
}

#[test]
fn evidence_of_nothing_is_refused() {
    let (_directory, memory) = memory();
    let goal = memory.insert(&lemma("p")).unwrap().id;
    let missing = RecordId(99);
    for bad in [evidence(missing, vec![]), evidence(goal, vec![missing])] {
        assert_eq!(memory.add_evidence(&bad).unwrap_err().to_string(), "there is no record 99");
    }
    assert_eq!(memory.get(&[missing], None).unwrap_err().to_string(), "there is no record 99");
}

#[test]
fn an_event_settles_once() {
    let (_directory, memory) = memory();
    let ids: Vec<_> = ["p", "q", "r"].map(|text| memory.insert(&lemma(text)).unwrap().id).into();
    let candidates = vec![
        Candidate { record: ids[1], score: 0.9, slot: Some(0), propensity: 0.9 },
        Candidate { record: ids[2], score: 0.4, slot: None, propensity: 0.1 },
    ];
    let new = NewEvent { goal: ids[0], snapshot: 3, candidates, policy: "top".into(), seed: 7 };
    let event = memory.log_event(&new).unwrap();
    assert_eq!(memory.stats().unwrap().events_pending, 1);

    let proved = Settlement { used: vec![ids[2], ids[1], ids[2]], ..settlement(Verdict::Proved) };
    let first = memory.settle(event, &proved).unwrap();
    assert_eq!(first.used, [ids[1], ids[2]]);
    assert_eq!(memory.settle(event, &proved).unwrap(), first);
    let other = memory.settle(event, &settlement(Verdict::Unknown)).unwrap_err().to_string();
    assert_eq!(other, "event 1 is settled as proved and cannot be settled as unknown: they differ in verdict");
    assert!(memory.settle(EventId(9), &proved).is_err());

    let stored = memory.events(Some(event)).unwrap().remove(0);
    assert_eq!((stored.content, stored.settlement), (new, Some(first)));
    let stats = memory.stats().unwrap();
    assert_eq!((stats.events_pending, stats.events_settled), (0, 1));
}

#[test]
fn another_embedder_or_dimension_is_refused_by_name() {
    let (directory, memory) = memory();
    drop(memory);
    let path = directory.path().join("m.porism");
    let embedder = Memory::open(&path, Options { embedder: "model-x".into(), ..options() }).unwrap_err().to_string();
    assert!(embedder.contains(features::EMBEDDER) && embedder.contains("model-x"), "{embedder}");
    let dimension = Memory::open(&path, Options { dimension: 3, ..options() }).unwrap_err().to_string();
    assert!(dimension.contains(&features::DIMENSION.to_string()) && dimension.contains('3'), "{dimension}");
}

#[test]
fn a_locked_memory_says_so_and_can_be_read() {
    let (directory, memory) = memory();
    memory.insert(&lemma("p")).unwrap();
    let mut other =
        catalog::open_writer(&directory.path().join("m.porism"), Durability::Process, Duration::ZERO).unwrap();
    let held = transaction::WriteTransaction::begin(&mut other).unwrap();
    let refused = memory.insert(&lemma("q")).unwrap_err();
    assert!(matches!(refused, MemoryError::Locked { .. }), "{refused}");
    assert_eq!(memory.recall(&features::embed("p"), 1).unwrap().hits.len(), 1);
    drop(held);
    assert!(memory.insert(&lemma("q")).is_ok());
}

#[test]
fn what_is_no_memory_is_told_from_damage() {
    let directory = tempfile::tempdir().unwrap();
    let refusal = |path: &Path| Memory::open(path, options()).unwrap_err();
    assert!(matches!(refusal(directory.path()), MemoryError::NotAMemory { .. }));
    let file = directory.path().join("file");
    std::fs::write(&file, "text").unwrap();
    assert!(matches!(refusal(&file), MemoryError::NotAMemory { .. }));
    let absent = directory.path().join("absent");
    let strict = Memory::open(&absent, Options { create: false, ..options() }).unwrap_err();
    assert!(matches!(strict, MemoryError::NotAMemory { .. }));

    let foreign = directory.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    rusqlite::Connection::open(foreign.join("catalog.sqlite")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(refusal(&foreign), MemoryError::NotAMemory { .. }));
    std::fs::write(foreign.join("catalog.sqlite"), "not a database, although long enough".repeat(50)).unwrap();
    assert!(matches!(refusal(&foreign), MemoryError::Damaged { .. }));
}

#[test]
fn a_newer_format_is_refused_with_both_numbers() {
    let (directory, memory) = memory();
    drop(memory);
    let path = directory.path().join("m.porism");
    let catalog =
        porism_native::sqlite::open(path.join("catalog.sqlite"), rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    catalog.pragma_update(None, "user_version", FORMAT + 1).unwrap();
    drop(catalog);
    let refused = Memory::open(&path, options()).unwrap_err();
    assert!(matches!(refused, MemoryError::Format { found: 3, supported: 2, .. }), "{refused}");
}

#[test]
fn a_flipped_byte_of_a_row_is_reported_and_never_served() {
    let (directory, memory) = memory();
    memory.insert_many(&[lemma("p(a)"), lemma("q(b)")], None).unwrap();
    drop(memory);
    let rows = directory.path().join("m.porism").join(file_name(FIRST));
    let good = std::fs::read(&rows).unwrap();
    for place in [64, 65, 64 + 4 * features::DIMENSION, good.len() - 1] {
        let mut bad = good.clone();
        bad[place] ^= 0x40;
        std::fs::write(&rows, bad).unwrap();
        let memory = open(&directory);
        let refused = memory.recall(&features::embed("p(a)"), 1).unwrap_err();
        assert!(matches!(refused, MemoryError::Damaged { .. }), "byte {place}: {refused}");
        assert_eq!(memory.verify().unwrap().findings.len(), 1);
    }
}

#[test]
fn a_truncated_file_of_rows_is_refused_with_both_lengths() {
    let (directory, memory) = memory();
    memory.insert(&lemma("p")).unwrap();
    drop(memory);
    let path = directory.path().join("m.porism");
    let file = std::fs::OpenOptions::new().write(true).open(path.join(file_name(FIRST))).unwrap();
    for length in [0, 63, 64, 64 + 4 * features::DIMENSION as u64 - 1] {
        file.set_len(length).unwrap();
        let refused = Memory::open(&path, options()).unwrap_err();
        assert!(matches!(refused, MemoryError::Damaged { .. }), "{length} bytes: {refused}");
    }
}

#[test]
fn a_changed_statement_is_reported() {
    let (directory, memory) = memory();
    let id = memory.insert(&lemma("p")).unwrap().id;
    let path = directory.path().join("m.porism/catalog.sqlite");
    let catalog = porism_native::sqlite::open(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    catalog.execute("UPDATE record SET statement = 'q', status = 'verified'", []).unwrap();
    assert!(matches!(memory.get(&[id], None).unwrap_err(), MemoryError::Damaged { .. }));
    let places: Vec<_> = memory.verify().unwrap().findings.into_iter().map(|finding| finding.reason).collect();
    assert_eq!(places.len(), 2, "{places:?}");
    assert_eq!(places[0], "the record is verified without a receipt");
}

#[test]
fn bytes_beyond_the_committed_length_do_not_exist() {
    let (directory, memory) = memory();
    memory.insert(&lemma("p")).unwrap();
    drop(memory);
    let rows = directory.path().join("m.porism").join(file_name(FIRST));
    let mut torn = std::fs::read(&rows).unwrap();
    torn.extend([0xff; 700]);
    std::fs::write(&rows, torn).unwrap();
    let memory = open(&directory);
    let second = memory.insert(&lemma("q")).unwrap();
    assert_eq!(memory.recall(&features::embed("q"), 1).unwrap().hits[0].id, second.id);
    assert_eq!(memory.verify().unwrap().findings, []);
}

#[test]
fn a_read_only_handle_reads_and_refuses_to_write() {
    let (directory, memory) = memory();
    memory.insert(&lemma("p")).unwrap();
    let path = directory.path().join("m.porism");
    let reader = Memory::open(&path, Options { read_only: true, ..options() }).unwrap();
    assert_eq!(reader.recall(&features::embed("p"), 1).unwrap().hits.len(), 1);
    assert!(matches!(reader.insert(&lemma("q")).unwrap_err(), MemoryError::Io { .. }));
    let absent = directory.path().join("absent");
    assert!(Memory::open(&absent, Options { read_only: true, ..options() }).is_err());
    assert!(!absent.exists());
}

#[test]
fn threads_that_create_at_once_share_one_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.porism");
    let patient = || Options { timeout: Duration::from_secs(20), ..options() };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (path, patient) = (&path, &patient);
            scope.spawn(move || {
                let memory = Memory::open(path, patient()).unwrap();
                memory.insert(&lemma(&format!("p{thread}"))).unwrap();
            });
        }
    });
    assert_eq!(Memory::open(&path, patient()).unwrap().stats().unwrap().records, 4);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no drafts are left");
}

#[test]
fn the_export_has_a_line_for_everything() {
    let (_directory, memory) = memory();
    let goal = memory.insert(&lemma("p")).unwrap().id;
    memory.add_evidence(&evidence(goal, vec![])).unwrap();
    let new = NewEvent { goal, snapshot: 0, candidates: vec![], policy: "none".into(), seed: 0 };
    memory.log_event(&new).unwrap();
    let mut out = Vec::new();
    memory.export(&mut out, true).unwrap();
    let lines: Vec<serde_json::Value> = out
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["header", "record", "evidence", "event", "change"]);
    assert_eq!(lines[1]["vector"].as_str().unwrap().len(), (features::DIMENSION * 4).div_ceil(3) * 4);
    assert_eq!(lines[2]["goal"], 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    // The plain twin is a list: an insert of a statement that is in it changes nothing, any other goes to its end.
    #[test]
    fn any_sequence_of_inserts_and_reopenings_agrees_with_a_list(steps in prop::collection::vec((0_u8..12, any::<bool>()), 1..30)) {
        let directory = tempfile::tempdir().unwrap();
        let mut memory = open(&directory);
        let mut expected: Vec<String> = Vec::new();
        for (number, reopen) in steps {
            if reopen {
                drop(memory);
                memory = open(&directory);
            }
            let statement = format!("p{number}(a)");
            let inserted = memory.insert(&lemma(&statement)).unwrap();
            let known = expected.iter().position(|other| *other == statement);
            prop_assert_eq!(inserted.new, known.is_none());
            if known.is_none() {
                expected.push(statement);
            }
        }
        let found: Vec<String> =
            memory.find(&Filter::default()).unwrap().into_iter().map(|record| record.statement).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(memory.verify().unwrap().findings, []);
    }
}
