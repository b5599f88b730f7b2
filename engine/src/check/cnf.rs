//! Formulas in conjunctive normal form, as DIMACS files hold them.

use std::io::Write;

use super::scan::{BadNumber, Scanner};
use super::verdict::{Code, Fault};

/// The largest variable that a literal can name.
pub const LARGEST_VARIABLE: u32 = (1 << 31) - 1;

/// A variable or its negation. Its code is twice the variable, and one more for the negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Literal(u32);

impl Literal {
    /// The literal with this code, which [`code`](Self::code) gave.
    #[inline]
    pub const fn from_code(code: u32) -> Self {
        Self(code)
    }

    /// `variable`, negated or not; `None` where it is 0 or above [`LARGEST_VARIABLE`].
    #[inline]
    pub const fn new(variable: u64, negated: bool) -> Option<Self> {
        if variable == 0 || variable > LARGEST_VARIABLE as u64 {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, reason = "just compared")]
        Some(Self((variable as u32) << 1 | negated as u32))
    }

    /// The number that is unique to the literal and leaves no gaps.
    #[inline]
    pub const fn code(self) -> u32 {
        self.0
    }

    /// The opposite literal.
    #[inline]
    #[must_use]
    pub const fn negated(self) -> Self {
        Self(self.0 ^ 1)
    }

    /// As DIMACS writes it.
    pub const fn to_dimacs(self) -> i64 {
        let variable = (self.0 >> 1) as i64;
        if self.0 & 1 == 1 { -variable } else { variable }
    }
}

/// Clauses over variables 1 to [`variables`](Self::variables), in their order: clause `i` has the id `i + 1` in proofs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formula {
    variables: u32,
    literals: Vec<Literal>,
    ends: Vec<usize>,
}

impl Formula {
    /// No clauses, over no variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a DIMACS file: comments, the header `p cnf VARIABLES CLAUSES`, then clauses that end in 0.
    ///
    /// The counts of the header must be true, or at least not too small for the variables: whoever reads a claim must not be misled
    /// about its size. A line `%` ends the clauses, as it does in some old collections.
    pub fn parse(text: &[u8]) -> Result<Self, Box<Fault>> {
        let mut scanner = Scanner::new(text);
        let faulty = |code, message: &str, at: usize| Box::new(Fault::new(code, message).at(text, at..at + 1));
        let number = |scanner: &mut Scanner<'_>| {
            scanner.number().map_err(|bad: BadNumber| faulty(bad.code(), bad.message(), scanner.at()))
        };
        loop {
            scanner.white();
            if scanner.peek() != Some(b'c') {
                break;
            }
            scanner.line();
        }
        let header = scanner.at();
        if !scanner.word(b"p") || !blank(&mut scanner) || !scanner.word(b"cnf") || !blank(&mut scanner) {
            return Err(faulty(
                Code("header_missing"),
                "the header 'p cnf VARIABLES CLAUSES' should stand here",
                header,
            ));
        }
        let variables = number(&mut scanner)?;
        scanner.blanks();
        let clauses = number(&mut scanner)?;
        let variables =
            u32::try_from(variables).ok().filter(|&variables| variables <= LARGEST_VARIABLE).ok_or_else(|| {
                faulty(Code("variable_too_large"), "there are more variables than literals can name", header)
            })?;
        let mut formula = Self { variables, ..Self::default() };
        let mut clause_starts = None;
        loop {
            scanner.white();
            let at = scanner.at();
            let negated = match scanner.peek() {
                None | Some(b'%') => break,
                Some(b'c') => {
                    scanner.line();
                    continue;
                }
                Some(b'-') => {
                    scanner.pass();
                    true
                }
                Some(_) => false,
            };
            let variable = number(&mut scanner)?;
            if !matches!(scanner.peek(), None | Some(b' ' | b'\t' | b'\r' | b'\n')) {
                return Err(faulty(Code("number_missing"), "a blank should stand here", scanner.at()));
            }
            if variable == 0 && !negated {
                formula.ends.push(formula.literals.len());
                clause_starts = None;
                continue;
            }
            match Literal::new(variable, negated) {
                Some(literal) if variable <= u64::from(variables) => formula.literals.push(literal),
                _ => {
                    let fault = faulty(Code("variable_too_large"), "the header does not announce this variable", at);
                    return Err(Box::new(fault.differ(format!("at most {variables}"), variable.to_string())));
                }
            }
            clause_starts = clause_starts.or(Some(at));
        }
        if let Some(at) = clause_starts {
            return Err(faulty(Code("unfinished"), "this clause does not end in 0", at));
        }
        if formula.len() as u64 != clauses {
            let fault = faulty(Code("clause_count"), "the header announces another number of clauses", header);
            return Err(Box::new(fault.differ(clauses.to_string(), formula.len().to_string())));
        }
        Ok(formula)
    }

    /// Adds a clause, and the variables that it brings.
    pub fn push(&mut self, clause: &[Literal]) {
        self.variables = clause.iter().fold(self.variables, |most, literal| most.max(literal.code() >> 1));
        self.literals.extend_from_slice(clause);
        self.ends.push(self.literals.len());
    }

    /// The largest variable that may occur.
    pub const fn variables(&self) -> u32 {
        self.variables
    }

    /// How many clauses there are.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no clause.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The clauses, in order.
    pub fn clauses(&self) -> impl ExactSizeIterator<Item = &[Literal]> {
        self.ends.iter().enumerate().map(|(index, &end)| {
            let start = if index == 0 { 0 } else { self.ends[index - 1] };
            &self.literals[start..end]
        })
    }

    /// The BLAKE3 hash of the clauses in hexadecimal: what receipts call the claim.
    ///
    /// It is the hash of the DIMACS text without comments, with one blank between two numbers and one clause a line. So a solver that
    /// writes the formula in another layout still speaks of the same one, and whoever doubts can compute it with other tools.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        self.write(&mut hasher).expect("hashing does not fail");
        hasher.finalize().to_hex().to_string()
    }

    /// Writes the DIMACS text that [`hash`](Self::hash) is about.
    pub fn write(&self, mut to: impl Write) -> std::io::Result<()> {
        let mut line = format!("p cnf {} {}\n", self.variables, self.len()).into_bytes();
        for clause in self.clauses() {
            for literal in clause {
                write!(line, "{} ", literal.to_dimacs())?;
            }
            line.extend_from_slice(b"0\n");
            if line.len() > 1 << 16 {
                to.write_all(&line)?;
                line.clear();
            }
        }
        to.write_all(&line)
    }
}

