//! One request, as Python holds it; and how it ends, in Python's terms.

use std::time::{Duration, Instant};

use porism_engine::queue::{self, Outcome, Refusal};
use pyo3::exceptions::PyTimeoutError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use super::work::{Answer, Payload};
use crate::errors::raise;
use crate::process::{SIGNAL_CHECK_EVERY, is_main_thread};

/// A request whose answer is fetched from here.
#[pyclass(frozen, module = "porism._core")]
pub struct Ticket(pub queue::Ticket<Payload, Answer>);

#[pymethods]
impl Ticket {
    #[pyo3(signature = (timeout_s=None))]
    fn result<'py>(&self, py: Python<'py>, timeout_s: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        let timeout = timeout_s.map(|timeout_s| duration(py, "timeout_s", timeout_s)).transpose()?;
        let outcome = match self.0.result(Some(Duration::ZERO)) {
            Some(outcome) => Some(outcome),
            None => wait(py, timeout, |slice| self.0.result(slice))?,
        };
        match outcome {
            Some(outcome) => get(py, outcome),
            None => Err(PyTimeoutError::new_err("there is no answer yet")),
        }
    }

    fn cancel(&self, py: Python<'_>) {
        py.detach(|| self.0.cancel());
    }

    /// `Ticket[int]`, for annotations.
    #[classmethod]
    fn __class_getitem__<'py>(cls: &Bound<'py, PyType>, item: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        cls.py().import("types")?.getattr("GenericAlias")?.call1((cls, item))
    }

    #[getter]
    fn done(&self) -> bool {
        self.0.result(Some(Duration::ZERO)).is_some()
    }
}

/// A request whose answer goes to a port.
#[pyclass(frozen, module = "porism._core")]
pub struct Handle(pub queue::Handle<Payload, Answer>);

#[pymethods]
impl Handle {
    fn cancel(&self, py: Python<'_>) {
        py.detach(|| self.0.cancel());
    }
}

/// Waits without the interpreter lock; the main thread lets Python look for a Ctrl-C meanwhile. `look` waits for what it is told,
/// or less.
pub fn wait<T: Send>(
    py: Python<'_>,
    timeout: Option<Duration>,
    look: impl Fn(Option<Duration>) -> Option<T> + Sync,
) -> PyResult<Option<T>> {
    let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let slice = is_main_thread(py)?.then_some(SIGNAL_CHECK_EVERY);
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let found = py.detach(|| look([slice, left].into_iter().flatten().min()));
        if found.is_some() || left == Some(Duration::ZERO) {
            return Ok(found);
        }
        py.check_signals()?;
    }
}

/// The answer, or the exception that tells why there is none.
pub fn get(py: Python<'_>, outcome: Outcome<Answer>) -> PyResult<Bound<'_, PyAny>> {
    let (class, message) = match outcome {
        Outcome::Answered(answer) => return answer.get(py),
        Outcome::TimedOut => ("DeadlineError", "the deadline passed before there was an answer".to_owned()),
        Outcome::Cancelled => ("CancelledError", "the request was cancelled".to_owned()),
        Outcome::Crashed(reason) => ("WorkerError", format!("the worker broke: {reason}")),
        Outcome::Closed => ("ClosedError", "the queue was closed before there was an answer".to_owned()),
    };
    Err(raise(py, class, &message, &PyDict::new(py)))
}

pub fn raise_refusal(py: Python<'_>, refusal: Refusal) -> PyErr {
    let fields = PyDict::new(py);
    let (class, told) = match refusal {
        Refusal::Full { expected_wait, .. } => ("OverloadedError", Some((true, expected_wait))),
        Refusal::TooLate { expected_wait, .. } => ("OverloadedError", Some((false, expected_wait))),
        Refusal::Closed => ("ClosedError", None),
    };
    if let Some((full, expected_wait)) = told {
        let set = fields
            .set_item("full", full)
            .and_then(|()| fields.set_item("expected_wait_s", expected_wait.as_secs_f64()));
        if let Err(error) = set {
            return error;
        }
    }
    raise(py, class, &refusal.to_string(), &fields)
}

pub fn duration(py: Python<'_>, name: &str, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|error| raise(py, "InputError", &format!("{name}={seconds}: {error}"), &PyDict::new(py)))
}
