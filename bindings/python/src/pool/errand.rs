//! One job on a thread of a pool: lease a process, lend it to the driver, say what came of it.

use std::cell::Cell;
use std::fmt;

use porism_engine::pool::{self, Driver, Failure, LeaseError, Pool, Until, Worker, WorkerKey, work};
use porism_native::process::Cancel;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::launch::Plan;
use super::session::{Latest, Session};
use crate::errors::raise;
use crate::process::raise_spawn_error;
use crate::queue::{Context, Native, Payload, Reply};

/// A process, and what its driver remembers about it.
pub struct Kept {
    /// `None` while it is lent.
    session: Option<pool::Session>,
    pid: u32,
    notes: Py<PyDict>,
}

impl Worker for Kept {
    type Meter = u32;

    fn meter(&self) -> u32 {
        self.pid
    }

    fn measure(meters: &[u32]) -> Vec<Option<u64>> {
        pool::Session::measure(meters)
    }

    fn interrupt(&self) {
        self.session.iter().for_each(pool::Session::interrupt);
    }

    fn has_ended(&mut self) -> bool {
        self.session.as_mut().is_none_or(pool::Session::has_ended)
    }

    fn end(self) {
        // Nothing is to be done about a process that the system does not let us reap.
        let _ = self.session.map(pool::Session::end);
    }
}

/// What the threads of a queue do with errands.
pub struct Errands {
    pool: Pool<Kept>,
}

impl Errands {
    pub fn new(pool: Pool<Kept>) -> Self {
        Self { pool }
    }

    fn run(&self, errand: &Py<PyAny>, context: &Context) -> PyResult<Py<PyAny>> {
        let cancel = Cancel::new().map_err(|error| PyOSError::new_err(error.to_string()))?;
        context.when_stopped({
            let cancel = cancel.clone();
            move || cancel.cancel()
        });
        let errand = Errand { object: errand, context, raised: Cell::new(None) };
        match errand.key()? {
            None => errand.do_alone(&cancel),
            Some(key) => {
                let until = Until { deadline: None, cancel: &cancel };
                match self.pool.lease(&key, &until, |until| errand.start(until)) {
                    Ok(lease) => match work(lease, &errand, (), &until).0 {
                        Ok(answer) => Ok(answer),
                        Err(failure) => errand.failed(&failure),
                    },
                    Err(error) => errand.not_leased(error),
                }
            }
        }
    }
}

impl Native for Errands {
    fn calls_python(&self) -> bool {
        true
    }

    fn prepare(&self, item: &Bound<'_, PyAny>) -> PyResult<Payload> {
        Ok(Payload::Object(item.clone().unbind()))
    }

    fn work(&self, payload: Payload, context: &Context) -> Reply {
        let Payload::Object(errand) = payload else { return Reply::Text(String::new()) };
        match self.run(&errand, context) {
            Ok(answer) => Reply::Object(answer),
            Err(error) => Reply::Raised(error),
        }
    }
}

/// A `porism._errand.Errand`.
struct Errand<'a> {
    object: &'a Py<PyAny>,
    context: &'a Context,
    /// What the driver raised, when that is for whoever waits.
    raised: Cell<Option<PyErr>>,
}

