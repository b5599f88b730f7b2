//! Proof checkers in process: one certificate, or many on all cores.
//!
//! A [`Checker`] decides jobs. A job names its place in an order that was fixed before any work began, so that a thread never sees
//! what another has just finished, and no proof can lean on itself. [`check_many`] shares jobs out by size and hands the verdicts back
//! in the order of the jobs; they are the same at any number of threads, because a [`Budget`] counts work and not time.
//!
//! - [`Verdict`] has three values. What could not be decided is never called wrong.
//! - [`Budget`] and [`Meter`] bound the work on one certificate in units that are the same on every machine.
//! - [`Receipt`] is what a checker signs: which claim, which certificate, on which axioms.

mod budget;
pub mod certificates;
pub mod cnf;
pub mod drat;
pub mod lrat;
mod many;
pub mod metamath;
pub mod model;
mod receipt;
pub mod rewrite;
mod scan;
mod sealed;
mod verdict;

pub use budget::{Budget, Exhausted, Meter};
pub use many::{Observer, Work, check_many};
pub use receipt::Receipt;
pub use verdict::{Code, Fault, Tally, Verdict};

pub use crate::lsh::Cancelled;

/// Decides certificates of one format.
pub trait Checker: Sync {
    /// One certificate, or its number in a library.
    type Job: Sync;
    /// Memory that a thread uses again from one job to the next. It must not influence a verdict.
    type Scratch;

    /// The name of the checker as receipts give it.
    fn name(&self) -> &'static str;

    /// Changes whenever a verdict could.
    fn version(&self) -> &'static str;

    /// Fresh memory for a thread.
    fn scratch(&self) -> Self::Scratch;

    /// About how much work the job is, in any unit, such as bytes of proof. It decides who does what, never a verdict.
    fn weight(&self, job: &Self::Job) -> u64;

    /// Decides one job within the budget. Never panics, whatever the job says.
    fn check(&self, job: &Self::Job, budget: &Budget, scratch: &mut Self::Scratch) -> Verdict;
}
