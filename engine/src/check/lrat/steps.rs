//! The steps of a piece of a proof, read but not yet checked.

use crate::check::verdict::Code;

/// The largest id of a clause that is read. A proof that goes beyond it would be terabytes long.
pub const LARGEST_ID: u64 = u32::MAX as u64 - 1;

/// Stands before the id of a clause with which an addition is resolved on its pivot. No clause has this id.
pub const CANDIDATE: u32 = 0;

/// One step: an addition, or a deletion of clauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The byte of the piece at which the step begins.
    pub at: u32,
    /// The id of the clause that is added; 0: a deletion.
    pub id: u32,
    /// Where the numbers of the step begin: literals of an addition, or ids to delete.
    pub start: u32,
    /// Where the literals end and the hints begin.
    pub middle: u32,
    /// Where the hints end.
    pub end: u32,
}

/// What is wrong with a step, before the text around it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Which way to be wrong.
    pub code: Code,
    /// One sentence for people.
    pub message: &'static str,
    /// The id of the clause that is meant, if one is.
    pub clause: Option<u32>,
}

impl Flaw {
    /// A flaw that no single clause is to blame for.
    pub const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code: Code(code), message, clause: None }
    }

    /// The same flaw, about this clause.
    #[must_use]
    pub const fn about(mut self, clause: u32) -> Self {
        self.clause = Some(clause);
        self
    }
}

/// The steps of a piece of a proof, and where reading it stopped.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Codes of literals, ids of hints and of deleted clauses, as the steps say.
    pub numbers: Vec<u32>,
    /// The largest code of a literal.
    pub largest_code: u32,
    /// What ended the reading before the end of the piece, and at which byte.
    pub flaw: Option<(u32, Flaw)>,
}

impl Piece {
    /// Forgets everything but the memory.
    pub fn clear(&mut self) {
        self.steps.clear();
        self.numbers.clear();
        self.largest_code = 0;
        self.flaw = None;
    }

    /// The literals of an addition, as codes.
    #[inline]
    pub fn literals(&self, step: &Step) -> &[u32] {
        &self.numbers[step.start as usize..step.middle as usize]
    }

    /// The hints of an addition, or the clauses that a deletion names.
    #[inline]
    pub fn ids(&self, step: &Step) -> &[u32] {
        &self.numbers[step.middle as usize..step.end as usize]
    }

    /// How many numbers were read so far.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "a piece has fewer bytes than that")]
    pub fn mark(&self) -> u32 {
        self.numbers.len() as u32
    }
}
