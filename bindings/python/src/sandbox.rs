//! What a sandbox can hold here, as Python sees it.

use porism_native::process::sandbox::{Demand, Entry, Guarantee, Network, Sandbox};
use pyo3::prelude::*;

use crate::queue::input_error;

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

/// Reads a `porism.Sandbox`, or `None`.
pub fn sandbox_in(sandbox: &Bound<'_, PyAny>) -> PyResult<Option<Sandbox>> {
    if sandbox.is_none() {
        return Ok(None);
    }
    let unknown = |name: &str| input_error(sandbox.py(), &format!("{name:?} is no word of a sandbox"));
    let demand: Option<Vec<String>> = sandbox.getattr("demand")?.extract()?;
    let network: String = sandbox.getattr("network")?.extract()?;
    Ok(Some(Sandbox {
        read: sandbox.getattr("read")?.extract()?,
        write: sandbox.getattr("write")?.extract()?,
        scratch: sandbox.getattr("scratch")?.extract()?,
        network: match network.as_str() {
            "none" => Network::None,
            "private" => Network::Private,
            "host" => Network::Host,
            _ => return Err(unknown(&network)),
        },
        processes: sandbox.getattr("processes")?.extract()?,
        memory_bytes: sandbox.getattr("memory_bytes")?.extract()?,
        demand: match demand {
            None => Demand::BestEffort,
            Some(names) => Demand::AtLeast(
                names
                    .iter()
                    .map(|name| Guarantee::from_name(name).ok_or_else(|| unknown(name)))
                    .collect::<PyResult<_>>()?,
            ),
        },
    }))
}
