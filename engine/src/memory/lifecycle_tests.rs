//! Forgetting, merging, snapshots, compaction: what is seen of a memory over its generations.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tempfile::TempDir;

use super::tests::{evidence, lemma, memory, open, receipt};
use super::*;

fn ids(records: &[Record]) -> Vec<i64> {
    records.iter().map(|record| record.id.0).collect()
}

fn alive(memory: &Memory) -> Vec<i64> {
    ids(&memory.find(&Filter::default()).unwrap())
}

fn alive_at(memory: &Memory, at: i64) -> Vec<i64> {
    ids(&memory.find(&Filter { at: Some(at), ..Filter::default() }).unwrap())
}

fn recalled(memory: &Memory, text: &str, filter: &Filter) -> Vec<i64> {
    let query = Query { text: Some(text), vector: None, views: &[View::Dense], k: 99, recall: 1.0 };
    let mut found: Vec<_> = memory.search(&query, filter).unwrap().hits.iter().map(|hit| hit.id.0).collect();
    found.sort_unstable();
    found
}

fn filled(statements: &[&str]) -> (TempDir, Memory) {
    let (directory, memory) = memory();
    memory.insert_many(&statements.iter().map(|text| lemma(text)).collect::<Vec<_>>(), None).unwrap();
    (directory, memory)
}

#[test]
fn what_is_forgotten_is_seen_nowhere_and_can_be_restored() {
    let (directory, memory) = filled(&["p(a)", "q(b)", "r(c)"]);
    let q = RecordId(2);
    assert_eq!(memory.forget(&[q, q], "wrong").unwrap(), [q]);
    assert_eq!(memory.forget(&[q], "again").unwrap(), []);
    for memory in [&memory, &open(&directory)] {
        assert_eq!(alive(memory), [1, 3]);
        assert_eq!(recalled(memory, "q(b)", &Filter::default()), [1, 3]);
        assert_eq!(memory.get(&[q], None).unwrap()[0].died, Some(2));
        assert_eq!((memory.stats().unwrap().records, memory.stats().unwrap().dead), (2, 1));
    }
    let again = memory.insert(&lemma("q(b)")).unwrap();
    assert_eq!((again.id, again.new, again.forgotten), (q, false, true));
    assert_eq!(alive(&memory), [1, 3], "an insert does not bring it back");
    assert_eq!(memory.restore(&[q, RecordId(1)]).unwrap(), [q]);
    assert_eq!(alive(&memory), [1, 2, 3]);
    let history = memory.history(q).unwrap();
    let actions: Vec<_> = history.iter().map(|change| (change.action, change.detail.as_str())).collect();
    assert_eq!(actions, [(Action::Inserted, ""), (Action::Forgotten, "wrong"), (Action::Restored, "")]);
    assert!(memory.history(RecordId(99)).is_err());
    assert_eq!(memory.verify().unwrap().findings, []);
}

#[test]
fn every_generation_can_be_seen_again() {
    let (_directory, memory) = filled(&["p(a)"]);
    memory.insert(&lemma("q(b)")).unwrap();
    memory.add_evidence(&evidence(RecordId(1), vec![])).unwrap();
    memory.forget(&[RecordId(1)], "").unwrap();
    memory.restore(&[RecordId(1)]).unwrap();
    let seen: Vec<_> = (0..=5).map(|at| alive_at(&memory, at)).collect();
    assert_eq!(seen, [vec![], vec![1], vec![1, 2], vec![1, 2], vec![2], vec![1, 2]]);
    let recalls: Vec<_> =
        (0..=5).map(|at| recalled(&memory, "p(a)", &Filter { at: Some(at), ..Filter::default() })).collect();
    assert_eq!(recalls, seen);
    let status = |at| memory.get(&[RecordId(1)], Some(at)).unwrap()[0].status;
    assert_eq!((status(2), status(3)), (Status::Conjectural, Status::Checked));
    let refused = memory.find(&Filter { at: Some(6), ..Filter::default() }).unwrap_err().to_string();
    assert_eq!(refused, "generation 6 cannot be seen: this memory reaches from 0 to 5");
}

