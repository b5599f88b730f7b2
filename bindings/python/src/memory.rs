//! The memory: rows and tuples cross here, and become the classes of `porism._types` on the other side.

#![expect(clippy::needless_pass_by_value, reason = "arguments of Python functions arrive by value")]

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use porism_engine::features;
use porism_engine::memory::{
    self, Candidate, Event, EventId, Evidence, EvidenceId, Filter, MemoryError, NewEvent, NewEvidence, NewRecord,
    Options, Receipt, Record, RecordId, Settlement,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::errors::raise;

/// kind, statement, name, source, namespace, status
type RecordIn = (String, String, Option<String>, Option<String>, String, String);
/// id, kind, statement, name, source, namespace, key, status, `created_ms`, inserts
type RecordOut = (i64, &'static str, String, Option<String>, Option<String>, String, String, &'static str, i64, i64);
/// `claim_hash`, `certificate_hash`, checker, `checker_version`
type ReceiptFields = (String, String, String, String);
/// id, goal, verdict, used, prover, `prover_version`, label, seconds, reprover, `reprover_version`, receipt, `created_ms`
type EvidenceOut = (
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
type CandidateFields = (i64, f64, Option<u32>, f64);
/// verdict, attempts, seconds, used, evidence
type SettlementFields = (String, u32, f64, Vec<i64>, Option<i64>);
/// id, goal, snapshot, candidates, policy, seed, `created_ms`, settlement, `settled_ms`
type EventOut = (i64, i64, i64, Vec<CandidateFields>, String, i64, i64, Option<SettlementFields>, Option<i64>);
/// file, place, reason
type FindingOut = (PathBuf, String, String);

/// An open memory; closed, it refuses everything.
#[pyclass(frozen, module = "porism._core")]
struct Memory(Mutex<Option<Arc<memory::Memory>>>);

#[pymethods]
impl Memory {
    #[staticmethod]
    #[pyo3(signature = (path, *, create, read_only, timeout_s))]
    fn open(py: Python<'_>, path: PathBuf, create: bool, read_only: bool, timeout_s: f64) -> PyResult<Self> {
        let timeout = Duration::try_from_secs_f64(timeout_s)
            .map_err(|error| memory_error(py, &MemoryError::Input(format!("timeout_s={timeout_s}: {error}"))))?;
        let options = Options { create, read_only, timeout, ..Options::default() };
        let opened = py.detach(|| memory::Memory::open(&path, options));
        opened.map(|memory| Self(Mutex::new(Some(Arc::new(memory))))).map_err(|error| memory_error(py, &error))
    }

    fn close(&self, py: Python<'_>) {
        // What other threads have under way ends first: the last of them closes the files.
        py.detach(|| drop(self.lock().take()));
    }

    fn insert_many(&self, py: Python<'_>, records: Vec<RecordIn>) -> PyResult<Vec<(i64, bool)>> {
        self.run(py, |memory| {
            let records = records.into_iter().map(new_record).collect::<memory::Result<Vec<_>>>()?;
            let inserted = memory.insert_many(&records)?;
            Ok(inserted.into_iter().map(|inserted| (inserted.id.0, inserted.new)).collect())
        })
    }

    fn get(&self, py: Python<'_>, ids: Vec<i64>) -> PyResult<Vec<RecordOut>> {
        self.run(py, |memory| Ok(memory.get(&record_ids(&ids))?.into_iter().map(record_out).collect()))
    }

    #[pyo3(signature = (*, name, source, namespace))]
    fn find(
        &self,
        py: Python<'_>,
        name: Option<String>,
        source: Option<String>,
        namespace: Option<String>,
    ) -> PyResult<Vec<RecordOut>> {
        let filter = Filter { name, source, namespace };
        self.run(py, |memory| Ok(memory.find(&filter)?.into_iter().map(record_out).collect()))
    }

    /// The snapshot, the ids as little-endian `i64` and the scores as little-endian `f32`.
    fn recall<'py>(
        &self,
        py: Python<'py>,
        goal: &str,
        k: usize,
    ) -> PyResult<(i64, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let recall = self.run(py, |memory| memory.recall(&features::embed(goal), k))?;
        let ids: Vec<u8> = recall.hits.iter().flat_map(|hit| hit.id.0.to_le_bytes()).collect();
        let scores: Vec<u8> = recall.hits.iter().flat_map(|hit| hit.score.to_le_bytes()).collect();
        Ok((recall.snapshot, PyBytes::new(py, &ids), PyBytes::new(py, &scores)))
    }

    #[pyo3(signature = (goal, *, verdict, used, prover, prover_version, label, seconds, reprover, reprover_version, receipt))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a Python function")]
    fn add_evidence(
        &self,
        py: Python<'_>,
        goal: i64,
        verdict: &str,
        used: Vec<i64>,
        prover: String,
        prover_version: String,
        label: String,
        seconds: f64,
        reprover: Option<String>,
        reprover_version: Option<String>,
        receipt: Option<ReceiptFields>,
    ) -> PyResult<i64> {
        self.run(py, |memory| {
            let evidence = NewEvidence {
                goal: RecordId(goal),
                verdict: verdict.parse()?,
                used: record_ids(&used),
                prover,
                prover_version,
                label,
                seconds,
                reprover,
                reprover_version,
                receipt: receipt.map(receipt_in),
            };
            Ok(memory.add_evidence(&evidence)?.0)
        })
    }

    fn evidence(&self, py: Python<'_>, goal: Option<i64>) -> PyResult<Vec<EvidenceOut>> {
        self.run(py, |memory| Ok(memory.evidence(goal.map(RecordId))?.into_iter().map(evidence_out).collect()))
    }

    #[pyo3(signature = (goal, *, snapshot, candidates, policy, seed))]
    fn log_event(
        &self,
        py: Python<'_>,
        goal: i64,
        snapshot: i64,
        candidates: Vec<CandidateFields>,
        policy: String,
        seed: i64,
    ) -> PyResult<i64> {
        let candidates = candidates.into_iter().map(candidate_in).collect();
        let event = NewEvent { goal: RecordId(goal), snapshot, candidates, policy, seed };
        self.run(py, |memory| Ok(memory.log_event(&event)?.0))
    }

    fn events(&self, py: Python<'_>, id: Option<i64>) -> PyResult<Vec<EventOut>> {
        self.run(py, |memory| Ok(memory.events(id.map(EventId))?.into_iter().map(event_out).collect()))
    }

    fn settle(&self, py: Python<'_>, event: i64, settlement: SettlementFields) -> PyResult<SettlementFields> {
        self.run(py, |memory| {
            let settlement = settlement_in(settlement)?;
            memory.settle(EventId(event), &settlement).map(|settlement| settlement_out(&settlement))
        })
    }

    #[getter]
    fn generation(&self, py: Python<'_>) -> PyResult<i64> {
        self.run(py, memory::Memory::generation)
    }

    /// The numbers as a JSON object.
    fn stats(&self, py: Python<'_>) -> PyResult<String> {
        self.run(py, |memory| memory.stats()?.to_json())
    }

    /// Hands the lines to `write`, in blocks of bytes.
    fn export(&self, py: Python<'_>, write: Py<PyAny>, vectors: bool) -> PyResult<()> {
        let mut sink = Sink { write, error: None };
        let outcome =
            self.run(py, |memory| memory.export(&mut BufWriter::with_capacity(BLOCK_BYTES, &mut sink), vectors));
        // What the caller's own `write` raised says more than that writing failed.
        sink.error.map_or(outcome, Err)
    }

    /// How many records and rows were checked, and what was found.
    fn verify(&self, py: Python<'_>) -> PyResult<(u64, u64, Vec<FindingOut>)> {
        let report = self.run(py, memory::Memory::verify)?;
        let findings = report.findings.into_iter().map(|finding| (finding.file, finding.place, finding.reason));
        Ok((report.records, report.rows, findings.collect()))
    }
}

impl Memory {
    /// Runs `action` while other Python threads go on.
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        action: impl FnOnce(&memory::Memory) -> memory::Result<T> + Send,
    ) -> PyResult<T> {
        let outcome = py.detach(|| {
            let memory = self.lock().clone().ok_or_else(|| MemoryError::Input("the memory is closed".into()))?;
            action(&memory)
        });
        outcome.map_err(|error| memory_error(py, &error))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<memory::Memory>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many bytes of an export cross at once.
const BLOCK_BYTES: usize = 1 << 16;

/// A Python callable that takes bytes.
struct Sink {
    write: Py<PyAny>,
    error: Option<PyErr>,
}

impl Write for Sink {
    fn write(&mut self, block: &[u8]) -> io::Result<usize> {
        Python::attach(|py| self.write.call1(py, (PyBytes::new(py, block),))).map_err(|error| {
            let message = error.to_string();
            self.error = Some(error);
            io::Error::other(message)
        })?;
        Ok(block.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn new_record((kind, statement, name, source, namespace, status): RecordIn) -> memory::Result<NewRecord> {
    let record = NewRecord::new(kind.parse()?, statement);
    Ok(NewRecord { name, source, namespace, status: status.parse()?, ..record })
}

fn record_out(record: Record) -> RecordOut {
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
        record.inserts,
    )
}

fn receipt_in((claim_hash, certificate_hash, checker, checker_version): ReceiptFields) -> Receipt {
    Receipt { claim_hash, certificate_hash, checker, checker_version }
}

fn receipt_out(receipt: Receipt) -> ReceiptFields {
    (receipt.claim_hash, receipt.certificate_hash, receipt.checker, receipt.checker_version)
}

fn evidence_out(evidence: Evidence) -> EvidenceOut {
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

fn candidate_in((record, score, slot, propensity): CandidateFields) -> Candidate {
    Candidate { record: RecordId(record), score, slot, propensity }
}

fn candidate_out(candidate: &Candidate) -> CandidateFields {
    (candidate.record.0, candidate.score, candidate.slot, candidate.propensity)
}

fn settlement_in((verdict, attempts, seconds, used, evidence): SettlementFields) -> memory::Result<Settlement> {
    let verdict = verdict.parse()?;
    Ok(Settlement { verdict, attempts, seconds, used: record_ids(&used), evidence: evidence.map(EvidenceId) })
}

fn settlement_out(settlement: &Settlement) -> SettlementFields {
    (
        settlement.verdict.to_string(),
        settlement.attempts,
        settlement.seconds,
        numbers(&settlement.used),
        settlement.evidence.map(|id| id.0),
    )
}

fn event_out(event: Event) -> EventOut {
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

fn record_ids(numbers: &[i64]) -> Vec<RecordId> {
    numbers.iter().copied().map(RecordId).collect()
}

fn numbers(ids: &[RecordId]) -> Vec<i64> {
    ids.iter().map(|id| id.0).collect()
}

fn memory_error(py: Python<'_>, error: &MemoryError) -> PyErr {
    let class = match error {
        MemoryError::NotAMemory { .. } => "NotAMemoryError",
        // Another embedder is another format of vectors: nothing that the caller hands over could mend it.
        MemoryError::Format { .. } | MemoryError::Mismatch { .. } => "FormatError",
        MemoryError::Damaged { .. } => "DamagedError",
        MemoryError::Locked { .. } => "LockedError",
        MemoryError::Io { .. } => "StoreIOError",
        MemoryError::Input(_) => "InputError",
        _ => "StoreError",
    };
    raise(py, class, &error.to_string(), &PyDict::new(py))
}

/// Adds this file's class to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Memory>()
}
