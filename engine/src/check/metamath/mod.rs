//! Metamath: reads databases, checks their proofs, and checks new proofs against them.
//!
//! ```text
//! files -> source -> scan (bytes to statements) -> build (declarations, scopes, frames) -> Library
//!                                                                                            |
//!                    Verdict <- kernel (the stack) <- proof (labels and letters) <- view ----+
//! ```
//!
//! The rules are those of the Metamath book, "Metamath: A Computer Language for Mathematical Proofs" (Megill and Wheeler, 2019), chapter 4
//! and appendices B and E. [`reference`] says the same again, slowly and from the text on, and tests compare the two.

pub mod codes;

mod build;
mod citations;
mod disjoint;
mod environment;
mod kernel;
mod library;
mod names;
mod paranoid;
mod parts;
mod proof;
mod receipts;
pub mod reference;
mod scan;
mod snapshot;
mod source;
mod store;
mod view;

use std::ops::Range;
use std::path::Path;

pub use citations::AxiomUse;
pub use environment::{Environment, Proposal, ProposalScratch};
pub use kernel::Scratch;
pub use library::{Library, StatementKind};
pub use snapshot::SnapshotError;
pub use source::Limits;

use self::codes::Trouble;
use self::kernel::{Claim, Wrong};
use self::library::{Columns, FRAME, FRAME_LENGTH, HEAD, KIND, PROOF, PROOF_END, Row, TYPECODE};
use self::proof::Misproof;
use self::source::{Source, place};
use self::view::View;
use super::{Budget, Checker, Code, Fault, Verdict};

/// What receipts call this checker.
pub const NAME: &str = "porism-metamath";
/// Changes whenever a verdict could.
pub const VERSION: &str = "1";

/// How a database is read.
#[derive(Clone, Debug, Default)]
pub struct Reading<'a> {
    /// How much is read.
    pub limits: Limits,
    /// How many threads read; 0 counts as one. The library is the same at any number.
    pub threads: usize,
    /// Files may be included from this folder and those in it; the folder of the database unless it is set.
    pub root: Option<&'a Path>,
}

impl Library {
    /// A proof is given up beyond this. No proof that people have written takes a thousandth of it.
    pub const BUDGET: Budget = Budget { steps: 100_000_000, nodes: 1_000_000_000, memory_bytes: 32 << 20 };

    /// Reads the database at `path` and the files that it includes. The verdict on one that is not well formed is never `Accepted`.
    pub fn open(path: &Path, reading: &Reading<'_>) -> Result<Self, Verdict> {
        let source = Source::open(path, reading.root, &reading.limits).map_err(|trouble| {
            let label = path.display().to_string();
            refuse(&trouble, place(&[], &[(0, label)], trouble.code, trouble.message.clone(), trouble.span.clone()))
        })?;
        Self::build(source, reading)
    }

    /// Opens the snapshot at `path`, or reads the database there; see [`Library::open_snapshot`] and [`Library::open`].
    pub fn open_any(path: &Path, reading: &Reading<'_>) -> Result<Self, Verdict> {
        if !Self::is_snapshot(path).unwrap_or(false) {
            return Self::open(path, reading);
        }
        Self::open_snapshot(path, false).map_err(|error| {
            let fault = place(
                &[],
                &[(0, path.display().to_string())],
                codes::SNAPSHOT_UNREADABLE,
                Some(error.to_string()),
                0..0,
            );
            Verdict::Undecided(Box::new(fault))
        })
    }

    /// Reads the database that `text` is; it cannot include files. `label` stands for the path in faults.
    pub fn from_text(text: Vec<u8>, label: &str, reading: &Reading<'_>) -> Result<Self, Verdict> {
        let source = Source::from_text(text, label, &reading.limits)
            .map_err(|trouble| refuse(&trouble, Fault::new(trouble.code, codes::meaning(trouble.code))))?;
        Self::build(source, reading)
    }

    fn build(source: Source, reading: &Reading<'_>) -> Result<Self, Verdict> {
        build::build(source, &reading.limits, reading.threads.max(1))
            .map_err(|refused| refuse(&refused.1, refused.0.explain(&refused.1)))
    }

    /// Decides the proof of theorem `number` as it stands in the database, citing only what stands before it.
    fn check_theorem(&self, number: u32, budget: &Budget, scratch: &mut Scratch) -> Verdict {
        let columns = self.columns();
        let Some(row) = columns.row(number).filter(|row| row[KIND] == 3) else {
            return Verdict::Rejected(Box::new(Fault::new(
                codes::PROOF_MISSING,
                format!("statement {number} has no proof"),
            )));
        };
        let frame = row[FRAME] as usize;
        let claim = Claim {
            typecode: row[TYPECODE],
            math: columns.math(row),
            frame: columns.frames.get(frame..frame + row[FRAME_LENGTH] as usize).unwrap_or_default(),
            frame_math: columns.math,
            groups: columns.groups,
            members: columns.members,
            head: row[HEAD],
            before: number,
            roster: proof::roster(columns, row),
            own_labels: None,
        };
        let proof = range(columns, row);
        let view = View { columns, lemmas: &[] };
        match proof::check(view, claim, columns.text, proof, budget, scratch) {
            Ok(()) => Verdict::Accepted,
            Err(misproof) => self.decide(&misproof, view),
        }
    }

    #[cold]
    fn decide(&self, misproof: &Misproof, view: View<'_>) -> Verdict {
        let Misproof { wrong, span, step } = misproof;
        let mut fault = self.place(wrong.code, wrong.message.clone(), span.clone());
        describe(&mut fault, wrong, *step, view);
        if wrong.undecided { Verdict::Undecided(Box::new(fault)) } else { Verdict::Rejected(Box::new(fault)) }
    }
}

/// Says what the kernel knows of the fault beside its place.
fn describe(fault: &mut Fault, wrong: &Wrong, step: u64, view: View<'_>) {
    fault.step = Some(step).filter(|&step| step > 0);
    let cited = wrong.cited.map(|number| String::from_utf8_lossy(view.label(number)).into_owned());
    fault.label = cited.filter(|label| !label.is_empty());
    if let Some((expected, found)) = &wrong.differ {
        fault.expected = Some(expected.clone());
        fault.found = Some(found.clone());
    }
}

/// Where the proof of a theorem is; nowhere, if the numbers come from a file that is wrong.
fn range(columns: Columns<'_>, row: &Row) -> Range<usize> {
    let proof = row[PROOF] as usize..row[PROOF_END] as usize;
    if columns.text.get(proof.clone()).is_some() { proof } else { 0..0 }
}

/// A database beyond the limits is not wrong.
fn refuse(trouble: &Trouble, fault: Fault) -> Verdict {
    let undecided: &[Code] = &[codes::LIMIT, codes::INCLUDE_UNREADABLE];
    let fault = Box::new(fault);
    if undecided.contains(&trouble.code) { Verdict::Undecided(fault) } else { Verdict::Rejected(fault) }
}

impl Checker for Library {
    /// The number of a theorem.
    type Job = u32;
    type Scratch = Scratch;

    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> &'static str {
        VERSION
    }

    fn scratch(&self) -> Scratch {
        Scratch::default()
    }

    fn weight(&self, job: &u32) -> u64 {
        self.columns().row(*job).map_or(0, |row| u64::from(row[PROOF_END].saturating_sub(row[PROOF])))
    }

    fn check(&self, job: &u32, budget: &Budget, scratch: &mut Scratch) -> Verdict {
        self.check_theorem(*job, budget, scratch)
    }
}

#[cfg(test)]
mod conformance_tests;
#[cfg(test)]
mod environment_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod mutation_tests;
