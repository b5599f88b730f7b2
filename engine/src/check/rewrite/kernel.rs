//! The trusted part: each step proves an equation, and the last one the goal.

use std::collections::HashMap;

use super::certificate::{Certificate, Step};
use super::problem::{Compiled, Problem};
use super::terms::Terms;
use crate::check::budget::{Exhausted, Meter};
use crate::check::verdict::{Code, Fault, Verdict};

/// How much of a term a message shows.
const SHOWN: usize = 200;

/// Two terms that are proved equal.
type Equal = (u32, u32);

enum Refusal {
    Fault(Box<Fault>),
    Exhausted(Exhausted),
}

impl From<Exhausted> for Refusal {
    fn from(exhausted: Exhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}

fn faulty(fault: Fault) -> Refusal {
    Refusal::Fault(Box::new(fault))
}

fn refuse<T>(code: &'static str, message: impl Into<String>) -> Result<T, Refusal> {
    Err(faulty(Fault::new(Code(code), message)))
}

/// Decides whether `certificate` proves the goal of `problem`.
pub fn check(problem: &Problem, certificate: &Certificate, meter: &mut Meter) -> Verdict {
    match decide(problem, certificate, meter) {
        Ok(()) => Verdict::Accepted,
        Err(Refusal::Fault(fault)) => Verdict::Rejected(fault),
        Err(Refusal::Exhausted(exhausted)) => Verdict::exhausted(&exhausted),
    }
}

/// What is known while the steps are gone through.
struct State<'a> {
    problem: &'a Problem,
    /// The sides of the equations that were used, by name.
    sides: HashMap<&'a str, [Compiled; 2]>,
    terms: Terms,
    /// The terms of the certificate.
    given: Vec<u32>,
    /// What the steps so far prove.
    proved: Vec<Equal>,
    stack: Vec<u32>,
}

fn decide(problem: &Problem, certificate: &Certificate, meter: &mut Meter) -> Result<(), Refusal> {
    let (given, proved) = (Vec::with_capacity(certificate.terms.len()), Vec::with_capacity(certificate.steps.len()));
    let mut state = State { problem, sides: HashMap::new(), terms: Terms::default(), given, proved, stack: Vec::new() };
    for (number, (symbol, arguments)) in certificate.terms.iter().enumerate() {
        let symbol = state.terms.symbol(symbol);
        let mut found = Vec::with_capacity(arguments.len());
        for &argument in arguments {
            let Some(&argument) = state.given.get(argument as usize) else {
                return refuse(
                    "term_later",
                    format!("term {number} has the argument {argument}, which is not before it"),
                );
            };
            found.push(argument);
        }
        let term = state.terms.term(symbol, &found, meter)?;
        state.given.push(term);
    }
    for (number, step) in (1..).zip(&certificate.steps) {
        meter.steps(1)?;
        let equal = state.prove(step, meter).map_err(|refusal| match refusal {
            Refusal::Fault(fault) => faulty(fault.step(number)),
            exhausted @ Refusal::Exhausted(_) => exhausted,
        })?;
        state.proved.push(equal);
    }
    let State { mut terms, proved, mut stack, .. } = state;
    let [left, right] = [0, 1].map(|side| Compiled::new(&problem.goal[side], &mut terms));
    let left = left.instance(&[], &mut stack, &mut terms, meter)?;
    let goal = (left, right.instance(&[], &mut stack, &mut terms, meter)?);
    let show = |(left, right): Equal| format!("{} = {}", terms.show(left, SHOWN), terms.show(right, SHOWN));
    match proved.last() {
        Some(&last) if last == goal => Ok(()),
        None if goal.0 == goal.1 => Ok(()),
        None => refuse("goal_not_proved", "there are no steps"),
        Some(&last) => {
            let fault = Fault::new(Code("goal_not_proved"), "the last step proves another equation")
                .differ(show(goal), show(last));
            Err(faulty(fault.step(proved.len() as u64)))
        }
    }
}

impl<'a> State<'a> {
    /// What `step` proves.
    fn prove(&mut self, step: &'a Step, meter: &mut Meter) -> Result<Equal, Refusal> {
        match step {
            Step::Rule(name, values) => self.rule(name, values, meter),
            Step::Flip(step) => self.earlier(*step).map(|(left, right)| (right, left)),
            Step::Same(term) => self.known(*term).map(|term| (term, term)),
            Step::Apply(symbol, steps) => {
                let equals = steps.iter().map(|&step| self.earlier(step)).collect::<Result<Vec<Equal>, _>>()?;
                let (left, right): (Vec<u32>, Vec<u32>) = equals.into_iter().unzip();
                let symbol = self.terms.symbol(symbol);
                let left = self.terms.term(symbol, &left, meter)?;
                Ok((left, self.terms.term(symbol, &right, meter)?))
            }
            Step::Chain(steps) => self.chain(steps, meter),
        }
    }

    fn rule(&mut self, name: &'a str, values: &[u32], meter: &mut Meter) -> Result<Equal, Refusal> {
        let Some(equation) = self.problem.equations.get(name) else {
            return refuse(
                "equation_unknown",
                format!("no equation '{}' is given", name.chars().take(SHOWN).collect::<String>()),
            );
        };
        if values.len() != equation.variables.len() {
            let fault = Fault::new(Code("value_count"), "the equation has another number of variables");
            return Err(faulty(fault.differ(equation.variables.len().to_string(), values.len().to_string())));
        }
        let values = values.iter().map(|&value| self.known(value)).collect::<Result<Vec<u32>, _>>()?;
        let Self { sides, terms, stack, .. } = self;
        let [left, right] =
            sides.entry(name).or_insert_with(|| [0, 1].map(|side| Compiled::new(&equation.sides[side], terms)));
        let left = left.instance(&values, stack, terms, meter)?;
        Ok((left, right.instance(&values, stack, terms, meter)?))
    }

    fn chain(&self, steps: &[u32], meter: &mut Meter) -> Result<Equal, Refusal> {
        meter.nodes(steps.len() as u64)?;
        let Some((&first, rest)) = steps.split_first() else {
            return refuse("chain_empty", "a chain has at least one step");
        };
        let (left, mut right) = self.earlier(first)?;
        for &step in rest {
            let (from, to) = self.earlier(step)?;
            if from != right {
                let message = format!("the chain breaks before step {}", u64::from(step) + 1);
                let fault = Fault::new(Code("chain_broken"), message);
                return Err(faulty(fault.differ(self.terms.show(right, SHOWN), self.terms.show(from, SHOWN))));
            }
            right = to;
        }
        Ok((left, right))
    }

    fn earlier(&self, step: u32) -> Result<Equal, Refusal> {
        match self.proved.get(step as usize) {
            Some(&equal) => Ok(equal),
            None => refuse("step_later", format!("step {} is not before this one", u64::from(step) + 1)),
        }
    }

    fn known(&self, term: u32) -> Result<u32, Refusal> {
        match self.given.get(term as usize) {
            Some(&term) => Ok(term),
            None => refuse("term_unknown", format!("there is no term {term}")),
        }
    }
}
