//! The memory: rows and tuples cross here, and become the classes of `porism._types` on the other side.

#![expect(clippy::needless_pass_by_value, reason = "arguments of Python functions arrive by value")]

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use porism_engine::features;
use porism_engine::memory::{self, EventId, Filter, MemoryError, NewEvent, Options, Query, RecordId, View};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::array::Floats;
use crate::errors::raise;
use crate::fields::{
    CandidateFields, ChangeOut, EventOut, EvidenceIn, EvidenceOut, FilterIn, FindingOut, RecordIn, RecordOut,
    SettlementFields, candidate_in, change_out, event_out, evidence_out, hits_out, inserted_out, new_record, numbers,
    operation_in, outcome_out, record_ids, record_out, settlement_in, settlement_out, words,
};

/// The snapshot, how many hits each query has, and the ids and scores of all hits.
type RecallsOut<'py> = (i64, Vec<usize>, Bound<'py, PyBytes>, Bound<'py, PyBytes>);

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

    /// The snapshot, the ids as little-endian `i64` and the scores as little-endian `f32`. No views: the dense one.
    #[expect(clippy::too_many_arguments, reason = "arguments of a Python function")]
    fn recall<'py>(
        &self,
        py: Python<'py>,
        text: Option<&str>,
        vector: Option<Floats>,
        k: usize,
        recall: f32,
        views: Option<Vec<String>>,
        filter: Option<FilterIn>,
    ) -> PyResult<(i64, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let recall = self.run(py, |memory| {
            let views = views.map_or_else(|| Ok(vec![View::Dense]), |views| words(&views))?;
            let query = Query { text, vector: vector.as_ref().map(Floats::as_slice), views: &views, k, recall };
            memory.search(&query, &filter.map_or_else(|| Ok(Filter::default()), FilterIn::read)?)
        })?;
        let (ids, scores) = hits_out(std::slice::from_ref(&recall));
        Ok((recall.snapshot, PyBytes::new(py, &ids), PyBytes::new(py, &scores)))
    }

    /// The snapshot, how many hits each vector has, and the ids and scores of all.
    fn recall_many<'py>(
        &self,
        py: Python<'py>,
        vectors: Floats,
        k: usize,
        recall: f32,
        filter: Option<FilterIn>,
    ) -> PyResult<RecallsOut<'py>> {
        let recalls = self.run(py, |memory| {
            let filter = filter.map_or_else(|| Ok(Filter::default()), FilterIn::read)?;
            memory.search_many(vectors.as_slice(), k, recall, &filter)
        })?;
        let snapshot = match recalls.first() {
            Some(first) => first.snapshot,
            None => self.run(py, memory::Memory::generation)?,
        };
        let (ids, scores) = hits_out(&recalls);
        let counts = recalls.iter().map(|recall| recall.hits.len()).collect();
        Ok((snapshot, counts, PyBytes::new(py, &ids), PyBytes::new(py, &scores)))
    }

    /// What the index is, as a JSON object.
    fn index(&self, py: Python<'_>) -> PyResult<String> {
        self.run(py, |memory| memory.index()?.to_json())
    }

    /// Whether there was anything to do.
    fn build_index(&self, py: Python<'_>) -> PyResult<bool> {
        self.run(py, memory::Memory::build_index)
    }

    /// The recall, the ends of its interval, and how many queries were asked.
    fn measure_recall(
        &self,
        py: Python<'_>,
        k: usize,
        recall: f32,
        vectors: Option<Floats>,
    ) -> PyResult<(f64, f64, f64, usize)> {
        let vectors = vectors.as_ref().map(Floats::as_slice);
        let measured = self.run(py, |memory| memory.measure_recall(k, recall, vectors))?;
        Ok((measured.recall, measured.low, measured.high, measured.queries))
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
    /// evidence and of events, and whether history was taken over.
    fn load(&self, py: Python<'_>, read: Py<PyAny>) -> PyResult<(u64, u64, u64, u64, bool)> {
        let mut source = Source { read, error: None };
        let outcome = self.run(py, |memory| memory.import(&mut BufReader::with_capacity(BLOCK_BYTES, &mut source)));
        let done = source.error.map_or(outcome, Err)?;
        Ok((done.new, done.known, done.evidence, done.events, done.history))
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

pub fn memory_error(py: Python<'_>, error: &MemoryError) -> PyErr {
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

/// The instruction set that searches use.
#[pyfunction]
fn isa(py: Python<'_>) -> PyResult<String> {
    memory::isa().map_err(|error| memory_error(py, &error))
}

/// Adds what this file has to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("EMBEDDERS", vec![features::EMBEDDER, features::WORDS_EMBEDDER, features::TOKENS_EMBEDDER])?;
    module.add("DIMENSION", features::DIMENSION)?;
    module.add_class::<Memory>()?;
    module.add_function(wrap_pyfunction!(embed, module)?)?;
    module.add_function(wrap_pyfunction!(isa, module)?)?;
    module.add_function(wrap_pyfunction!(upgrade_memory, module)?)
}
