//! Where one answer of a prover ends and the next begins.
//!
//! Every byte is looked at once, however the answers are split on their way. One frame, with all that is skipped before it, is
//! held to a number of bytes; beyond bytes nothing grows, whatever is nested in what. What comes out does not depend on where
//! the pipe happened to cut.

mod element;
mod error;
mod expression;
mod header;
mod lines;

#[cfg(test)]
mod tests;

use std::mem;
use std::ops::Range;

pub use error::FramingError;
pub use expression::Dialect;
pub use lines::MarkerLine;

/// What a frame is. The bytes of a frame are handed out as they came: nothing is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One line; its end, `\n` or `\r\n`, is not part of it.
    Lines,
    /// Header lines as in the Language Server Protocol, an empty line, and as many bytes as `Content-Length` said. The frame is
    /// those bytes alone.
    ContentLength,
    /// Lines up to an empty one. Empty lines before it are skipped, and the line end before the empty line is not part of it.
    BlankLine,
    /// One list, string or atom, without the blanks and comments around it. An atom is complete with the byte after it.
    SExpression(Dialect),
    /// One top-level XML element. Blanks, comments and processing instructions between elements are skipped; a document type
    /// is refused, so that no entity can be declared. Names are not compared: tags are only counted.
    XmlElement,
    /// All lines before the one with the marker that was set for this request. That line is dropped.
    Nonce(MarkerLine),
    /// Everything until the process ended or closed its output.
    EndOfFile,
}

impl Framing {
    /// Each framing with the name that configurations call it by.
    pub const ALL: [(&'static str, Self); 10] = [
        ("lines", Self::Lines),
        ("content-length", Self::ContentLength),
        ("blank-line", Self::BlankLine),
        ("s-expression-smt-lib", Self::SExpression(Dialect::SmtLib)),
        ("s-expression-lisp", Self::SExpression(Dialect::Lisp)),
        ("s-expression-sexplib", Self::SExpression(Dialect::Sexplib)),
        ("xml-element", Self::XmlElement),
        ("nonce", Self::Nonce(MarkerLine::Alone)),
        ("nonce-within-line", Self::Nonce(MarkerLine::Containing)),
        ("end-of-file", Self::EndOfFile),
    ];

    /// The framing of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(known, framing)| (known == name).then_some(framing))
    }
}

/// A frame within the bytes that were not handed out yet.
#[derive(Debug, PartialEq, Eq)]
struct Frame {
    body: Range<usize>,
    /// Where the next one begins.
    end: usize,
}

type Scanned = Result<Option<Frame>, FramingError>;

/// Remembers how far it looked. `bytes` is always everything since the end of the last frame.
enum Scanner {
    Lines(lines::Lines),
    ContentLength(header::Header),
    BlankLine(lines::Paragraph),
    SExpression(expression::Expression),
    XmlElement(element::Element),
    Nonce(lines::Marked),
    EndOfFile,
}

impl Scanner {
    fn new(framing: Framing) -> Self {
        match framing {
            Framing::Lines => Self::Lines(lines::Lines::default()),
            Framing::ContentLength => Self::ContentLength(header::Header::default()),
            Framing::BlankLine => Self::BlankLine(lines::Paragraph::default()),
            Framing::SExpression(dialect) => Self::SExpression(expression::Expression::new(dialect)),
            Framing::XmlElement => Self::XmlElement(element::Element::default()),
            Framing::Nonce(line) => Self::Nonce(lines::Marked::new(line)),
            Framing::EndOfFile => Self::EndOfFile,
        }
    }

    fn scan(&mut self, bytes: &[u8], marker: &[u8], max_bytes: usize) -> Scanned {
        match self {
            Self::Lines(lines) => Ok(lines.scan(bytes)),
            Self::ContentLength(header) => header.scan(bytes, max_bytes),
            Self::BlankLine(paragraph) => Ok(paragraph.scan(bytes)),
            Self::SExpression(expression) => expression.scan(bytes),
            Self::XmlElement(element) => element.scan(bytes),
            Self::Nonce(_) if marker.is_empty() => Err(FramingError::NoMarker),
            Self::Nonce(lines) => Ok(lines.scan(bytes, marker)),
            Self::EndOfFile => Ok(None),
        }
    }
}

/// Bytes go in as they come, frames come out.
pub struct Frames {
    framing: Framing,
    max_frame_bytes: usize,
    scanner: Scanner,
    marker: Vec<u8>,
    bytes: Vec<u8>,
    /// Where the first frame that was not handed out begins.
    start: usize,
    failed: Option<FramingError>,
}

/// Room that an empty buffer may keep.
const KEPT_BYTES: usize = 1 << 20;

impl Frames {
    /// No bytes yet. A frame, with what is skipped before it and what ends it, may have `max_frame_bytes`.
    pub fn new(framing: Framing, max_frame_bytes: usize) -> Self {
        Self {
            framing,
            max_frame_bytes,
            scanner: Scanner::new(framing),
            marker: Vec::new(),
            bytes: Vec::new(),
            start: 0,
            failed: None,
        }
    }

    /// Where to append what came. Nothing else may be done to it.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        // Only when at least as many bytes go as stay, so that each byte is moved once at most on average.
        if self.start >= self.bytes.len() - self.start {
            self.bytes.drain(..self.start);
            self.start = 0;
            if self.bytes.is_empty() {
                self.bytes.shrink_to(KEPT_BYTES);
            }
        }
        &mut self.bytes
    }

    /// The next frame, if it is complete. After an error there are no more frames until [`Frames::clear`].
    pub fn take(&mut self) -> Result<Option<Vec<u8>>, FramingError> {
        match self.next() {
            Ok(frame) => Ok(frame),
            Err(FramingError::NoMarker) => Err(FramingError::NoMarker),
            Err(error) => {
                let error = error.quoting(&self.bytes[self.start..]);
                self.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, FramingError> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        let waiting = &self.bytes[self.start..];
        // Never more than one frame may have, so that where a pipe cuts does not decide what is too large.
        let window = &waiting[..waiting.len().min(self.max_frame_bytes)];
        match self.scanner.scan(window, &self.marker, self.max_frame_bytes)? {
            Some(Frame { body, end }) => {
                let frame = window[body].to_vec();
                self.start += end;
                self.scanner = Scanner::new(self.framing);
                Ok(Some(frame))
            }
            None if waiting.len() > self.max_frame_bytes => {
                Err(FramingError::TooLarge { max_bytes: self.max_frame_bytes })
            }
            None => Ok(None),
        }
    }

    /// To be called when no more bytes will come: with [`Framing::EndOfFile`] they are the frame, once. Otherwise an unfinished
    /// frame is none.
    pub fn finish(&mut self) -> Result<Option<Vec<u8>>, FramingError> {
        if self.framing != Framing::EndOfFile {
            return Ok(None);
        }
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        self.failed = Some(FramingError::Finished);
        self.start = 0;
        Ok(Some(mem::take(&mut self.bytes)))
    }

    /// Sets what [`Framing::Nonce`] looks for from now on, also in what was not handed out yet.
    pub fn set_marker(&mut self, marker: &[u8]) -> Result<(), FramingError> {
        if marker.is_empty() || marker.contains(&b'\n') || marker.contains(&b'\r') {
            return Err(FramingError::NoMarker);
        }
        marker.clone_into(&mut self.marker);
        self.scanner = Scanner::new(self.framing);
        Ok(())
    }

    /// Forgets all bytes, and the error.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.start = 0;
        self.scanner = Scanner::new(self.framing);
        self.failed = None;
    }
}
