//! A rewriting proof as data: terms, and steps that each prove an equation. JSON and bytes say the same.
//!
//! ```json
//! {"terms": [["a"], ["f", 0]],
//!  "steps": [["rule", "name", [1]], ["flip", 0], ["same", 0], ["apply", "f", [0]], ["chain", [1, 3]]]}
//! ```
//!
//! A term names its symbol and earlier terms; a step names earlier steps, both counted from 0.
//!
//! In bytes: `PRW1`; the symbols and names, each a length and UTF-8; the terms, each a symbol, a length and arguments; the steps, each
//! a tag (0 rule, 1 flip, 2 same, 3 apply, 4 chain) and its numbers, lists with their lengths in front. Every list of the file is
//! preceded by its length. A number has seven bits a byte, the lowest first, with the highest bit set in all bytes but the last.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::check::verdict::{Code, Fault};

/// The first bytes of a certificate in bytes.
pub const MAGIC: &[u8; 4] = b"PRW1";

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The equation of this name, with these terms for its variables in the order of their first use.
    Rule(String, Vec<u32>),
    /// What an earlier step proves, the other way round.
    Flip(u32),
    /// A term equals itself.
    Same(u32),
    /// Equal arguments give equal terms: the symbol, and a step for each argument.
    Apply(String, Vec<u32>),
    /// Steps of which each begins where the one before ends.
    Chain(Vec<u32>),
}

/// A whole proof. The last step proves the goal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Symbols and the earlier terms that they are applied to.
    pub terms: Vec<(String, Vec<u32>)>,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    terms: Vec<Vec<Word>>,
    steps: Vec<Vec<Word>>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Word {
    Number(u32),
    Name(String),
    Numbers(Vec<u32>),
}

impl Certificate {
    /// Reads JSON or bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Box<Fault>> {
        match bytes.strip_prefix(MAGIC) {
            Some(rest) => Reader { rest }.certificate().ok_or_else(|| malformed("the bytes are no certificate")),
            None => Self::from_json(bytes),
        }
    }

    fn from_json(text: &[u8]) -> Result<Self, Box<Fault>> {
        let written: Written = serde_json::from_slice(text).map_err(|error| malformed(&error.to_string()))?;
        let mut certificate = Self::default();
        for (number, words) in written.terms.into_iter().enumerate() {
            let mut words = words.into_iter();
            let Some(Word::Name(symbol)) = words.next() else {
                return Err(malformed(&format!("term {number} does not begin with a symbol")));
            };
            let arguments = words.map(|word| if let Word::Number(number) = word { Some(number) } else { None });
            let arguments: Option<Vec<u32>> = arguments.collect();
            let arguments =
                arguments.ok_or_else(|| malformed(&format!("an argument of term {number} is not a number")))?;
            certificate.terms.push((symbol, arguments));
        }
        for (number, words) in written.steps.into_iter().enumerate() {
            let step = step(words).ok_or_else(|| malformed(&format!("step {} is of no known form", number + 1)))?;
            certificate.steps.push(step);
        }
        Ok(certificate)
    }

    /// The certificate as JSON.
    pub fn to_json(&self) -> String {
        let name = |name: &str| Word::Name(name.to_owned());
        let terms = self.terms.iter().map(|(symbol, arguments)| {
            std::iter::once(name(symbol)).chain(arguments.iter().map(|&argument| Word::Number(argument))).collect()
        });
        let steps = self.steps.iter().map(|step| match step {
            Step::Rule(rule, values) => vec![name("rule"), name(rule), Word::Numbers(values.clone())],
            Step::Flip(step) => vec![name("flip"), Word::Number(*step)],
            Step::Same(term) => vec![name("same"), Word::Number(*term)],
            Step::Apply(symbol, steps) => vec![name("apply"), name(symbol), Word::Numbers(steps.clone())],
            Step::Chain(steps) => vec![name("chain"), Word::Numbers(steps.clone())],
        });
        let written = Written { terms: terms.collect(), steps: steps.collect() };
        serde_json::to_string(&written).expect("names and numbers can be written")
    }

    /// The certificate in bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut names = Names::default();
        let mut body = Vec::new();
        put(&mut body, self.terms.len());
        for (symbol, arguments) in &self.terms {
            put(&mut body, names.number(symbol));
            put_all(&mut body, arguments);
        }
        put(&mut body, self.steps.len());
        for step in &self.steps {
            match step {
                Step::Rule(rule, values) => {
                    body.push(0);
                    put(&mut body, names.number(rule));
                    put_all(&mut body, values);
                }
                Step::Flip(step) => {
                    body.push(1);
                    put(&mut body, *step as usize);
                }
                Step::Same(term) => {
                    body.push(2);
                    put(&mut body, *term as usize);
                }
                Step::Apply(symbol, steps) => {
                    body.push(3);
                    put(&mut body, names.number(symbol));
                    put_all(&mut body, steps);
                }
                Step::Chain(steps) => {
                    body.push(4);
                    put_all(&mut body, steps);
                }
            }
        }
        let mut bytes = MAGIC.to_vec();
        put(&mut bytes, names.order.len());
        for name in names.order {
            put(&mut bytes, name.len());
            bytes.extend_from_slice(name.as_bytes());
        }
        bytes.extend(body);
        bytes
    }
}

