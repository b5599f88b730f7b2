//! The parser's view of a text: one token ahead, and errors that know their place.

use super::error::{ParseError, ParseErrorKind, Place, quote};
use super::lexer::{Kind, Lexer, Token};

/// A lexer with the token under it.
pub(super) struct Cursor<'a> {
    text: &'a str,
    label: &'a str,
    lexer: Lexer<'a>,
    token: Token,
    previous_end: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor on the first token of `text`; `label` names the text in errors.
    pub(super) fn new(text: &'a str, label: &'a str) -> Result<Self, ParseError> {
        let token = Token { kind: Kind::End, start: 0, end: 0 };
        let mut cursor = Self { text, label, lexer: Lexer::new(text), token, previous_end: 0 };
        cursor.advance()?;
        Ok(cursor)
    }

    pub(super) fn kind(&self) -> Kind {
        self.token.kind
    }

    /// Where the token under the cursor begins.
    pub(super) fn start(&self) -> usize {
        self.token.start
    }

    /// Where the token before the cursor ends.
    pub(super) fn previous_end(&self) -> usize {
        self.previous_end
    }

    /// The spelling of the token under the cursor.
    pub(super) fn spelling(&self) -> &'a str {
        self.slice(self.token.start, self.token.end)
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        &self.text[start..end]
    }

    /// Steps over the token under the cursor and gives its spelling.
    pub(super) fn advance(&mut self) -> Result<&'a str, ParseError> {
        let spelling = self.spelling();
        self.previous_end = self.token.end;
        self.token = self.lexer.next();
        match self.token.kind {
            Kind::Malformed(expected) => Err(self.unexpected(expected)),
            _ => Ok(spelling),
        }
    }

    /// Steps over a token of this kind if there is one.
    pub(super) fn accept(&mut self, kind: Kind) -> Result<bool, ParseError> {
        let found = self.kind() == kind;
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    /// Steps over a token of this kind; it must be there.
    pub(super) fn expect(&mut self, kind: Kind, expected: &'static str) -> Result<&'a str, ParseError> {
        if self.kind() == kind { self.advance() } else { Err(self.unexpected(expected)) }
    }

    /// The error of finding something else under the cursor.
    pub(super) fn unexpected(&self, expected: &'static str) -> ParseError {
        self.error(ParseErrorKind::Unexpected { expected, found: quote(self.spelling()) })
    }

    /// An error at the token under the cursor.
    pub(super) fn error(&self, kind: ParseErrorKind) -> ParseError {
        self.error_at(self.token.start, kind)
    }

    /// An error at the byte `offset`.
    pub(super) fn error_at(&self, offset: usize, kind: ParseErrorKind) -> ParseError {
        ParseError::new(Place::at(self.label, self.text, offset), kind)
    }
}
