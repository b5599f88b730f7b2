//! Problems in SMT-LIB 2.6, for solvers that read no TPTP.
//!
//! Every value is of one uninterpreted sort, and nothing is interpreted but equality: numbers and distinct objects are constants
//! of which nothing is known, not even that they differ. So `unsat` proves the goal; `sat` may owe to what was left out.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;

use super::ast::{Annotated, Chain, Connective, Formula, Quantifier, Role, Symbol, Term};
use super::scope::Scope;

/// Appends a script that is unsatisfiable exactly when the goal follows from the axioms, up to `(check-sat)`.
///
/// The goal's negation is asserted, a negated conjecture as it stands. Free variables are universally quantified.
pub fn write_smt2(out: &mut String, axioms: &[&Annotated], goal: Option<&Annotated>) {
    let mut signature = Signature::default();
    for annotated in axioms.iter().copied().chain(goal) {
        signature.formula(&annotated.formula);
    }
    out.push_str("(set-logic UF)\n(declare-sort U 0)\n");
    for entry in &signature.entries {
        entry.declare(out);
    }
    for axiom in axioms {
        Writer::assert(out, &axiom.formula, false);
    }
    if let Some(goal) = goal {
        Writer::assert(out, &goal.formula, goal.role != Role::NegatedConjecture);
    }
    out.push_str("(check-sat)\n");
}

/// What a name stands for. TPTP lets one name be several of them, with several arities; SMT-LIB does not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Function,
    Literal,
    Predicate,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry<'f> {
    kind: Use,
    arity: usize,
    name: &'f str,
}

impl Entry<'_> {
    fn declare(&self, out: &mut String) {
        out.push_str("(declare-fun ");
        self.symbol(out);
        out.push_str(" (");
        for at in 0..self.arity {
            out.push_str(if at == 0 { "U" } else { " U" });
        }
        out.push_str(if self.kind == Use::Predicate { ") Bool)\n" } else { ") U)\n" });
    }

    /// A name that no other entry has and SMT-LIB does not reserve: `|f2:name|`.
    fn symbol(&self, out: &mut String) {
        out.push_str(match self.kind {
            Use::Function => "|f",
            Use::Literal => "|l",
            Use::Predicate => "|p",
        });
        out.push_str(&self.arity.to_string());
        out.push(':');
        for character in self.name.chars() {
            match character {
                '|' | '\\' | '%' => escape(out, character),
                ' '..='~' => out.push(character),
                _ => escape(out, character),
            }
        }
        out.push('|');
    }
}

/// A character that a quoted symbol may not hold, by its code: `%7c;`.
fn escape(out: &mut String, character: char) {
    // Writing to a string cannot fail.
    let _ = write!(out, "%{:x};", u32::from(character));
}

/// The symbols that a script has to declare, in an order that depends on nothing but themselves.
#[derive(Default)]
struct Signature<'f> {
    entries: BTreeSet<Entry<'f>>,
}

impl<'f> Signature<'f> {
    fn formula(&mut self, formula: &'f Formula) {
        match formula {
            Formula::Constant(_) => {}
            Formula::Atom(name, arguments) => {
                self.entries.insert(Entry { kind: Use::Predicate, arity: arguments.len(), name });
                self.terms(arguments);
            }
            Formula::Equal(left, right) => {
                self.term(left);
                self.term(right);
            }
            Formula::Chain(_, members) => members.iter().for_each(|member| self.formula(member)),
            Formula::Binary(_, left, right) => {
                self.formula(left);
                self.formula(right);
            }
            Formula::Not(body) | Formula::Quantified(_, _, body) => self.formula(body),
        }
    }

    fn terms(&mut self, terms: &'f [Term]) {
        for term in terms {
            self.term(term);
        }
    }

    fn term(&mut self, term: &'f Term) {
        match term {
            Term::Variable(_) => {}
            Term::Literal(name) => {
                self.entries.insert(Entry { kind: Use::Literal, arity: 0, name });
            }
            Term::Apply(name, arguments) => {
                self.entries.insert(Entry { kind: Use::Function, arity: arguments.len(), name });
                self.terms(arguments);
            }
        }
    }
}

/// Writes one formula. Variables are renamed to `x0`, `x1`, ... by their binders.
struct Writer<'f, 'o> {
    out: &'o mut String,
    scope: Scope<'f>,
}

impl<'f, 'o> Writer<'f, 'o> {
    fn assert(out: &'o mut String, formula: &'f Formula, negated: bool) {
        let free = free_variables(formula);
        let mut writer = Writer { out, scope: Scope::default() };
        writer.out.push_str(if negated { "(assert (not " } else { "(assert " });
        writer.close(&free, formula);
        writer.out.push_str(if negated { "))\n" } else { ")\n" });
    }

