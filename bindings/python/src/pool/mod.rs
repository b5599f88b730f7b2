//! Provers' processes behind a queue: the thread that takes a job lends a process to the driver, which is Python.

use std::num::NonZero;
use std::sync::Arc;

use porism_engine::pool::{Keeper, Options, Pool, Wear};
use porism_native::process::SpawnError;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

mod errand;
mod launch;
mod session;

use crate::queue::{HistogramOut, NativeWorker, duration, histogram_out, input_error};
use errand::{Errands, Kept};
use session::Session;

/// idle, busy, starting, ending, capacity, waiting, bytes in use, bytes allowed
type GaugesOut = (usize, usize, usize, usize, usize, usize, u64, Option<u64>);

/// Adds this folder's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Processes>()?;
    module.add_class::<Session>()
}

/// The processes of a pool, and the thread that looks after them.
#[pyclass(frozen, module = "porism._core")]
struct Processes {
    pool: Pool<Kept>,
    _keeper: Keeper,
}

#[pymethods]
impl Processes {
    #[new]
    #[pyo3(signature = (*, processes, memory_bytes, uses, growth_bytes, grace_s, canary_every))]
    fn new(
        py: Python<'_>,
        processes: usize,
        memory_bytes: Option<u64>,
        uses: Option<u32>,
        growth_bytes: Option<u64>,
        grace_s: f64,
        canary_every: Option<u32>,
    ) -> PyResult<Self> {
        let workers = NonZero::new(processes).ok_or_else(|| input_error(py, "processes=0: a pool needs one"))?;
        let wear = Wear { uses: uses.and_then(NonZero::new), growth_bytes, ..Wear::default() };
        let pool = Pool::new(Options {
            memory_bytes,
            grace: duration(py, "grace_s", grace_s)?,
            canary_every: canary_every.and_then(NonZero::new),
            wear,
            ..Options::new(workers)
        })
        .map_err(|error: SpawnError| PyOSError::new_err(error.to_string()))?;
        let keeper = Keeper::start(&pool).map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(Self { pool, _keeper: keeper })
    }

    /// What a queue is made with so that its threads do errands with these processes.
    fn worker(&self) -> NativeWorker {
        NativeWorker::new(Arc::new(Errands::new(self.pool.clone())))
    }

    /// The state, the counts by name, and the histograms of waits, starts and recoveries.
    fn metrics(&self, py: Python<'_>) -> PyResult<(GaugesOut, Py<PyDict>, HistogramOut, HistogramOut, HistogramOut)> {
        let metrics = self.pool.metrics();
        let now = metrics.now;
        let gauges = (
            now.idle,
            now.busy,
            now.starting,
            now.ending,
            now.capacity,
            now.waiting,
            now.memory_bytes,
            now.memory_cap_bytes,
        );
        let counts = PyDict::new(py);
        for (name, count, _) in metrics.counts.named() {
            counts.set_item(name, count)?;
        }
        let [wait, start, recover] = [&metrics.wait, &metrics.start, &metrics.recover].map(histogram_out);
        Ok((gauges, counts.unbind(), wait, start, recover))
    }

    /// In the text format of Prometheus.
    fn prometheus(&self, name: &str) -> String {
        self.pool.metrics().prometheus(name)
    }

    /// What is wrong.
    fn problems(&self) -> Vec<String> {
        self.pool.health().problems
    }

    /// Ends idle processes now, and busy ones when they are given back.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.pool.close());
    }
}
