//! Where answers arrive, for Python: an event loop watches the descriptor, or a thread waits.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};

use porism_engine::queue::{self, Message};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

use super::ticket::{duration, get, wait};
use super::work::Answer;

/// A value, an exception, a cancellation, a place, a message without content.
const VALUE: u8 = 0;
const ERROR: u8 = 1;
const CANCELLED: u8 = 2;
const PLACE: u8 = 3;
const CLOSED: u8 = 4;
const WORKERS_GONE: u8 = 5;

/// The token, the kind of message, and what it brings.
type Arrival<'py> = (u64, u8, Option<Bound<'py, PyAny>>);

/// A list of messages from queues.
#[pyclass(frozen, module = "porism._core")]
pub struct Port(pub Arc<queue::Port<Answer>>);

#[pymethods]
impl Port {
    #[new]
    #[pyo3(signature = (*, descriptor))]
    fn new(descriptor: bool) -> PyResult<Self> {
        let port = if descriptor {
            queue::Port::with_descriptor().map_err(|error| PyOSError::new_err(error.to_string()))?
        } else {
            queue::Port::new()
        };
        Ok(Self(Arc::new(port)))
    }

    /// What to watch; -1 without a descriptor.
    fn fileno(&self) -> RawFd {
        self.0.descriptor().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Nobody reads it any more.
    fn close(&self) {
        self.0.close();
    }

    /// All messages that are there.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Vec<Arrival<'py>>> {
        self.0.take().into_iter().map(|message| arrival(py, message)).collect()
    }

    /// All messages, after waiting for the first; empty when the time has run out.
    #[pyo3(signature = (timeout_s=None))]
    fn wait<'py>(&self, py: Python<'py>, timeout_s: Option<f64>) -> PyResult<Vec<Arrival<'py>>> {
        let timeout = timeout_s.map(|timeout_s| duration(py, "timeout_s", timeout_s)).transpose()?;
        let messages = wait(py, timeout, |slice| {
            let messages = self.0.wait(slice);
            (!messages.is_empty()).then_some(messages)
        })?;
        messages.into_iter().flatten().map(|message| arrival(py, message)).collect()
    }
}

fn arrival(py: Python<'_>, (token, message): (u64, Message<Answer>)) -> PyResult<Arrival<'_>> {
    let (kind, value) = match message {
        Message::Outcome(queue::Outcome::Cancelled) => (CANCELLED, None),
        Message::Outcome(outcome) => match get(py, outcome) {
            Ok(value) => (VALUE, Some(value)),
            Err(error) => (ERROR, Some(error.into_value(py).into_bound(py).into_any())),
        },
        Message::Place(Some(place)) => (PLACE, Some(Bound::new(py, Place(Mutex::new(Some(place))))?.into_any())),
        Message::Place(None) => (CLOSED, None),
        Message::WorkersGone => (WORKERS_GONE, None),
    };
    Ok((token, kind, value))
}

/// A place in a queue; free again when it is dropped.
#[pyclass(frozen, module = "porism._core")]
pub struct Place(Mutex<Option<queue::Place>>);

#[pymethods]
impl Place {
    /// Whoever is next in line gets it.
    fn release(&self, py: Python<'_>) {
        py.detach(|| drop(self.take()));
    }
}

impl Place {
    /// Takes it out; a place serves once.
    pub fn take(&self) -> Option<queue::Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Adds this file's classes and numbers to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Port>()?;
    module.add_class::<Place>()?;
    module.add("VALUE", VALUE)?;
    module.add("ERROR", ERROR)?;
    module.add("CANCELLED", CANCELLED)?;
    module.add("PLACE", PLACE)?;
    module.add("CLOSED", CLOSED)?;
    module.add("WORKERS_GONE", WORKERS_GONE)
}
