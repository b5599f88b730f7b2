//! Numbers in text: what DIMACS, LRAT and DRAT files are made of.

use super::verdict::Code;

/// What is wrong with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadNumber {
    /// No digit stands there.
    Missing,
    /// It does not fit into 63 bits.
    TooLarge,
}

impl BadNumber {
    /// The code of a fault.
    pub const fn code(self) -> Code {
        match self {
            Self::Missing => Code("number_missing"),
            Self::TooLarge => Code("number_too_large"),
        }
    }

    /// A sentence for people.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Missing => "a number should stand here",
            Self::TooLarge => "the number is beyond every range",
        }
    }
}

/// Reads a text from left to right.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Starts at the beginning of `text`.
    pub const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// How many bytes were read.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The next byte, or `None` at the end.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Passes the byte that [`peek`](Self::peek) showed.
    #[inline]
    pub fn pass(&mut self) {
        self.at += 1;
    }

    /// Passes spaces, tabs and carriage returns.
    #[inline]
    pub fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Passes blanks and line ends.
    #[inline]
    pub fn white(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// Passes everything up to the end of the line.
    pub fn line(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    }

    /// Passes `word` if it stands here.
    pub fn word(&mut self, word: &[u8]) -> bool {
        let found = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// The next eight bytes, the first in the lowest byte, as digits: with `0` taken off each.
    #[inline]
    fn window(&self) -> Option<u64> {
        let window = self.text.get(self.at..)?.first_chunk()?;
        Some(u64::from_le_bytes(*window) ^ 0x3030_3030_3030_3030)
    }

    /// A number of at most seven digits and the one space behind it, if that stands here: the usual case, read fast.
    #[inline]
    pub fn short_number(&mut self) -> Option<u32> {
        let digits = self.window()?;
        let length = leading_digits(digits);
        if length == 0 || length == 8 || (digits >> (8 * length)) & 0xff != u64::from(b' ' ^ b'0') {
            return None;
        }
        self.at += length as usize + 1;
        #[allow(clippy::cast_possible_truncation, reason = "seven digits")]
        Some(eight_digits(digits << (64 - 8 * length)) as u32)
    }

    /// The number that stands here.
    #[inline]
    pub fn number(&mut self) -> Result<u64, BadNumber> {
        let Some(digits) = self.window() else {
            return self.long_number(0, false);
        };
        let length = leading_digits(digits);
        match length {
            0 => Err(BadNumber::Missing),
            8 => {
                self.at += 8;
                self.long_number(eight_digits(digits), true)
            }
            _ => {
                self.at += length as usize;
                Ok(eight_digits(digits << (64 - 8 * length)))
            }
        }
    }

    /// Digit by digit, behind `any` digits whose value is `value`: near the end of the text, and for long numbers.
    #[cold]
    fn long_number(&mut self, mut value: u64, mut any: bool) -> Result<u64, BadNumber> {
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            let next = value.checked_mul(10).and_then(|tens| tens.checked_add(u64::from(digit - b'0')));
            value = next.filter(|&next| i64::try_from(next).is_ok()).ok_or(BadNumber::TooLarge)?;
            any = true;
            self.at += 1;
        }
        if any { Ok(value) } else { Err(BadNumber::Missing) }
    }
}

/// How many of the bytes, from the lowest, are digits.
///
/// Eight bytes are looked at without a loop: numbers differ in length, and a processor that guesses the end of each wrongly spends its
/// time on that.
#[inline]
const fn leading_digits(digits: u64) -> u32 {
    // The high bit of a byte is set where the byte is above 9. A carry only reaches bytes behind the first such one.
    let others = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080;
    others.trailing_zeros() / 8
}

/// The value of eight digits, one a byte, the first in the lowest byte.
#[inline]
const fn eight_digits(digits: u64) -> u64 {
    let pairs = (digits.wrapping_mul(1 + (10 << 8)) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(1 + (100 << 16)) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(1 + (10_000 << 32)) >> 32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<(u64, usize), BadNumber> {
        let mut scanner = Scanner::new(text.as_bytes());
        scanner.number().map(|value| (value, scanner.at()))
    }

    #[test]
    fn numbers_end_where_their_digits_end() {
        assert_eq!(read("0 "), Ok((0, 1)));
        assert_eq!(read("12345678"), Ok((12_345_678, 8)));
        assert_eq!(read("12345678 12345"), Ok((12_345_678, 8)));
        assert_eq!(read("00000000000000000000000000000000001 "), Ok((1, 35)));
        assert_eq!(read("7/ : ; < = > ? "), Ok((7, 1)));
        assert_eq!(read("9\u{ff}\u{ff}\u{ff}\u{ff}"), Ok((9, 1)));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", " ", "-1", "x1234567", "\u{ff}12345678"] {
            assert_eq!(read(text), Err(BadNumber::Missing), "{text}");
        }
        assert_eq!(read("9223372036854775807 "), Ok((i64::MAX as u64, 19)));
        assert_eq!(read("9223372036854775808 "), Err(BadNumber::TooLarge));
        assert_eq!(read(&"9".repeat(1000)), Err(BadNumber::TooLarge));
        let mut scanner = Scanner::new(b"12x");
        assert_eq!(scanner.number(), Ok(12));
        assert_eq!(scanner.number(), Err(BadNumber::Missing));
    }

    proptest! {
        #[test]
        fn every_number_is_read_as_the_standard_library_reads_it(value in 0..=i64::MAX as u64, shift in 0..63, tail in "[ a\n-]{0,9}") {
            let value: u64 = value >> shift;
            let text = format!("{value}{tail}");
            let length = value.to_string().len();
            prop_assert_eq!(read(&text), Ok((value, length)));
            let mut scanner = Scanner::new(text.as_bytes());
            if let Some(short) = scanner.short_number() {
                prop_assert_eq!((u64::from(short), scanner.at()), (value, length + 1));
                prop_assert_eq!(text.as_bytes()[length], b' ');
            }
        }
    }
}