/// Passes at least one blank.
fn blank(scanner: &mut Scanner<'_>) -> bool {
    let before = scanner.at();
    scanner.blanks();
    scanner.at() > before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        Formula::parse(text.as_bytes()).unwrap_err().code.0
    }

    #[test]
    fn layout_and_comments_do_not_change_the_claim() {
        let one = Formula::parse(b"c hello\np cnf 3 2\n1 -3 0\n2 0\n").unwrap();
        let other = Formula::parse(b"p  cnf 3\t2\r\n1\n-3 0 2\nc p cnf\n 0").unwrap();
        assert_eq!(one, other);
        assert_eq!(one.hash(), crate::hash::content_hash(b"p cnf 3 2\n1 -3 0\n2 0\n"));
        assert_eq!(one.clauses().map(<[_]>::len).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn the_order_and_the_empty_clause_belong_to_the_claim() {
        let hash = |text: &str| Formula::parse(text.as_bytes()).unwrap().hash();
        assert_ne!(hash("p cnf 1 2\n1 0\n-1 0\n"), hash("p cnf 1 2\n-1 0\n1 0\n"));
        assert_ne!(hash("p cnf 1 1\n0\n"), hash("p cnf 1 0\n"));
    }

    #[test]
    fn the_end_mark_of_old_collections_is_known() {
        assert_eq!(Formula::parse(b"p cnf 1 1\n1 0\n%\n0\n").unwrap().len(), 1);
    }

    #[test]
    fn what_is_wrong_has_a_name() {
        assert_eq!(code(""), "header_missing");
        assert_eq!(code("1 0"), "header_missing");
        assert_eq!(code("p cnf 1"), "number_missing");
        assert_eq!(code("p cnf 4294967295 0"), "variable_too_large");
        assert_eq!(code("p cnf 1 1\n2 0\n"), "variable_too_large");
        assert_eq!(code("p cnf 1 1\n-0 0\n"), "variable_too_large");
        assert_eq!(code("p cnf 2 1\n1 2"), "unfinished");
        assert_eq!(code("p cnf 2 1\n1-2 0"), "number_missing");
        assert_eq!(code("p cnf 2 2\n1 0\n"), "clause_count");
        assert_eq!(code("p cnf 2 1\n1 99999999999999999999 0\n"), "number_too_large");
    }

    #[test]
    fn a_fault_has_its_line() {
        let fault = Formula::parse(b"p cnf 2 2\n1 0\n7 0\n").unwrap_err();
        assert_eq!((fault.line, fault.column), (3, 1));
        assert_eq!((fault.expected.as_deref(), fault.found.as_deref()), (Some("at most 2"), Some("7")));
    }
}
