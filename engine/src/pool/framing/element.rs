//! Top-level XML elements.

use super::{Frame, FramingError, Scanned};

/// What the next byte belongs to. A `from` is the first byte that may take part in the mark that ends it.
#[derive(Clone, Copy, Default)]
enum Within {
    #[default]
    Text,
    /// Behind `<`.
    Less,
    StartTag,
    /// An attribute's value; the byte is its quote.
    Value(u8),
    EndTag,
    /// Behind `<!`: a comment or CDATA, which the next bytes tell.
    Bang {
        from: usize,
    },
    Comment {
        from: usize,
    },
    Cdata {
        from: usize,
    },
    Instruction {
        from: usize,
    },
}

#[derive(Default)]
pub(super) struct Element {
    at: usize,
    within: Within,
    depth: usize,
    /// Where the element begins.
    begin: Option<usize>,
}

impl Element {
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Scanned {
        while let Some(&byte) = bytes.get(self.at) {
            let complete = self.step(byte, bytes)?;
            self.at += 1;
            if let (true, Some(begin)) = (complete, self.begin) {
                return Ok(Some(Frame { body: begin..self.at, end: self.at }));
            }
        }
        Ok(None)
    }

    /// Takes one byte, and says whether it completes the element.
    fn step(&mut self, byte: u8, bytes: &[u8]) -> Result<bool, FramingError> {
        let at = self.at;
        let ends = |from: usize, mark: &[u8]| bytes[from.min(at)..=at].ends_with(mark);
        self.within = match self.within {
            Within::Text if byte == b'<' => Within::Less,
            Within::Text if self.depth == 0 && !byte.is_ascii_whitespace() => {
                return Err(FramingError::garbage("an XML element", at));
            }
            Within::Less => return self.less(byte).map(|within| self.enter(within)),
            Within::StartTag => match byte {
                b'"' | b'\'' => Within::Value(byte),
                b'<' => return Err(FramingError::garbage("the end of a tag", at)),
                b'>' if bytes[at - 1] == b'/' => return Ok(self.close()),
                b'>' => Within::Text,
                _ => Within::StartTag,
            },
            Within::Value(quote) if byte == quote => Within::StartTag,
            Within::EndTag if byte == b'>' => return Ok(self.close()),
            Within::EndTag if byte == b'<' => return Err(FramingError::garbage("the end of a tag", at)),
            Within::Bang { from } => return self.bang(&bytes[from..=at], from).map(|within| self.enter(within)),
            Within::Comment { from } if ends(from, b"-->") => Within::Text,
            Within::Cdata { from } if ends(from, b"]]>") => Within::Text,
            Within::Instruction { from } if ends(from, b"?>") => Within::Text,
            within => within,
        };
        Ok(false)
    }

    fn enter(&mut self, within: Within) -> bool {
        self.within = within;
        false
    }

    /// Behind `<`.
    fn less(&mut self, byte: u8) -> Result<Within, FramingError> {
        let less = self.at - 1;
        match byte {
            b'!' => Ok(Within::Bang { from: less }),
            b'?' => Ok(Within::Instruction { from: self.at + 1 }),
            b'/' if self.depth > 0 => Ok(Within::EndTag),
            b'/' => Err(FramingError::garbage("the start of an element", less)),
            b'_' | b':' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => {
                self.depth += 1;
                self.begin.get_or_insert(less);
                Ok(Within::StartTag)
            }
            _ => Err(FramingError::garbage("the name of an element", self.at)),
        }
    }

    /// Behind `<!`: `so_far` begins with that.
    fn bang(&self, so_far: &[u8], from: usize) -> Result<Within, FramingError> {
        let content = self.at + 1;
        match so_far {
            b"<!--" => Ok(Within::Comment { from: content }),
            b"<![CDATA[" if self.depth > 0 => Ok(Within::Cdata { from: content }),
            _ if b"<!--".starts_with(so_far) || b"<![CDATA[".starts_with(so_far) => Ok(Within::Bang { from }),
            _ => Err(FramingError::garbage("an element, a comment or CDATA", from)),
        }
    }

    fn close(&mut self) -> bool {
        self.depth -= 1;
        self.within = Within::Text;
        self.depth == 0
    }
}
