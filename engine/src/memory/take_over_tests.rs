//! What an empty memory makes of an export: the memory that was exported.

use proptest::prelude::*;

use super::tests::{evidence, lemma, memory, receipt};
use super::*;

fn exported(memory: &Memory) -> Vec<u8> {
    let mut lines = Vec::new();
    memory.export(&mut lines, true).unwrap();
    lines
}

/// One step in the life of a memory. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    Insert(u8),
    Forget(usize),
    Restore(usize),
    Merge(usize, usize),
    Evidence { goal: usize, used: usize, signed: bool },
    Event { goal: usize, candidate: usize, settled: bool },
    Snapshot(u8),
    DropSnapshot(u8),
    Compact,
    Purge(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let number = 0_usize..64;
    let pair = (0_usize..64, 0_usize..64, any::<bool>());
    prop_oneof![
        6 => (0_u8..16).prop_map(Step::Insert),
        3 => number.clone().prop_map(Step::Forget),
        2 => number.clone().prop_map(Step::Restore),
        2 => (0_usize..64, 0_usize..64).prop_map(|(one, other)| Step::Merge(one, other)),
        2 => pair.clone().prop_map(|(goal, used, signed)| Step::Evidence { goal, used, signed }),
        2 => pair.prop_map(|(goal, candidate, settled)| Step::Event { goal, candidate, settled }),
        2 => (0_u8..8).prop_map(Step::Snapshot),
        1 => (0_u8..8).prop_map(Step::DropSnapshot),
        1 => Just(Step::Compact),
        1 => number.prop_map(Step::Purge),
    ]
}

