//! What is to be proved, and from what.

use crate::rank::Pool;
use crate::tptp::{Annotated, Language, Role};

/// A goal of a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// The conjecture, or the clauses of its negation; empty when everything together is to be refuted.
    pub members: Vec<u32>,
    /// Formulas from this position on may not be used.
    pub before: usize,
}

impl Goal {
    /// The formula at `position` as a goal, with all that stands before it to use.
    pub fn at(position: u32) -> Self {
        Self { members: vec![position], before: position as usize }
    }

    /// What it may use.
    pub fn pool<'a>(&'a self, usable: &'a [bool]) -> Pool<'a> {
        Pool { before: self.before, usable, except: &self.members }
    }
}

/// Prints one annotated formula on a line of its own.
pub(super) fn write_tptp(out: &mut String, annotated: &Annotated, role: Role) {
    let language = match annotated.language {
        Language::Fof => "fof",
        Language::Cnf => "cnf",
    };
    let parts = [language, "(", &annotated.quoted_name(), ", ", role.as_str(), ", ", &annotated.text, ").\n"];
    parts.iter().for_each(|part| out.push_str(part));
}