fn step(words: Vec<Word>) -> Option<Step> {
    let mut words = words.into_iter();
    let Some(Word::Name(form)) = words.next() else { return None };
    match (form.as_str(), words.next()?, words.next(), words.next()) {
        ("rule", Word::Name(rule), Some(Word::Numbers(values)), None) => Some(Step::Rule(rule, values)),
        ("flip", Word::Number(step), None, None) => Some(Step::Flip(step)),
        ("same", Word::Number(term), None, None) => Some(Step::Same(term)),
        ("apply", Word::Name(symbol), Some(Word::Numbers(steps)), None) => Some(Step::Apply(symbol, steps)),
        ("chain", Word::Numbers(steps), None, None) => Some(Step::Chain(steps)),
        _ => None,
    }
}

fn malformed(message: &str) -> Box<Fault> {
    Box::new(Fault::new(Code("certificate_malformed"), message))
}

#[derive(Default)]
struct Names<'a> {
    numbers: HashMap<&'a str, usize>,
    order: Vec<&'a str>,
}

impl<'a> Names<'a> {
    fn number(&mut self, name: &'a str) -> usize {
        *self.numbers.entry(name).or_insert_with(|| {
            self.order.push(name);
            self.order.len() - 1
        })
    }
}

#[allow(clippy::cast_possible_truncation, reason = "seven bits at a time")]
fn put(bytes: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn put_all(bytes: &mut Vec<u8>, numbers: &[u32]) {
    put(bytes, numbers.len());
    numbers.iter().for_each(|&number| put(bytes, number as usize));
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn certificate(mut self) -> Option<Certificate> {
        let names = self.list(|reader| {
            let length = reader.number()? as usize;
            let (name, rest) = reader.rest.split_at_checked(length)?;
            reader.rest = rest;
            String::from_utf8(name.to_vec()).ok()
        })?;
        let symbol = |reader: &mut Self| names.get(reader.number()? as usize).cloned();
        let terms = self.list(|reader| Some((symbol(reader)?, reader.list(Self::number)?)))?;
        let steps = self.list(|reader| {
            let (&tag, rest) = reader.rest.split_first()?;
            reader.rest = rest;
            match tag {
                0 => Some(Step::Rule(symbol(reader)?, reader.list(Self::number)?)),
                1 => Some(Step::Flip(reader.number()?)),
                2 => Some(Step::Same(reader.number()?)),
                3 => Some(Step::Apply(symbol(reader)?, reader.list(Self::number)?)),
                4 => Some(Step::Chain(reader.list(Self::number)?)),
                _ => None,
            }
        })?;
        self.rest.is_empty().then_some(Certificate { terms, steps })
    }

    fn number(&mut self) -> Option<u32> {
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).ok();
            }
        }
        None
    }

    /// A list is never made longer at once than the bytes that are left could fill.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.number()? as usize;
        if length > self.rest.len() {
            return None;
        }
        (0..length).map(|_| item(self)).collect()
    }
}
