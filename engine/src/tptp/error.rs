//! Why a text could not be read, and where.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// The longest piece of a file that an error repeats, in characters.
const MAX_QUOTED: usize = 40;

/// Where in which text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path of the file, or the label given with a text. Control characters are escaped.
    pub label: String,
    /// 1-based line; 0 when the whole file is meant.
    pub line: u32,
    /// 1-based column, in characters; 0 when the whole file is meant.
    pub column: u32,
}

impl Place {
    /// The place of the byte `offset` of `text`.
    pub(super) fn at(label: &str, text: &str, offset: usize) -> Self {
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let newlines = before.bytes().filter(|&byte| byte == b'\n').count();
        Self {
            label: escape(label.chars()),
            line: one_based(newlines),
            column: one_based(before[line_start..].chars().count()),
        }
    }

    /// The file as a whole.
    pub(super) fn whole(label: &str) -> Self {
        Self { label: escape(label.chars()), line: 0, column: 0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)?;
        if self.line > 0 { write!(f, ":{}:{}", self.line, self.column) } else { Ok(()) }
    }
}

/// A text that is not the TPTP that Porism reads. Displays as one line, `lib/a.p:3:14: expected a formula, found '%'`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {}", .0.place, .0.kind)]
pub struct ParseError(Box<Located>);

/// The contents of a [`ParseError`], boxed because results of the parser live on every level of its recursion.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Located {
    place: Place,
    kind: ParseErrorKind,
}

impl ParseError {
    pub(super) fn new(place: Place, kind: ParseErrorKind) -> Self {
        Self(Box::new(Located { place, kind }))
    }

    /// Where the text went wrong.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// What went wrong, for callers that treat some errors differently.
    pub fn kind(&self) -> &ParseErrorKind {
        &self.0.kind
    }

    /// What the parser could have used, for errors of syntax.
    pub fn expected(&self) -> Option<&str> {
        match self.kind() {
            ParseErrorKind::Unexpected { expected, .. } => Some(expected),
            ParseErrorKind::UnsupportedLanguage { .. } => Some("fof or cnf"),
            ParseErrorKind::NoFormula => Some("at least one formula"),
            _ => None,
        }
    }

    /// What stands there instead, for errors of syntax: a shortened quotation, or `end of file`.
    pub fn found(&self) -> Option<&str> {
        match self.kind() {
            ParseErrorKind::Unexpected { found, .. } | ParseErrorKind::UnsupportedLanguage { found } => Some(found),
            _ => None,
        }
    }
}

/// What can be wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The grammar asks for something else here.
    #[error("expected {expected}, found {found}")]
    #[allow(missing_docs, reason = "the message says it")]
    Unexpected { expected: &'static str, found: String },
    /// A formula of the typed or higher-order languages.
    #[error("only fof and cnf are supported, found {found}")]
    #[allow(missing_docs, reason = "the message says it")]
    UnsupportedLanguage { found: String },
    /// The operating system could not read the file.
    #[error("cannot be read: {reason}")]
    #[allow(missing_docs, reason = "the message says it")]
    Io { kind: io::ErrorKind, reason: String },
    /// A binary file, or text in another encoding.
    #[error("not UTF-8 at byte {offset}")]
    #[allow(missing_docs, reason = "the message says it")]
    NotUtf8 { offset: usize },
    /// The files of the problem are larger than [`Limits::max_bytes`](super::Limits::max_bytes).
    #[error("too large: at least {size_bytes} bytes in all, the limit is {limit_bytes}")]
    #[allow(missing_docs, reason = "the message says it")]
    TooLarge { size_bytes: u64, limit_bytes: u64 },
    /// One of the limits that count things.
    #[error("too many {what}: the limit is {limit}")]
    #[allow(missing_docs, reason = "the message says it")]
    TooMany { what: &'static str, limit: usize },
    /// Nested deeper than [`Limits::max_depth`](super::Limits::max_depth), or includes nested absurdly.
    #[error("too deep: {what} nest to at most {limit} levels")]
    #[allow(missing_docs, reason = "the message says it")]
    TooDeep { what: &'static str, limit: usize },
    /// Two formulas of a problem bear one name, so that a proof could not say which it used.
    #[error("duplicate formula name '{name}', first used in {first_file} at line {first_line}")]
    #[allow(missing_docs, reason = "the message says it")]
    DuplicateName { name: String, first_file: String, first_line: u32 },
    /// A file includes itself, directly or through others.
    #[error("cyclic include: {}", cycle.join(" -> "))]
    #[allow(missing_docs, reason = "the message says it")]
    IncludeCycle { cycle: Vec<String> },
    /// No file of that name in any of the places where it could be.
    #[error("included file '{name}' not found, tried {}", paths(tried))]
    #[allow(missing_docs, reason = "the message says it")]
    IncludeNotFound { name: String, tried: Vec<PathBuf> },
    /// The included file has no formulas of these names.
    #[error("'{file}' has no formula named {}", names.join(", "))]
    #[allow(missing_docs, reason = "the message says it")]
    MissingNames { file: String, names: Vec<String> },
    /// A problem that says nothing is most often a wrong path.
    #[error("expected at least one formula")]
    NoFormula,
}

fn paths(tried: &[PathBuf]) -> String {
    let shown: Vec<String> = tried.iter().map(|path| escape(path.to_string_lossy().chars())).collect();
    shown.join(", ")
}

fn one_based(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1)
}

/// `text` with its control characters spelled out, so that it stays on one line of a terminal and cannot steer it.
pub(super) fn escape(text: impl Iterator<Item = char>) -> String {
    let mut escaped = String::new();
    for character in text {
        if character.is_control() {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// A piece of the file as an error shows it: quoted, escaped and shortened. An empty piece is the end of the file.
pub(super) fn quote(piece: &str) -> String {
    if piece.is_empty() {
        return "end of file".to_owned();
    }
    let more = if piece.chars().nth(MAX_QUOTED).is_some() { "..." } else { "" };
    format!("'{}{more}'", escape(piece.chars().take(MAX_QUOTED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "ab\nä€x";
        assert_eq!(Place::at("t", text, 0).to_string(), "t:1:1");
        assert_eq!(Place::at("t", text, text.len() - 1).to_string(), "t:2:3");
        assert_eq!(Place::whole("t").to_string(), "t");
    }

    #[test]
    fn quotations_are_short_and_printable() {
        assert_eq!(quote(""), "end of file");
        assert_eq!(quote("a\n\u{1b}[2J"), r"'a\n\u{1b}[2J'");
        assert_eq!(quote(&"x".repeat(41)), format!("'{}...'", "x".repeat(40)));
    }

    #[test]
    fn a_label_cannot_break_the_line() {
        assert_eq!(Place::whole("a\nb").to_string(), r"a\nb");
    }
}
