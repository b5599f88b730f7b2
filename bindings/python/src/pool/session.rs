//! A process that a driver talks to, as Python sees it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use porism_engine::pool::{self, SessionError, nonce};
use porism_native::process::{Cancel, Ending, SpawnError, Until};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::errors::raise;
use crate::process;
use crate::queue::{Context, duration};

/// Lent to a driver for one call. Afterwards it is empty, whoever still holds it.
#[pyclass(frozen, module = "porism._core")]
pub struct Session {
    inner: Mutex<Option<pool::Session>>,
    cancel: Cancel,
    latest: Latest,
    notes: Py<PyDict>,
}

/// Until when a driver may go on.
pub enum Latest {
    /// As long as somebody waits for the answer.
    Request(Context),
    /// Until a moment.
    Moment(Option<Instant>),
}

impl Latest {
    fn time_left(&self) -> Option<Duration> {
        match self {
            Self::Request(context) => context.time_left(),
            Self::Moment(moment) => moment.map(|moment| moment.saturating_duration_since(Instant::now())),
        }
    }
}

impl Session {
    pub fn new(inner: Option<pool::Session>, cancel: &Cancel, latest: Latest, notes: Py<PyDict>) -> Self {
        Self { inner: Mutex::new(inner), cancel: cancel.clone(), latest, notes }
    }

    /// Takes the process back.
    pub fn take(&self) -> Option<pool::Session> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Does something with the process, without the interpreter lock.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&mut pool::Session, &Until<'_>) -> Result<T, SessionError> + Send,
    ) -> PyResult<T> {
        self.within(py, None, act)
    }

    /// The same for at most so long.
    fn within<T: Send>(
        &self,
        py: Python<'_>,
        at_most: Option<Duration>,
        act: impl FnOnce(&mut pool::Session, &Until<'_>) -> Result<T, SessionError> + Send,
    ) -> PyResult<T> {
        let left = self.latest.time_left().into_iter().chain(at_most).min();
        let deadline = left.and_then(|left| Instant::now().checked_add(left));
        let done = py.detach(|| {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            inner.as_mut().map(|session| act(session, &Until { deadline, cancel: &self.cancel }))
        });
        match done {
            Some(done) => done.map_err(|error| raise_session_error(py, &error)),
            None => Err(raise(py, "ProverError", "there is no process to talk to", &PyDict::new(py))),
        }
    }
}

#[pymethods]
impl Session {
    /// Writes bytes to its standard input.
    fn send(&self, py: Python<'_>, data: &[u8]) -> PyResult<()> {
        self.with(py, |session, until| session.send(data, until))
    }

    /// Waits for one answer, at most for `timeout_s`; what came of it by then is kept for the next call.
    #[pyo3(signature = (timeout_s=None))]
    fn receive<'py>(&self, py: Python<'py>, timeout_s: Option<f64>) -> PyResult<Bound<'py, PyBytes>> {
        let at_most = timeout_s.map(|seconds| duration(py, "timeout_s", seconds)).transpose()?;
        let frame = self.within(py, at_most, pool::Session::receive)?;
        Ok(PyBytes::new(py, &frame))
    }

    /// Sends, and waits for one answer; `marker` is the line that ends it, for that framing.
    #[pyo3(signature = (data, *, marker=None))]
    fn ask<'py>(&self, py: Python<'py>, data: &[u8], marker: Option<&str>) -> PyResult<Bound<'py, PyBytes>> {
        let frame = self.with(py, |session, until| {
            if let Some(marker) = marker {
                session.set_marker(marker.as_bytes())?;
            }
            session.ask(data, until)
        })?;
        Ok(PyBytes::new(py, &frame))
    }

    /// Forgets what was printed so far.
    fn discard(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |session, _| {
            session.discard();
            Ok(())
        })
    }

    /// Closes its standard input.
    fn close_input(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |session, _| {
            session.close_input();
            Ok(())
        })
    }

    /// Sends `SIGINT` to it and its children.
    fn interrupt(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |session, _| {
            session.interrupt();
            Ok(())
        })
    }

    /// The tail of its standard error.
    #[getter]
    fn stderr<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let tail = self.with(py, |session, _| Ok(session.stderr_tail().to_vec()))?;
        Ok(PyBytes::new(py, &tail))
    }

    /// Its process number.
    #[getter]
    fn pid(&self, py: Python<'_>) -> PyResult<u32> {
        self.with(py, |session, _| Ok(session.pid()))
    }

    /// Memory of all its processes, shared pages in proportion; `None` when that cannot be told.
    #[getter]
    fn memory_bytes(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        self.with(py, |session, _| Ok(session.memory_bytes()))
    }

    /// Seconds until the answer has to be there; `None`: whenever.
    #[getter]
    fn time_left_s(&self) -> Option<f64> {
        self.latest.time_left().map(|left| left.as_secs_f64())
    }

    /// What the driver wants to remember about the process.
    #[getter]
    fn notes(&self, py: Python<'_>) -> Py<PyDict> {
        self.notes.clone_ref(py)
    }

    /// Stops what a driver starts besides, when the answer is not wanted any more.
    #[getter]
    fn cancel(&self) -> process::Cancel {
        process::Cancel { token: self.cancel.clone() }
    }

    /// A word that nobody can guess, to mark the end of an answer with.
    #[staticmethod]
    fn nonce() -> String {
        nonce()
    }
}

fn raise_session_error(py: Python<'_>, error: &SessionError) -> PyErr {
    let fields = PyDict::new(py);
    let class = match error {
        SessionError::TimedOut | SessionError::Cancelled => "ProverStoppedError",
        SessionError::Framing(_) => "ProverProtocolError",
        SessionError::Ended { ending, .. } => {
            let (code, signal) = match ending {
                Some(Ending::Exited(code)) => (Some(*code), None),
                Some(Ending::Signalled(signal)) => (None, Some(*signal)),
                _ => (None, None),
            };
            let set = fields.set_item("code", code).and_then(|()| fields.set_item("signal", signal));
            if let Err(error) = set {
                return error;
            }
            "ProverEndedError"
        }
        SessionError::System(SpawnError::NotFound { .. }) => "ProverMissingError",
        _ => "ProverError",
    };
    raise(py, class, &error.to_string(), &fields)
}