/// Takes a step; what the memory refuses, such as to merge what is dead, is no step.
fn take(memory: &Memory, step: &Step) {
    let all = memory.find(&Filter { dead: true, ..Filter::default() }).unwrap();
    let id = |number: usize| all.get(number % all.len().max(1)).map_or(RecordId(1), |record| record.id);
    match *step {
        Step::Insert(number) => {
            // Some statements come under two names, so that verified records can merge.
            let record = lemma(&format!("p{}(a)", number / 2)).named(format!("n{number}"));
            let _ = memory.insert(&record);
        }
        Step::Forget(number) => drop(memory.forget(&[id(number)], "why not")),
        Step::Restore(number) => drop(memory.restore(&[id(number)])),
        Step::Merge(one, other) => drop(memory.merge(id(one), id(other))),
        Step::Evidence { goal, used, signed } => {
            let new = NewEvidence { receipt: signed.then(receipt), ..evidence(id(goal), vec![id(used)]) };
            let _ = memory.add_evidence(&new);
        }
        Step::Event { goal, candidate, settled } => {
            let candidates = vec![Candidate { record: id(candidate), score: 0.25, slot: Some(0), propensity: 0.5 }];
            let snapshot = memory.generation().unwrap();
            let event = NewEvent { goal: id(goal), snapshot, candidates, policy: "top".into(), seed: 7 };
            if let Ok(event) = memory.log_event(&event)
                && settled
            {
                let evidence = memory.evidence(None).unwrap().last().map(|evidence| evidence.id);
                let used = vec![id(candidate)];
                let settlement = Settlement { verdict: Verdict::Proved, attempts: 2, seconds: 0.5, used, evidence };
                memory.settle(event, &settlement).unwrap();
            }
        }
        Step::Snapshot(name) => drop(memory.snapshot(&format!("s{name}"))),
        Step::DropSnapshot(name) => drop(memory.drop_snapshot(&format!("s{name}"))),
        Step::Compact => drop(memory.compact().unwrap()),
        Step::Purge(number) => drop(memory.purge(&[id(number)])),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_happened_an_empty_memory_becomes_the_exported_one(steps in prop::collection::vec(step(), 1..40)) {
        let (_directory, original) = memory();
        steps.iter().for_each(|step| take(&original, step));
        let lines = exported(&original);

        let (_elsewhere, copy) = memory();
        prop_assert!(copy.import(&mut &lines[..]).unwrap().history);
        prop_assert_eq!(copy.verify().unwrap().findings, []);
        prop_assert_eq!(String::from_utf8(exported(&copy)).unwrap(), String::from_utf8(lines).unwrap());
        let generations = original.stats().unwrap().horizon..=original.generation().unwrap();
        for at in generations {
            let filter = Filter { at: Some(at), ..Filter::default() };
            prop_assert_eq!(copy.find(&filter).unwrap(), original.find(&filter).unwrap());
            let vector = features::embed("p1(a)");
            let query = Query { text: None, vector: Some(&vector), views: &[View::Dense], k: 9, recall: 1.0 };
            prop_assert_eq!(copy.search(&query, &filter).unwrap(), original.search(&query, &filter).unwrap());
        }
        // Both go on alike.
        for memory in [&original, &copy] {
            take(memory, &Step::Insert(99));
            take(memory, &Step::Evidence { goal: 0, used: 0, signed: true });
            take(memory, &Step::Compact);
        }
        let newest = |memory: &Memory| memory.find(&Filter::default()).unwrap().last().map(|record| (record.id, record.born));
        prop_assert_eq!(newest(&copy), newest(&original));
        prop_assert_eq!(copy.evidence(None).unwrap().last().map(|it| it.id), original.evidence(None).unwrap().last().map(|it| it.id));
        prop_assert_eq!(copy.verify().unwrap().findings, []);
    }
}

const HEADER: &str = r#"{"type":"header","version":2,"generation":5,"embedder":"symbols-v1","dimension":256,"horizon":0,"next_record":9,"next_evidence":9,"next_event":9}"#;
const RECORD: &str =
    r#"{"type":"record","id":2,"kind":"lemma","statement":"q","status":"verified","inserts":1,"born":1}"#;

#[test]
fn an_export_that_cannot_be_true_is_refused() {
    let (_directory, memory) = memory();
    let another = RECORD.replace("\"q\"", "\"r\"");
    let dead = RECORD.replace('}', r#","died":3}"#);
    let change = r#"{"type":"change","record":2,"generation":3,"action":"forgotten","detail":"","created_ms":0}"#;
    let snapshot = r#"{"type":"snapshot","name":"s","generation":6,"created_ms":0}"#;
    let proof = r#"{"type":"evidence","id":9,"goal":2,"verdict":"proved","used":[],"prover":"E","prover_version":"3","label":"","seconds":0.1}"#;
    let event = r#"{"type":"event","id":1,"goal":2,"snapshot":6,"candidates":[],"policy":"p","seed":0,"created_ms":0}"#;
    let cases: [(&str, &[&str], &str); 21] = [
        (&HEADER.replace(":5,", ":-1,"), &[], "line 1: the generation is -1"),
        (&HEADER.replace(":5,", ":9223372036854775807,"), &[], "line 1: the generation is 9223372036854775807"),
        (&HEADER.replace(r#""horizon":0"#, r#""horizon":6"#), &[], "line 1: the oldest visible generation is 6"),
        (&HEADER.replace(r#"next_event":9"#, r#"next_event":0"#), &[], "line 1: the number of the next event is 0"),
        (HEADER, &[RECORD, RECORD], "line 3: record 2 is listed twice"),
        (HEADER, &[RECORD, &RECORD.replace(":2,", ":3,")], "line 3: record 3 is record 2 once more"),
        (HEADER, &[RECORD, &another.replace(":2,", ":1,")], "line 3: the number of the record is 1: expected"),
        (HEADER, &[&RECORD.replace(":2,", ":9,")], "line 2: the number of the record is 9: expected one from 1 to 8"),
        (HEADER, &[&RECORD.replace(r#""born":1"#, r#""born":6"#)], "line 2: the generation in which it was born is 6"),
        (HEADER, &[&RECORD.replace(r#""inserts":1"#, r#""inserts":0"#)], "line 2: the number of inserts is 0"),
        (HEADER, &[&RECORD.replace('}', r#","merged_into":1}"#)], "line 2: record 1 was not listed before"),
        (HEADER, &[&dead], "record 2: its changes say otherwise when it died"),
        (HEADER, &[RECORD, change], "record 2: its changes say otherwise when it died"),
        (HEADER, &[&dead, change, &change.replace(":3,", ":2,")], "line 4: the generation of a change is 2"),
        (HEADER, &[&change.replace(":2,", ":9,")], "line 2: the number of a record is 9"),
        (HEADER, &[&change.replace("forgotten", "inserted")], "line 2: a change inserted of record 2"),
        (HEADER, &[&change.replace("forgotten", "raised")], "line 2: a change raised of record 2 with the detail \"\""),
        (HEADER, &[&change.replace("forgotten", "merged").replace(r#""""#, r#""2""#)], "line 2: a change merged of"),
        (HEADER, &[snapshot], "line 2: the generation of a snapshot is 6"),
        (HEADER, &[RECORD, proof], "line 3: the number of the evidence is 9"),
        (HEADER, &[RECORD, event], "line 3: snapshot 6 is not of this memory"),
    ];
    for (header, lines, complaint) in cases {
        let text = [&[header], lines].concat().join("\n");
        let refused = memory.import(&mut text.as_bytes()).unwrap_err().to_string();
        assert!(refused.starts_with(complaint), "{refused}");
        assert_eq!((memory.generation().unwrap(), memory.stats().unwrap().rows), (0, 0));
    }
    let unsigned = memory.import(&mut format!("{HEADER}\n{RECORD}").as_bytes()).unwrap();
    assert!(unsigned.history);
    assert_eq!(memory.get(&[RecordId(2)], None).unwrap()[0].status, Status::Checked, "only a receipt verifies");
    assert_eq!((memory.generation().unwrap(), memory.verify().unwrap().findings), (5, vec![]));
}

#[test]
fn a_proof_of_another_statement_verifies_nothing() {
    let (_directory, original) = memory();
    let [one, other] = ["p(a)", "q(b)"].map(|text| original.insert(&lemma(text)).unwrap().id);
    original.merge(one, other).unwrap();
    // By hand: what was merged away, and what stays, are verified by a proof of the former.
    let evidence = NewEvidence { receipt: Some(receipt()), ..evidence(other, vec![]) };
    original.add_evidence(&evidence).unwrap();
    let text = String::from_utf8(exported(&original)).unwrap().replacen("conjectural", "verified", 1);
    let (_elsewhere, copy) = memory();
    copy.import(&mut text.as_bytes()).unwrap();
    let status = copy.get(&[one, other], None).unwrap().iter().map(|record| record.status).collect::<Vec<_>>();
    assert_eq!(status, [Status::Checked, Status::Verified]);
}

#[test]
fn only_a_memory_without_a_history_takes_one_over() {
    let (_directory, original) = memory();
    original.insert(&lemma("p(a)")).unwrap();
    original.snapshot("before").unwrap();
    let lines = exported(&original);
    let (_elsewhere, named) = memory();
    named.snapshot("mine").unwrap();
    assert!(!named.import(&mut &lines[..]).unwrap().history);
    assert_eq!(named.snapshots().unwrap().len(), 1);
    let (_elsewhere, copy) = memory();
    assert!(copy.import(&mut &lines[..]).unwrap().history);
    assert!(!copy.import(&mut &lines[..]).unwrap().history);
    assert_eq!(copy.snapshots().unwrap()[0].name, "before");
    assert_eq!(copy.history(RecordId(1)).unwrap().len(), 1);
}
