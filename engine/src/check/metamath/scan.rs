//! From bytes to statements, without knowing what they mean.
//!
//! A text is scanned from the end of one statement to the end of another, so several threads can scan one text. Where a thread begins
//! is a guess that [`super::source`] verifies: it must be where the thread before it ended.

use std::ops::Range;

use memchr::memchr;

use super::codes::{self, Trouble};
use super::names::Names;

/// What a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Constants,
    Variables,
    Disjoint,
    Floating,
    Essential,
    Axiom,
    Theorem,
    Open,
    Close,
    Include,
}

/// A statement as it stands in the text. All numbers but `tokens` are offsets into the text.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    pub kind: Kind,
    /// Empty if the kind has none.
    pub label: Range<u32>,
    /// From the keyword to behind the end mark.
    pub span: Range<u32>,
    /// The symbols, as positions in [`Chunk::tokens`].
    pub tokens: Range<u32>,
    /// Between `$=` and `$.`; for an inclusion the file name.
    pub proof: Range<u32>,
}

/// The statements of a piece of text.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// The different symbols of the piece.
    pub names: Vec<Range<u32>>,
    /// The symbols of all statements, as positions in `names`.
    pub tokens: Vec<u32>,
    /// Where each token begins.
    pub statements: Vec<Raw>,
    /// Behind the last statement.
    pub end: usize,
}

/// White space separates tokens. Other control characters are refused before.
#[inline]
pub(super) const fn is_white(byte: u8) -> bool {
    byte <= b' '
}

/// The first byte that no database may have.
pub(super) fn find_bad_character(text: &[u8]) -> Option<usize> {
    let bad = |byte: u8| !matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r' | 0x0c);
    let mut at = 0;
    for block in text.chunks(4096) {
        // Without an exit, so that it takes a vector at a time.
        if block.iter().fold(false, |any, &byte| any | bad(byte)) {
            return block.iter().position(|&byte| bad(byte)).map(|within| at + within);
        }
        at += block.len();
    }
    None
}

/// Where a token is that is at `at` or behind it, as far as `end`; comments are passed over.
pub(super) fn next_token(text: &[u8], mut at: usize, end: usize) -> Result<Option<Range<usize>>, Trouble> {
    loop {
        while at < end && is_white(text[at]) {
            at += 1;
        }
        if at == end {
            return Ok(None);
        }
        let start = at;
        while at < end && !is_white(text[at]) {
            at += 1;
        }
        match &text[start..at] {
            b"$(" => at = skip_comment(text, start, end)?,
            b"$)" => return Err(Trouble::new(codes::COMMENT_STRAY_END, start..at)),
            _ => return Ok(Some(start..at)),
        }
    }
}

/// Behind the comment that begins at `start`.
fn skip_comment(text: &[u8], start: usize, end: usize) -> Result<usize, Trouble> {
    let mut at = start + 2;
    while let Some(dollar) = memchr(b'$', &text[at..end]).map(|found| at + found) {
        at = dollar + 1;
        let alone = is_white(text[dollar - 1]) && text[..end].get(dollar + 2).is_none_or(|&byte| is_white(byte));
        match text[..end].get(dollar + 1) {
            Some(b')') if alone => return Ok(dollar + 2),
            Some(b'(') if alone => return Err(Trouble::new(codes::COMMENT_NESTED, dollar..dollar + 2)),
            _ => {}
        }
    }
    Err(Trouble::new(codes::COMMENT_UNTERMINATED, start..start + 2))
}

/// Behind the first `$.` at or after `from` that is not in a comment, if `from` is not either; a guess.
pub(super) fn guess_boundary(text: &[u8], from: usize) -> usize {
    let mut at = from;
    let mut outside = None;
    while let Some(dollar) = memchr(b'$', &text[at..]).map(|found| at + found) {
        at = dollar + 2;
        match text.get(dollar + 1) {
            Some(b')') => outside = None,
            // Had the comment begun before, this would not be here.
            Some(b'(') => {
                if let Some(end) = outside {
                    return end;
                }
                match skip_comment(text, dollar, text.len()) {
                    Ok(end) => at = end,
                    Err(_) => return text.len(),
                }
            }
            Some(b'.') => outside = outside.or(Some(at)),
            // Such a mark does not stand in comments by accident.
            Some(b'=') if outside.is_some() => break,
            _ => {}
        }
    }
    outside.unwrap_or(text.len())
}

