//! What stands behind a queue: a Python callable, or work in Rust that needs no interpreter.

use std::cell::RefCell;
use std::sync::Arc;

use porism_engine::hash::content_hash;
use porism_engine::queue::{self, Worker};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// What travels to a worker.
pub enum Payload {
    /// Any object; looked into under the interpreter lock only.
    Object(Py<PyAny>),
    /// A copy of bytes, for work without the lock.
    Bytes(Box<[u8]>),
}

/// What comes back. Several requests may get the same.
pub enum Reply {
    /// What the callable returned.
    Object(Py<PyAny>),
    /// What it raised.
    Raised(PyErr),
    /// Text of a native worker.
    Text(String),
}

pub type Answer = Arc<Reply>;
pub type Context = queue::Context<Payload, Answer>;

impl Reply {
    /// The object for Python, or the exception.
    pub fn get<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Object(object) => Ok(object.bind(py).clone()),
            Self::Raised(error) => Err(error.clone_ref(py)),
            Self::Text(text) => Ok(PyString::new(py, text).into_any()),
        }
    }
}

/// Work in Rust that a queue can run on its threads without the interpreter lock. A checker becomes one by implementing this.
pub trait Native: Send + Sync + 'static {
    /// Whether it calls Python all the same.
    fn calls_python(&self) -> bool {
        false
    }

    /// Under the lock, on the submitter's thread: makes of an item what the work needs.
    fn prepare(&self, item: &Bound<'_, PyAny>) -> PyResult<Payload>;

    /// Without the lock, on a thread of the queue.
    fn work(&self, payload: Payload, context: &Context) -> Reply;
}

/// Work in Rust, as Python passes it to a queue.
#[pyclass(frozen, module = "porism._core")]
pub struct NativeWorker(Arc<dyn Native>);

impl NativeWorker {
    pub fn new(native: Arc<dyn Native>) -> Self {
        Self(native)
    }
}

#[pymethods]
impl NativeWorker {
    /// Answers with the item: what is left is the queue itself.
    #[staticmethod]
    fn null() -> Self {
        Self(Arc::new(Null))
    }

    /// Answers with the content hash of bytes.
    #[staticmethod]
    fn digest() -> Self {
        Self(Arc::new(Digest))
    }
}

struct Null;

impl Native for Null {
    fn prepare(&self, item: &Bound<'_, PyAny>) -> PyResult<Payload> {
        Ok(Payload::Object(item.clone().unbind()))
    }

    fn work(&self, payload: Payload, _: &Context) -> Reply {
        match payload {
            Payload::Object(object) => Reply::Object(object),
            Payload::Bytes(_) => Reply::Text(String::new()),
        }
    }
}

struct Digest;

impl Native for Digest {
    fn prepare(&self, item: &Bound<'_, PyAny>) -> PyResult<Payload> {
        Ok(Payload::Bytes(item.cast::<PyBytes>()?.as_bytes().into()))
    }

    fn work(&self, payload: Payload, _: &Context) -> Reply {
        match payload {
            Payload::Bytes(bytes) => Reply::Text(content_hash(&bytes)),
            Payload::Object(_) => Reply::Text(String::new()),
        }
    }
}

/// Either kind.
pub enum Work {
    Callable(Py<PyAny>),
    Native(Arc<dyn Native>),
}

impl Work {
    pub fn new(worker: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(native) = worker.cast::<NativeWorker>() {
            Ok(Self::Native(Arc::clone(&native.get().0)))
        } else if worker.is_callable() {
            Ok(Self::Callable(worker.clone().unbind()))
        } else {
            Err(PyTypeError::new_err(format!("a worker is a callable; this is {}", worker.get_type().name()?)))
        }
    }

    pub fn prepare(&self, item: &Bound<'_, PyAny>) -> PyResult<Payload> {
        match self {
            Self::Callable(_) => Ok(Payload::Object(item.clone().unbind())),
            Self::Native(native) => native.prepare(item),
        }
    }
}

thread_local! {
    /// What the callable on this thread works on.
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// A reference to the work, which the threads share with the queue.
pub struct Threads(pub Arc<Work>);

impl Worker<Payload, Answer> for Threads {
    fn work(&self, payload: Payload, context: &Context) -> Answer {
        let reply = match (&*self.0, payload) {
            (Work::Native(native), payload) => native.work(payload, context),
            (Work::Callable(callable), Payload::Object(item)) => {
                CURRENT.set(Some(context.clone()));
                let reply = Python::attach(|py| match callable.call1(py, (item,)) {
                    Ok(object) => Reply::Object(object),
                    Err(error) => Reply::Raised(error),
                });
                CURRENT.set(None);
                reply
            }
            (Work::Callable(_), Payload::Bytes(_)) => Reply::Text(String::new()),
        };
        Arc::new(reply)
    }

    fn run_thread(&self, take_and_work: &mut (dyn FnMut() + Send)) {
        match &*self.0 {
            // The thread is known to the interpreter from here on: otherwise every call would introduce it anew.
            Work::Native(native) if !native.calls_python() => take_and_work(),
            _ => Python::attach(|py| py.detach(take_and_work)),
        }
    }
}

/// What a callable may ask about the request that it works on.
#[pyclass(frozen, module = "porism._core")]
pub struct CurrentRequest(Context);

#[pymethods]
impl CurrentRequest {
    /// Whether nobody wants the answer any more.
    #[getter]
    fn cancelled(&self) -> bool {
        self.0.is_stopped()
    }

    /// Seconds until the last one who waits gives up; `None`: never.
    #[getter]
    fn time_left_s(&self) -> Option<f64> {
        self.0.time_left().map(|left| left.as_secs_f64())
    }
}

/// The request that this thread works on, if it is a thread of a queue.
#[pyfunction]
pub fn current_request() -> Option<CurrentRequest> {
    CURRENT.with_borrow(|current| current.clone().map(CurrentRequest))
}
