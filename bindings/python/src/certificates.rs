//! Certificates that come with a problem: LRAT, DRAT, models, rewriting.

#![expect(clippy::needless_pass_by_value, reason = "arguments from Python arrive as values")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use porism_engine::check::certificates::{FileError, Format, check_file};
use porism_engine::check::rewrite::{Problem, import_egg};
use porism_engine::check::{Budget, Work};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use super::metamath::{BudgetFields, Decided, ReceiptFields, decided};

/// How often Python is asked for signals.
const SIGNALS: Duration = Duration::from_millis(50);

/// The format that the name of a file tells.
#[pyfunction]
fn certificate_format(path: PathBuf) -> Option<&'static str> {
    Format::of(&path).map(Format::name)
}

/// The verdict on a certificate, and what it is about.
#[pyfunction]
fn check_certificate(
    py: Python<'_>,
    problem: PathBuf,
    certificate: PathBuf,
    format: &str,
    threads: usize,
    budget: BudgetFields,
) -> PyResult<(Decided, ReceiptFields)> {
    let format =
        Format::named(format).ok_or_else(|| PyValueError::new_err(format!("no format is called '{format}'")))?;
    let (steps, nodes, memory_bytes) = budget;
    let (cancel, mut signal) = (AtomicBool::new(false), None);
    let work = Work { threads, budget: Budget { steps, nodes, memory_bytes }, cancel: &cancel, observer: None };
    let checked = py.detach(|| {
        thread::scope(|scope| {
            let (sender, receiver) = channel();
            let (problem, certificate, work) = (&problem, &certificate, &work);
            scope.spawn(move || sender.send(check_file(problem, certificate, format, work)));
            loop {
                match receiver.recv_timeout(SIGNALS) {
                    Ok(checked) => return Some(checked),
                    Err(RecvTimeoutError::Disconnected) => return None,
                    Err(RecvTimeoutError::Timeout) => {
                        if let Err(error) = Python::attach(|py| py.check_signals()) {
                            signal.get_or_insert(error);
                            cancel.store(true, Ordering::Relaxed);
                        }
                    }
                }
            }
        })
    });
    match (signal, checked) {
        (Some(signal), _) => Err(signal),
        (None, Some(Ok((verdict, receipt)))) => Ok((
            decided(&verdict),
            (receipt.claim_hash, receipt.certificate_hash, receipt.checker, receipt.checker_version, receipt.axioms),
        )),
        (None, Some(Err(FileError::Io { path, source }))) => {
            Err(PyOSError::new_err((source.raw_os_error(), source.to_string(), path)))
        }
        (None, stopped) => Err(PyOSError::new_err(format!("the check ended without a verdict: {stopped:?}"))),
    }
}

/// A flat explanation of egg as a certificate in JSON.
#[pyfunction]
fn import_egg_explanation(py: Python<'_>, problem: Vec<u8>, explanation: String) -> PyResult<String> {
    py.detach(|| Problem::parse(&problem).and_then(|problem| import_egg(&problem, &explanation)))
        .map(|certificate| certificate.to_json())
        .map_err(|fault| PyValueError::new_err(fault.to_string()))
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(certificate_format, module)?)?;
    module.add_function(wrap_pyfunction!(check_certificate, module)?)?;
    module.add_function(wrap_pyfunction!(import_egg_explanation, module)?)
}