    /// The formula under its universal closure.
    fn close(&mut self, free: &[&'f Symbol], formula: &'f Formula) {
        if free.is_empty() {
            return self.formula(formula);
        }
        let first = self.scope.bind(free.iter().copied());
        self.binder("(forall (", first, free.len());
        self.formula(formula);
        self.out.push(')');
    }

    fn formula(&mut self, formula: &'f Formula) {
        match formula {
            Formula::Constant(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Formula::Atom(name, arguments) => self.application(Use::Predicate, name, arguments),
            Formula::Equal(left, right) => self.equation(left, right),
            Formula::Not(body) => self.connected("(not", [&**body]),
            Formula::Chain(chain, members) => self.chain(*chain, members),
            Formula::Binary(connective, left, right) => self.binary(*connective, left, right),
            Formula::Quantified(quantifier, variables, body) => self.quantified(*quantifier, variables, body),
        }
    }

    fn connected(&mut self, open: &str, members: impl IntoIterator<Item = &'f Formula>) {
        self.out.push_str(open);
        for member in members {
            self.out.push(' ');
            self.formula(member);
        }
        self.out.push(')');
    }

    /// SMT-LIB wants two members or more; formulas built by hand may have fewer.
    fn chain(&mut self, chain: Chain, members: &'f [Formula]) {
        match (chain, members) {
            (Chain::And, []) => self.out.push_str("true"),
            (Chain::Or, []) => self.out.push_str("false"),
            (_, [only]) => self.formula(only),
            (Chain::And, _) => self.connected("(and", members),
            (Chain::Or, _) => self.connected("(or", members),
        }
    }

    fn binary(&mut self, connective: Connective, left: &'f Formula, right: &'f Formula) {
        match connective {
            Connective::Implies => self.connected("(=>", [left, right]),
            Connective::ImpliedBy => self.connected("(=>", [right, left]),
            Connective::Iff => self.connected("(=", [left, right]),
            Connective::Xor => self.connected("(xor", [left, right]),
            Connective::Nor => self.denied("(not (or", left, right),
            Connective::Nand => self.denied("(not (and", left, right),
        }
    }

    fn denied(&mut self, open: &str, left: &'f Formula, right: &'f Formula) {
        self.connected(open, [left, right]);
        self.out.push(')');
    }

    fn quantified(&mut self, quantifier: Quantifier, variables: &'f [Symbol], body: &'f Formula) {
        if variables.is_empty() {
            return self.formula(body);
        }
        let first = self.scope.bind(variables);
        let open = match quantifier {
            Quantifier::Forall => "(forall (",
            Quantifier::Exists => "(exists (",
        };
        self.binder(open, first, variables.len());
        self.formula(body);
        self.out.push(')');
        self.scope.unbind(variables);
    }

    fn binder(&mut self, open: &str, first: usize, count: usize) {
        self.out.push_str(open);
        for level in first..first + count {
            self.out.push_str(if level == first { "(x" } else { " (x" });
            self.out.push_str(&level.to_string());
            self.out.push_str(" U)");
        }
        self.out.push_str(") ");
    }

    fn equation(&mut self, left: &'f Term, right: &'f Term) {
        self.out.push_str("(= ");
        self.term(left);
        self.out.push(' ');
        self.term(right);
        self.out.push(')');
    }

    fn term(&mut self, term: &'f Term) {
        match term {
            Term::Variable(name) => self.variable(name),
            Term::Literal(name) => self.application(Use::Literal, name, &[]),
            Term::Apply(name, arguments) => self.application(Use::Function, name, arguments),
        }
    }

    fn variable(&mut self, name: &str) {
        // A formula is closed before it is written, so every variable has a binder.
        let level = self.scope.level(name).unwrap_or_default();
        self.out.push('x');
        self.out.push_str(&level.to_string());
    }

    fn application(&mut self, kind: Use, name: &str, arguments: &'f [Term]) {
        let entry = Entry { kind, arity: arguments.len(), name };
        if arguments.is_empty() {
            return entry.symbol(self.out);
        }
        self.out.push('(');
        entry.symbol(self.out);
        for argument in arguments {
            self.out.push(' ');
            self.term(argument);
        }
        self.out.push(')');
    }
}

/// The free variables of a formula, in the order of their first occurrence.
fn free_variables(formula: &Formula) -> Vec<&Symbol> {
    let mut search = FreeVariables::default();
    search.formula(formula);
    search.found
}

#[derive(Default)]
struct FreeVariables<'f> {
    scope: Scope<'f>,
    seen: HashSet<&'f str>,
    found: Vec<&'f Symbol>,
}

impl<'f> FreeVariables<'f> {
    fn formula(&mut self, formula: &'f Formula) {
        match formula {
            Formula::Constant(_) => {}
            Formula::Atom(_, arguments) => arguments.iter().for_each(|term| self.term(term)),
            Formula::Equal(left, right) => [left, right].into_iter().for_each(|term| self.term(term)),
            Formula::Not(body) => self.formula(body),
            Formula::Chain(_, members) => members.iter().for_each(|member| self.formula(member)),
            Formula::Binary(_, left, right) => [left, right].into_iter().for_each(|side| self.formula(side)),
            Formula::Quantified(_, variables, body) => {
                self.scope.bind(variables);
                self.formula(body);
                self.scope.unbind(variables);
            }
        }
    }

    fn term(&mut self, term: &'f Term) {
        match term {
            Term::Variable(name) => {
                if self.scope.level(name).is_none() && self.seen.insert(name) {
                    self.found.push(name);
                }
            }
            Term::Apply(_, arguments) => arguments.iter().for_each(|argument| self.term(argument)),
            Term::Literal(_) => {}
        }
    }
}

#[cfg(test)]
#[path = "smt_tests.rs"]
mod tests;
