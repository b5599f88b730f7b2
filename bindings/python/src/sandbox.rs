//! What a sandbox can hold here, as Python sees it.

use porism_native::process::sandbox::{Entry, Sandbox};
use pyo3::prelude::*;

/// Adds this file's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(sandbox_report, module)?)
}

/// Name, whether it is in force, and a detail.
type Fields = (&'static str, bool, String);

/// What this kernel grants: the mechanisms, and the guarantees that rest on them. Tried once a process.
#[pyfunction]
fn sandbox_report(py: Python<'_>) -> (Vec<Fields>, Vec<Fields>) {
    let report = py.detach(Sandbox::probe);
    let fields =
        |entries: Vec<Entry>| entries.into_iter().map(|entry| (entry.name, entry.in_force, entry.detail)).collect();
    (fields(report.mechanisms), fields(report.guarantees))
}
