//! What is to be proved, and from what.

use std::borrow::Cow;

use crate::rank::Pool;
use crate::tptp::{Annotated, Formula, Role, Symbol, Term};

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
    let language = annotated.language.to_string();
    let text = prover_text(annotated);
    let parts = [&language, "(", &annotated.quoted_name(), ", ", role.as_str(), ", ", &text, ").\n"];
    parts.iter().for_each(|part| out.push_str(part));
}

/// The formula as a prover is given it: as its file spells it, but with numbers as plain constants.
///
/// Some provers give numbers a sort of their own and then refuse untyped formulas. What is lost is that different numbers are
/// different, which can only make a proof impossible, never wrong.
fn prover_text(annotated: &Annotated) -> Cow<'_, str> {
    if annotated.text.contains(|character: char| character.is_ascii_digit()) {
        let mut formula = annotated.formula.clone();
        if numbers_to_constants(&mut formula) {
            return Cow::Owned(formula.to_string());
        }
    }
    Cow::Borrowed(&annotated.text)
}

/// Replaces every number; whether there was one.
fn numbers_to_constants(formula: &mut Formula) -> bool {
    match formula {
        Formula::Constant(_) => false,
        Formula::Atom(_, arguments) => any(arguments, number_to_constant),
        Formula::Equal(left, right) => number_to_constant(left) | number_to_constant(right),
        Formula::Not(inner) | Formula::Quantified(_, _, inner) => numbers_to_constants(inner),
        Formula::Chain(_, parts) => any(parts, numbers_to_constants),
        Formula::Binary(_, left, right) => numbers_to_constants(left) | numbers_to_constants(right),
    }
}

fn number_to_constant(term: &mut Term) -> bool {
    match term {
        Term::Variable(_) => false,
        Term::Apply(_, arguments) => any(arguments, number_to_constant),
        // Distinct objects, in double quotes, stay as they are.
        Term::Literal(name) if name.starts_with('"') => false,
        Term::Literal(name) => {
            *term = Term::Apply(Symbol::new(&format!("number {}", &**name)), Vec::new());
            true
        }
    }
}

/// Whether `change` changed any item; all are visited.
fn any<T>(items: &mut [T], change: impl Fn(&mut T) -> bool) -> bool {
    items.iter_mut().fold(false, |changed, item| change(item) | changed)
}
