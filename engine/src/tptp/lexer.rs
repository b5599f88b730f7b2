//! Cuts a text into tokens, one at a time, so that a hostile text is not read further than the parser cares.

/// What a token is. Its spelling is the slice of the text between `start` and `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    LowerWord,
    UpperWord,
    /// `'...'`
    Quoted,
    /// `$word` or `$$word`
    DollarWord,
    /// `"..."`
    Distinct,
    Integer,
    /// A rational or a real.
    Fraction,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Comma,
    Dot,
    Colon,
    Star,
    Bang,
    Question,
    Tilde,
    And,
    Or,
    Implies,
    ImpliedBy,
    Iff,
    Xor,
    Nor,
    Nand,
    Equal,
    NotEqual,
    /// A character that begins no token of the language.
    Unknown,
    /// A token that began well; the span is the place where it fails, and this was expected there.
    Malformed(&'static str),
    /// The end of the text, an empty span.
    End,
}

/// A token and where it stands, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

/// Tokens with more than one character that are not words; longer ones first.
const OPERATORS: [(&[u8], Kind); 8] = [
    (b"<=>", Kind::Iff),
    (b"<~>", Kind::Xor),
    (b"<=", Kind::ImpliedBy),
    (b"=>", Kind::Implies),
    (b"!=", Kind::NotEqual),
    (b"~|", Kind::Nor),
    (b"~&", Kind::Nand),
    (b"=", Kind::Equal),
];