#[test]
fn filters_let_through_what_they_say() {
    let (_directory, memory) = memory();
    memory
        .insert_many(
            &[
                lemma("p(a)").named("one"),
                NewRecord { namespace: "team".into(), ..NewRecord::new(Kind::Axiom, "q(b)") },
                NewRecord { status: Status::Checked, source: Some("lib".into()), ..lemma("r(c)") },
            ],
            None,
        )
        .unwrap();
    let cases = [
        (Filter { kinds: vec![Kind::Axiom, Kind::Fact], ..Filter::default() }, vec![2]),
        (Filter { statuses: vec![Status::Checked], ..Filter::default() }, vec![3]),
        (Filter { name: Some("one".into()), ..Filter::default() }, vec![1]),
        (Filter { source: Some("lib".into()), ..Filter::default() }, vec![3]),
        (Filter { namespace: Some(String::new()), ..Filter::default() }, vec![1, 3]),
        (Filter { ids: Some(vec![RecordId(3), RecordId(2)]), ..Filter::default() }, vec![2, 3]),
        (Filter { since_ms: Some(i64::MAX), ..Filter::default() }, vec![]),
        (Filter { before_ms: Some(i64::MAX), ..Filter::default() }, vec![1, 2, 3]),
    ];
    for (filter, expected) in cases {
        assert_eq!(ids(&memory.find(&filter).unwrap()), expected, "{filter:?}");
        assert_eq!(recalled(&memory, "p(a)", &filter), expected, "{filter:?}");
    }
}

#[test]
fn the_older_record_stays_in_whatever_order_they_are_merged() {
    let same = ["![X]: p(X)", "![Y]: p(Y)", "![Z]: p(Z)"];
    for order in [[(1, 2), (2, 3)], [(3, 2), (1, 3)], [(1, 3), (2, 3)]] {
        let (_directory, memory) = memory();
        let named = same.iter().zip(["a", "b", "c"]).map(|(text, name)| lemma(text).named(name));
        memory.insert_many(&named.collect::<Vec<_>>(), None).unwrap();
        let signed = NewEvidence { receipt: Some(receipt()), ..evidence(RecordId(3), vec![]) };
        memory.add_evidence(&signed).unwrap();
        for (one, other) in order {
            memory.merge(RecordId(one), RecordId(other)).unwrap();
        }
        assert_eq!(memory.merge(RecordId(2), RecordId(3)).unwrap(), RecordId(1), "once more changes nothing");
        assert_eq!(alive(&memory), [1]);
        let kept = memory.get(&[RecordId(1)], None).unwrap().remove(0);
        assert_eq!(kept.status, Status::Verified);
        assert_eq!(memory.evidence(Some(RecordId(1))).unwrap().len(), 1, "the evidence is that of both");
        assert_eq!(memory.verify().unwrap().findings, []);
    }
}

#[test]
fn what_was_proved_of_one_statement_does_not_hold_for_another() {
    let (_directory, memory) = filled(&["p(a)", "q(b)", "r(c)"]);
    memory.add_evidence(&evidence(RecordId(2), vec![])).unwrap();
    let refused = memory.merge(RecordId(1), RecordId(2)).unwrap_err().to_string();
    assert!(refused.contains("only a conjectural record can be merged away"), "{refused}");
    assert_eq!(memory.merge(RecordId(2), RecordId(3)).unwrap(), RecordId(2));
    assert_eq!(memory.get(&[RecordId(2)], None).unwrap()[0].status, Status::Checked);
    memory.forget(&[RecordId(1)], "").unwrap();
    assert!(memory.merge(RecordId(1), RecordId(2)).unwrap_err().to_string().contains("is forgotten"));
}

