//! DRAT: proofs of unsatisfiability without hints. The hints are found, and the LRAT proof that results is checked by [`lrat`].
//!
//! So nothing here is trusted. A proof is read whole, since it is worked through backward: only what the empty clause needs is checked.
//!
//! **Which deletions count.** All of them, but for deletions of a clause that is at present the reason why a literal is true: those are
//! passed over, as most checkers do, because solvers write them without meaning them. Deletions of clauses that are not there are
//! passed over too. With fewer deletions more can be proved by unit propagation and less by RAT; that a proof which is accepted
//! proves its formula does not depend on it.
//!
//! A [`Budget`](crate::check::Budget) counts steps of the proof as steps, and watches and literals that are looked at as nodes.

mod clauses;
mod elaborate;
mod propagate;
mod read;
#[cfg(test)]
mod tests;

use elaborate::{Elaboration, Refusal};
use read::Proof;

use super::cnf::Formula;
use super::lrat::{self, CheckError, Report};
use super::verdict::{Code, Fault, Verdict};
use super::{Work, receipt};
use crate::hash::content_hash;

/// The name of the checker as receipts give it.
pub const NAME: &str = "porism-drat";
/// Changes whenever a verdict could.
pub const VERSION: &str = "1";

/// Checks that `proof`, in text or in bytes, proves that `formula` has no model. Where it does, binary LRAT comes with the report.
pub fn check(formula: &Formula, proof: &[u8], work: &Work<'_>) -> Result<(Report, Option<Vec<u8>>), CheckError> {
    let receipt = receipt::Receipt {
        claim_hash: formula.hash(),
        certificate_hash: content_hash(proof),
        checker: NAME,
        checker_version: VERSION,
        axioms: Vec::new(),
    };
    let report = |verdict| Report {
        verdict,
        receipt: receipt.clone(),
        steps: 0,
        spent: super::Meter::new(&work.budget).spent(),
        bytes: proof.len() as u64,
    };
    let parsed = match Proof::parse(proof) {
        Ok(parsed) => parsed,
        Err(fault) => return Ok((report(Verdict::Rejected(fault)), None)),
    };
    let elaborated = Elaboration::new(formula, &parsed, &work.budget, work.cancel).map_err(Refusal::from);
    let proof_with_hints = match elaborated.and_then(|elaboration| elaboration.run(formula)) {
        Ok(found) => found,
        Err(Refusal::Cancelled) => return Err(CheckError::Cancelled),
        Err(Refusal::Exhausted(exhausted)) => return Ok((report(Verdict::exhausted(&exhausted)), None)),
        Err(Refusal::NoConflict) => {
            let fault = Fault::new(
                Code("no_empty_clause"),
                "unit propagation finds no conflict, and the proof has no empty clause",
            );
            return Ok((report(Verdict::Rejected(Box::new(fault))), None));
        }
        Err(Refusal::NotImplied(step)) => {
            let at = parsed.steps[step].at;
            let fault = Fault::new(Code("no_conflict"), "the addition is neither RUP nor RAT on its first literal");
            return Ok((report(Verdict::Rejected(Box::new(fault.at(proof, at..at + 1).step(step as u64 + 1)))), None));
        }
    };
    let checked = lrat::check(formula, &proof_with_hints[..], work)?;
    let accepted = checked.verdict.is_accepted();
    let report = Report { receipt, steps: parsed.steps.len() as u64, bytes: proof.len() as u64, ..checked };
    Ok((report, accepted.then_some(proof_with_hints)))
}
