//! The memory: rows and tuples cross here, and become the classes of `porism._types` on the other side.

#![expect(clippy::needless_pass_by_value, reason = "arguments of Python functions arrive by value")]

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use porism_engine::features;
use porism_engine::memory::{
    self, Candidate, Change, Event, EventId, Evidence, EvidenceId, Filter, Inserted, MemoryError, NewEvent,
    NewEvidence, NewRecord, Operation, Options, Outcome, Query, Receipt, Record, RecordId, Settlement,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::array::Floats;
use crate::errors::raise;

/// kind, statement, name, source, namespace, status
type RecordIn = (String, String, Option<String>, Option<String>, String, String);
/// id, kind, statement, name, source, namespace, key, status, `created_ms`, (inserts, born, died, `merged_into`)
type RecordOut =
    (i64, &'static str, String, Option<String>, Option<String>, String, String, &'static str, i64, LifeOut);
/// inserts, born, died, `merged_into`
type LifeOut = (i64, i64, Option<i64>, Option<i64>);
/// generation, action, detail, `created_ms`
type ChangeOut = (i64, &'static str, String, i64);
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
    #[pyo3(signature = (path, *, create, read_only, timeout_s, durability, embedder, budget_bytes))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a Python function")]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        create: bool,
        read_only: bool,
        timeout_s: f64,
        durability: &str,
        embedder: Option<(String, u32)>,
        budget_bytes: Option<u64>,
    ) -> PyResult<Self> {
        let opened = Duration::try_from_secs_f64(timeout_s)
            .map_err(|error| MemoryError::Input(format!("timeout_s={timeout_s}: {error}")))
            .and_then(|timeout| {
                let durability = durability.parse()?;
                let any_embedder = embedder.is_none();
                let mut options = Options {
                    create,
                    read_only,
                    timeout,
                    durability,
                    any_embedder,
                    budget_bytes,
                    ..Options::default()
                };
                if let Some((embedder, dimension)) = embedder {
                    (options.embedder, options.dimension) = (embedder, dimension);
                }
                py.detach(|| memory::Memory::open(&path, options))
            });
        opened.map(|memory| Self(Mutex::new(Some(Arc::new(memory))))).map_err(|error| memory_error(py, &error))
    }

    fn close(&self, py: Python<'_>) {
        // What other threads have under way ends first: the last of them closes the files.
        py.detach(|| drop(self.lock().take()));
    }

    /// `vectors` is a contiguous array of `f32`, the rows of all records one behind the other.
    fn insert_many(
        &self,
        py: Python<'_>,
        records: Vec<RecordIn>,
        vectors: Option<Floats>,
    ) -> PyResult<Vec<(i64, bool, bool)>> {
        self.run(py, |memory| {
            let records = records.into_iter().map(new_record).collect::<memory::Result<Vec<_>>>()?;
            let inserted = memory.insert_many(&records, vectors.as_ref().map(Floats::as_slice))?;
            Ok(inserted.into_iter().map(inserted_out).collect())
        })
    }

    fn get(&self, py: Python<'_>, ids: Vec<i64>, at: Option<i64>) -> PyResult<Vec<RecordOut>> {
        self.run(py, |memory| Ok(memory.get(&record_ids(&ids), at)?.into_iter().map(record_out).collect()))
    }

    fn find(&self, py: Python<'_>, filter: FilterIn) -> PyResult<Vec<RecordOut>> {
        self.run(py, |memory| Ok(memory.find(&filter.read()?)?.into_iter().map(record_out).collect()))
    }

    /// The snapshot, the ids as little-endian `i64` and the scores as little-endian `f32`.
    fn recall<'py>(
        &self,
        py: Python<'py>,
        text: Option<&str>,
        vector: Option<Floats>,
        k: usize,
        views: Vec<String>,
        filter: Option<FilterIn>,
    ) -> PyResult<(i64, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let recall = self.run(py, |memory| {
            let views = words(&views)?;
            let query = Query { text, vector: vector.as_ref().map(Floats::as_slice), views: &views, k };
            memory.search(&query, &filter.map_or_else(|| Ok(Filter::default()), FilterIn::read)?)
        })?;
        let ids: Vec<u8> = recall.hits.iter().flat_map(|hit| hit.id.0.to_le_bytes()).collect();
        let scores: Vec<u8> = recall.hits.iter().flat_map(|hit| hit.score.to_le_bytes()).collect();
        Ok((recall.snapshot, PyBytes::new(py, &ids), PyBytes::new(py, &scores)))
    }

    fn forget(&self, py: Python<'_>, ids: Vec<i64>, reason: &str) -> PyResult<Vec<i64>> {
        self.run(py, |memory| Ok(numbers(&memory.forget(&record_ids(&ids), reason)?)))
    }

    fn restore(&self, py: Python<'_>, ids: Vec<i64>) -> PyResult<Vec<i64>> {
        self.run(py, |memory| Ok(numbers(&memory.restore(&record_ids(&ids))?)))
    }

    fn merge(&self, py: Python<'_>, one: i64, other: i64) -> PyResult<i64> {
        self.run(py, |memory| Ok(memory.merge(RecordId(one), RecordId(other))?.0))
    }

    /// Each operation is its name and its arguments; each outcome a list of numbers.
    fn apply(
        &self,
        py: Python<'_>,
        operations: Vec<(String, Bound<'_, PyAny>)>,
        expected: Option<i64>,
    ) -> PyResult<Vec<Vec<i64>>> {
        let operations = operations
            .into_iter()
            .map(|(name, arguments)| operation_in(py, &name, &arguments))
            .collect::<PyResult<Vec<_>>>()?;
        self.run(py, |memory| Ok(memory.apply(&operations, expected)?.into_iter().map(outcome_out).collect()))
    }

    fn history(&self, py: Python<'_>, id: i64) -> PyResult<Vec<ChangeOut>> {
        self.run(py, |memory| Ok(memory.history(RecordId(id))?.into_iter().map(change_out).collect()))
    }

    fn snapshot(&self, py: Python<'_>, name: &str) -> PyResult<i64> {
        self.run(py, |memory| memory.snapshot(name))
    }

    fn drop_snapshot(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.run(py, |memory| memory.drop_snapshot(name))
    }

    /// Name, generation, time.
    fn snapshots(&self, py: Python<'_>) -> PyResult<Vec<(String, i64, i64)>> {
        let found = self.run(py, memory::Memory::snapshots)?;
        Ok(found.into_iter().map(|one| (one.name, one.generation, one.created_ms)).collect())
    }

    /// How many records were dropped, and the bytes of all files before and after.
    fn compact(&self, py: Python<'_>) -> PyResult<(u64, u64, u64)> {
        let done = self.run(py, memory::Memory::compact)?;
        Ok((done.dropped, done.bytes_before, done.bytes_after))
    }

    /// The records that are gone, or would be, and those that lose support.
    fn purge(&self, py: Python<'_>, ids: Vec<i64>, dry_run: bool) -> PyResult<(Vec<i64>, Vec<i64>)> {
        let ids = record_ids(&ids);
        let purged = self.run(py, |memory| if dry_run { memory.plan_purge(&ids) } else { memory.purge(&ids) })?;
        Ok((numbers(&purged.ids), numbers(&purged.unsupported)))
    }

    fn reembed(&self, py: Python<'_>, embedder: &str, dimension: u32, ids: Vec<i64>, vectors: Floats) -> PyResult<()> {
        self.run(py, |memory| memory.reembed(embedder, dimension, &record_ids(&ids), vectors.as_slice()))
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, memory::Memory::flush)
    }

    fn add_evidence(&self, py: Python<'_>, evidence: EvidenceIn) -> PyResult<i64> {
        self.run(py, |memory| Ok(memory.add_evidence(&evidence.read()?)?.0))
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

    /// The name of the embedder, and how many places the vectors have.
    #[getter]
    fn embedder(&self, py: Python<'_>) -> PyResult<(String, u32)> {
        self.run(py, |memory| Ok((memory.embedder().0.to_owned(), memory.embedder().1)))
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

    /// Stores the lines that `read` hands over, in blocks of at most so many bytes; returns the numbers of new and known records, of
    /// evidence and of events.
    fn load(&self, py: Python<'_>, read: Py<PyAny>) -> PyResult<(u64, u64, u64, u64)> {
        let mut source = Source { read, error: None };
        let outcome = self.run(py, |memory| memory.import(&mut BufReader::with_capacity(BLOCK_BYTES, &mut source)));
        let done = source.error.map_or(outcome, Err)?;
        Ok((done.new, done.known, done.evidence, done.events))
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

/// A Python callable that hands over at most so many bytes, and none at the end.
struct Source {
    read: Py<PyAny>,
    error: Option<PyErr>,
}

impl Read for Source {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let outcome = Python::attach(|py| {
            let bytes = self.read.call1(py, (block.len(),))?;
            let bytes = bytes.extract::<&[u8]>(py)?;
            let Some(start) = block.get_mut(..bytes.len()) else {
                return Err(PyValueError::new_err("read() returned more than it was asked for"));
            };
            start.copy_from_slice(bytes);
            Ok(bytes.len())
        });
        outcome.map_err(|error: PyErr| {
            let message = error.to_string();
            self.error = Some(error);
            io::Error::other(message)
        })
    }
}

/// The conditions that were given, as a dictionary that has all of these keys.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct FilterIn {
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
    fn read(self) -> memory::Result<Filter> {
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
struct EvidenceIn {
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
    fn read(self) -> memory::Result<NewEvidence> {
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

fn words<T: FromStr<Err = MemoryError>>(words: &[String]) -> memory::Result<Vec<T>> {
    words.iter().map(|word| word.parse()).collect()
}

fn operation_in(py: Python<'_>, name: &str, arguments: &Bound<'_, PyAny>) -> PyResult<Operation> {
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

fn outcome_out(outcome: Outcome) -> Vec<i64> {
    match outcome {
        Outcome::Inserted(inserted) => vec![inserted.id.0, inserted.new.into(), inserted.forgotten.into()],
        Outcome::Forgotten(ids) | Outcome::Restored(ids) => numbers(&ids),
        Outcome::Merged(kept) => vec![kept.0],
        Outcome::Evidence(id) => vec![id.0],
    }
}

fn inserted_out(inserted: Inserted) -> (i64, bool, bool) {
    (inserted.id.0, inserted.new, inserted.forgotten)
}

fn change_out(change: Change) -> ChangeOut {
    (change.generation, change.action.as_str(), change.detail, change.created_ms)
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
        (record.inserts, record.born, record.died, record.merged_into.map(|id| id.0)),
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
        MemoryError::Format { .. } | MemoryError::OldFormat { .. } | MemoryError::Mismatch { .. } => "FormatError",
        MemoryError::Conflict { .. } => "ConflictError",
        MemoryError::Budget { .. } => "BudgetError",
        MemoryError::Damaged { .. } => "DamagedError",
        MemoryError::Locked { .. } => "LockedError",
        MemoryError::Io { .. } => "StoreIOError",
        MemoryError::Input(_) => "InputError",
        _ => "StoreError",
    };
    raise(py, class, &error.to_string(), &PyDict::new(py))
}

/// Rewrites the memory at `path` in the current format; returns the format that it had.
#[pyfunction]
fn upgrade_memory(py: Python<'_>, path: PathBuf) -> PyResult<u32> {
    py.detach(|| memory::upgrade(&path)).map_err(|error| memory_error(py, &error))
}

/// The vectors of `texts` by a built-in embedder, one behind the other, as little-endian `f32`.
#[pyfunction]
fn embed<'py>(py: Python<'py>, embedder: &str, texts: Vec<String>) -> PyResult<Bound<'py, PyBytes>> {
    let made = py.detach(|| {
        let rows = texts.iter().map(|text| features::embed_by(embedder, text)).collect::<Option<Vec<_>>>()?;
        Some(rows.iter().flatten().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
    });
    let made =
        made.ok_or_else(|| memory_error(py, &MemoryError::Input(format!("no built-in embedder {embedder:?}"))))?;
    Ok(PyBytes::new(py, &made))
}

/// Adds what this file has to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("EMBEDDERS", vec![features::EMBEDDER, features::WORDS_EMBEDDER])?;
    module.add("DIMENSION", features::DIMENSION)?;
    module.add_class::<Memory>()?;
    module.add_function(wrap_pyfunction!(embed, module)?)?;
    module.add_function(wrap_pyfunction!(upgrade_memory, module)?)
}