#[test]
fn compaction_drops_the_dead_and_frees_their_bytes() {
    let (directory, memory) = memory();
    let many: Vec<_> = (0..500).map(|number| lemma(&format!("p{number}(a)"))).collect();
    memory.insert_many(&many, None).unwrap();
    let other = open(&directory);
    assert_eq!(recalled(&other, "p7(a)", &Filter::default()).len(), 99);
    let doomed: Vec<_> = (2..=500).map(RecordId).collect();
    memory.forget(&doomed, "").unwrap();
    let compaction = memory.compact().unwrap();
    assert_eq!(compaction.dropped, 499);
    assert!(compaction.bytes_after < compaction.bytes_before / 3, "{compaction:?}");
    for memory in [&memory, &other, &open(&directory)] {
        assert_eq!(recalled(memory, "p7(a)", &Filter::default()), [1]);
        assert_eq!(memory.verify().unwrap().findings, []);
    }
    let later = memory.insert(&lemma("q(b)")).unwrap();
    assert_eq!(later.id, RecordId(501), "a number is never used twice");
    assert_eq!(recalled(&other, "q(b)", &Filter::default()), [1, 501]);
    assert!(memory.find(&Filter { at: Some(1), ..Filter::default() }).is_err(), "that generation is gone");
}

#[test]
fn compaction_keeps_what_a_snapshot_sees_and_what_proofs_rest_on() {
    let (_directory, memory) = filled(&["p(a)", "q(b)", "r(c)", "s(d)"]);
    let [p, q, r, s] = [1, 2, 3, 4].map(RecordId);
    memory.add_evidence(&NewEvidence { receipt: Some(receipt()), ..evidence(p, vec![q]) }).unwrap();
    memory.forget(&[p, q, r], "").unwrap();
    let named = memory.snapshot("before").unwrap();
    assert!(memory.snapshot("before").is_err());
    memory.forget(&[s], "").unwrap();
    assert_eq!(memory.compact().unwrap().dropped, 1, "only r: p is verified, its proof uses q, the snapshot sees s");
    assert_eq!(alive_at(&memory, named), [4]);
    assert_eq!(memory.snapshots().unwrap()[0].name, "before");
    memory.drop_snapshot("before").unwrap();
    assert!(memory.drop_snapshot("before").is_err());
    assert_eq!(memory.compact().unwrap().dropped, 1);
    assert_eq!(memory.restore(&[p, q]).unwrap(), [p, q]);
}

#[test]
fn a_purge_leaves_nothing_and_says_who_loses_support() {
    let (directory, memory) = filled(&["secret(a)", "q(b)", "r(c)"]);
    let [secret, q, r] = [1, 2, 3].map(RecordId);
    memory.add_evidence(&evidence(q, vec![secret, r])).unwrap();
    memory.add_evidence(&evidence(secret, vec![])).unwrap();
    let candidates = vec![Candidate { record: secret, score: 1.0, slot: Some(0), propensity: 1.0 }];
    memory.log_event(&NewEvent { goal: q, snapshot: 1, candidates, policy: "top".into(), seed: 0 }).unwrap();
    let plan = memory.plan_purge(&[secret]).unwrap();
    assert_eq!((&plan.ids, &plan.unsupported), (&vec![secret], &vec![q]));
    assert_eq!(memory.purge(&[secret]).unwrap(), plan);
    assert!(memory.get(&[secret], None).is_err());
    assert_eq!(alive(&memory), [2, 3]);
    assert_eq!(memory.verify().unwrap().findings, []);
    memory.flush().unwrap();
    drop(memory);
    for entry in std::fs::read_dir(directory.path().join("m.porism")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"secret"));
    }
}

#[test]
fn a_transaction_is_all_or_nothing_and_sees_its_own_results() {
    let (_directory, memory) = filled(&["p(a)"]);
    let insert = |text: &str| Operation::Insert { record: Box::new(lemma(text)), vector: None };
    let outcomes = memory
        .apply(
            &[
                insert("![X]: q(X)"),
                Operation::Evidence(Box::new(evidence(RecordId(-1), vec![RecordId(1)]))),
                Operation::Forget { ids: vec![RecordId(1)], reason: "superseded".into() },
            ],
            Some(1),
        )
        .unwrap();
    assert!(matches!(&outcomes[0], Outcome::Inserted(inserted) if inserted.id == RecordId(2)));
    assert_eq!(alive(&memory), [2]);
    let conflict = memory.apply(&[insert("r(c)")], Some(1)).unwrap_err();
    assert!(matches!(conflict, MemoryError::Conflict { expected: 1, found: 2 }));
    for bad in [RecordId(-2), RecordId(-99), RecordId(77)] {
        assert!(memory.apply(&[insert("s(d)"), Operation::Restore { ids: vec![bad] }], None).is_err());
    }
    assert_eq!((alive(&memory), memory.generation().unwrap()), (vec![2], 2));
}

