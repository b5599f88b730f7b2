//! Child processes, as Python sees them.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use porism_native::process::{self, Ending, Limits, Outcome, SpawnError, Watch};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::errors;

/// How often Python is asked for a Ctrl-C that did not interrupt the wait by itself.
pub const SIGNAL_CHECK_EVERY: Duration = Duration::from_millis(50);

/// Adds this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Cancel>()?;
    module.add_class::<ProcessOutcome>()?;
    module.add_function(wrap_pyfunction!(run_process, module)?)
}

/// Stops the runs that it was given to, from any thread, and for good.
#[pyclass(frozen, module = "porism._core")]
pub struct Cancel {
    pub token: process::Cancel,
}

#[pymethods]
impl Cancel {
    #[new]
    fn new(py: Python<'_>) -> PyResult<Self> {
        let token = process::Cancel::new().map_err(|error| raise_spawn_error(py, &error))?;
        Ok(Self { token })
    }

    /// Ends the runs under way, and later ones at their start.
    fn cancel(&self) {
        self.token.cancel();
    }

    /// Whether `cancel` was called.
    #[getter]
    fn cancelled(&self) -> bool {
        self.token.is_cancelled()
    }
}

/// What a run left.
#[pyclass(frozen, get_all, module = "porism._core")]
struct ProcessOutcome {
    /// `exited`, `signalled`, `timed_out`, `cancelled` or `output_too_large`.
    ending: &'static str,
    /// The exit code or the number of the signal; `None` when the run was ended from outside.
    code: Option<i32>,
    /// What it printed.
    stdout: Py<PyBytes>,
    /// The tail of its standard error.
    stderr: Py<PyBytes>,
    /// Time on the wall clock.
    wall_s: f64,
    /// Processor time.
    cpu_s: f64,
}

impl ProcessOutcome {
    fn new(py: Python<'_>, outcome: &Outcome) -> Self {
        let (ending, code) = match outcome.ending {
            Ending::Exited(code) => ("exited", Some(code)),
            Ending::Signalled(signal) => ("signalled", Some(signal)),
            Ending::TimedOut => ("timed_out", None),
            Ending::Cancelled => ("cancelled", None),
            Ending::OutputTooLarge => ("output_too_large", None),
        };
        Self {
            ending,
            code,
            stdout: PyBytes::new(py, &outcome.stdout).unbind(),
            stderr: PyBytes::new(py, &outcome.stderr_tail).unbind(),
            wall_s: outcome.wall.as_secs_f64(),
            cpu_s: outcome.cpu.as_secs_f64(),
        }
    }
}

/// Runs a program and returns when nothing of it is left; other Python threads go on meanwhile.
#[pyfunction]
#[pyo3(signature = (program, args, *, stdin=&b""[..], wall_s, cpu_s=None, memory_bytes=None, max_output_bytes=64 << 20, cancel=None))]
#[expect(clippy::too_many_arguments, clippy::needless_pass_by_value, reason = "keyword arguments of a Python function")]
fn run_process(
    py: Python<'_>,
    program: PathBuf,
    args: Vec<OsString>,
    stdin: &[u8],
    wall_s: f64,
    cpu_s: Option<u64>,
    memory_bytes: Option<u64>,
    max_output_bytes: usize,
    cancel: Option<&Cancel>,
) -> PyResult<ProcessOutcome> {
    let wall = Duration::try_from_secs_f64(wall_s)
        .map_err(|error| errors::raise(py, "InputError", &format!("wall_s={wall_s}: {error}"), &PyDict::new(py)))?;
    let limits = Limits { wall, cpu_s, memory_bytes, max_output_bytes };
    let token = match cancel {
        Some(cancel) => cancel.token.clone(),
        None => Cancel::new(py)?.token,
    };

    let on_main_thread = is_main_thread(py)?;
    let mut interrupt = None;
    let outcome = py.detach(|| {
        let mut ask = || {
            interrupt = Python::attach(|py| py.check_signals().err());
            if interrupt.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        // Python handles signals on its main thread alone, so only that one has to stop and ask.
        let watch = on_main_thread.then_some(Watch { every: SIGNAL_CHECK_EVERY, ask: &mut ask });
        process::run(&program, &args, stdin, &limits, &token, watch)
    });
    if let Some(interrupt) = interrupt {
        return Err(interrupt);
    }
    outcome.map(|outcome| ProcessOutcome::new(py, &outcome)).map_err(|error| raise_spawn_error(py, &error))
}

/// Whether Python runs its signal handlers on this thread.
pub fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import("threading")?;
    let main = threading.call_method0("main_thread")?.getattr("ident")?;
    threading.call_method0("get_ident")?.eq(main)
}

/// The exception for a program that could not be run.
pub fn raise_spawn_error(py: Python<'_>, error: &SpawnError) -> PyErr {
    let class = match error {
        SpawnError::NotFound { .. } => "ProverMissingError",
        _ => "ProverError",
    };
    errors::raise(py, class, &error.to_string(), &PyDict::new(py))
}
