//! Frames that are made of lines.

use super::Frame;

/// How the marker of [`super::Framing::Nonce`] stands in its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkerLine {
    /// Alone, or alone between double quotes: what `(echo "...")` prints.
    Alone,
    /// Anywhere: for programs that can only be made to complain about a word, after their prompt.
    Containing,
}

/// Finds the ends of lines, each byte once.
#[derive(Default)]
struct LineEnds {
    line_start: usize,
    at: usize,
}

impl LineEnds {
    /// The next complete line: where it starts, where its text ends, and where the one after it starts.
    fn next(&mut self, bytes: &[u8]) -> Option<(usize, usize, usize)> {
        let Some(offset) = bytes[self.at..].iter().position(|&byte| byte == b'\n') else {
            self.at = bytes.len();
            return None;
        };
        let (start, feed) = (self.line_start, self.at + offset);
        self.at = feed + 1;
        self.line_start = feed + 1;
        Some((start, before_return(bytes, start, feed), feed + 1))
    }
}

/// The end of the text of a line whose `\n` stands at `feed`.
fn before_return(bytes: &[u8], start: usize, feed: usize) -> usize {
    if feed > start && bytes[feed - 1] == b'\r' { feed - 1 } else { feed }
}

/// One line.
#[derive(Default)]
pub(super) struct Lines(LineEnds);

impl Lines {
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Option<Frame> {
        let (start, text_end, end) = self.0.next(bytes)?;
        Some(Frame { body: start..text_end, end })
    }
}

/// Lines up to an empty one.
#[derive(Default)]
pub(super) struct Paragraph {
    lines: LineEnds,
    /// Where its first line starts and the text of its last one ends.
    body: Option<(usize, usize)>,
}

impl Paragraph {
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Option<Frame> {
        loop {
            let (start, text_end, end) = self.lines.next(bytes)?;
            self.body = match self.body {
                Some((first, last)) if text_end == start => return Some(Frame { body: first..last, end }),
                Some((first, _)) => Some((first, text_end)),
                None if text_end == start => None,
                None => Some((start, text_end)),
            };
        }
    }
}

/// Lines up to the one with the marker.
pub(super) struct Marked {
    lines: LineEnds,
    marker: MarkerLine,
}

impl Marked {
    pub(super) fn new(marker: MarkerLine) -> Self {
        Self { lines: LineEnds::default(), marker }
    }

    pub(super) fn scan(&mut self, bytes: &[u8], marker: &[u8]) -> Option<Frame> {
        loop {
            let (start, text_end, end) = self.lines.next(bytes)?;
            let line = &bytes[start..text_end];
            let found = match self.marker {
                MarkerLine::Alone => line == marker || unquoted(line) == Some(marker),
                MarkerLine::Containing => line.windows(marker.len()).any(|part| part == marker),
            };
            if found {
                return Some(Frame { body: 0..start, end });
            }
        }
    }
}

fn unquoted(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"\"")?.strip_suffix(b"\"")
}
