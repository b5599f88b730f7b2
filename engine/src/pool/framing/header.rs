//! Header lines with a `Content-Length`, and a body.

use super::{Frame, FramingError, Scanned};

/// All header lines of one frame together.
const HEADER_BYTES: usize = 8 << 10;

#[derive(Default)]
pub(super) struct Header {
    at: usize,
    line_start: usize,
    length: Option<usize>,
    /// Where the body starts, once the header is complete.
    body_start: Option<usize>,
}

impl Header {
    pub(super) fn scan(&mut self, bytes: &[u8], max_bytes: usize) -> Scanned {
        while self.body_start.is_none() {
            let Some(&byte) = bytes.get(self.at) else { return Ok(None) };
            if self.at == HEADER_BYTES {
                return Err(FramingError::garbage("the end of the header", self.line_start));
            }
            self.at += 1;
            if byte == b'\n' {
                self.end_line(&bytes[self.line_start..self.at])?;
                self.line_start = self.at;
            }
        }
        let (Some(start), Some(length)) = (self.body_start, self.length) else { return Ok(None) };
        match start.checked_add(length) {
            Some(end) if end <= bytes.len() => Ok(Some(Frame { body: start..end, end })),
            Some(end) if end <= max_bytes => Ok(None),
            _ => Err(FramingError::TooLarge { max_bytes }),
        }
    }

    fn end_line(&mut self, line: &[u8]) -> Result<(), FramingError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            if self.length.is_none() {
                return Err(FramingError::garbage("a Content-Length before the body", self.line_start));
            }
            self.body_start = Some(self.at);
            return Ok(());
        }
        let name_end = line.iter().position(|&byte| byte == b':');
        let name_end = name_end.ok_or(FramingError::garbage("a header line", self.line_start))?;
        if !line[..name_end].eq_ignore_ascii_case(b"content-length") {
            return Ok(());
        }
        let length = decimal(line[name_end + 1..].trim_ascii());
        if length.is_none() || self.length.is_some_and(|before| length != Some(before)) {
            return Err(FramingError::garbage("one Content-Length, a decimal number", self.line_start));
        }
        self.length = length;
        Ok(())
    }
}

/// Digits only; a number that no memory could hold is the largest.
fn decimal(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_usize, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| usize::from(byte - b'0'))?;
        Some(number.saturating_mul(10).saturating_add(digit))
    })
}