#[test]
fn words_and_symbols_find_what_vectors_miss() {
    let (directory, memory) = memory();
    let records = [
        NewRecord::new(Kind::Fact, "every finite group of prime order is cyclic"),
        NewRecord::new(Kind::Fact, "a field has no zero divisors"),
        lemma("![X,Y]: times(X,Y) = times(Y,X)").named("commutativity"),
    ];
    memory.insert_many(&records, None).unwrap();
    let search = |memory: &Memory, text, views: &[View]| {
        let query = Query { text: Some(text), vector: None, views, k: 2, recall: 1.0 };
        memory.search(&query, &Filter::default()).unwrap().hits.iter().map(|hit| hit.id.0).collect::<Vec<_>>()
    };
    // A handle that cannot write searches what is not indexed all the same.
    let path = directory.path().join("m.porism");
    let reader = Memory::open(&path, Options { read_only: true, ..Options::default() }).unwrap();
    for memory in [&reader, &memory] {
        assert_eq!(search(memory, "cyclic groups of prime order", &[View::Words]), [1]);
        assert_eq!(search(memory, "commutativity", &[View::Words]), [3]);
        assert_eq!(search(memory, "![A]: times(A,e) = A", &[View::Symbols]), [3]);
        assert_eq!(search(memory, "zero", &[View::Dense, View::Words, View::Symbols])[0], 2);
        assert_eq!(search(memory, "\" OR NEAR(", &[View::Words]), [0; 0]);
    }
    memory.forget(&[RecordId(1)], "").unwrap();
    assert_eq!(search(&memory, "cyclic", &[View::Words]), [0; 0]);
    assert_eq!(memory.verify().unwrap().findings, []);
}

#[test]
fn an_import_brings_everything_that_was_exported() {
    let (_directory, memory) = filled(&["p(a)", "q(b)", "r(c)", "s(d)"]);
    let [p, q, r, s] = [1, 2, 3, 4].map(RecordId);
    let proof = memory.add_evidence(&NewEvidence { receipt: Some(receipt()), ..evidence(p, vec![q]) }).unwrap();
    let candidates = vec![Candidate { record: q, score: 0.5, slot: None, propensity: 0.5 }];
    let event = NewEvent { goal: p, snapshot: 1, candidates, policy: "top".into(), seed: 3 };
    let event = memory.log_event(&event).unwrap();
    let settlement =
        Settlement { verdict: Verdict::Proved, attempts: 1, seconds: 0.5, used: vec![q], evidence: Some(proof) };
    memory.settle(event, &settlement).unwrap();
    memory.merge(q, r).unwrap();
    memory.forget(&[s], "").unwrap();
    let mut lines = Vec::new();
    memory.export(&mut lines, true).unwrap();

    let (_elsewhere, copy) = filled(&["t(e)"]);
    let imported = copy.import(&mut &lines[..]).unwrap();
    assert_eq!(imported, Imported { new: 4, known: 0, evidence: 1, events: 1, history: false });
    assert_eq!(alive(&copy), [1, 2, 3]);
    let copied = copy.find(&Filter { dead: true, ..Filter::default() }).unwrap();
    assert_eq!(copied[1].status, Status::Verified);
    assert_eq!(copied[3].merged_into, Some(RecordId(3)));
    assert_eq!(copy.events(None).unwrap()[0].settlement.as_ref().unwrap().used, [RecordId(3)]);
    assert_eq!(copy.import(&mut &lines[..]).unwrap().known, 4, "to import twice counts");
    assert_eq!(copy.verify().unwrap().findings, []);
}

