//! The verdict cache: tuples cross here, and become `porism.Check` on the other side.

#![expect(clippy::needless_pass_by_value, reason = "arguments of Python functions arrive by value")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use porism_engine::pool::cache::{self, Budget, CacheError, CacheKey, Entry, Kept, Options, Question, Request};
use porism_engine::verdict::{Check, Message};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::errors::raise;
use crate::fields::{ReceiptFields, receipt_in, receipt_out};

/// severity, text, line, column
type MessageFields = (String, String, u32, u32);
/// trust, budget in seconds, budget in units
type RequestFields = (u8, Option<f64>, Option<u64>);
/// verdict, trust, prover, `prover_version`, axioms, messages, detail, (`wait_s`, `work_s`), raw, receipt
type CheckFields =
    (String, u8, String, String, Vec<String>, Vec<MessageFields>, String, (f64, f64), String, Option<ReceiptFields>);
/// entries, `size_bytes`, `hot_hits`, `disk_hits`, misses, stored, evicted, contradicted
type StatsOut = (u64, u64, u64, u64, u64, u64, u64, u64);

/// An open cache; closed, it refuses everything.
#[pyclass(frozen, module = "porism._core")]
struct VerdictCache(Mutex<Option<Arc<cache::VerdictCache>>>);

#[pymethods]
impl VerdictCache {
    #[staticmethod]
    #[pyo3(signature = (path, *, create, read_only, rebuild, timeout_s, budget_bytes, front_bytes))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a Python function")]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        create: bool,
        read_only: bool,
        rebuild: bool,
        timeout_s: f64,
        budget_bytes: u64,
        front_bytes: u64,
    ) -> PyResult<Self> {
        let opened = duration("timeout_s", timeout_s).and_then(|timeout| {
            let options =
                Options { create, read_only, rebuild, timeout, budget_bytes, front_bytes, ..Options::default() };
            py.detach(|| cache::VerdictCache::open(&path, options))
        });
        opened.map(|cache| Self(Mutex::new(Some(Arc::new(cache))))).map_err(|error| cache_error(py, &error))
    }

    fn close(&self, py: Python<'_>) {
        // What other threads have under way ends first: the last of them closes the file.
        py.detach(|| drop(self.lock().take()));
    }

    /// Never looks at the disk.
    fn peek(&self, py: Python<'_>, key: &[u8], request: RequestFields) -> PyResult<Option<CheckFields>> {
        let look = || Ok(self.cache()?.peek(&key_in(key)?, &request_in(request)?));
        let found: cache::Result<_> = look();
        found.map(|found| found.map(|entry| check_out(&entry.check))).map_err(|error| cache_error(py, &error))
    }

    fn get(&self, py: Python<'_>, key: &[u8], request: RequestFields) -> PyResult<Option<CheckFields>> {
        let look = || {
            let (cache, key, request) = (self.cache()?, key_in(key)?, request_in(request)?);
            // A hot entry is found sooner than the interpreter lock is given back and taken again.
            match cache.peek(&key, &request) {
                Some(found) => Ok(Some(found)),
                None => py.detach(|| cache.get(&key, &request)),
            }
        };
        let found: cache::Result<_> = look();
        found.map(|found| found.map(|entry| check_out(&entry.check))).map_err(|error| cache_error(py, &error))
    }

    /// The word for what became of it.
    fn put(&self, py: Python<'_>, key: &[u8], check: CheckFields, request: RequestFields) -> PyResult<&'static str> {
        let kept = self.run(py, |cache| {
            let entry = Entry { check: check_in(check)?, request: request_in(request)? };
            cache.put(&key_in(key)?, entry)
        })?;
        Ok(match kept {
            Kept::Stored => "stored",
            Kept::Known => "known",
            Kept::Passing => "passing",
            Kept::TooLong => "too_long",
            Kept::Contradicted => "contradicted",
        })
    }

    fn remove(&self, py: Python<'_>, key: &[u8]) -> PyResult<bool> {
        self.run(py, |cache| cache.remove(&key_in(key)?))
    }

    fn verify(&self, py: Python<'_>) -> PyResult<u64> {
        self.run(py, cache::VerdictCache::verify)
    }

    fn stats(&self, py: Python<'_>) -> PyResult<StatsOut> {
        let now = self.run(py, cache::VerdictCache::stats)?;
        Ok((
            now.entries,
            now.size_bytes,
            now.hot_hits,
            now.disk_hits,
            now.misses,
            now.stored,
            now.evicted,
            now.contradicted,
        ))
    }
}

