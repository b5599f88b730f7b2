//! One spelling for all formulas that differ only in the names of their variables.

use std::collections::HashMap;

use super::ast::{Chain, Formula, Quantifier, Symbol, Term};
use super::scope::Scope;
use super::symbols::spelling;

/// The canonical spelling of a formula: two formulas that the parser built have the same one exactly when they are equal up to
/// the names of their variables. Its hash therefore names the fact.
///
/// A bound variable is `#` and the number of binders around its own; a free one, which TPTP reads as universally quantified, is
/// `?` and a number in the order of first occurrence. Nothing is reordered: `a = b` and `b = a` are two facts.
pub fn canonical(formula: &Formula) -> String {
    let mut writer = Writer::default();
    writer.formula(formula);
    writer.out
}

#[derive(Default)]
struct Writer<'f> {
    out: String,
    scope: Scope<'f>,
    free: HashMap<&'f str, usize>,
}

impl<'f> Writer<'f> {
    fn formula(&mut self, formula: &'f Formula) {
        match formula {
            Formula::Constant(true) => self.out.push_str("$true"),
            Formula::Constant(false) => self.out.push_str("$false"),
            Formula::Atom(name, arguments) => self.application(name, arguments),
            Formula::Equal(left, right) => self.equation(left, right),
            Formula::Not(negated) => self.connected("~", [&**negated]),
            Formula::Chain(Chain::And, members) => self.connected("&", members),
            Formula::Chain(Chain::Or, members) => self.connected("|", members),
            Formula::Binary(connective, left, right) => self.connected(connective.as_str(), [&**left, &**right]),
            Formula::Quantified(quantifier, variables, body) => self.quantified(*quantifier, variables, body),
        }
    }

    fn connected(&mut self, sign: &str, members: impl IntoIterator<Item = &'f Formula>) {
        self.out.push('(');
        self.out.push_str(sign);
        for member in members {
            self.out.push(' ');
            self.formula(member);
        }
        self.out.push(')');
    }

    fn equation(&mut self, left: &'f Term, right: &'f Term) {
        self.out.push_str("(=");
        self.arguments([left, right]);
    }

    fn quantified(&mut self, quantifier: Quantifier, variables: &'f [Symbol], body: &'f Formula) {
        let sign = match quantifier {
            Quantifier::Forall => '!',
            Quantifier::Exists => '?',
        };
        self.scope.bind(variables);
        self.out.push('(');
        self.out.push(sign);
        self.out.push_str(&variables.len().to_string());
        self.out.push(' ');
        self.formula(body);
        self.out.push(')');
        self.scope.unbind(variables);
    }

    fn application(&mut self, name: &Symbol, arguments: &'f [Term]) {
        if arguments.is_empty() {
            self.out.push_str(&spelling(name));
        } else {
            self.out.push('(');
            self.out.push_str(&spelling(name));
            self.arguments(arguments);
        }
    }

    fn arguments(&mut self, arguments: impl IntoIterator<Item = &'f Term>) {
        for argument in arguments {
            self.out.push(' ');
            self.term(argument);
        }
        self.out.push(')');
    }

    fn term(&mut self, term: &'f Term) {
        match term {
            Term::Variable(name) => self.variable(name),
            Term::Apply(functor, arguments) => self.application(functor, arguments),
            Term::Literal(spelled) => self.out.push_str(spelled),
        }
    }

    fn variable(&mut self, name: &'f Symbol) {
        let (mark, number) = if let Some(level) = self.scope.level(name) {
            ('#', level)
        } else {
            let next = self.free.len();
            ('?', *self.free.entry(name).or_insert(next))
        };
        self.out.push(mark);
        self.out.push_str(&number.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, parse_formula};
    use super::canonical;

    fn of(text: &str) -> String {
        canonical(&parse_formula(text, &Limits::default()).unwrap())
    }

    #[test]
    fn spells_prefix() {
        assert_eq!(of("![X]: (p(X) => ?[Y]: f(X,Y) != 'A b')"), "(!1 (=> (p #0) (?1 (~ (= (f #0 #1) 'A b')))))");
    }

    #[test]
    fn variable_names_do_not_matter() {
        assert_eq!(of("![X]: ?[Y]: r(X,Y)"), of("![Y]: ?[X]: r(Y,X)"));
        assert_eq!(of("![X]: (p(X) & ?[X]: q(X))"), of("![X]: (p(X) & ?[Y]: q(Y))"));
        assert_eq!(of("r(X,Y,X)"), of("r(B,A,B)"));
        assert_eq!(of("'a' = b"), of("a = b"));
    }

    #[test]
    fn everything_else_does() {
        let different = [
            "![X]: ?[Y]: r(X,Y)",
            "![X]: ?[Y]: r(Y,X)",
            "?[X]: ![Y]: r(X,Y)",
            "![X,Y]: r(X,Y)",
            "![X]: ![Y]: r(X,Y)",
            "r(X,Y)",
            "r(X,X)",
            "a = b",
            "b = a",
            "a != b",
            "p & q & r",
            "(p & q) & r",
            "p & (q & r)",
            "p(1)",
            "p(\"1\")",
            "p('1')",
            "p('?0')",
            "p(X)",
            "![X,X]: p(X)",
            "p('$a')",
            "p($a)",
            "p(a,b)",
            "p('a b')",
            "p(a(b))",
            "'(p a)'",
        ];
        for (at, left) in different.iter().enumerate() {
            for right in &different[at + 1..] {
                assert_ne!(of(left), of(right), "{left} and {right}");
            }
        }
    }
}
