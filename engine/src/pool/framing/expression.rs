//! S-expressions.

use std::mem;

use super::{Frame, FramingError, Scanned};

/// Whose S-expressions: they differ in how a string ends and in what a comment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SMT-LIB 2.6: a quote within a string is doubled, `|...|` is a symbol, `;` begins a comment.
    SmtLib,
    /// Common Lisp (ACL2): a backslash takes the next byte as it is, `|...|` is part of a symbol, comments are `;` and nested
    /// `#| |#`. A reader's prefix such as `'` before a list at the top is an atom of its own.
    Lisp,
    /// Sexplib (`SerAPI`): a backslash escapes within strings only, `|` is a letter, comments are `;` and nested `#| |#`; the
    /// comment `#;` is not known.
    Sexplib,
}

impl Dialect {
    fn doubles_quotes(self) -> bool {
        self == Self::SmtLib
    }

    fn has_bars(self) -> bool {
        self != Self::Sexplib
    }

    fn has_block_comments(self) -> bool {
        self != Self::SmtLib
    }

    /// In strings, and between bars.
    fn escapes(self) -> bool {
        self != Self::SmtLib
    }
}

/// What the next byte belongs to.
#[derive(Clone, Copy)]
enum Within {
    Code,
    /// Behind a string at the top: another quote goes on with it.
    StringEnd,
    String,
    Bars,
    Comment,
    /// `from` is the first byte that may take part in a two-byte mark.
    Block {
        depth: usize,
        from: usize,
    },
}

pub(super) struct Expression {
    dialect: Dialect,
    at: usize,
    within: Within,
    /// The next byte stands for itself.
    escaped: bool,
    depth: usize,
    /// Where the expression begins.
    begin: Option<usize>,
    /// Where the word begins that the next byte may go on with.
    word: Option<usize>,
}

impl Expression {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, at: 0, within: Within::Code, escaped: false, depth: 0, begin: None, word: None }
    }

    pub(super) fn scan(&mut self, bytes: &[u8]) -> Scanned {
        while let Some(&byte) = bytes.get(self.at) {
            let end = if mem::take(&mut self.escaped) { None } else { self.step(byte, bytes)? };
            if let (Some(end), Some(begin)) = (end, self.begin) {
                return Ok(Some(Frame { body: begin..end, end }));
            }
            self.at += 1;
        }
        Ok(None)
    }

    /// Takes one byte, and returns the end of the expression if that is known now.
    fn step(&mut self, byte: u8, bytes: &[u8]) -> Result<Option<usize>, FramingError> {
        let at = self.at;
        match self.within {
            Within::Code => return self.code(byte, bytes),
            Within::StringEnd if byte == b'"' => self.within = Within::String,
            Within::StringEnd => return Ok(Some(at)),
            Within::String | Within::Bars if byte == b'\\' && self.dialect.escapes() => self.escaped = true,
            Within::String if byte == b'"' => {
                self.within = Within::Code;
                if self.depth == 0 {
                    if !self.dialect.doubles_quotes() {
                        return Ok(Some(at + 1));
                    }
                    self.within = Within::StringEnd;
                }
            }
            Within::Bars if byte == b'|' => {
                self.within = Within::Code;
                if self.depth == 0 && self.dialect == Dialect::SmtLib {
                    return Ok(Some(at + 1));
                }
            }
            Within::Comment if byte == b'\n' => self.within = Within::Code,
            Within::Block { depth, from } if at > from => match (bytes[at - 1], byte) {
                (b'|', b'#') if depth == 1 => self.within = Within::Code,
                (b'|', b'#') => self.within = Within::Block { depth: depth - 1, from: at + 1 },
                (b'#', b'|') => self.within = Within::Block { depth: depth + 1, from: at + 1 },
                _ => {}
            },
            _ => {}
        }
        Ok(None)
    }

    fn code(&mut self, byte: u8, bytes: &[u8]) -> Result<Option<usize>, FramingError> {
        let at = self.at;
        let ends_word = byte.is_ascii_whitespace() || matches!(byte, b'(' | b')' | b'"' | b';');
        if ends_word && self.depth == 0 && self.begin.is_some() {
            return Ok(Some(at));
        }
        match byte {
            b'(' => self.depth += 1,
            b')' if self.depth == 0 => return Err(FramingError::garbage("an expression", at)),
            b')' => {
                self.depth -= 1;
                if self.depth == 0 {
                    return Ok(Some(at + 1));
                }
            }
            b'"' => self.within = Within::String,
            b';' => self.within = Within::Comment,
            b'|' if self.dialect.has_block_comments()
                && at > 0
                && self.word == Some(at - 1)
                && bytes[at - 1] == b'#' =>
            {
                self.within = Within::Block { depth: 1, from: at + 1 };
                self.word = None;
                if self.depth == 0 {
                    self.begin = None;
                }
                return Ok(None);
            }
            b'|' if self.dialect.has_bars() => self.within = Within::Bars,
            b'\\' if self.dialect == Dialect::Lisp => self.escaped = true,
            _ => {}
        }
        let begins = !byte.is_ascii_whitespace() && byte != b';';
        if begins {
            self.begin.get_or_insert(at);
        }
        self.word = if ends_word { None } else { self.word.or(Some(at)) };
        Ok(None)
    }
}
