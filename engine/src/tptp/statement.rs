//! The statements of a file: `fof(...)`, `cnf(...)` and `include(...)`.

use std::sync::Arc;

use super::ast::{Annotated, Language, Role, Symbol};
use super::cursor::Cursor;
use super::error::{ParseError, ParseErrorKind, quote};
use super::lexer::{Kind, without_comments};
use super::limits::Limits;
use super::parser::{Parser, Shared};
use super::symbols::unescape;

/// One statement of a file. `offset` is the byte that errors about it point at.
pub(super) enum Statement {
    Formula {
        annotated: Annotated,
        offset: usize,
    },
    /// `include('file', [names])`.
    Include {
        file: String,
        names: Option<Vec<Symbol>>,
        offset: usize,
    },
}

/// Reads the statements of a file one by one.
pub(super) struct Statements<'a, 's> {
    parser: Parser<'a, 's>,
    file: u32,
    lines: LineCounter,
}

impl<'a, 's> Statements<'a, 's> {
    pub(super) fn new(cursor: Cursor<'a>, file: u32, limits: &'s Limits, shared: &'s mut Shared) -> Self {
        Self { parser: Parser::new(cursor, limits, shared), file, lines: LineCounter::default() }
    }

    /// The cursor, for errors that the statement's meaning raises.
    pub(super) fn cursor(&self) -> &Cursor<'a> {
        &self.parser.cursor
    }

    /// What the files of a problem share, lent to the reader of an included file.
    pub(super) fn shared(&mut self) -> &mut Shared {
        self.parser.shared
    }

    /// The next statement, or nothing at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Statement>, ParseError> {
        let cursor = &self.parser.cursor;
        match (cursor.kind(), cursor.spelling()) {
            (Kind::End, _) => Ok(None),
            (Kind::LowerWord, "fof") => self.annotated(Language::Fof).map(Some),
            (Kind::LowerWord, "cnf") => self.annotated(Language::Cnf).map(Some),
            (Kind::LowerWord, "include") => self.include().map(Some),
            (Kind::LowerWord, word @ ("thf" | "tff" | "tcf" | "tpi")) => {
                Err(cursor.error(ParseErrorKind::UnsupportedLanguage { found: quote(word) }))
            }
            _ => Err(cursor.unexpected("fof, cnf or include")),
        }
    }

    fn annotated(&mut self, language: Language) -> Result<Statement, ParseError> {
        let offset = self.cursor().start();
        let line = self.lines.line_at(self.cursor().slice(self.lines.offset, offset));
        self.parser.cursor.advance()?;
        self.parser.cursor.expect(Kind::Open, "'('")?;
        let name = self.name()?;
        self.parser.cursor.expect(Kind::Comma, "','")?;
        let role = self.role()?;
        self.parser.cursor.expect(Kind::Comma, "','")?;
        let start = self.cursor().start();
        let formula = match language {
            Language::Fof => self.parser.formula()?,
            Language::Cnf => self.parser.clause()?,
        };
        let text = Arc::from(without_comments(self.cursor().slice(start, self.cursor().previous_end())));
        let annotations = self.annotations()?;
        self.parser.cursor.expect(Kind::Close, "a connective, ',' or ')'")?;
        self.parser.cursor.expect(Kind::Dot, "'.'")?;
        let annotated = Annotated { name, language, role, formula, text, annotations, file: self.file, line };
        Ok(Statement::Formula { annotated, offset })
    }

    fn name(&mut self) -> Result<Symbol, ParseError> {
        let spelling = self.cursor().spelling();
        let name = match self.cursor().kind() {
            Kind::LowerWord | Kind::Integer => self.shared().symbols.intern(spelling),
            Kind::Quoted => self.shared().symbols.intern_quoted(spelling),
            _ => return Err(self.cursor().unexpected("the name of a formula")),
        };
        self.parser.cursor.advance()?;
        Ok(name)
    }

    fn role(&mut self) -> Result<Role, ParseError> {
        let role = Role::from_word(self.cursor().spelling()).ok_or_else(|| {
            self.cursor().unexpected(
                "a role (axiom, hypothesis, definition, assumption, lemma, theorem, corollary, conjecture, \
                 negated_conjecture or plain)",
            )
        })?;
        self.parser.cursor.advance()?;
        Ok(role)
    }

    /// `, source, info`: any general terms, of which only the brackets are checked.
    fn annotations(&mut self) -> Result<Option<Arc<str>>, ParseError> {
        if !self.parser.cursor.accept(Kind::Comma)? {
            return Ok(None);
        }
        let start = self.cursor().start();
        if self.cursor().kind() == Kind::Close {
            return Err(self.cursor().unexpected("the source of the formula"));
        }
        self.skip_general_terms()?;
        Ok(Some(Arc::from(self.cursor().slice(start, self.cursor().previous_end()))))
    }

    /// Skips to the bracket that closes the statement.
    fn skip_general_terms(&mut self) -> Result<(), ParseError> {
        let limit = self.parser.limits.depth();
        let mut closers = Vec::new();
        loop {
            match self.cursor().kind() {
                Kind::Close if closers.is_empty() => return Ok(()),
                Kind::Open => closers.push(Kind::Close),
                Kind::OpenBracket => closers.push(Kind::CloseBracket),
                kind @ (Kind::Close | Kind::CloseBracket) if closers.pop() != Some(kind) => {
                    return Err(self.cursor().unexpected("a matching bracket"));
                }
                Kind::Dot | Kind::Unknown | Kind::End => return Err(self.cursor().unexpected("an annotation or ')'")),
                _ => {}
            }
            if closers.len() > limit {
                return Err(self.cursor().error(ParseErrorKind::TooDeep { what: "annotations", limit }));
            }
            self.parser.cursor.advance()?;
        }
    }

    fn include(&mut self) -> Result<Statement, ParseError> {
        self.parser.cursor.advance()?;
        self.parser.cursor.expect(Kind::Open, "'('")?;
        let offset = self.cursor().start();
        let file = unescape(self.parser.cursor.expect(Kind::Quoted, "a file name in single quotes")?).into_owned();
        let names = if self.parser.cursor.accept(Kind::Comma)? { self.selection()? } else { None };
        self.parser.cursor.expect(Kind::Close, "',' or ')'")?;
        self.parser.cursor.expect(Kind::Dot, "'.'")?;
        Ok(Statement::Include { file, names, offset })
    }

    /// `[names]`, or `*` for all.
    fn selection(&mut self) -> Result<Option<Vec<Symbol>>, ParseError> {
        if self.parser.cursor.accept(Kind::Star)? {
            return Ok(None);
        }
        self.parser.cursor.expect(Kind::OpenBracket, "'[' and names, or '*'")?;
        let mut names = vec![self.name()?];
        while self.parser.cursor.accept(Kind::Comma)? {
            names.push(self.name()?);
        }
        self.parser.cursor.expect(Kind::CloseBracket, "',' or ']'")?;
        Ok(Some(names))
    }
}

/// Counts lines as the parser moves on, so that all formulas together cost one pass over the text.
#[derive(Default)]
struct LineCounter {
    offset: usize,
    newlines: usize,
}

impl LineCounter {
    /// The 1-based line at the end of `passed`, the text since the last call.
    fn line_at(&mut self, passed: &str) -> u32 {
        self.offset += passed.len();
        self.newlines += passed.bytes().filter(|&byte| byte == b'\n').count();
        u32::try_from(self.newlines).unwrap_or(u32::MAX).saturating_add(1)
    }
}
