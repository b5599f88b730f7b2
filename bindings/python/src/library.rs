//! Libraries, goals and rankings.

#![expect(clippy::needless_pass_by_value, reason = "arguments from Python arrive as values")]

use std::path::PathBuf;
use std::sync::Mutex;

use porism_engine::library::{self, LibraryError};
use porism_engine::rank::{self, Proof};
use porism_engine::tptp::{Limits, ParseError, Problem};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::errors::raise;

/// Formulas in order, with the goals among them.
#[pyclass(frozen, module = "porism._core")]
struct Library(library::Library);

/// What is to be proved, and from what.
#[pyclass(frozen, module = "porism._core")]
struct Goal(library::Goal);

/// Positions, best first.
#[pyclass(frozen, module = "porism._core")]
struct Ranking(rank::Ranking);

/// The proofs that were found, by position.
#[pyclass(frozen, module = "porism._core")]
struct Proofs(Mutex<Vec<Proof>>);

#[pymethods]
impl Library {
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let read = py.detach(|| library::read(&path, &Limits::default()).map(library::Library::new));
        read.map(Self).map_err(|error| library_error(py, &error))
    }

    #[staticmethod]
    #[pyo3(signature = (text, *, label = "<text>"))]
    fn parse(py: Python<'_>, text: &str, label: &str) -> PyResult<Self> {
        let parsed = py.detach(|| Problem::parse(text, label, &Limits::default()).map(library::Library::new));
        parsed.map(Self).map_err(|error| parse_error(py, &error))
    }

    fn __len__(&self) -> usize {
        self.0.formulas().len()
    }

    fn name(&self, position: usize) -> PyResult<String> {
        Ok(self.formula(position)?.name.to_string())
    }

    fn role(&self, position: usize) -> PyResult<&'static str> {
        Ok(self.formula(position)?.role.as_str())
    }

    fn statement(&self, position: usize) -> PyResult<String> {
        Ok(self.formula(position)?.text.to_string())
    }

    fn goals(&self) -> Vec<Goal> {
        self.0.goals().into_iter().map(Goal).collect()
    }

    fn goal(&self, position: u32) -> PyResult<Goal> {
        self.formula(position as usize)?;
        Ok(Goal(library::Goal::at(position)))
    }

    #[pyo3(signature = (goal, *, usable = Vec::new()))]
    fn premises(&self, goal: &Goal, usable: Vec<bool>) -> Vec<u32> {
        self.0.premises(&goal.0, &usable)
    }

    #[pyo3(signature = (goal, *, usable = Vec::new()))]
    fn similarity(&self, py: Python<'_>, goal: &Goal, usable: Vec<bool>) -> Ranking {
        Ranking(py.detach(|| self.0.similarity(&goal.0, &usable)))
    }

    #[pyo3(signature = (goal, proofs, *, k, usable = Vec::new()))]
    fn nearest_proofs(
        &self,
        py: Python<'_>,
        goal: &Goal,
        proofs: &Proofs,
        k: usize,
        usable: Vec<bool>,
    ) -> PyResult<Ranking> {
        let proofs = proofs.snapshot();
        for proof in &proofs {
            self.formula(proof.goal as usize)?;
            self.check(&proof.premises)?;
        }
        Ok(Ranking(py.detach(|| self.0.nearest_proofs(&goal.0, &proofs, k, &usable))))
    }

    fn tptp(&self, goal: &Goal, premises: Vec<u32>) -> PyResult<String> {
        self.check(&premises)?;
        Ok(self.0.tptp(&goal.0, &premises))
    }

    fn smt2(&self, goal: &Goal, premises: Vec<u32>) -> PyResult<String> {
        self.check(&premises)?;
        Ok(self.0.smt2(&goal.0, &premises))
    }
}

impl Library {
    fn formula(&self, position: usize) -> PyResult<&porism_engine::tptp::Annotated> {
        let formulas = self.0.formulas();
        formulas.get(position).ok_or_else(|| out_of_range(position, formulas.len()))
    }

    fn check(&self, positions: &[u32]) -> PyResult<()> {
        positions.iter().try_for_each(|&position| self.formula(position as usize).map(drop))
    }
}

fn out_of_range(position: usize, length: usize) -> PyErr {
    PyIndexError::new_err(format!("position {position} in a library of {length} formulas"))
}

#[pymethods]
impl Goal {
    #[getter]
    fn members(&self) -> Vec<u32> {
        self.0.members.clone()
    }

    #[getter]
    fn before(&self) -> usize {
        self.0.before
    }
}

#[pymethods]
impl Ranking {
    fn __len__(&self) -> usize {
        self.0.positions.len()
    }

    fn top(&self, count: usize) -> Vec<u32> {
        self.0.positions.iter().take(count).copied().collect()
    }

    #[getter]
    fn positions<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes: Vec<u8> = self.0.positions.iter().flat_map(|position| position.to_le_bytes()).collect();
        PyBytes::new(py, &bytes)
    }

    #[getter]
    fn scores<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes: Vec<u8> = self.0.scores.iter().flat_map(|score| score.to_le_bytes()).collect();
        PyBytes::new(py, &bytes)
    }
}

/// Joins rankings by weighted reciprocal rank.
#[pyfunction]
#[pyo3(signature = (rankings, *, constant))]
fn fuse(rankings: Vec<(PyRef<'_, Ranking>, f32)>, constant: f32) -> Ranking {
    let borrowed: Vec<(&rank::Ranking, f32)> = rankings.iter().map(|(ranking, weight)| (&ranking.0, *weight)).collect();
    Ranking(rank::fuse(&borrowed, constant))
}

#[pymethods]
impl Proofs {
    #[new]
    fn new() -> Self {
        Self(Mutex::default())
    }

    fn __len__(&self) -> usize {
        self.snapshot().len()
    }

    fn add(&self, goal: u32, premises: Vec<u32>) {
        let mut proofs = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        proofs.retain(|proof| proof.goal != goal);
        proofs.push(Proof { goal, premises });
    }
}

impl Proofs {
    fn snapshot(&self) -> Vec<Proof> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

fn library_error(py: Python<'_>, error: &LibraryError) -> PyErr {
    match error {
        LibraryError::Parse(error) => parse_error(py, error),
        other => raise(py, "InputError", &other.to_string(), &PyDict::new(py)),
    }
}

/// A `ParseError` with the place and the two sides that disagreed.
pub fn parse_error(py: Python<'_>, error: &ParseError) -> PyErr {
    let fields = PyDict::new(py);
    let place = error.place();
    let filled = fields
        .set_item("path", place.label.as_str())
        .and_then(|()| fields.set_item("line", place.line))
        .and_then(|()| fields.set_item("column", place.column))
        .and_then(|()| fields.set_item("expected", error.expected()))
        .and_then(|()| fields.set_item("found", error.found()));
    match filled {
        Ok(()) => raise(py, "ParseError", &error.to_string(), &fields),
        Err(error) => error,
    }
}

/// The hash by which receipts name contents.
#[pyfunction]
fn content_hash(py: Python<'_>, content: &[u8]) -> String {
    py.detach(|| porism_engine::hash::content_hash(content))
}

/// Adds this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Library>()?;
    module.add_class::<Goal>()?;
    module.add_class::<Ranking>()?;
    module.add_class::<Proofs>()?;
    module.add_function(wrap_pyfunction!(fuse, module)?)?;
    module.add_function(wrap_pyfunction!(content_hash, module)?)
}