/// Walks over a text.
pub(super) struct Lexer<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, offset: 0 }
    }

    /// The next token; at the end of the text, `End` for ever.
    pub(super) fn next(&mut self) -> Token {
        if let Err(open) = self.skip_blank() {
            return Token { kind: Kind::Malformed("a comment that ends with '*/'"), start: open, end: self.offset };
        }
        let start = self.offset;
        let Some(first) = self.peek(0) else {
            return Token { kind: Kind::End, start, end: start };
        };
        match first {
            b'a'..=b'z' => self.word(start, 0, Kind::LowerWord),
            b'A'..=b'Z' => self.word(start, 0, Kind::UpperWord),
            b'$' => self.dollar_word(start),
            b'\'' => self.quoted(start, b'\'', Kind::Quoted),
            b'"' => self.quoted(start, b'"', Kind::Distinct),
            b'0'..=b'9' => self.number(start),
            b'+' | b'-' if self.peek(1).is_some_and(|next| next.is_ascii_digit()) => self.number(start),
            _ => self.punctuation(start, first),
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.offset + ahead).copied()
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.offset..]
    }

    fn token(&self, kind: Kind, start: usize) -> Token {
        Token { kind, start, end: self.offset }
    }

    /// Skips white space and comments. On an unclosed comment: where it opens.
    fn skip_blank(&mut self) -> Result<(), usize> {
        loop {
            self.skip_while(|byte| byte.is_ascii_whitespace() || byte == 0x0b);
            match self.peek(0) {
                Some(b'%' | b'#') => self.skip_while(|byte| byte != b'\n'),
                Some(b'/') if self.peek(1) == Some(b'*') => self.skip_block_comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn skip_block_comment(&mut self) -> Result<(), usize> {
        let open = self.offset;
        if let Some(length) = self.text[open + 2..].find("*/") {
            self.offset = open + 2 + length + 2;
            Ok(())
        } else {
            self.offset = self.text.len();
            Err(open)
        }
    }

    fn skip_while(&mut self, accepts: impl Fn(u8) -> bool) {
        let rest = self.rest();
        self.offset += rest.iter().position(|&byte| !accepts(byte)).unwrap_or(rest.len());
    }

    fn word(&mut self, start: usize, prefix: usize, kind: Kind) -> Token {
        self.offset += prefix;
        self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        self.token(kind, start)
    }

    fn dollar_word(&mut self, start: usize) -> Token {
        let prefix = if self.peek(1) == Some(b'$') { 2 } else { 1 };
        if self.peek(prefix).is_some_and(|byte| byte.is_ascii_lowercase()) {
            self.word(start, prefix, Kind::DollarWord)
        } else {
            self.offset += prefix;
            self.malformed("a lower-case word after '$'")
        }
    }

    /// A name in single quotes, which is never empty, or a distinct object in double ones.
    fn quoted(&mut self, start: usize, quote: u8, kind: Kind) -> Token {
        self.offset += 1;
        loop {
            self.skip_while(|byte| byte != quote && byte != b'\\' && !byte.is_ascii_control());
            match self.peek(0) {
                Some(byte) if byte == quote => break,
                Some(b'\\') if matches!(self.peek(1), Some(next) if next == quote || next == b'\\') => self.offset += 2,
                Some(b'\\') => return self.malformed("an escape of a quote or a backslash"),
                _ => return self.malformed("a closing quote on the same line"),
            }
        }
        if kind == Kind::Quoted && self.offset == start + 1 {
            return self.malformed("a character inside the quotes");
        }
        self.offset += 1;
        self.token(kind, start)
    }

    /// `-12`, `1/2`, `1.5`, `1.5e-3`, `1e3`. A dot without a digit behind it ends a formula.
    fn number(&mut self, start: usize) -> Token {
        if !self.peek(0).is_some_and(|byte| byte.is_ascii_digit()) {
            self.offset += 1;
        }
        if self.peek(0) == Some(b'0') && self.peek(1).is_some_and(|next| next.is_ascii_digit()) {
            return self.malformed("a number without leading zeros");
        }
        self.skip_digits();
        match (self.peek(0), self.peek(1)) {
            (Some(b'/'), Some(b'1'..=b'9')) => {
                self.offset += 1;
                self.skip_digits();
                self.token(Kind::Fraction, start)
            }
            (Some(b'.'), Some(b'0'..=b'9')) => {
                self.offset += 1;
                self.skip_digits();
                self.exponent();
                self.token(Kind::Fraction, start)
            }
            _ if self.exponent() => self.token(Kind::Fraction, start),
            _ => self.token(Kind::Integer, start),
        }
    }

    fn skip_digits(&mut self) {
        self.skip_while(|byte| byte.is_ascii_digit());
    }

    /// Skips an exponent if there is one.
    fn exponent(&mut self) -> bool {
        if !matches!(self.peek(0), Some(b'e' | b'E')) {
            return false;
        }
        let sign = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
        if !self.peek(1 + sign).is_some_and(|byte| byte.is_ascii_digit()) {
            return false;
        }
        self.offset += 1 + sign;
        self.skip_digits();
        true
    }

    fn punctuation(&mut self, start: usize, first: u8) -> Token {
        let rest = self.rest();
        if let Some(&(spelling, kind)) = OPERATORS.iter().find(|(spelling, _)| rest.starts_with(spelling)) {
            self.offset += spelling.len();
            return self.token(kind, start);
        }
        let kind = match first {
            b'(' => Kind::Open,
            b')' => Kind::Close,
            b'[' => Kind::OpenBracket,
            b']' => Kind::CloseBracket,
            b',' => Kind::Comma,
            b'.' => Kind::Dot,
            b':' => Kind::Colon,
            b'*' => Kind::Star,
            b'!' => Kind::Bang,
            b'?' => Kind::Question,
            b'~' => Kind::Tilde,
            b'&' => Kind::And,
            b'|' => Kind::Or,
            _ => Kind::Unknown,
        };
        self.skip_character();
        self.token(kind, start)
    }

    fn skip_character(&mut self) {
        self.offset += self.text[self.offset..].chars().next().map_or(0, char::len_utf8);
    }

    /// A failure at the character under the cursor.
    fn malformed(&mut self, expected: &'static str) -> Token {
        let start = self.offset;
        self.skip_character();
        self.token(Kind::Malformed(expected), start)
    }
}

/// `text` with every comment replaced by a space; the rest stays as spelled.
pub(super) fn without_comments(text: &str) -> String {
    let mut stripped = String::with_capacity(text.len());
    let mut lexer = Lexer::new(text);
    let mut end = 0;
    loop {
        let token = lexer.next();
        let gap = &text[end..token.start];
        stripped.push_str(if gap.trim_ascii().is_empty() { gap } else { " " });
        stripped.push_str(&text[token.start..token.end]);
        end = token.end;
        if token.kind == Kind::End {
            return stripped;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        let mut lexer = Lexer::new(text);
        let mut kinds = Vec::new();
        loop {
            match lexer.next().kind {
                Kind::End => return kinds,
                kind => kinds.push(kind),
            }
        }
    }

    #[test]
    fn words_and_literals() {
        use Kind::{Distinct, DollarWord, Fraction, Integer, LowerWord, Quoted, UpperWord};
        assert_eq!(kinds("a1_B X_ $true $$sys"), [LowerWord, UpperWord, DollarWord, DollarWord]);
        assert_eq!(kinds(r#"'a \' \\ b' "" "x\"y""#), [Quoted, Distinct, Distinct]);
        assert_eq!(
            kinds("0 -12 +7 1/2 1.5 1.5e-3 2E9"),
            [Integer, Integer, Integer, Fraction, Fraction, Fraction, Fraction]
        );
        assert_eq!(kinds("1."), [Integer, Kind::Dot]);
        assert_eq!(kinds("1/0 1e"), [Integer, Kind::Unknown, Integer, Integer, LowerWord]);
    }

    #[test]
    fn operators_are_the_longest_that_fit() {
        use Kind::{And, Bang, Equal, Iff, ImpliedBy, Implies, Nand, Nor, NotEqual, Or, Question, Tilde, Xor};
        assert_eq!(
            kinds("<=> <~> <= => != = ~| ~& ~ & | ! ?"),
            [Iff, Xor, ImpliedBy, Implies, NotEqual, Equal, Nor, Nand, Tilde, And, Or, Bang, Question]
        );
    }

    #[test]
    fn failures_point_at_the_character() {
        for (text, at) in [("'ab", 3), ("'a\nb'", 2), ("''", 1), (r"'\n'", 1), ("$X", 1), ("007", 0), ("a /* b", 2)] {
            let mut lexer = Lexer::new(text);
            let mut token = lexer.next();
            while !matches!(token.kind, Kind::Malformed(_)) {
                assert_ne!(token.kind, Kind::End, "{text}");
                token = lexer.next();
            }
            assert_eq!(token.start, at, "{text}");
        }
    }

    #[test]
    fn comments_become_spaces() {
        assert_eq!(without_comments("p /* a */ & % b\n'%q' & \"/*\""), "p & '%q' & \"/*\"");
        assert_eq!(without_comments("p\n  & q"), "p\n  & q");
        assert_eq!(without_comments("p/**/q"), "p q");
    }
}
