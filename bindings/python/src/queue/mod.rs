//! The queue of requests, as Python sees it.

#![expect(clippy::needless_pass_by_value, reason = "arguments of Python functions arrive by value")]

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use porism_engine::queue::{self, Close, Crew, Histogram, Key, Options, Refused, Request, Weight};
use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

mod port;
mod ticket;
mod work;

use crate::errors::raise;

use port::{Place, Port};
use ticket::{Handle, Ticket, raise_refusal};
use work::{Answer, CurrentRequest, Threads, Work};

pub use ticket::duration;
pub use work::{Context, Native, NativeWorker, Payload, Reply};

/// count, sum in seconds, (upper bound in seconds, count)
pub type HistogramOut = (u64, f64, Vec<(f64, u64)>);
/// waiting, running, capacity, workers, expected wait in seconds
type GaugesOut = (usize, usize, usize, usize, f64);

/// Adds this folder's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Queue>()?;
    module.add_class::<Ticket>()?;
    module.add_class::<Handle>()?;
    module.add_class::<NativeWorker>()?;
    module.add_class::<CurrentRequest>()?;
    module.add_function(wrap_pyfunction!(work::current_request, module)?)?;
    port::register(module)
}

/// A queue and the threads that work it off.
#[pyclass(frozen, module = "porism._core")]
struct Queue {
    inner: queue::Queue<Payload, Answer>,
    work: Arc<Work>,
    crew: Crew,
}

impl Drop for Queue {
    fn drop(&mut self) {
        // Nobody can ask for an answer by this queue any more. The threads end by themselves.
        self.inner.close(Close::Abandon);
    }
}

#[pymethods]
impl Queue {
    #[new]
    #[pyo3(signature = (worker, *, threads, capacity, ageing_s, patience_s, shares))]
    fn new(
        py: Python<'_>,
        worker: &Bound<'_, PyAny>,
        threads: usize,
        capacity: usize,
        ageing_s: f64,
        patience_s: f64,
        shares: HashMap<String, f64>,
    ) -> PyResult<Self> {
        let work = Arc::new(Work::new(worker)?);
        let share = |(tenant, weight): (String, f64)| match Weight::new(weight) {
            Some(weight) => Ok((tenant.into(), weight)),
            None => {
                Err(input_error(py, &format!("shares: the share {weight} of {tenant:?} is not positive and finite")))
            }
        };
        let shares = shares.into_iter().map(share).collect::<PyResult<_>>()?;
        let queue = queue::Queue::new(Options {
            capacity,
            ageing: duration(py, "ageing_s", ageing_s)?,
            patience: duration(py, "patience_s", patience_s)?,
            shares,
            ..Options::default()
        });
        let crew = Crew::start(&queue, Threads(Arc::clone(&work)), threads)
            .map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(Self { inner: queue, work, crew })
    }

    #[pyo3(signature = (item, key, priority, tenant, deadline_s, place=None))]
    #[expect(clippy::too_many_arguments, reason = "arguments of a Python function")]
    fn submit(
        &self,
        py: Python<'_>,
        item: &Bound<'_, PyAny>,
        key: Option<&Bound<'_, PyAny>>,
        priority: i64,
        tenant: Option<&str>,
        deadline_s: Option<f64>,
        place: Option<&Place>,
    ) -> PyResult<Ticket> {
        let request = self.request(py, item, key, priority, tenant, deadline_s)?;
        let submitted = match place.and_then(Place::take) {
            None => self.inner.submit(request),
            Some(place) => self.inner.submit_with(request, place),
        };
        submitted.map(Ticket).map_err(|refused| raise_refusal(py, refused.why))
    }

    #[pyo3(signature = (port, token, item, key, priority, tenant, deadline_s, place=None))]
    #[expect(clippy::too_many_arguments, reason = "arguments of a Python function")]
    fn submit_to(
        &self,
        py: Python<'_>,
        port: &Port,
        token: u64,
        item: &Bound<'_, PyAny>,
        key: Option<&Bound<'_, PyAny>>,
        priority: i64,
        tenant: Option<&str>,
        deadline_s: Option<f64>,
        place: Option<&Place>,
    ) -> PyResult<Handle> {
        let request = self.request(py, item, key, priority, tenant, deadline_s)?;
        let submitted = self.inner.submit_to(request, &port.0, token, place.and_then(Place::take));
        submitted.map(Handle).map_err(|refused| raise_refusal(py, refused.why))
    }

