//! What a checker says about a certificate.

use std::fmt;
use std::ops::Range;

use super::budget::Exhausted;

/// The decision about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The certificate proves the claim.
    Accepted,
    /// The certificate does not prove the claim. The claim may still be true.
    Rejected(Box<Fault>),
    /// The checker did not get to an answer: the certificate is unfinished, beyond the budget, or outside the format that is read.
    Undecided(Box<Fault>),
}

impl Verdict {
    /// Whether the certificate proves the claim.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted)
    }

    /// Why it was not accepted.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Accepted => None,
            Self::Rejected(fault) | Self::Undecided(fault) => Some(fault),
        }
    }

    /// `accepted`, `rejected` or `undecided`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected(_) => "rejected",
            Self::Undecided(_) => "undecided",
        }
    }

    /// Undecided, because the budget does not reach.
    pub fn exhausted(exhausted: &Exhausted) -> Self {
        Self::Undecided(Box::new(Fault::new(Code::BUDGET, exhausted.to_string())))
    }
}

/// The stable name of one way to be wrong, such as `stack_underflow`: programs may compare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

impl Code {
    /// The budget did not reach.
    pub const BUDGET: Self = Self("budget");
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Why a certificate was not accepted, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which way to be wrong.
    pub code: Code,
    /// One sentence for people.
    pub message: String,
    /// The bytes of the certificate that are meant, if it is text or a file.
    pub span: Option<Range<u64>>,
    /// 1-based line of the span's start; 0 when there is none.
    pub line: u64,
    /// 1-based column of the span's start, in bytes; 0 when there is none.
    pub column: u64,
    /// Which file, when the certificate has several.
    pub file: Option<String>,
    /// 1-based step of the proof.
    pub step: Option<u64>,
    /// The name of the statement, clause or rule that the step uses.
    pub label: Option<String>,
    /// What should have stood there, shortened.
    pub expected: Option<String>,
    /// What stood there, shortened.
    pub found: Option<String>,
}

impl Fault {
    /// A fault without a place.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            span: None,
            line: 0,
            column: 0,
            file: None,
            step: None,
            label: None,
            expected: None,
            found: None,
        }
    }

    /// The same fault, at these bytes of `text`.
    #[must_use]
    pub fn at(mut self, text: &[u8], span: Range<usize>) -> Self {
        let start = span.start.min(text.len());
        let before = &text[..start];
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        self.line = before.split(|&byte| byte == b'\n').count() as u64;
        self.column = (start - line_start) as u64 + 1;
        self.span = Some(span.start as u64..span.end as u64);
        self
    }

    /// The same fault, at this 1-based step.
    #[must_use]
    pub fn step(mut self, step: u64) -> Self {
        self.step = Some(step);
        self
    }

    /// The same fault, with what should have stood there and what stood there.
    #[must_use]
    pub fn differ(mut self, expected: impl Into<String>, found: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self.found = Some(found.into());
        self
    }
}

impl fmt::Display for Fault {
    /// One line: `set.mm:3:14: step 5: the hypothesis does not match: expected '|- x', found '|- y' [hypothesis_mismatch]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
        }
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        if let Some(step) = self.step {
            write!(f, "step {step}: ")?;
        }
        f.write_str(&self.message)?;
        if let (Some(expected), Some(found)) = (&self.expected, &self.found) {
            write!(f, ": expected '{expected}', found '{found}'")?;
        }
        write!(f, " [{}]", self.code)
    }
}

/// How many verdicts there are of each value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many certificates prove their claims.
    pub accepted: usize,
    /// How many do not.
    pub rejected: usize,
    /// About how many nothing was found out.
    pub undecided: usize,
}

impl Tally {
    /// Counts `verdicts`.
    pub fn of<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> Self {
        let mut tally = Self::default();
        for verdict in verdicts {
            match verdict {
                Verdict::Accepted => tally.accepted += 1,
                Verdict::Rejected(_) => tally.rejected += 1,
                Verdict::Undecided(_) => tally.undecided += 1,
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_bytes_from_one() {
        let fault = Fault::new(Code("x"), "m").at(b"ab\ncde", 4..5);
        assert_eq!((fault.line, fault.column, fault.span), (2, 2, Some(4..5)));
    }

    #[test]
    fn a_place_beyond_the_end_is_the_end() {
        let fault = Fault::new(Code("x"), "m").at(b"ab", 9..10);
        assert_eq!((fault.line, fault.column), (1, 3));
    }

    #[test]
    fn a_fault_is_one_line() {
        let fault = Fault::new(Code("mismatch"), "the terms differ").at(b"abc", 1..2).step(7).differ("x", "y");
        assert_eq!(fault.to_string(), "1:2: step 7: the terms differ: expected 'x', found 'y' [mismatch]");
    }
}
