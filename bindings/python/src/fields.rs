//! What crosses between Python and the memory: tuples and dictionaries on one side, the engine's own types on the other.

use std::path::PathBuf;
use std::str::FromStr;

use porism_engine::memory::{
    self, Candidate, Change, Event, Evidence, EvidenceId, Filter, Inserted, MemoryError, NewEvidence, NewRecord,
    Operation, Outcome, Recall, Receipt, Record, RecordId, Settlement,
};
use porism_engine::words::UnknownWord;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::array::Floats;
use crate::memory::memory_error;

/// kind, statement, name, source, namespace, status
pub type RecordIn = (String, String, Option<String>, Option<String>, String, String);
/// id, kind, statement, name, source, namespace, key, status, `created_ms`, (inserts, born, died, `merged_into`)
pub type RecordOut =
    (i64, &'static str, String, Option<String>, Option<String>, String, String, &'static str, i64, LifeOut);
/// inserts, born, died, `merged_into`
pub type LifeOut = (i64, i64, Option<i64>, Option<i64>);
/// generation, action, detail, `created_ms`
pub type ChangeOut = (i64, &'static str, String, i64);
/// `claim_hash`, `certificate_hash`, checker, `checker_version`
pub type ReceiptFields = (String, String, String, String);
/// id, goal, verdict, used, prover, `prover_version`, label, seconds, reprover, `reprover_version`, receipt, `created_ms`
pub type EvidenceOut = (
    i64,
    i64,
    &'static str,
    Vec<i64>,
    String,
    String,
    String,
    f64,
    Option<String>,
    Option<String>,
    Option<ReceiptFields>,
    i64,
);
/// record, score, slot, propensity
pub type CandidateFields = (i64, f64, Option<u32>, f64);
/// verdict, attempts, seconds, used, evidence
pub type SettlementFields = (String, u32, f64, Vec<i64>, Option<i64>);
/// id, goal, snapshot, candidates, policy, seed, `created_ms`, settlement, `settled_ms`
pub type EventOut = (i64, i64, i64, Vec<CandidateFields>, String, i64, i64, Option<SettlementFields>, Option<i64>);
/// file, place, reason
pub type FindingOut = (PathBuf, String, String);

/// The conditions that were given, as a dictionary that has all of these keys.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct FilterIn {
    kinds: Vec<String>,
    statuses: Vec<String>,
    name: Option<String>,
    source: Option<String>,
    namespace: Option<String>,
    since_ms: Option<i64>,
    before_ms: Option<i64>,
    ids: Option<Vec<i64>>,
    at: Option<i64>,
    dead: bool,
}

impl FilterIn {
    pub fn read(self) -> memory::Result<Filter> {
        Ok(Filter {
            kinds: words(&self.kinds)?,
            statuses: words(&self.statuses)?,
            name: self.name,
            source: self.source,
            namespace: self.namespace,
            since_ms: self.since_ms,
            before_ms: self.before_ms,
            ids: self.ids.map(|ids| record_ids(&ids)),
            at: self.at,
            dead: self.dead,
        })
    }
}

/// The fields of evidence, as a dictionary that has all of these keys.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct EvidenceIn {
    goal: i64,
    verdict: String,
    used: Vec<i64>,
    prover: String,
    prover_version: String,
    label: String,
    seconds: f64,
    reprover: Option<String>,
    reprover_version: Option<String>,
    receipt: Option<ReceiptFields>,
}

impl EvidenceIn {
    pub fn read(self) -> memory::Result<NewEvidence> {
        Ok(NewEvidence {
            goal: RecordId(self.goal),
            verdict: self.verdict.parse()?,
            used: record_ids(&self.used),
            prover: self.prover,
            prover_version: self.prover_version,
            label: self.label,
            seconds: self.seconds,
            reprover: self.reprover,
            reprover_version: self.reprover_version,
            receipt: self.receipt.map(receipt_in),
        })
    }
}

pub fn words<T: FromStr<Err = UnknownWord>>(words: &[String]) -> memory::Result<Vec<T>> {
    words.iter().map(|word| Ok(word.parse()?)).collect()
}

