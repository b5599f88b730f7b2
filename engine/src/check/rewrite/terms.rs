//! Terms without variables, each of them there once: two terms are equal when their numbers are.

use std::collections::HashMap;

use crate::check::budget::{Exhausted, Meter};

const FREE: u32 = u32::MAX;

/// All terms of a check, shared.
#[derive(Debug, Default)]
pub struct Terms {
    symbols: HashMap<String, u32>,
    names: Vec<String>,
    /// Of each term: its symbol, and where its arguments begin.
    heads: Vec<(u32, u32)>,
    arguments: Vec<u32>,
    /// Numbers of terms, found by their hashes; as many slots as a power of two, at most half of them taken.
    slots: Vec<u32>,
}

impl Terms {
    /// The number of a symbol.
    pub fn symbol(&mut self, name: &str) -> u32 {
        if let Some(&known) = self.symbols.get(name) {
            return known;
        }
        #[allow(clippy::cast_possible_truncation, reason = "each symbol stands in an input of fewer bytes")]
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.symbols.insert(name.to_owned(), number);
        number
    }

    /// The term `symbol(arguments...)`. Each term is paid for as one node and one for each argument, whether it is new or not.
    pub fn term(&mut self, symbol: u32, arguments: &[u32], meter: &mut Meter) -> Result<u32, Exhausted> {
        meter.nodes(arguments.len() as u64 + 1)?;
        if self.slots.len() < 2 * (self.heads.len() + 1) {
            self.grow();
        }
        let mut slot = self.home(symbol, arguments);
        while self.slots[slot] != FREE {
            let found = self.slots[slot];
            if self.heads[found as usize].0 == symbol && self.arguments(found) == arguments {
                return Ok(found);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        meter.memory(4 * arguments.len() as u64 + 24)?;
        let (Ok(number), Ok(start)) =
            (u32::try_from(self.heads.len()), u32::try_from(self.arguments.len() + arguments.len()))
        else {
            return Err(Exhausted { unit: "nodes", limit: u64::from(u32::MAX) });
        };
        self.slots[slot] = number;
        #[allow(clippy::cast_possible_truncation, reason = "not longer than the sum just checked")]
        self.heads.push((symbol, start - arguments.len() as u32));
        self.arguments.extend_from_slice(arguments);
        Ok(number)
    }

    /// What a symbol is called.
    pub fn name(&self, symbol: u32) -> &str {
        &self.names[symbol as usize]
    }

    /// The symbol of a term.
    pub fn head(&self, term: u32) -> u32 {
        self.heads[term as usize].0
    }

    /// The arguments of a term.
    pub fn arguments(&self, term: u32) -> &[u32] {
        let start = self.heads[term as usize].1 as usize;
        let end = self.heads.get(term as usize + 1).map_or(self.arguments.len(), |next| next.1 as usize);
        &self.arguments[start..end]
    }

    /// How many terms there are.
    pub const fn len(&self) -> usize {
        self.heads.len()
    }

    /// The term as text, cut off after about `limit` bytes.
    pub fn show(&self, term: u32, limit: usize) -> String {
        enum Part {
            Term(u32),
            Close,
        }
        let (mut text, mut parts) = (String::new(), vec![Part::Term(term)]);
        while let Some(part) = parts.pop() {
            if text.len() > limit {
                text.push_str(" ...");
                break;
            }
            match part {
                Part::Close => text.push(')'),
                Part::Term(term) => {
                    if !text.is_empty() && !text.ends_with('(') {
                        text.push(' ');
                    }
                    let arguments = self.arguments(term);
                    if !arguments.is_empty() {
                        text.push('(');
                        parts.push(Part::Close);
                    }
                    text.push_str(&self.names[self.head(term) as usize]);
                    parts.extend(arguments.iter().rev().map(|&argument| Part::Term(argument)));
                }
            }
        }
        text
    }

    fn home(&self, symbol: u32, arguments: &[u32]) -> usize {
        let mix =
            |hash: u64, number: u32| (hash.rotate_left(5) ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hash = arguments.iter().fold(mix(arguments.len() as u64, symbol), |hash, &argument| mix(hash, argument));
        #[allow(clippy::cast_possible_truncation, reason = "a hash may be cut")]
        let home = (hash ^ hash >> 32) as usize;
        home & (self.slots.len() - 1)
    }

    #[allow(clippy::cast_possible_truncation, reason = "terms were numbered")]
    fn grow(&mut self) {
        let length = (4 * (self.heads.len() + 1)).next_power_of_two();
        self.slots = vec![FREE; length];
        for term in 0..self.heads.len() as u32 {
            let mut slot = self.home(self.head(term), self.arguments(term));
            while self.slots[slot] != FREE {
                slot = (slot + 1) & (length - 1);
            }
            self.slots[slot] = term;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Budget;

    #[test]
    fn equal_terms_have_equal_numbers() {
        let (mut terms, mut meter) = (Terms::default(), Meter::new(&Budget::default()));
        let (f, a) = (terms.symbol("f"), terms.symbol("a"));
        let a = terms.term(a, &[], &mut meter).unwrap();
        let mut tower = a;
        for _ in 0..10_000 {
            tower = terms.term(f, &[tower, tower], &mut meter).unwrap();
        }
        assert_eq!(terms.len(), 10_001);
        let first = terms.term(f, &[a, a], &mut meter).unwrap();
        assert_eq!((first, terms.len()), (1, 10_001));
        assert_eq!(terms.show(2, 99), "(f (f a a) (f a a))");
        assert!(terms.show(tower, 99).len() < 120);
    }
}
