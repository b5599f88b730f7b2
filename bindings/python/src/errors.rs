//! Engine errors become the exceptions of `porism._errors`.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The exception `porism._errors.<class>(message, **fields)`.
///
/// The classes are written in Python, where their tree and documentation belong; this finds them by name.
pub fn raise(py: Python<'_>, class: &str, message: &str, fields: &Bound<'_, PyDict>) -> PyErr {
    let made = py
        .import("porism._errors")
        .and_then(|module| module.getattr(class))
        .and_then(|class| class.call((message,), Some(fields)));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => PyRuntimeError::new_err(format!("{message} (while raising {class}: {error})")),
    }
}