pub fn operation_in(py: Python<'_>, name: &str, arguments: &Bound<'_, PyAny>) -> PyResult<Operation> {
    let engine = |error: MemoryError| memory_error(py, &error);
    Ok(match name {
        "insert" => {
            let (record, vector): (RecordIn, Option<Floats>) = arguments.extract()?;
            let vector = vector.map(|vector| vector.as_slice().to_vec());
            Operation::Insert { record: Box::new(new_record(record).map_err(engine)?), vector }
        }
        "forget" => {
            let (ids, reason): (Vec<i64>, String) = arguments.extract()?;
            Operation::Forget { ids: record_ids(&ids), reason }
        }
        "restore" => Operation::Restore { ids: record_ids(&arguments.extract::<Vec<i64>>()?) },
        "merge" => {
            let (one, other): (i64, i64) = arguments.extract()?;
            Operation::Merge { one: RecordId(one), other: RecordId(other) }
        }
        "evidence" => Operation::Evidence(Box::new(arguments.extract::<EvidenceIn>()?.read().map_err(engine)?)),
        other => return Err(PyValueError::new_err(format!("no operation is called {other:?}"))),
    })
}

pub fn outcome_out(outcome: Outcome) -> Vec<i64> {
    match outcome {
        Outcome::Inserted(inserted) => vec![inserted.id.0, inserted.new.into(), inserted.forgotten.into()],
        Outcome::Forgotten(ids) | Outcome::Restored(ids) => numbers(&ids),
        Outcome::Merged(kept) => vec![kept.0],
        Outcome::Evidence(id) => vec![id.0],
    }
}

pub fn inserted_out(inserted: Inserted) -> (i64, bool, bool) {
    (inserted.id.0, inserted.new, inserted.forgotten)
}

pub fn change_out(change: Change) -> ChangeOut {
    (change.generation, change.action.as_str(), change.detail, change.created_ms)
}

/// The ids as little-endian `i64` and the scores as little-endian `f32`.
pub fn hits_out(recalls: &[Recall]) -> (Vec<u8>, Vec<u8>) {
    let hits = || recalls.iter().flat_map(|recall| &recall.hits);
    let ids = hits().flat_map(|hit| hit.id.0.to_le_bytes()).collect();
    (ids, hits().flat_map(|hit| hit.score.to_le_bytes()).collect())
}

pub fn new_record((kind, statement, name, source, namespace, status): RecordIn) -> memory::Result<NewRecord> {
    let record = NewRecord::new(kind.parse()?, statement);
    Ok(NewRecord { name, source, namespace, status: status.parse()?, ..record })
}

pub fn record_out(record: Record) -> RecordOut {
    (
        record.id.0,
        record.kind.as_str(),
        record.statement,
        record.name,
        record.source,
        record.namespace,
        record.key.to_hex(),
        record.status.as_str(),
        record.created_ms,
        (record.inserts, record.born, record.died, record.merged_into.map(|id| id.0)),
    )
}

pub fn receipt_in((claim_hash, certificate_hash, checker, checker_version): ReceiptFields) -> Receipt {
    Receipt { claim_hash, certificate_hash, checker, checker_version }
}

pub fn receipt_out(receipt: Receipt) -> ReceiptFields {
    (receipt.claim_hash, receipt.certificate_hash, receipt.checker, receipt.checker_version)
}

pub fn evidence_out(evidence: Evidence) -> EvidenceOut {
    let content = evidence.content;
    (
        evidence.id.0,
        content.goal.0,
        content.verdict.as_str(),
        numbers(&content.used),
        content.prover,
        content.prover_version,
        content.label,
        content.seconds,
        content.reprover,
        content.reprover_version,
        content.receipt.map(receipt_out),
        evidence.created_ms,
    )
}

pub fn candidate_in((record, score, slot, propensity): CandidateFields) -> Candidate {
    Candidate { record: RecordId(record), score, slot, propensity }
}

pub fn candidate_out(candidate: &Candidate) -> CandidateFields {
    (candidate.record.0, candidate.score, candidate.slot, candidate.propensity)
}

pub fn settlement_in((verdict, attempts, seconds, used, evidence): SettlementFields) -> memory::Result<Settlement> {
    let verdict = verdict.parse()?;
    Ok(Settlement { verdict, attempts, seconds, used: record_ids(&used), evidence: evidence.map(EvidenceId) })
}

pub fn settlement_out(settlement: &Settlement) -> SettlementFields {
    (
        settlement.verdict.to_string(),
        settlement.attempts,
        settlement.seconds,
        numbers(&settlement.used),
        settlement.evidence.map(|id| id.0),
    )
}

pub fn event_out(event: Event) -> EventOut {
    let content = event.content;
    (
        event.id.0,
        content.goal.0,
        content.snapshot,
        content.candidates.iter().map(candidate_out).collect(),
        content.policy,
        content.seed,
        event.created_ms,
        event.settlement.as_ref().map(settlement_out),
        event.settled_ms,
    )
}

pub fn record_ids(numbers: &[i64]) -> Vec<RecordId> {
    numbers.iter().copied().map(RecordId).collect()
}

pub fn numbers(ids: &[RecordId]) -> Vec<i64> {
    ids.iter().map(|id| id.0).collect()
}