impl VerdictCache {
    /// Runs `action` while other Python threads go on.
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        action: impl FnOnce(&cache::VerdictCache) -> cache::Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| action(&*self.cache()?)).map_err(|error| cache_error(py, &error))
    }

    fn cache(&self) -> cache::Result<Arc<cache::VerdictCache>> {
        self.lock().clone().ok_or_else(|| CacheError::Input("the cache is closed".into()))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<cache::VerdictCache>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_in(key: &[u8]) -> cache::Result<CacheKey> {
    let length = key.len();
    key.try_into().map(CacheKey).map_err(|_| CacheError::Input(format!("a key has 32 bytes, this one {length}")))
}

fn request_in((trust, time, units): RequestFields) -> cache::Result<Request> {
    let time = time.map(|time| duration("budget_s", time)).transpose()?;
    let trust = trust.try_into().map_err(input)?;
    Ok(Request { trust, budget: Budget { time, units } })
}

fn check_in(fields: CheckFields) -> cache::Result<Check> {
    let (verdict, trust, prover, prover_version, axioms, messages, detail, (wait_s, work_s), raw, receipt) = fields;
    let message = |(severity, text, line, column): MessageFields| {
        Ok(Message { severity: severity.parse().map_err(input)?, text, line, column })
    };
    Ok(Check {
        verdict: verdict.parse().map_err(input)?,
        trust: trust.try_into().map_err(input)?,
        prover,
        prover_version,
        axioms,
        messages: messages.into_iter().map(message).collect::<cache::Result<_>>()?,
        detail,
        wait: duration("wait_s", wait_s)?,
        work: duration("work_s", work_s)?,
        raw,
        receipt: receipt.map(receipt_in),
    })
}

fn check_out(check: &Check) -> CheckFields {
    let messages = check.messages.iter();
    (
        check.verdict.to_string(),
        check.trust.into(),
        check.prover.clone(),
        check.prover_version.clone(),
        check.axioms.clone(),
        messages.map(|one| (one.severity.to_string(), one.text.clone(), one.line, one.column)).collect(),
        check.detail.clone(),
        (check.wait.as_secs_f64(), check.work.as_secs_f64()),
        check.raw.clone(),
        check.receipt.clone().map(receipt_out),
    )
}

fn duration(name: &str, seconds: f64) -> cache::Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|error| CacheError::Input(format!("{name}={seconds}: {error}")))
}

fn input(error: impl ToString) -> CacheError {
    CacheError::Input(error.to_string())
}

fn cache_error(py: Python<'_>, error: &CacheError) -> PyErr {
    let class = match error {
        CacheError::NotACache { .. } => "NotACacheError",
        CacheError::Format { .. } => "FormatError",
        CacheError::Damaged { .. } => "DamagedError",
        CacheError::Locked { .. } => "LockedError",
        CacheError::Io { .. } => "StoreIOError",
        CacheError::Input(_) => "InputError",
        _ => "StoreError",
    };
    raise(py, class, &error.to_string(), &PyDict::new(py))
}

/// The key of a question: 32 bytes.
#[pyfunction]
fn verdict_key<'py>(
    py: Python<'py>,
    prover_build: &[u8],
    library: &[u8],
    options: &[u8],
    prefix: &[u8],
    candidate: &[u8],
    statement: &[u8],
) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &Question { prover_build, library, options, prefix, candidate, statement }.key().0)
}

/// Adds what this file has to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<VerdictCache>()?;
    module.add_function(wrap_pyfunction!(verdict_key, module)?)
}