/// Scans from `start`, which is where a statement may begin, until one ends with `$.` at `limit` or behind it, but not beyond `end`.
pub(super) fn scan(text: &[u8], start: usize, limit: usize, end: usize, seed: u64) -> Result<Chunk, Trouble> {
    let mut scanner = Scanner { text, at: start, end, chunk: Chunk::default(), symbols: Symbols::new(seed) };
    while let Some(first) = next_token(text, scanner.at, end)? {
        scanner.statement(first)?;
        let ends_with_dot = text[scanner.at - 1] == b'.';
        if scanner.at >= limit && ends_with_dot {
            break;
        }
    }
    scanner.chunk.end = if scanner.at >= limit { scanner.at } else { end };
    Ok(scanner.chunk)
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    end: usize,
    chunk: Chunk,
    symbols: Symbols,
}

impl Scanner<'_> {
    fn statement(&mut self, first: Range<usize>) -> Result<(), Trouble> {
        let text = self.text;
        let (label, keyword) = if text[first.start] == b'$' {
            (first.start..first.start, first)
        } else {
            if let Some(bad) = first.clone().find(|&at| !is_label_byte(text[at])) {
                return Err(Trouble::new(codes::LABEL_MALFORMED, bad..first.end));
            }
            let keyword = next_token(text, first.end, self.end)?
                .ok_or_else(|| Trouble::new(codes::STATEMENT_UNTERMINATED, first.clone()))?;
            (first, keyword)
        };
        let kind = match &text[keyword.clone()] {
            b"$c" => Kind::Constants,
            b"$v" => Kind::Variables,
            b"$d" => Kind::Disjoint,
            b"$f" => Kind::Floating,
            b"$e" => Kind::Essential,
            b"$a" => Kind::Axiom,
            b"$p" => Kind::Theorem,
            b"${" => Kind::Open,
            b"$}" => Kind::Close,
            b"$[" => Kind::Include,
            _ => return Err(Trouble::new(codes::UNKNOWN_KEYWORD, keyword)),
        };
        let labelled = matches!(kind, Kind::Floating | Kind::Essential | Kind::Axiom | Kind::Theorem);
        if labelled && label.is_empty() {
            return Err(Trouble::new(codes::LABEL_MISSING, keyword));
        }
        if !labelled && !label.is_empty() {
            return Err(Trouble::new(codes::LABEL_UNEXPECTED, label));
        }
        let first_token = self.chunk.tokens.len();
        self.at = keyword.end;
        let proof = match kind {
            Kind::Open | Kind::Close => 0..0,
            Kind::Include => self.file_name(&keyword)?,
            _ => {
                let stop = self.symbols(&keyword)?;
                match (kind, text[stop]) {
                    (Kind::Theorem, b'=') => self.proof(&keyword)?,
                    (Kind::Theorem, _) | (_, b'=') => {
                        return Err(Trouble::new(codes::PROOF_MISSING, stop - 1..stop + 1));
                    }
                    _ => 0..0,
                }
            }
        };
        self.chunk.statements.push(Raw {
            kind,
            label: narrow(label),
            span: narrow(keyword.start..self.at),
            tokens: narrow(first_token..self.chunk.tokens.len()),
            proof: narrow(proof),
        });
        Ok(())
    }

    /// Reads symbols until `$.` or `$=`; the position of the second character of that.
    fn symbols(&mut self, keyword: &Range<usize>) -> Result<usize, Trouble> {
        let text = self.text;
        loop {
            while self.at < self.end && is_white(text[self.at]) {
                self.at += 1;
            }
            let start = self.at;
            if start == self.end {
                return Err(Trouble::new(codes::STATEMENT_UNTERMINATED, keyword.clone()));
            }
            // A short token is found by its bytes as one number.
            let window = text[start..self.end].first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes));
            if let Some((length, key)) = window.and_then(short_token)
                && let Some(number) = self.symbols.cached(key)
            {
                self.chunk.tokens.push(number);
                self.at = start + length;
                continue;
            }
            while self.at < self.end && !is_white(text[self.at]) {
                self.at += 1;
            }
            let token = &text[start..self.at];
            if token[0] == b'$' {
                match token {
                    b"$." | b"$=" => return Ok(start + 1),
                    b"$(" => self.at = skip_comment(text, start, self.end)?,
                    b"$)" => return Err(Trouble::new(codes::COMMENT_STRAY_END, start..self.at)),
                    _ => return Err(Trouble::new(codes::UNKNOWN_KEYWORD, start..self.at)),
                }
                continue;
            }
            if token.contains(&b'$') {
                return Err(Trouble::new(codes::SYMBOL_MALFORMED, start..self.at));
            }
            let number = self.symbols.intern(text, start..self.at, &mut self.chunk.names);
            if let Some((_, key)) = window.and_then(short_token) {
                self.symbols.remember(key, number);
            }
            self.chunk.tokens.push(number);
        }
    }

    /// The bytes of a proof, which ends with `$.`.
    fn proof(&mut self, keyword: &Range<usize>) -> Result<Range<usize>, Trouble> {
        let (text, start) = (self.text, self.at);
        loop {
            let Some(dollar) = memchr(b'$', &text[self.at..self.end]).map(|found| self.at + found) else {
                return Err(Trouble::new(codes::STATEMENT_UNTERMINATED, keyword.clone()));
            };
            let stop = text[dollar..self.end].iter().position(|&byte| is_white(byte)).map_or(self.end, |n| dollar + n);
            if !is_white(text[dollar - 1]) {
                return Err(Trouble::new(codes::UNKNOWN_KEYWORD, dollar..stop));
            }
            match &text[dollar..stop] {
                b"$." => {
                    self.at = stop;
                    return Ok(start..dollar);
                }
                b"$(" => self.at = skip_comment(text, dollar, self.end)?,
                b"$)" => return Err(Trouble::new(codes::COMMENT_STRAY_END, dollar..stop)),
                _ => return Err(Trouble::new(codes::UNKNOWN_KEYWORD, dollar..stop)),
            }
        }
    }

    fn file_name(&mut self, keyword: &Range<usize>) -> Result<Range<usize>, Trouble> {
        let malformed = || Trouble::new(codes::INCLUDE_MALFORMED, keyword.clone());
        let name = next_token(self.text, self.at, self.end)?.ok_or_else(malformed)?;
        let close = next_token(self.text, name.end, self.end)?.ok_or_else(malformed)?;
        if self.text[name.clone()].contains(&b'$') || &self.text[close.clone()] != b"$]" {
            return Err(malformed());
        }
        self.at = close.end;
        Ok(name)
    }
}

