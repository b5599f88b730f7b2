//! Metamath libraries.

#![expect(clippy::needless_pass_by_value, reason = "arguments from Python arrive as values")]

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use porism_engine::check::metamath::{self, Environment, Library, Proposal, ProposalScratch, Reading, StatementKind};
use porism_engine::check::{Budget, Cancelled, Exhausted, Fault, Verdict, Work, check_many};
use pyo3::exceptions::{PyIndexError, PyKeyError, PyOSError, PyOverflowError};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};

/// A library with lemmas on top.
#[pyclass(frozen, module = "porism._core")]
struct Metamath(Environment);

/// Code, message, span, line, column, file, step, label, expected, found.
pub type FaultFields = (
    &'static str,
    String,
    Option<(u64, u64)>,
    u64,
    u64,
    Option<String>,
    Option<u64>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// `accepted`, `rejected` or `undecided`, and why.
pub type Decided = (&'static str, Option<FaultFields>);

/// The claim hash, the certificate hash, the checker, its version, and the axioms.
pub type ReceiptFields = (String, String, &'static str, &'static str, Vec<String>);

/// The same without the axioms.
pub type SignatureFields = (String, String, &'static str, &'static str);

/// Steps, nodes and bytes of memory.
pub type BudgetFields = (u64, u64, u64);

thread_local! {
    static SCRATCH: RefCell<ProposalScratch> = RefCell::default();
}

#[pymethods]
impl Metamath {
    /// The library and `None`, or `None` and why there is none.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf, root: Option<PathBuf>, threads: usize) -> (Option<Self>, Option<Decided>) {
        let reading = Reading { threads, root: root.as_deref(), ..Reading::default() };
        opened(py.detach(|| Library::open_any(&path, &reading)))
    }

    #[staticmethod]
    fn parse(py: Python<'_>, text: PyBackedBytes, label: &str, threads: usize) -> (Option<Self>, Option<Decided>) {
        let reading = Reading { threads, ..Reading::default() };
        opened(py.detach(|| Library::from_text(text.to_vec(), label, &reading)))
    }

    /// The verdicts that are not `accepted`, by the positions of their theorems; `None` when the batch was called off.
    fn check_all(
        &self,
        py: Python<'_>,
        theorems: Vec<u32>,
        threads: usize,
        budget: BudgetFields,
        paranoid: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Vec<(usize, Decided)>> {
        let cancel = AtomicBool::new(false);
        let report = Reporter {
            done: AtomicUsize::new(0),
            total: theorems.len(),
            progress,
            cancel: &cancel,
            error: Mutex::new(None),
        };
        let observe = |_: usize, _: &Verdict| report.count();
        let work = Work { threads, budget: spend(budget), cancel: &cancel, observer: Some(&observe) };
        let library = self.0.library();
        let verdicts = py.detach(|| {
            let mut verdicts = check_many(library.as_ref(), &theorems, &work)?;
            if paranoid {
                library.check_again(&theorems, &mut verdicts);
            }
            Ok::<_, Cancelled>(verdicts)
        });
        match (verdicts, report.error.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)) {
            (_, Some(error)) => Err(error),
            (verdicts, None) => {
                let verdicts = verdicts.unwrap_or_default().into_iter().enumerate();
                Ok(verdicts
                    .filter(|(_, verdict)| !verdict.is_accepted())
                    .map(|(at, verdict)| (at, decided(&verdict)))
                    .collect())
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "a theorem has that many parts")]
    fn check_one(
        &self,
        py: Python<'_>,
        statement: PyBackedStr,
        proof: PyBackedBytes,
        hypotheses: Vec<(PyBackedStr, PyBackedStr)>,
        disjoint: Vec<PyBackedStr>,
        before: Option<u32>,
        budget: BudgetFields,
    ) -> Decided {
        let verdict = py.detach(|| {
            with_proposal(&statement, &proof, &hypotheses, &disjoint, before, |proposal, scratch| {
                self.0.check_one(proposal, &spend(budget), scratch)
            })
        });
        decided(&verdict)
    }

    /// The numbers of the assertions that a proof cites, and of the axioms that those rest on.
    fn rests_on(
        &self,
        py: Python<'_>,
        statement: PyBackedStr,
        proof: PyBackedBytes,
        hypotheses: Vec<(PyBackedStr, PyBackedStr)>,
    ) -> PyResult<(Vec<u32>, Vec<u32>)> {
        py.detach(|| {
            let cited = with_proposal(&statement, &proof, &hypotheses, &[], None, |proposal, scratch| {
                self.0.citations(proposal, scratch)
            });
            let axioms = self.0.library().axiom_use()?.of_any(&cited);
            Ok((cited, axioms))
        })
        .map_err(|exhausted: Exhausted| PyOverflowError::new_err(exhausted.to_string()))
    }

    /// The extended library and `accepted`, or `None` and why not.
    #[allow(clippy::too_many_arguments, reason = "a theorem has that many parts")]
    fn extend(
        &self,
        py: Python<'_>,
        label: &str,
        statement: PyBackedStr,
        proof: PyBackedBytes,
        hypotheses: Vec<(PyBackedStr, PyBackedStr)>,
        disjoint: Vec<PyBackedStr>,
        budget: BudgetFields,
    ) -> (Option<Self>, Decided) {
        let extended = py.detach(|| {
            with_proposal(&statement, &proof, &hypotheses, &disjoint, None, |proposal, scratch| {
                self.0.extend(label, proposal, &spend(budget), scratch)
            })
        });
        match extended {
            Ok(environment) => (Some(Self(environment)), decided(&Verdict::Accepted)),
            Err(verdict) => (None, decided(&verdict)),
        }
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.0.library().save(&path)).map_err(|error| PyOSError::new_err(error.to_string()))
    }

    fn __len__(&self) -> usize {
        self.0.library().len() as usize
    }

    fn depth(&self) -> usize {
        self.0.depth()
    }

    fn find(&self, label: &str) -> PyResult<u32> {
        self.0.library().find(label).ok_or_else(|| PyKeyError::new_err(label.to_owned()))
    }

    fn theorems(&self, py: Python<'_>) -> Vec<u32> {
        py.detach(|| self.0.library().theorems())
    }

    /// The label, the kind as in the language, and what it says.
    fn statement(&self, number: u32) -> PyResult<(String, &'static str, String)> {
        let library = self.0.library();
        match (library.label(number), library.kind(number), library.statement(number)) {
            (Some(label), Some(kind), Some(statement)) => Ok((label.to_owned(), keyword(kind), statement)),
            _ => Err(PyIndexError::new_err(format!("there is no statement {number}"))),
        }
    }

    /// The numbers of the axioms that a statement rests on.
    fn axioms(&self, py: Python<'_>, number: u32) -> PyResult<Vec<u32>> {
        let library = self.0.library();
        py.detach(|| library.axiom_use().map(|used| used.of(number).collect()))
            .map_err(|exhausted| PyOverflowError::new_err(exhausted.to_string()))
    }

    fn citations(&self, number: u32) -> Vec<u32> {
        self.0.library().citations(number)
    }

    /// What it says, its proof, its essential hypotheses, and the groups of disjoint variables.
    fn theorem(&self, number: u32) -> Option<(String, String, Vec<String>, Vec<String>)> {
        let library = self.0.library();
        let (statement, proof) = (library.statement(number)?, library.proof(number)?);
        Some((statement, proof.to_owned(), library.hypotheses(number), library.disjoint(number)))
    }

    fn claim(&self, number: u32) -> Option<String> {
        self.0.library().claim(number)
    }

    fn sequent(&self, number: u32) -> Option<String> {
        self.0.library().sequent(number)
    }

    /// The receipt of a theorem without the axioms.
    fn signature(&self, number: u32) -> Option<SignatureFields> {
        let receipt = self.0.library().signature(number)?;
        Some((receipt.claim_hash, receipt.certificate_hash, receipt.checker, receipt.checker_version))
    }

    fn receipt(&self, py: Python<'_>, number: u32) -> Option<ReceiptFields> {
        let receipt = py.detach(|| self.0.library().receipt(number))?;
        Some((receipt.claim_hash, receipt.certificate_hash, receipt.checker, receipt.checker_version, receipt.axioms))
    }
}

fn opened(read: Result<Library, Verdict>) -> (Option<Metamath>, Option<Decided>) {
    match read {
        Ok(library) => (Some(Metamath(Environment::new(Arc::new(library)))), None),
        Err(verdict) => (None, Some(decided(&verdict))),
    }
}

fn with_proposal<T>(
    statement: &str,
    proof: &[u8],
    hypotheses: &[(PyBackedStr, PyBackedStr)],
    disjoint: &[PyBackedStr],
    before: Option<u32>,
    work: impl FnOnce(&Proposal<'_>, &mut ProposalScratch) -> T,
) -> T {
    let hypotheses: Vec<(&str, &str)> = hypotheses.iter().map(|(label, statement)| (&**label, &**statement)).collect();
    let disjoint: Vec<&str> = disjoint.iter().map(|group| &**group).collect();
    let proposal = Proposal { statement, hypotheses: &hypotheses, disjoint: &disjoint, proof, before };
    SCRATCH.with_borrow_mut(|scratch| work(&proposal, scratch))
}

/// Tells Python a hundred times in the course of a batch, and lets it call the batch off with an exception.
struct Reporter<'a> {
    done: AtomicUsize,
    total: usize,
    progress: Option<Py<PyAny>>,
    cancel: &'a AtomicBool,
    error: Mutex<Option<PyErr>>,
}

impl Reporter<'_> {
    fn count(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if !done.is_multiple_of(self.total / 100 + 1) && done != self.total {
            return;
        }
        let told = Python::attach(|py| {
            py.check_signals()?;
            self.progress.as_ref().map_or(Ok(()), |progress| progress.call1(py, (done, self.total)).map(drop))
        });
        if let Err(error) = told {
            self.cancel.store(true, Ordering::Relaxed);
            *self.error.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
        }
    }
}

fn spend((steps, nodes, memory_bytes): BudgetFields) -> Budget {
    Budget { steps, nodes, memory_bytes }
}

fn keyword(kind: StatementKind) -> &'static str {
    match kind {
        StatementKind::Floating => "$f",
        StatementKind::Essential => "$e",
        StatementKind::Axiom => "$a",
        StatementKind::Theorem => "$p",
    }
}

pub fn decided(verdict: &Verdict) -> Decided {
    (verdict.name(), verdict.fault().map(fields))
}

fn fields(fault: &Fault) -> FaultFields {
    let fault = fault.clone();
    let span = fault.span.map(|span| (span.start, span.end));
    let Fault { code, message, line, column, file, step, label, expected, found, .. } = fault;
    (code.0, message, span, line, column, file, step, label, expected, found)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("METAMATH_BUDGET", {
        let Budget { steps, nodes, memory_bytes } = Library::BUDGET;
        (steps, nodes, memory_bytes)
    })?;
    module.add("METAMATH_CHECKER", (metamath::NAME, metamath::VERSION))?;
    module.add_class::<Metamath>()
}
