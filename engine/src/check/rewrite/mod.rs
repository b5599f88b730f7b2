//! Equational proofs: instances of given equations, put together by symmetry, congruence and transitivity.
//!
//! A [`Certificate`] is a graph in which terms and steps are shared, so it is as long as what was done, and not as long as the terms
//! are when they are written out. The check is linear in it. A [`Budget`](super::Budget) counts its steps as steps, and the symbols and
//! arguments of terms that are looked up as nodes.

mod certificate;
mod egg;
mod kernel;
mod problem;
mod terms;
#[cfg(test)]
mod tests;

pub use certificate::{Certificate, Step};
pub use egg::import as import_egg;
pub use problem::{Equation, Node, Pattern, Problem};

use super::budget::{Budget, Meter};
use super::receipt::Receipt;
use super::verdict::Verdict;

/// The name of the checker as receipts give it.
pub const NAME: &str = "porism-rewrite";
/// Changes whenever a verdict could.
pub const VERSION: &str = "1";

/// Decides whether `certificate`, in JSON or in bytes, proves `problem`, which is JSON.
pub fn check(problem: &[u8], certificate: &[u8], budget: &Budget) -> (Verdict, Receipt) {
    let receipt = Receipt::new(problem, certificate, NAME, VERSION);
    let verdict = Problem::parse(problem).and_then(|problem| {
        let parsed = Certificate::parse(certificate)?;
        Ok(check_parsed(&problem, &parsed, budget))
    });
    (verdict.unwrap_or_else(Verdict::Rejected), receipt)
}

/// Decides whether `certificate` proves `problem`.
pub fn check_parsed(problem: &Problem, certificate: &Certificate, budget: &Budget) -> Verdict {
    kernel::check(problem, certificate, &mut Meter::new(budget))
}