impl Errand<'_> {
    /// Which processes can do it; `None`: it needs none that is kept.
    fn key(&self) -> PyResult<Option<WorkerKey>> {
        Python::attach(|py| {
            let errand = self.object.bind(py);
            if !errand.getattr("keeps_process")?.is_truthy()? {
                return Ok(None);
            }
            let prover: String = errand.getattr("prover")?.extract()?;
            let header: String = errand.getattr("header")?.extract()?;
            Ok(Some(WorkerKey::new(prover, "", header.as_bytes())))
        })
    }

    fn do_alone(&self, cancel: &Cancel) -> PyResult<Py<PyAny>> {
        let done = Python::attach(|py| {
            let latest = Latest::Request(self.context.clone());
            let session = Bound::new(py, Session::new(None, cancel, latest, PyDict::new(py).unbind()))?;
            self.object.call_method1(py, "check", (session,))
        });
        done.or_else(|error| {
            let failure = self.read(error, cancel);
            self.failed(&failure)
        })
    }

    fn start(&self, until: &Until<'_>) -> Result<Kept, StartError> {
        let plan = Python::attach(|py| Plan::read(&self.object.bind(py).call_method0("launch")?))?;
        let session = pool::Session::start(&plan.launch, plan.framing, plan.max_frame_bytes)
            .map_err(|error| Python::attach(|py| raise_spawn_error(py, &error)))?;
        let notes = Python::attach(|py| PyDict::new(py).unbind());
        let mut kept = Kept { pid: session.pid(), session: Some(session), notes };
        match kept.lend(until.cancel, Latest::Moment(until.deadline), |session| {
            self.object.call_method1(session.py(), "start", (session,))
        }) {
            Ok(_) => Ok(kept),
            Err(error) => {
                kept.end();
                Err(error.into())
            }
        }
    }

    /// What a driver raised, as the pool sees it.
    fn read(&self, error: PyErr, cancel: &Cancel) -> Failure {
        let read = Python::attach(|py| {
            let kind = error.get_type(py).name().map(|name| name.to_string()).unwrap_or_default();
            let message = error.value(py).to_string();
            match kind.as_str() {
                "ProverStoppedError" if cancel.is_cancelled() => Failure::Cancelled,
                "ProverStoppedError" => Failure::TimedOut,
                "ProverEndedError" => Failure::Ended(message),
                "ProverMemoryError" => Failure::OutOfMemory,
                "ProverProtocolError" => Failure::Protocol(message),
                _ => Failure::Other(message),
            }
        });
        if matches!(read, Failure::Other(_)) {
            self.raised.set(Some(error));
        }
        read
    }

    fn failed(&self, failure: &Failure) -> PyResult<Py<PyAny>> {
        let verdict = match failure {
            Failure::TimedOut => "timeout",
            Failure::Cancelled => "cancelled",
            Failure::OutOfMemory => "memory",
            Failure::Ended(_) | Failure::Protocol(_) => "crashed",
            Failure::Other(_) => match self.raised.take() {
                Some(error) => return Err(error),
                None => "failed",
            },
        };
        self.say_instead(verdict, &failure.to_string())
    }

    fn not_leased(&self, error: LeaseError<StartError>) -> PyResult<Py<PyAny>> {
        match error {
            LeaseError::Start(StartError(error)) => Err(error),
            LeaseError::TimedOut => self.say_instead("timeout", &error.to_string()),
            LeaseError::Cancelled => self.say_instead("cancelled", &error.to_string()),
            LeaseError::Closed => {
                Python::attach(|py| Err(raise(py, "ClosedError", &error.to_string(), &PyDict::new(py))))
            }
            _ => self.say_instead("failed", &error.to_string()),
        }
    }

    fn say_instead(&self, verdict: &str, detail: &str) -> PyResult<Py<PyAny>> {
        Python::attach(|py| self.object.call_method1(py, "failed", (verdict, detail)))
    }
}

impl Driver<Kept, (), Py<PyAny>> for Errand<'_> {
    fn check(&self, kept: &mut Kept, (): (), until: &Until<'_>) -> Result<Py<PyAny>, Failure> {
        kept.lend(until.cancel, Latest::Request(self.context.clone()), |session| {
            self.object.call_method1(session.py(), "check", (session,))
        })
        .map_err(|error| self.read(error, until.cancel))
    }

    fn recover(&self, kept: &mut Kept, until: &Until<'_>) -> Result<(), Failure> {
        kept.lend(until.cancel, Latest::Moment(until.deadline), |session| {
            self.object.call_method1(session.py(), "recover", (session,))
        })
        .map(drop)
        // What a canary raises is for nobody but the pool.
        .map_err(|error| Failure::Other(error.to_string()))
    }
}

impl Kept {
    /// Puts the process into an object for Python, for one call.
    fn lend<T>(
        &mut self,
        cancel: &Cancel,
        latest: Latest,
        call: impl FnOnce(&Bound<'_, Session>) -> PyResult<T>,
    ) -> PyResult<T> {
        Python::attach(|py| {
            let lent = Session::new(self.session.take(), cancel, latest, self.notes.clone_ref(py));
            let lent = Bound::new(py, lent)?;
            let called = call(&lent);
            self.session = lent.get().take();
            called
        })
    }
}

/// Why a process did not start, as an exception.
struct StartError(PyErr);

impl From<PyErr> for StartError {
    fn from(error: PyErr) -> Self {
        Self(error)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Python::attach(|py| write!(out, "{}", self.0.value(py)))
    }
}
