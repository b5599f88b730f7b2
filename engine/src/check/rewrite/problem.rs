//! What is claimed: equations that are given, and one that follows.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::terms::Terms;
use crate::check::budget::{Exhausted, Meter};
use crate::check::verdict::{Code, Fault};

/// A node of a term with variables; arguments come before what they are arguments of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A variable, by its number within the equation.
    Variable(usize),
    /// A symbol with as many arguments.
    Apply(String, usize),
}

/// A term with variables, in postfix order.
pub type Pattern = Vec<Node>;

/// An equation that is given: it holds whatever terms stand for its variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equation {
    /// Its variables, without the question mark, by the order of first use.
    pub variables: Vec<String>,
    /// The left and the right side.
    pub sides: [Pattern; 2],
}

/// Equations by name, and the goal, which has no variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is given.
    pub equations: BTreeMap<String, Equation>,
    /// What is to follow.
    pub goal: [Pattern; 2],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    equations: BTreeMap<String, [String; 2]>,
    goal: [String; 2],
}

impl Problem {
    /// Reads `{"equations": {"name": ["(f ?x)", "?x"]}, "goal": ["(f a)", "a"]}`.
    ///
    /// Terms are S-expressions; a variable begins with a question mark. In the goal there are none: a goal about all terms is stated
    /// with symbols that occur nowhere else.
    pub fn parse(text: &[u8]) -> Result<Self, Box<Fault>> {
        let written: Written = serde_json::from_slice(text)
            .map_err(|error| Box::new(Fault::new(Code("problem_malformed"), error.to_string())))?;
        let mut equations = BTreeMap::new();
        for (name, [left, right]) in written.equations {
            let mut variables = Vec::new();
            let sides = [pattern(&left, &mut variables)?, pattern(&right, &mut variables)?];
            equations.insert(name, Equation { variables, sides });
        }
        let mut variables = Vec::new();
        let goal = [pattern(&written.goal[0], &mut variables)?, pattern(&written.goal[1], &mut variables)?];
        match variables.first() {
            Some(name) => {
                Err(Box::new(Fault::new(Code("goal_with_variable"), format!("the goal has the variable '?{name}'"))))
            }
            None => Ok(Self { equations, goal }),
        }
    }
}

/// Reads one S-expression, however deep, without recursion.
pub fn pattern(text: &str, variables: &mut Vec<String>) -> Result<Pattern, Box<Fault>> {
    let bad = |message: &str| Box::new(Fault::new(Code("term_malformed"), format!("{message}: '{}'", shortened(text))));
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let (mut nodes, mut open, mut tokens) = (Vec::new(), Vec::<(String, usize)>::new(), spaced.split_whitespace());
    while let Some(token) = tokens.next() {
        if token == "(" {
            let symbol = tokens.next().filter(|symbol| !matches!(*symbol, "(" | ")") && !symbol.starts_with('?'));
            open.push((symbol.ok_or_else(|| bad("a symbol should stand behind '('"))?.to_owned(), 0));
            continue;
        }
        if token == ")" {
            let (symbol, arguments) = open.pop().ok_or_else(|| bad("a ')' too many"))?;
            nodes.push(Node::Apply(symbol, arguments));
        } else if let Some(name) = token.strip_prefix('?') {
            let number = variables.iter().position(|known| known == name).unwrap_or_else(|| {
                variables.push(name.to_owned());
                variables.len() - 1
            });
            nodes.push(Node::Variable(number));
        } else {
            nodes.push(Node::Apply(token.to_owned(), 0));
        }
        match open.last_mut() {
            Some((_, arguments)) => *arguments += 1,
            None if tokens.next().is_none() => return Ok(nodes),
            None => return Err(bad("more than one term")),
        }
    }
    Err(bad("the term is not complete"))
}

/// A pattern whose symbols are numbers.
#[derive(Clone, Debug)]
pub struct Compiled(Vec<Op>);

#[derive(Clone, Copy, Debug)]
enum Op {
    Variable(usize),
    Apply(u32, usize),
}

impl Compiled {
    /// Looks up the symbols of `pattern`.
    pub fn new(pattern: &Pattern, terms: &mut Terms) -> Self {
        let op = |node: &Node| match node {
            Node::Variable(number) => Op::Variable(*number),
            Node::Apply(symbol, arguments) => Op::Apply(terms.symbol(symbol), *arguments),
        };
        Self(pattern.iter().map(op).collect())
    }

    /// The term that the pattern stands for when these terms stand for its variables.
    pub fn instance(
        &self,
        values: &[u32],
        stack: &mut Vec<u32>,
        terms: &mut Terms,
        meter: &mut Meter,
    ) -> Result<u32, Exhausted> {
        stack.clear();
        for op in &self.0 {
            let term = match *op {
                Op::Variable(number) => values[number],
                Op::Apply(symbol, arguments) => {
                    let rest = stack.len() - arguments;
                    let term = terms.term(symbol, &stack[rest..], meter)?;
                    stack.truncate(rest);
                    term
                }
            };
            stack.push(term);
        }
        Ok(stack[0])
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_read_in_postfix_order() {
        let mut variables = Vec::new();
        let apply = |symbol: &str, arguments| Node::Apply(symbol.into(), arguments);
        let nodes =
            vec![Node::Variable(0), apply("a", 0), Node::Variable(1), Node::Variable(0), apply("g", 2), apply("f", 3)];
        assert_eq!(pattern("(f ?x a(g ?y ?x))", &mut variables).unwrap(), nodes);
        assert_eq!(variables, ["x", "y"]);
    }

    #[test]
    fn what_is_no_term_is_refused() {
        for text in ["", "(", ")", "(f", "(f a))", "a b", "((f) a)", "()", "(?x a)"] {
            assert_eq!(pattern(text, &mut Vec::new()).unwrap_err().code.0, "term_malformed", "{text}");
        }
        let deep = "(f ".repeat(100_000) + "a" + &")".repeat(100_000);
        assert_eq!(pattern(&deep, &mut Vec::new()).unwrap().len(), 100_001);
    }

    #[test]
    fn a_goal_has_no_variables() {
        let fault = Problem::parse(br#"{"equations": {}, "goal": ["?x", "a"]}"#).unwrap_err();
        assert_eq!(fault.code.0, "goal_with_variable");
        assert_eq!(Problem::parse(b"{}").unwrap_err().code.0, "problem_malformed");
    }
}
