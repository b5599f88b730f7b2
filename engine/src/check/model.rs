//! Models of formulas: satisfiability is checked by evaluation.

use std::collections::HashSet;

use super::cnf::{Formula, Literal};
use super::scan::Scanner;
use super::verdict::{Code, Fault, Verdict};

/// The name of the checker as receipts give it.
pub const NAME: &str = "porism-model";
/// Changes whenever a verdict could.
pub const VERSION: &str = "1";

/// Decides whether `model` makes every clause of `formula` true.
///
/// A model is what solvers print: literals that are true, in lines that may begin with `v`, up to a 0. Lines that begin with `c` or
/// `s` are passed; that a solver said `SATISFIABLE` proves nothing. A variable that is not mentioned is neither true nor false.
pub fn check(formula: &Formula, model: &[u8]) -> Verdict {
    match parse(formula, model) {
        Err(fault) => Verdict::Rejected(fault),
        Ok(truths) => {
            let falsified = formula.clauses().position(|clause| !clause.iter().any(|literal| truths.contains(literal)));
            match falsified {
                None => Verdict::Accepted,
                Some(clause) => {
                    let mut fault =
                        Fault::new(Code("clause_falsified"), "no literal of this clause is true in the model");
                    fault.label = Some((clause + 1).to_string());
                    Verdict::Rejected(Box::new(fault))
                }
            }
        }
    }
}

/// Which literals are true.
fn parse(formula: &Formula, model: &[u8]) -> Result<HashSet<Literal>, Box<Fault>> {
    let mut truths = HashSet::new();
    let mut scanner = Scanner::new(model);
    loop {
        scanner.white();
        let at = scanner.at();
        let bad = |code, message: &str| Box::new(Fault::new(Code(code), message).at(model, at..at + 1));
        let negated = match scanner.peek() {
            None => return Ok(truths),
            Some(b'c' | b's') => {
                scanner.line();
                continue;
            }
            Some(b'v') => {
                scanner.pass();
                continue;
            }
            Some(b'-') => {
                scanner.pass();
                true
            }
            Some(_) => false,
        };
        let variable = scanner.number().map_err(|flaw| bad(flaw.code().0, flaw.message()))?;
        if variable == 0 {
            return Ok(truths);
        }
        let literal = Literal::new(variable, negated).filter(|_| variable <= u64::from(formula.variables()));
        let literal = literal.ok_or_else(|| bad("variable_too_large", "the formula has no such variable"))?;
        if truths.contains(&literal.negated()) {
            return Err(bad("value_twice", "the opposite of this literal is true already"));
        }
        truths.insert(literal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(model: &str) -> Result<(), (&'static str, Option<String>)> {
        let formula = Formula::parse(b"p cnf 3 3\n1 2 0\n-1 3 0\n-3 -2 0\n").unwrap();
        let verdict = check(&formula, model.as_bytes());
        verdict.fault().map_or(Ok(()), |fault| Err((fault.code.0, fault.label.clone())))
    }

    #[test]
    fn every_clause_must_have_a_true_literal() {
        assert_eq!(decide("c hi\ns SATISFIABLE\nv 1 -2\nv 3 0\n"), Ok(()));
        assert_eq!(decide("2 -1 -3"), Ok(()));
        assert_eq!(decide("1 2 3 0"), Err(("clause_falsified", Some("3".into()))));
        assert_eq!(decide("s SATISFIABLE\n"), Err(("clause_falsified", Some("1".into()))));
        assert_eq!(decide("v 2 0"), Err(("clause_falsified", Some("2".into()))));
    }

    #[test]
    fn a_model_contradicts_itself_nowhere() {
        assert_eq!(decide("1 -1 0"), Err(("value_twice", None)));
        assert_eq!(decide("4 0"), Err(("variable_too_large", None)));
        assert_eq!(decide("1 x"), Err(("number_missing", None)));
        assert_eq!(decide("99999999999999999999 0"), Err(("number_too_large", None)));
    }
}
