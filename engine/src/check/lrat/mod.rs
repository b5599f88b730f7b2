//! LRAT: proofs of unsatisfiability that name, for each clause they add, the clauses it follows from.
//!
//! - The proof passes through a bounded memory in batches; only the clauses that are alive stay. It may be larger than the memory.
//! - All cores check one proof. What an addition may use is decided by its place in the proof before any is checked.
//! - The verdict is about a [`Formula`] and not about a file: the receipt carries the hash of its clauses.
//! - A [`Budget`](crate::check::Budget) counts hints as steps, and literals that are looked at as nodes.
//!
//! What is strict: ids ascend, a clause that is deleted must be there, each hint must be unit or false, and all candidates of a RAT
//! addition must be named or blocked. What stands behind the empty clause is not looked at, but belongs to the certificate's hash.

mod ascii;
mod binary;
mod crew;
mod index;
mod input;
mod kernel;
#[cfg(test)]
mod reference;
mod steps;
mod store;
#[cfg(test)]
mod tests;
mod wave;
mod write;

use std::io::{self, Read};
use std::mem;

use input::Batch;
pub use input::Encoding;
use kernel::Refusal;
pub(in crate::check) use steps::CANDIDATE;
use wave::{End, Waves};
pub use write::Writer;

use super::budget::{Budget, Exhausted};
use super::cnf::Formula;
use super::receipt::Receipt;
use super::sealed::Sealed;
use super::verdict::{Code, Fault, Verdict};
use super::{Cancelled, Work};

/// The name of the checker as receipts give it.
pub const NAME: &str = "porism-lrat";
/// Changes whenever a verdict could.
pub const VERSION: &str = "1";

/// What was found out about a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// Which formula, and which bytes, the verdict is about.
    pub receipt: Receipt,
    /// How many steps were read.
    pub steps: u64,
    /// What was paid: hints as steps, literals as nodes.
    pub spent: Budget,
    /// How long the proof is.
    pub bytes: u64,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The proof could not be read.
    #[error("the proof cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The check was called off.
    #[error("the check was called off")]
    Cancelled,
}

impl From<Cancelled> for CheckError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Checks that `proof`, in either encoding, proves that `formula` has no model.
pub fn check(formula: &Formula, proof: impl Read, work: &Work<'_>) -> Result<Report, CheckError> {
    let mut proof = Sealed::new(proof);
    let mut waves = Waves::new(work.threads, &work.budget);
    let verdict = match waves.begin(formula) {
        Ok(true) => Verdict::Accepted,
        Ok(false) => Reading::new(&mut proof, work).check(&mut waves)?,
        Err(flaw) => Verdict::Undecided(Box::new(Fault::new(flaw.code, flaw.message))),
    };
    let (certificate_hash, bytes) = proof.finish(work.cancel)?.ok_or(CheckError::Cancelled)?;
    let claim_hash = formula.hash();
    let receipt = Receipt { claim_hash, certificate_hash, checker: NAME, checker_version: VERSION, axioms: Vec::new() };
    Ok(Report { verdict, receipt, steps: waves.steps(), spent: waves.spent(), bytes })
}

/// A proof that is read.
struct Reading<'a> {
    proof: &'a mut dyn Read,
    work: &'a Work<'a>,
    batch: Batch,
    next: Batch,
    /// How many bytes, and how many lines, lie before the batch.
    offset: u64,
    lines: u64,
}

impl<'a> Reading<'a> {
    fn new(proof: &'a mut dyn Read, work: &'a Work<'a>) -> Self {
        Self { proof, work, batch: Batch::default(), next: Batch::default(), offset: 0, lines: 0 }
    }

    fn check(&mut self, waves: &mut Waves) -> Result<Verdict, CheckError> {
        let limit = self.work.budget.memory_bytes;
        let mut filled = self.next.fill(&self.batch, self.proof, None, limit)?;
        let encoding = Encoding::of(self.next.bytes());
        while filled {
            mem::swap(&mut self.batch, &mut self.next);
            let (end, read) = self.step(waves, encoding)?;
            if let Some(end) = end {
                return Ok(self.verdict(end, encoding));
            }
            filled = read?;
            let bytes = self.batch.bytes();
            self.offset += bytes.len() as u64;
            self.lines += bytes.split(|&byte| byte == b'\n').count() as u64 - 1;
            if self.batch.last {
                return Ok(Verdict::Rejected(Box::new(Fault::new(
                    NO_EMPTY_CLAUSE,
                    "the proof ends without the empty clause",
                ))));
            }
            if waves.sweep() + self.batch.capacity() as u64 > limit {
                break;
            }
        }
        Ok(Verdict::exhausted(&Exhausted { unit: "bytes of memory", limit }))
    }

    /// Checks the batch, and reads the next one meanwhile.
    fn step(&mut self, waves: &mut Waves, encoding: Encoding) -> Result<(Option<End>, io::Result<bool>), Cancelled> {
        let Self { batch, next, proof, work, .. } = self;
        let mut read = Ok(true);
        let mut meanwhile = || {
            if !batch.last {
                read = next.fill(batch, *proof, Some(encoding), work.budget.memory_bytes);
            }
        };
        let (text, ranges) = (batch.bytes(), batch.pieces(encoding));
        let mut end = None;
        if waves.alone() {
            // A single thread goes piece by piece, while what it has parsed is in the caches.
            for range in ranges.chunks(1) {
                end = waves.wave(text, range, encoding, work.cancel, || ())?;
                if end.is_some() {
                    return Ok((end, read));
                }
            }
            meanwhile();
        } else {
            end = waves.wave(text, &ranges, encoding, work.cancel, meanwhile)?;
        }
        Ok((end, read))
    }

    fn verdict(&self, end: End, encoding: Encoding) -> Verdict {
        let (at, step, refusal) = match end {
            End::Proved => return Verdict::Accepted,
            End::Refused { at, step, refusal } => (at, step, refusal),
        };
        match refusal {
            Refusal::Exhausted(exhausted) => Verdict::exhausted(&exhausted),
            Refusal::Flaw(flaw) => {
                let mut fault = Fault::new(flaw.code, flaw.message).at(self.batch.bytes(), at..at + 1).step(step);
                fault.span = Some(self.offset + at as u64..self.offset + at as u64 + 1);
                fault.line += self.lines;
                if encoding == Encoding::Binary {
                    (fault.line, fault.column) = (0, 0);
                }
                fault.label = flaw.clause.map(|id| id.to_string());
                if LIMITS.contains(&fault.code) {
                    Verdict::Undecided(Box::new(fault))
                } else {
                    Verdict::Rejected(Box::new(fault))
                }
            }
        }
    }
}

const NO_EMPTY_CLAUSE: Code = Code("no_empty_clause");
/// What may well be right, but is not read.
const LIMITS: [Code; 2] = [Code::BUDGET, Code("id_too_large")];
