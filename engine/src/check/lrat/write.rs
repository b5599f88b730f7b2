//! Binary LRAT, written.

use super::steps::CANDIDATE;

/// A proof that grows step by step.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    /// What was written.
    pub bytes: Vec<u8>,
}

impl Writer {
    /// Adds a clause of literals, given as codes. A hint behind a [`CANDIDATE`] is written as a candidate.
    pub fn addition(&mut self, id: u32, literals: impl IntoIterator<Item = u32>, hints: &[u32]) {
        self.bytes.push(b'a');
        self.number(u64::from(id) << 1);
        literals.into_iter().for_each(|code| self.number(u64::from(code)));
        self.bytes.push(0);
        let mut sign = 0;
        for &hint in hints {
            if hint == CANDIDATE {
                sign = 1;
            } else {
                self.number(u64::from(hint) << 1 | sign);
                sign = 0;
            }
        }
        self.bytes.push(0);
    }

    /// Deletes clauses.
    pub fn deletion(&mut self, ids: &[u32]) {
        self.bytes.push(b'd');
        ids.iter().for_each(|&id| self.number(u64::from(id) << 1));
        self.bytes.push(0);
    }

    #[allow(clippy::cast_possible_truncation, reason = "seven bits at a time")]
    fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Encoding;
    use super::super::steps::Piece;
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let (mut writer, mut steps) = (Writer::default(), Piece::default());
        writer.addition(5, [2, 301], &[3, CANDIDATE, 70_000, 4]);
        writer.deletion(&[1, 2]);
        Encoding::Binary.read(&writer.bytes, &mut steps);
        let [addition, deletion] = steps.steps[..] else { panic!("{steps:?}") };
        assert_eq!((addition.id, steps.literals(&addition)), (5, &[2, 301][..]));
        assert_eq!(steps.ids(&addition), [3, CANDIDATE, 70_000, 4]);
        assert_eq!((deletion.id, steps.ids(&deletion)), (0, &[1, 2][..]));
    }
}
