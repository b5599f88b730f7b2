//! DRAT as text and as bytes: clauses that are added, and clauses that are deleted by their literals.

use crate::check::cnf::Literal;
use crate::check::lrat::Encoding;
use crate::check::scan::Scanner;
use crate::check::verdict::{Code, Fault};

/// One step of a proof: literals `start..end`, added or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Whether the clause is deleted.
    pub deletes: bool,
    /// The byte at which the step begins.
    pub at: usize,
    start: usize,
    end: usize,
}

/// A whole proof.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// The steps, in order.
    pub steps: Vec<Step>,
    literals: Vec<u32>,
}

impl Proof {
    /// Reads a proof in either encoding.
    pub fn parse(bytes: &[u8]) -> Result<Self, Box<Fault>> {
        let mut proof = Self::default();
        match encoding(bytes) {
            Encoding::Ascii => proof.text(bytes)?,
            Encoding::Binary => proof.bytes(bytes)?,
        }
        Ok(proof)
    }

    /// The codes of the literals of a step.
    pub fn literals(&self, step: &Step) -> &[u32] {
        &self.literals[step.start..step.end]
    }

    /// The largest code of a literal.
    pub fn largest_code(&self) -> u32 {
        self.literals.iter().copied().max().unwrap_or(0)
    }

    fn text(&mut self, text: &[u8]) -> Result<(), Box<Fault>> {
        let mut scanner = Scanner::new(text);
        loop {
            scanner.white();
            let at = scanner.at();
            let deletes = match scanner.peek() {
                None => return Ok(()),
                Some(b'c') => {
                    scanner.line();
                    continue;
                }
                Some(b'd') => {
                    scanner.pass();
                    true
                }
                Some(_) => false,
            };
            let start = self.literals.len();
            loop {
                scanner.white();
                let negated = scanner.peek() == Some(b'-');
                if negated {
                    scanner.pass();
                }
                let here = scanner.at();
                let bad = |code, message: &str| Box::new(Fault::new(code, message).at(text, here..here + 1));
                let number = scanner.number().map_err(|flaw| bad(flaw.code(), flaw.message()))?;
                if !matches!(scanner.peek(), None | Some(b' ' | b'\t' | b'\r' | b'\n')) {
                    return Err(bad(Code("number_missing"), "a blank should stand behind this number"));
                }
                if number == 0 && !negated {
                    break;
                }
                let literal =
                    Literal::new(number, negated).ok_or_else(|| bad(TOO_LARGE, "no literal has this variable"))?;
                self.literals.push(literal.code());
            }
            self.steps.push(Step { deletes, at, start, end: self.literals.len() });
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Box<Fault>> {
        let mut at = 0;
        while let Some(&tag) = bytes.get(at) {
            let bad = |code, message: &str| {
                let span = Some(at as u64..at as u64 + 1);
                Box::new(Fault { span, ..Fault::new(Code(code), message) })
            };
            if !matches!(tag, b'a' | b'd') {
                return Err(bad("unknown_step", "a step begins with 'a' or 'd'"));
            }
            let start = self.literals.len();
            let mut place = at + 1;
            loop {
                let mut number = 0_u64;
                for shift in (0..).step_by(7) {
                    let byte = *bytes.get(place).ok_or_else(|| bad("unfinished", "the last step ends too early"))?;
                    place += 1;
                    if shift > 28 {
                        return Err(bad("number_too_large", "a number is beyond every range"));
                    }
                    number |= u64::from(byte & 0x7f) << shift;
                    if byte & 0x80 == 0 {
                        break;
                    }
                }
                if number == 0 {
                    break;
                }
                let literal = Literal::new(number >> 1, number & 1 == 1);
                self.literals.push(literal.ok_or_else(|| bad(TOO_LARGE.0, "no literal has this variable"))?.code());
            }
            self.steps.push(Step { deletes: tag == b'd', at, start, end: self.literals.len() });
            at = place;
        }
        Ok(())
    }
}

const TOO_LARGE: Code = Code("variable_too_large");

/// Text has only digits, signs, blanks and `d` in its first lines, or begins with a comment. A proof in bytes that looks like that has
/// no end of a clause in it.
fn encoding(bytes: &[u8]) -> Encoding {
    let start = &bytes[..bytes.len().min(64)];
    let text = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b' ' | b'\t' | b'\r' | b'\n' | b'd');
    if start.first() == Some(&b'c') || start.iter().all(text) { Encoding::Ascii } else { Encoding::Binary }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<(bool, Vec<u32>)> {
        let proof = Proof::parse(bytes).unwrap();
        proof.steps.iter().map(|step| (step.deletes, proof.literals(step).to_vec())).collect()
    }

    #[test]
    fn text_and_bytes_say_the_same() {
        let steps = [(false, vec![2, 5]), (true, vec![4]), (false, vec![])];
        assert_eq!(read(b"1 -2 0\nd 2 0\n0\n"), steps);
        assert_eq!(read(b"a\x02\x05\0d\x04\0a\0"), steps);
        assert_eq!(read(b"d 2 0 1\n 0"), [(true, vec![4]), (false, vec![2])]);
    }

    #[test]
    fn what_is_wrong_has_a_name() {
        let code = |bytes: &[u8]| Proof::parse(bytes).unwrap_err().code.0;
        assert_eq!(code(b"1 2"), "number_missing");
        assert_eq!(code(b"1 -0 0"), "variable_too_large");
        assert_eq!(code(b"1-2 0"), "number_missing");
        assert_eq!(code(b"a\x02"), "unfinished");
        assert_eq!(code(b"a\x01\0"), "variable_too_large");
        assert_eq!(code(b"a\xff\xff\xff\xff\xff\xff\0"), "number_too_large");
        assert_eq!(code(b"a\x02\0x"), "unknown_step");
    }
}