#[test]
fn a_bad_import_changes_nothing() {
    let (_directory, memory) = filled(&["p(a)"]);
    let header = r#"{"type":"header","version":2,"generation":1,"embedder":"symbols-v1","dimension":256}"#;
    let record = r#"{"type":"record","id":1,"kind":"lemma","statement":"q","status":"verified"}"#;
    for (lines, complaint) in [
        (String::new() + record, "line 1: an export begins with its header"),
        (header.replace("\"version\":2", "\"version\":9"), "line 1: an export of version 9, this reads up to 2"),
        (format!("{header}\n{record}\n{record}"), "line 3: record 1 is listed twice"),
        (format!("{header}\n{record}\nnonsense"), "line 3: expected"),
        (format!("{header}\n{}", record.replace("\"q\"", "\" \"")), "line 2: the statement is empty"),
        (format!("{header}\n{}", record.replace('}', ",\"vector\":\"AAAA\"}")), "line 2: the vector is no base64"),
        (
            format!("{header}\n{}", r#"{"type":"event","goal":7,"snapshot":0,"candidates":[],"policy":"p","seed":0}"#),
            "line 2: record 7 was not listed before",
        ),
    ] {
        let refused = memory.import(&mut lines.as_bytes()).unwrap_err().to_string();
        assert!(refused.starts_with(complaint), "{refused}");
        assert_eq!((alive(&memory), memory.generation().unwrap()), (vec![1], 1));
    }
    let unsigned = memory.import(&mut format!("{header}\n{record}").as_bytes()).unwrap();
    assert_eq!(unsigned.new, 1);
    assert_eq!(memory.get(&[RecordId(2)], None).unwrap()[0].status, Status::Checked, "only a receipt verifies");
}

#[test]
fn new_vectors_replace_all_or_none() {
    let (directory, memory) = filled(&["p(a)", "q(b)"]);
    let all = [1, 2].map(RecordId);
    assert!(memory.reembed("mine", 2, &all, &[1.0, 0.0]).is_err());
    assert!(memory.reembed("mine", 2, &all[..1], &[1.0, 0.0]).is_err());
    assert!(memory.reembed("mine", 2, &all, &[1.0, 0.0, f32::NAN, 1.0]).is_err());
    memory.reembed("mine", 2, &all, &[1.0, 0.0, 0.0, 1.0]).unwrap();
    let stale = memory.recall(&features::embed("p(a)"), 1).unwrap_err();
    assert!(matches!(stale, MemoryError::Mismatch { .. }), "{stale}");
    assert!(matches!(memory.insert(&lemma("r(c)")).unwrap_err(), MemoryError::Mismatch { .. }));
    let options = Options { embedder: "mine".into(), dimension: 2, ..Options::default() };
    let reopened = Memory::open(&directory.path().join("m.porism"), options).unwrap();
    assert_eq!(reopened.recall(&[0.1, 0.9], 1).unwrap().hits[0].id, RecordId(2));
    assert!(reopened.insert(&lemma("r(c)")).unwrap_err().to_string().contains("not built in"));
    assert_eq!(reopened.verify().unwrap().findings, []);
}

#[test]
fn a_memory_of_format_1_is_refused_and_upgraded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.porism");
    std::fs::create_dir(&path).unwrap();
    let asset = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/assets/format-1.porism");
    for file in ["catalog.sqlite", "rows-000001.f32"] {
        std::fs::copy(asset.join(file), path.join(file)).unwrap();
    }
    let refused = Memory::open(&path, Options::default()).unwrap_err();
    assert!(matches!(refused, MemoryError::OldFormat { found: 1, current: 2, .. }), "{refused}");
    assert_eq!(upgrade(&path).unwrap(), 1);
    assert_eq!(upgrade(&path).unwrap(), 2, "once more changes nothing");
    let memory = Memory::open(&path, Options::default()).unwrap();
    assert_eq!(alive(&memory), [1, 2, 3, 4]);
    assert_eq!(recalled(&memory, "![X]: f(X,e) = X", &Filter::default()), [1, 2, 3, 4]);
    let proof = memory.evidence(Some(RecordId(3))).unwrap().remove(0);
    assert_eq!(proof.content.used, [1, 2].map(RecordId));
    assert_eq!(memory.events(None).unwrap()[0].settlement.as_ref().unwrap().evidence, Some(proof.id));
    assert_eq!(memory.insert(&lemma("new(a)")).unwrap().id, RecordId(5));
    assert_eq!(memory.verify().unwrap().findings, []);
    let mut files: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort_unstable();
    assert!(!files.iter().any(|name| name == "rows-000001.f32" || name == "catalog.sqlite.upgrade"), "{files:?}");
}

