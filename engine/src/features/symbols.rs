//! Sparse features of formulas: their symbols, and short walks down their terms.
//!
//! A feature is a symbol, a parent-child pair or a grandparent-parent-child triple; all variables are one, so that features do
//! not depend on names (Kaliszyk, Urban, Vyskocil: Efficient Semantic Features, IJCAL 2015, section 3.1). Argument positions are left out.

use std::collections::BTreeMap;

use crate::tptp::{Formula, Symbol, Term};

/// How often each feature occurs; ordered, so that everything derived from it is reproducible.
pub type Counts = BTreeMap<Box<str>, u32>;

/// What a variable is called in a walk.
const VARIABLE: &str = "*";
/// What equality is called.
const EQUALITY: &str = "=";

/// The features of `formula`.
///
/// Connectives and quantifiers give none: nearly every formula has them.
pub fn symbol_features(formula: &Formula) -> Counts {
    let mut walker = Walker::default();
    walker.formula(formula);
    walker.counts
}

/// The features of a text that is no formula: its words, in lower case.
pub fn word_features(text: &str) -> Counts {
    let mut walker = Walker::default();
    for word in text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()) {
        walker.count(&[&word.to_lowercase()]);
    }
    walker.counts
}

/// The features of a text whose words stand between white space and mean what they say to the letter, as in Metamath: each of them, and
/// each with the one behind it.
pub fn token_features(text: &str) -> Counts {
    let mut walker = Walker::default();
    let mut before = None;
    for token in text.split_whitespace() {
        walker.count(&[token]);
        if let Some(before) = before.replace(token) {
            walker.count(&[before, token]);
        }
    }
    walker.counts
}

#[derive(Default)]
struct Walker {
    counts: Counts,
    joined: String,
}

impl Walker {
    fn formula(&mut self, formula: &Formula) {
        match formula {
            Formula::Constant(_) => {}
            Formula::Atom(predicate, arguments) => self.node(predicate, arguments, &[]),
            Formula::Equal(left, right) => {
                self.count(&[EQUALITY]);
                self.term(left, &[EQUALITY]);
                self.term(right, &[EQUALITY]);
            }
            Formula::Not(inner) | Formula::Quantified(_, _, inner) => self.formula(inner),
            Formula::Chain(_, parts) => parts.iter().for_each(|part| self.formula(part)),
            Formula::Binary(_, left, right) => {
                self.formula(left);
                self.formula(right);
            }
        }
    }

    fn term(&mut self, term: &Term, ancestors: &[&str]) {
        match term {
            Term::Variable(_) => self.walks(VARIABLE, ancestors),
            Term::Literal(name) => self.node(name, &[], ancestors),
            Term::Apply(functor, arguments) => self.node(functor, arguments, ancestors),
        }
    }

    /// A symbol below `ancestors` (at most two, outermost first), and what stands below it.
    fn node(&mut self, symbol: &Symbol, arguments: &[Term], ancestors: &[&str]) {
        self.count(&[symbol]);
        self.walks(symbol, ancestors);
        let below = match ancestors {
            [] => vec![&**symbol],
            [.., parent] => vec![*parent, &**symbol],
        };
        for argument in arguments {
            self.term(argument, &below);
        }
    }

    fn walks(&mut self, symbol: &str, ancestors: &[&str]) {
        match ancestors {
            [] => {}
            [parent] => self.count(&[parent, symbol]),
            [.., grandparent, parent] => {
                self.count(&[parent, symbol]);
                self.count(&[grandparent, parent, symbol]);
            }
        }
    }

    /// Counts one feature; its parts are joined by a character that no name contains.
    fn count(&mut self, parts: &[&str]) {
        self.joined.clear();
        for part in parts {
            if !self.joined.is_empty() {
                self.joined.push('\u{1f}');
            }
            self.joined.push_str(part);
        }
        match self.counts.get_mut(self.joined.as_str()) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(self.joined.as_str().into(), 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, symbol_features, word_features};
    use crate::tptp::{Limits, parse_formula};

    fn features(text: &str) -> Counts {
        symbol_features(&parse_formula(text, &Limits::default()).expect("a formula"))
    }

    fn spelled(counts: &Counts) -> Vec<(String, u32)> {
        counts.iter().map(|(feature, count)| (feature.replace('\u{1f}', "/"), *count)).collect()
    }

    #[test]
    fn symbols_and_walks_of_two_and_three_are_counted() {
        let found = spelled(&features("![X] : p(f(g(X)))"));
        let expected = ["f", "f/g", "f/g/*", "g", "g/*", "p", "p/f", "p/f/g"];
        assert_eq!(found, expected.map(|feature| (feature.to_owned(), 1)));
    }

    #[test]
    fn names_of_variables_do_not_matter() {
        assert_eq!(features("![X,Y] : (p(X) => q(Y, X))"), features("![B,A] : (p(A) => q(A, B))"));
    }

    #[test]
    fn equality_is_a_parent() {
        let found = spelled(&features("a = f(a)"));
        let expected = [("=", 1), ("=/a", 1), ("=/f", 1), ("=/f/a", 1), ("a", 2), ("f", 1), ("f/a", 1)];
        assert_eq!(found, expected.map(|(feature, count)| (feature.to_owned(), count)));
    }

    #[test]
    fn words_are_counted_in_lower_case() {
        assert_eq!(spelled(&word_features("Groups, groups!")), [("groups".to_owned(), 2)]);
    }
}
