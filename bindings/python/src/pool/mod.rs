//! Provers' processes behind a queue: the thread that takes a job lends a process to the driver, which is Python.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use porism_engine::pool::{self, Keeper, Options, Pool, Wear};
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

/// processes, leased, idle, starting, waiting, bytes in use, bytes allowed
type GaugesOut = (usize, usize, usize, usize, usize, u64, Option<u64>);

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
    #[pyo3(signature = (*, processes, memory_bytes, uses, growth, grace_s, canary_every))]
    fn new(
        py: Python<'_>,
        processes: usize,
        memory_bytes: Option<u64>,
        uses: Option<u32>,
        growth: Option<f64>,
        grace_s: f64,
        canary_every: Option<u32>,
    ) -> PyResult<Self> {
        let workers = NonZero::new(processes).ok_or_else(|| input_error(py, "processes=0: a pool needs one"))?;
        let wear = wear(py, uses, growth)?;
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

    /// Ends idle processes now, and busy ones when they are given back.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.pool.close());
    }
}