#[test]
fn a_write_beyond_the_budget_is_refused_and_does_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.porism");
    let options = Options { budget_bytes: Some(400_000), ..Options::default() };
    let memory = Memory::open(&path, options).unwrap();
    let many: Vec<_> = (0..500).map(|number| lemma(&format!("p{number}(a)"))).collect();
    let refused = memory.insert_many(&many, None).unwrap_err();
    assert!(matches!(refused, MemoryError::Budget { budget: 400_000, .. }), "{refused}");
    assert_eq!(memory.stats().unwrap().records, 0);
    memory.insert(&lemma("p(a)")).unwrap();
    assert_eq!(memory.verify().unwrap().findings, []);
}

/// What a memory of lemmas is, in plain words.
#[derive(Clone, Debug, Default)]
struct Model {
    alive: BTreeMap<i64, bool>,
    statements: Vec<String>,
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u8),
    Forget(u8),
    Restore(u8),
    Merge(u8, u8),
    Compact,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u8..20).prop_map(Step::Insert),
        2 => (0_u8..20).prop_map(Step::Forget),
        1 => (0_u8..20).prop_map(Step::Restore),
        1 => (0_u8..20, 0_u8..20).prop_map(|(one, other)| Step::Merge(one, other)),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_sequence_of_steps_agrees_with_a_plain_model(steps in prop::collection::vec(step(), 1..40)) {
        let (directory, mut memory) = memory();
        let mut model = Model::default();
        let mut past: Vec<(i64, Vec<i64>)> = Vec::new();
        for step in steps {
            let known = |number: u8| model.statements.get(usize::from(number)).map(|_| i64::from(number) + 1);
            match step {
                Step::Insert(number) => {
                    let statement = format!("p{number}(a)");
                    let inserted = memory.insert(&lemma(&statement)).unwrap();
                    // A statement that was compacted away comes back under another number: the latest one counts.
                    match model.statements.iter().rposition(|other| *other == statement) {
                        Some(place) if model.alive.contains_key(&(i64::try_from(place).unwrap() + 1)) => {
                            prop_assert!(!inserted.new);
                        }
                        _ => {
                            prop_assert!(inserted.new);
                            model.statements.resize(usize::try_from(inserted.id.0).unwrap(), String::new());
                            *model.statements.last_mut().unwrap() = statement;
                            model.alive.insert(inserted.id.0, true);
                        }
                    }
                }
                Step::Forget(number) => if let Some(id) = known(number).filter(|id| model.alive.contains_key(id)) {
                    let was = model.alive.insert(id, false).unwrap();
                    prop_assert_eq!(memory.forget(&[RecordId(id)], "").unwrap().len(), usize::from(was));
                },
                Step::Restore(number) => if let Some(id) = known(number).filter(|id| model.alive.contains_key(id)) {
                    let was = model.alive.insert(id, true).unwrap();
                    prop_assert_eq!(memory.restore(&[RecordId(id)]).unwrap().len(), usize::from(!was));
                },
                Step::Merge(one, other) => if let (Some(one), Some(other)) = (known(one), known(other)) {
                    let both = model.alive.get(&one) == Some(&true) && model.alive.get(&other) == Some(&true);
                    if both && one != other {
                        prop_assert_eq!(memory.merge(RecordId(one), RecordId(other)).unwrap().0, one.min(other));
                        model.alive.insert(one.max(other), false);
                    }
                },
                Step::Compact => {
                    memory.compact().unwrap();
                    let left = memory.find(&Filter { dead: true, ..Filter::default() }).unwrap();
                    let left = ids(&left);
                    model.alive.retain(|id, alive| *alive || left.contains(id));
                    past.clear();
                }
                Step::Reopen => {
                    drop(memory);
                    memory = open(&directory);
                }
            }
            let expected: Vec<i64> = model.alive.iter().filter(|(_, alive)| **alive).map(|(id, _)| *id).collect();
            prop_assert_eq!(&alive(&memory), &expected);
            prop_assert_eq!(&recalled(&memory, "p1(a)", &Filter::default()), &expected);
            past.push((memory.generation().unwrap(), expected));
        }
        for (at, expected) in past {
            prop_assert_eq!(alive_at(&memory, at), expected);
        }
        prop_assert_eq!(memory.verify().unwrap().findings, []);
    }
}
