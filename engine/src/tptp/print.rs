//! Formulas in TPTP syntax. What is printed parses back to the same formula.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};

use super::ast::{Annotated, Chain, Connective, Formula, Language, Quantifier, Symbol, Term};
use super::symbols::spelling;

impl Symbol {
    /// How the name of a functor, a predicate or a formula is spelled in a file: in single quotes where it needs them.
    /// Names of variables are spelled as they are.
    pub fn spelling(&self) -> Cow<'_, str> {
        spelling(self)
    }
}

impl Annotated {
    /// Its name as a prover's input spells it, in single quotes where it needs them.
    pub fn quoted_name(&self) -> Cow<'_, str> {
        self.name.spelling()
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(symbol) | Self::Literal(symbol) => f.write_str(symbol),
            Self::Apply(functor, arguments) => application(f, functor, arguments),
        }
    }
}

impl Display for Formula {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(value) => write!(f, "${value}"),
            Self::Atom(predicate, arguments) => application(f, predicate, arguments),
            Self::Equal(left, right) => write!(f, "{left} = {right}"),
            Self::Not(negated) => negation(f, negated),
            Self::Chain(chain, members) => separated(f, members.iter().map(Unit), &format!(" {chain} ")),
            Self::Binary(connective, left, right) => write!(f, "{} {connective} {}", Unit(left), Unit(right)),
            Self::Quantified(quantifier, variables, body) => quantified(f, *quantifier, variables, body),
        }
    }
}

impl Display for Annotated {
    /// The formula as a statement that a prover reads, without its annotations.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}, {}, {}).", self.language, self.quoted_name(), self.role.as_str(), self.text)
    }
}

impl Display for Language {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fof => "fof",
            Self::Cnf => "cnf",
        })
    }
}

impl Display for Chain {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::And => "&",
            Self::Or => "|",
        })
    }
}

impl Connective {
    /// The sign in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Implies => "=>",
            Self::ImpliedBy => "<=",
            Self::Iff => "<=>",
            Self::Xor => "<~>",
            Self::Nor => "~|",
            Self::Nand => "~&",
        }
    }
}

impl Display for Connective {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Display for Quantifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forall => "!",
            Self::Exists => "?",
        })
    }
}

/// A formula as an operand: in parentheses if a connective would tear it apart.
struct Unit<'f>(&'f Formula);

impl Display for Unit<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Formula::Chain(..) | Formula::Binary(..) => write!(f, "({})", self.0),
            _ => self.0.fmt(f),
        }
    }
}

fn application(f: &mut Formatter<'_>, name: &Symbol, arguments: &[Term]) -> fmt::Result {
    f.write_str(&name.spelling())?;
    if arguments.is_empty() {
        return Ok(());
    }
    f.write_str("(")?;
    separated(f, arguments, ",")?;
    f.write_str(")")
}

fn negation(f: &mut Formatter<'_>, negated: &Formula) -> fmt::Result {
    match negated {
        Formula::Equal(left, right) => write!(f, "{left} != {right}"),
        _ => write!(f, "~ {}", Unit(negated)),
    }
}

fn quantified(f: &mut Formatter<'_>, quantifier: Quantifier, variables: &[Symbol], body: &Formula) -> fmt::Result {
    write!(f, "{quantifier} [")?;
    separated(f, variables.iter().map(|variable| &**variable), ",")?;
    write!(f, "] : {}", Unit(body))
}

fn separated(f: &mut Formatter<'_>, items: impl IntoIterator<Item: Display>, separator: &str) -> fmt::Result {
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            f.write_str(separator)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "print_tests.rs"]
mod tests;