pub(super) const fn is_label_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// The length of the token at the start of eight bytes, and its bytes as a number; longer tokens have none.
#[inline]
fn short_token(window: u64) -> Option<(usize, u64)> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // A byte up to 0x20 borrows and gets its high bit; what is above the first such byte may be wrong and is not looked at.
    let white = window.wrapping_sub(ONES * 0x21) & (ONES * 0x80);
    if white == 0 {
        return None;
    }
    let bits = white.trailing_zeros() & !7;
    Some((bits as usize / 8, window & ((1 << bits) - 1)))
}

/// Numbers of symbols, with a cache for the short ones.
struct Symbols {
    names: Names,
    cache: Vec<(u64, u32)>,
}

const CACHE_BITS: u32 = 12;

impl Symbols {
    fn new(seed: u64) -> Self {
        Self { names: Names::new(seed), cache: vec![(0, 0); 1 << CACHE_BITS] }
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "twelve bits are left")]
    fn slot(key: u64) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - CACHE_BITS)) as usize
    }

    #[inline]
    fn cached(&self, key: u64) -> Option<u32> {
        let (known, number) = self.cache[Self::slot(key)];
        (known == key).then_some(number)
    }

    fn remember(&mut self, key: u64, number: u32) {
        self.cache[Self::slot(key)] = (key, number);
    }

    fn intern(&mut self, text: &[u8], token: Range<usize>, known: &mut Vec<Range<u32>>) -> u32 {
        let next = narrow_one(known.len());
        let name_of = |number: u32| &text[wide(&known[number as usize])];
        let (number, old) = self.names.intern(&text[token.clone()], next, name_of);
        if !old {
            known.push(narrow(token));
        }
        number
    }
}

/// Texts are shorter than 4 GiB, which [`super::source`] ensures; so is everything that is counted in them.
pub(super) fn narrow_one(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

pub(super) fn narrow(range: Range<usize>) -> Range<u32> {
    narrow_one(range.start)..narrow_one(range.end)
}

pub(super) fn wide(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}
