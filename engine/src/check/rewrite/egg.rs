//! Explanations of the library egg, made into certificates.
//!
//! A flat explanation is one term a line; in each but the first, `(Rewrite=> NAME t)` says that the term before has here what the rule
//! `NAME` rewrites to `t`, and `(Rewrite<= NAME t)` that the rule rewrites `t` to what the term before has here.
//!
//! A line repeats the whole term, and the certificate shares what is equal: a step costs what lies on the way from the root.

use std::collections::HashMap;

use super::certificate::{Certificate, Step};
use super::problem::{Node, Pattern, Problem, pattern};
use super::terms::Terms;
use crate::check::budget::{Budget, Meter};
use crate::check::verdict::{Code, Fault};

/// Where a term was rewritten: the places of arguments from there to the root, the rule, and whether it was applied forward.
struct Mark {
    path: Vec<usize>,
    rule: String,
    forward: bool,
}

/// The certificate of a flat explanation. That it proves the goal is for the kernel to say.
pub fn import(problem: &Problem, explanation: &str) -> Result<Certificate, Box<Fault>> {
    let mut import = Import {
        terms: Terms::default(),
        meter: Meter::new(&Budget::UNBOUNDED),
        steps: Vec::new(),
        same: HashMap::new(),
    };
    let mut chain = Vec::new();
    let mut before = None;
    for (number, line) in (1..).zip(explanation.lines().filter(|line| !line.trim().is_empty())) {
        let bad = |message: String| Box::new(Fault::new(Code("explanation_malformed"), message).step(number));
        let (term, mark) = import.line(line).map_err(&bad)?;
        match (before, mark) {
            (None, None) => {}
            (Some(before), Some(mark)) => {
                let step = import.rewrite(problem, before, term, &mark).map_err(&bad)?;
                chain.push(step);
            }
            (None, Some(_)) => return Err(bad("the first term is rewritten from nothing".to_owned())),
            (Some(_), None) => return Err(bad("no rewriting is marked".to_owned())),
        }
        before = Some(term);
    }
    match (chain.is_empty(), before) {
        (false, _) => drop(import.push(Step::Chain(chain))),
        (true, Some(term)) => drop(import.push(Step::Same(term))),
        (true, None) => {}
    }
    Ok(import.finish())
}

struct Import {
    terms: Terms,
    meter: Meter,
    steps: Vec<Step>,
    /// The step that says of a term that it equals itself.
    same: HashMap<u32, u32>,
}

impl Import {
    fn term(&mut self, symbol: &str, arguments: &[u32]) -> Result<u32, String> {
        let symbol = self.terms.symbol(symbol);
        self.terms.term(symbol, arguments, &mut self.meter).map_err(|exhausted| exhausted.to_string())
    }

    fn push(&mut self, step: Step) -> Result<u32, String> {
        self.steps.push(step);
        u32::try_from(self.steps.len() - 1).map_err(|_| "the certificate has too many steps".to_owned())
    }

    /// The term of a line, and its mark.
    fn line(&mut self, line: &str) -> Result<(u32, Option<Mark>), String> {
        let nodes = pattern(line, &mut Vec::new()).map_err(|fault| fault.message)?;
        let mut stack: Vec<(u32, Option<Mark>)> = Vec::new();
        for node in nodes {
            let Node::Apply(symbol, count) = node else {
                return Err("a term has a variable".to_owned());
            };
            let arguments = stack.split_off(stack.len() - count);
            let numbers: Vec<u32> = arguments.iter().map(|&(term, _)| term).collect();
            let forward = symbol == "Rewrite=>";
            if let ([rule, term], true) = (&numbers[..], forward || symbol == "Rewrite<=") {
                let rule = self.terms.name(self.terms.head(*rule)).to_owned();
                stack.push((*term, Some(Mark { path: Vec::new(), rule, forward })));
                continue;
            }
            let mut mark = None;
            for (place, (_, found)) in arguments.into_iter().enumerate() {
                if let Some(mut found) = found {
                    found.path.push(place);
                    if mark.replace(found).is_some() {
                        return Err("two places are rewritten at once".to_owned());
                    }
                }
            }
            stack.push((self.term(&symbol, &numbers)?, mark));
        }
        stack.pop().ok_or_else(|| "there is no term".to_owned())
    }

    /// The step that proves `before = after`.
    fn rewrite(&mut self, problem: &Problem, before: u32, after: u32, mark: &Mark) -> Result<u32, String> {
        let (mut from, mut to, mut way) = (before, after, Vec::new());
        for &place in mark.path.iter().rev() {
            way.push((from, place));
            let argument = |term| self.terms.arguments(term).get(place).copied();
            let (Some(next), Some(other)) = (argument(from), argument(to)) else {
                return Err("the terms differ on the way to what is rewritten".to_owned());
            };
            (from, to) = (next, other);
        }
        let equation =
            problem.equations.get(&mark.rule).ok_or_else(|| format!("no equation '{}' is given", mark.rule))?;
        let mut values = vec![None; equation.variables.len()];
        let ends = if mark.forward { [from, to] } else { [to, from] };
        if !equation.sides.iter().zip(ends).all(|(side, term)| self.unify(side, term, &mut values)) {
            return Err(format!("the equation '{}' does not fit", mark.rule));
        }
        let values =
            values.into_iter().collect::<Option<Vec<u32>>>().ok_or("a variable of the equation has no value")?;
        let mut step = self.push(Step::Rule(mark.rule.clone(), values))?;
        if !mark.forward {
            step = self.push(Step::Flip(step))?;
        }
        while let Some((term, place)) = way.pop() {
            let mut steps = Vec::new();
            for (argument, other) in self.terms.arguments(term).to_vec().into_iter().enumerate() {
                steps.push(if argument == place { step } else { self.same(other)? });
            }
            let symbol = self.terms.name(self.terms.head(term)).to_owned();
            step = self.push(Step::Apply(symbol, steps))?;
        }
        Ok(step)
    }

    fn same(&mut self, term: u32) -> Result<u32, String> {
        if let Some(&step) = self.same.get(&term) {
            return Ok(step);
        }
        let step = self.push(Step::Same(term))?;
        self.same.insert(term, step);
        Ok(step)
    }

    /// Finds the values with which `side` is `term`. A postfix pattern read backward meets each symbol before its arguments.
    fn unify(&self, side: &Pattern, term: u32, values: &mut [Option<u32>]) -> bool {
        let mut stack = vec![term];
        for node in side.iter().rev() {
            let Some(term) = stack.pop() else { return false };
            match node {
                Node::Variable(number) => {
                    if *values[*number].get_or_insert(term) != term {
                        return false;
                    }
                }
                Node::Apply(symbol, count) => {
                    let arguments = self.terms.arguments(term);
                    if self.terms.name(self.terms.head(term)) != symbol || arguments.len() != *count {
                        return false;
                    }
                    stack.extend(arguments);
                }
            }
        }
        true
    }

    fn finish(self) -> Certificate {
        let name = |term| self.terms.name(self.terms.head(term)).to_owned();
        #[allow(clippy::cast_possible_truncation, reason = "terms were numbered")]
        let terms =
            (0..self.terms.len() as u32).map(|term| (name(term), self.terms.arguments(term).to_vec())).collect();
        Certificate { terms, steps: self.steps }
    }
}
