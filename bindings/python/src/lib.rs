//! The Python face of Porism: types cross here, decisions do not.

use pyo3::prelude::*;

mod array;
mod certificates;
mod errors;
mod fields;
mod library;
mod memory;
mod metamath;
mod pool;
mod process;
mod queue;
mod sandbox;
mod verdicts;

/// The compiled half of the `porism` package.
#[pymodule(gil_used = false)]
mod _core {
    use super::{Bound, PyModule, PyModuleMethods, PyResult};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("SQLITE_VERSION", porism_engine::memory::sqlite_version())?;
        super::certificates::register(module)?;
        super::library::register(module)?;
        super::memory::register(module)?;
        super::pool::register(module)?;
        super::metamath::register(module)?;
        super::process::register(module)?;
        super::queue::register(module)?;
        super::sandbox::register(module)?;
        super::verdicts::register(module)
    }
}