    /// Several at once, under tokens from `first_token` on: a handle each, or the exception that says why not.
    #[expect(clippy::too_many_arguments, reason = "arguments of a Python function")]
    fn submit_many_to<'py>(
        &self,
        py: Python<'py>,
        port: &Port,
        first_token: u64,
        items: Vec<Bound<'py, PyAny>>,
        keys: Option<Vec<Option<Bound<'py, PyAny>>>>,
        priority: i64,
        tenant: Option<&str>,
        deadline_s: Option<f64>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut keys = keys.into_iter().flatten();
        let submit = |(token, item): (u64, &Bound<'py, PyAny>)| {
            let key = keys.next().flatten();
            // One that cannot be submitted does not keep the others from it.
            let submitted = self.request(py, item, key.as_ref(), priority, tenant, deadline_s).and_then(|request| {
                let submitted = self.inner.submit_to(request, &port.0, token, None);
                submitted.map_err(|Refused { why, .. }| raise_refusal(py, why))
            });
            match submitted {
                Ok(handle) => Ok(Bound::new(py, Handle(handle))?.into_any()),
                Err(error) => Ok(error.into_value(py).into_bound(py).into_any()),
            }
        };
        (first_token..).zip(&items).map(submit).collect()
    }

    fn ask_for_place(&self, port: &Port, token: u64) {
        self.inner.ask_for_place(&port.0, token);
    }

    /// Takes no more; `abandon` answers what waits and runs at once.
    fn close(&self, py: Python<'_>, abandon: bool) {
        py.detach(|| self.inner.close(if abandon { Close::Abandon } else { Close::Finish }));
    }

    fn tell_when_workers_are_gone(&self, port: &Port, token: u64) {
        self.inner.tell_when_workers_are_gone(&port.0, token);
    }

    /// Waits until the threads of a closed queue have ended.
    fn join(&self, py: Python<'_>) {
        py.detach(|| self.crew.join());
    }

    /// Never to be dropped: after a fork the threads are gone, and with them whoever would let go of the locks that they held.
    fn leak(slf: Py<Self>) {
        mem::forget(slf);
    }

    /// The state, the counts by name, and the histograms of waits and runs.
    fn metrics(&self, py: Python<'_>) -> PyResult<(GaugesOut, Py<PyDict>, HistogramOut, HistogramOut)> {
        let metrics = self.inner.metrics();
        let counts = PyDict::new(py);
        for (name, count, _) in metrics.counts.named() {
            counts.set_item(name, count)?;
        }
        Ok((gauges_out(metrics.now), counts.unbind(), histogram_out(&metrics.wait), histogram_out(&metrics.run)))
    }

    fn prometheus(&self, name: &str) -> String {
        self.inner.metrics().prometheus(name)
    }

    /// ok, problems, the state, the longest run in seconds, how many workers go on although they were told to stop
    fn health(&self) -> (bool, Vec<String>, GaugesOut, f64, usize) {
        let health = self.inner.health();
        let longest_run_s = health.longest_run.as_secs_f64();
        (health.ok, health.problems, gauges_out(health.now), longest_run_s, health.ignored_stops)
    }
}

impl Queue {
    fn request(
        &self,
        py: Python<'_>,
        item: &Bound<'_, PyAny>,
        key: Option<&Bound<'_, PyAny>>,
        priority: i64,
        tenant: Option<&str>,
        deadline_s: Option<f64>,
    ) -> PyResult<Request<Payload>> {
        Ok(Request {
            payload: self.work.prepare(item)?,
            key: key.map(key_in).transpose()?,
            priority: i8::try_from(priority)
                .map_err(|_| input_error(py, &format!("priority={priority}: it goes from -128 to 127")))?,
            tenant: tenant.map(Arc::from),
            deadline: deadline_s.map(|deadline_s| duration(py, "deadline_s", deadline_s)).transpose()?,
        })
    }
}

pub fn input_error(py: Python<'_>, message: &str) -> PyErr {
    raise(py, "InputError", message, &PyDict::new(py))
}

/// Text and bytes are never equal, as in Python.
fn key_in(key: &Bound<'_, PyAny>) -> PyResult<Key> {
    if let Ok(text) = key.cast::<PyString>() {
        return Ok(Key::of([b"text", text.to_str()?.as_bytes()]));
    }
    match key.cast::<PyBytes>() {
        Ok(bytes) => Ok(Key::of([b"bytes", bytes.as_bytes()])),
        Err(_) => Err(PyTypeError::new_err(format!("a key is str or bytes; this is {}", key.get_type().name()?))),
    }
}

fn gauges_out(now: queue::Gauges) -> GaugesOut {
    (now.waiting, now.running, now.capacity, now.workers, now.expected_wait.as_secs_f64())
}

pub fn histogram_out(histogram: &Histogram) -> HistogramOut {
    let buckets = histogram.buckets.iter().map(|(bound, count)| (bound.as_secs_f64(), *count)).collect();
    (histogram.count, histogram.sum.as_secs_f64(), buckets)
}
