//! A proof in batches that end between two steps, so that a proof of any length passes through a bounded memory.

use std::io::{self, Read};
use std::ops::Range;

use super::binary;
use super::steps::Piece;

/// How many bytes are read at once. Verdicts do not depend on it, nor on the number of threads.
const BATCH_BYTES: usize = 4 << 20;
/// About how many bytes are parsed at once: what fits into the nearer caches with what is made of it.
const PIECE_BYTES: usize = 1 << 17;
/// The longest step that can be read, as places in a piece have 32 bits.
const LONGEST: usize = 1 << 31;

/// How a proof is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As text.
    Ascii,
    /// As bytes.
    Binary,
}

impl Encoding {
    /// The encoding of a proof that begins with these bytes: text begins with a number or a comment, bytes with `a` or `d`.
    pub fn of(start: &[u8]) -> Self {
        if matches!(start.first(), Some(b'a' | b'd')) { Self::Binary } else { Self::Ascii }
    }

    /// Reads the steps of a piece.
    pub fn read(self, piece: &[u8], into: &mut Piece) {
        match self {
            Self::Ascii => super::ascii::read(piece, into),
            Self::Binary => binary::read(piece, into),
        }
    }
}

/// The next bytes of a proof, from the start of a step.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// How many of them are whole steps.
    whole: usize,
    /// Whether the proof ends with this batch.
    pub last: bool,
}

impl Batch {
    /// The whole steps of the batch.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.whole]
    }

    /// How much memory it takes.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Reads the batch that follows `before`. Returns `false` where a single step is too long for `limit` bytes.
    pub fn fill(
        &mut self,
        before: &Self,
        from: &mut dyn Read,
        encoding: Option<Encoding>,
        limit: u64,
    ) -> io::Result<bool> {
        self.bytes.clear();
        self.bytes.extend_from_slice(&before.bytes[before.whole..]);
        (self.whole, self.last) = (0, false);
        let mut aim = BATCH_BYTES;
        loop {
            let missing = aim.saturating_sub(self.bytes.len());
            let got = from.take(missing as u64).read_to_end(&mut self.bytes)?;
            self.last = got < missing;
            self.whole = match encoding.unwrap_or_else(|| Encoding::of(&self.bytes)) {
                _ if self.last => self.bytes.len(),
                Encoding::Ascii => self.bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1),
                Encoding::Binary => binary::whole(&self.bytes),
            };
            if self.whole > 0 || self.last {
                return Ok(true);
            }
            if aim >= LONGEST || aim as u64 * 2 > limit {
                return Ok(false);
            }
            aim *= 2;
        }
    }

    /// Where the batch may be cut so that pieces begin with a step.
    pub fn pieces(&self, encoding: Encoding) -> Vec<Range<usize>> {
        let bytes = self.bytes();
        let mut pieces = Vec::with_capacity(bytes.len() / PIECE_BYTES + 1);
        let mut start = 0;
        while start < bytes.len() {
            let rest = &bytes[start..];
            let length = match encoding {
                _ if rest.len() <= PIECE_BYTES => rest.len(),
                Encoding::Ascii => {
                    let newline = rest[PIECE_BYTES..].iter().position(|&byte| byte == b'\n');
                    newline.map_or(rest.len(), |newline| PIECE_BYTES + newline + 1)
                }
                Encoding::Binary => binary::cut(rest, PIECE_BYTES),
            };
            pieces.push(start..start + length);
            start += length;
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All batches of `proof`, as text.
    fn batches(proof: &[u8], encoding: Encoding) -> Vec<Vec<u8>> {
        let (mut reader, mut before, mut found) = (proof, Batch::default(), Vec::new());
        loop {
            let mut batch = Batch::default();
            assert!(batch.fill(&before, &mut reader, Some(encoding), u64::MAX).unwrap());
            let pieces = batch.pieces(encoding);
            assert_eq!(pieces.iter().map(ExactSizeIterator::len).sum::<usize>(), batch.bytes().len());
            found.extend(pieces.into_iter().map(|piece| batch.bytes()[piece].to_vec()));
            if batch.last {
                return found;
            }
            before = batch;
        }
    }

    #[test]
    fn pieces_of_text_end_with_lines() {
        let line = b"123 45 -67 0 1 2 3 0\n";
        let proof = line.repeat(500_000);
        let pieces = batches(&proof, Encoding::Ascii);
        assert!(pieces.len() > 50 && pieces.iter().all(|piece| piece.ends_with(b"\n")));
        assert!(pieces.concat() == proof);
    }

    #[test]
    fn pieces_of_bytes_end_with_steps() {
        let proof = b"a\x0a\x82\x07\0\x06\x08\0d\x02\x04\0".repeat(500_000);
        let pieces = batches(&proof, Encoding::Binary);
        assert!(pieces.len() > 30);
        for piece in &pieces {
            let mut steps = Piece::default();
            Encoding::Binary.read(piece, &mut steps);
            assert_eq!(steps.flaw, None);
        }
        assert!(pieces.concat() == proof);
    }

    #[test]
    fn a_long_step_is_read_whole_or_not_at_all() {
        let mut proof = b"1 ".to_vec();
        proof.extend(b"1 ".repeat(5 << 20));
        proof.extend(b"0 0\n2 0 0\n");
        assert_eq!(batches(&proof, Encoding::Ascii).len(), 2);
        let mut batch = Batch::default();
        assert!(!batch.fill(&Batch::default(), &mut &proof[..], None, 8 << 20).unwrap());
    }
}
