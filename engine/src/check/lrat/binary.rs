//! LRAT in bytes: `a` and an id, literals, 0, hints, 0; or `d`, ids, 0.
//!
//! A number is twice its size, and one more where it is negative, seven bits a byte, the lowest first; all bytes but the last have
//! their highest bit set. So the byte 0 stands for nothing but the end of a list.

use super::steps::{CANDIDATE, Flaw, LARGEST_ID, Piece, Step};
use crate::check::cnf::Literal;

/// Reads `bytes`, which begin with a step, into `into`.
pub fn read(bytes: &[u8], into: &mut Piece) {
    let mut reader = Reader { bytes, at: 0 };
    loop {
        match reader.step(into) {
            Ok(Some(step)) => into.steps.push(step),
            Ok(None) => return,
            Err(flaw) => {
                into.flaw = Some((reader.place(), flaw));
                return;
            }
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    #[allow(clippy::cast_possible_truncation, reason = "a piece has fewer bytes than that")]
    const fn place(&self) -> u32 {
        self.at as u32
    }

    fn step(&mut self, into: &mut Piece) -> Result<Option<Step>, Flaw> {
        let at = self.place();
        let Some(&tag) = self.bytes.get(self.at) else {
            return Ok(None);
        };
        match tag {
            b'a' => {
                self.at += 1;
                let id = self.id()?;
                let start = into.mark();
                loop {
                    let number = self.number()?;
                    if number == 0 {
                        break;
                    }
                    let literal = Literal::new(number >> 1, number & 1 == 1)
                        .ok_or(Flaw::new("variable_too_large", "no literal has this variable"))?;
                    into.largest_code = into.largest_code.max(literal.code());
                    into.numbers.push(literal.code());
                }
                let middle = into.mark();
                loop {
                    let number = self.number()?;
                    if number == 0 {
                        break;
                    }
                    if number & 1 == 1 {
                        into.numbers.push(CANDIDATE);
                    }
                    into.numbers.push(narrow(number >> 1)?);
                }
                Ok(Some(Step { at, id, start, middle, end: into.mark() }))
            }
            b'd' => {
                self.at += 1;
                let start = into.mark();
                while self.bytes.get(self.at) != Some(&0) {
                    let id = self.id()?;
                    into.numbers.push(id);
                }
                self.at += 1;
                Ok(Some(Step { at, id: 0, start, middle: start, end: into.mark() }))
            }
            _ => Err(Flaw::new("unknown_step", "a step begins with 'a' or 'd'")),
        }
    }

    fn id(&mut self) -> Result<u32, Flaw> {
        match self.number()? {
            number if number & 1 == 1 => Err(Flaw::new("id_negative", "this id must not be negative")),
            number => narrow(number >> 1),
        }
    }

    /// A number with its sign in the lowest bit.
    #[inline]
    fn number(&mut self) -> Result<u64, Flaw> {
        let mut value = 0_u64;
        for shift in (0..63).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or(Flaw::new("unfinished", "the last step ends too early"))?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(Flaw::new("number_padded", "a number ends in a byte that adds nothing"));
                }
                return Ok(value);
            }
        }
        Err(Flaw::new("number_too_large", "the number is beyond every range"))
    }
}

fn narrow(id: u64) -> Result<u32, Flaw> {
    match u32::try_from(id) {
        Ok(0) => Err(Flaw::new("id_zero", "no clause has the id 0")),
        Ok(narrow) if id <= LARGEST_ID => Ok(narrow),
        _ => Err(Flaw::new("id_too_large", "ids of this size are not read")),
    }
}

/// The end of the step that begins at `at`; `None` where it does not end within `bytes`.
fn step_end(bytes: &[u8], at: usize) -> Option<usize> {
    let zero = |from: usize| bytes[from..].iter().position(|&byte| byte == 0).map(|zero| from + zero + 1);
    let end = zero(at)?;
    if bytes[at] == b'a' { zero(end) } else { Some(end) }
}

/// Where the first step ends that ends at or behind `least`; or the end of `bytes`.
pub fn cut(bytes: &[u8], least: usize) -> usize {
    let mut at = 0;
    while at < least {
        match step_end(bytes, at) {
            Some(end) => at = end,
            None => return bytes.len(),
        }
    }
    at
}

/// How many bytes the whole steps at the start of `bytes` take.
pub fn whole(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(end) = step_end(bytes, at) {
        at = end;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Piece {
        let mut steps = Piece::default();
        read(bytes, &mut steps);
        steps
    }

    fn code(bytes: &[u8]) -> &'static str {
        parse(bytes).flaw.map_or("none", |(_, flaw)| flaw.code.0)
    }

    #[test]
    fn additions_and_deletions_are_read() {
        let bytes = b"a\x0a\x02\x05\0\x06\x03\x08\0d\x02\x80\x01\0a\x0c\0\0";
        let steps = parse(bytes);
        assert_eq!(steps.flaw, None);
        let [first, second, third] = steps.steps[..] else { panic!("{:?}", steps.steps) };
        assert_eq!((first.id, steps.literals(&first), steps.ids(&first)), (5, &[2, 5][..], &[3, CANDIDATE, 1, 4][..]));
        assert_eq!((second.id, steps.ids(&second)), (0, &[1, 64][..]));
        assert_eq!((third.id, third.at, steps.ids(&third).len()), (6, 14, 0));
    }

    #[test]
    fn what_is_not_whole_is_seen() {
        let bytes = b"a\x0a\x02\0\x06\0d\x02\0";
        for length in 0..bytes.len() {
            assert_eq!(whole(&bytes[..length]), if length < 6 { 0 } else { 6 });
            assert_eq!(code(&bytes[..length]), if length == 0 || length == 6 { "none" } else { "unfinished" });
        }
    }

    #[test]
    fn pieces_are_cut_between_steps() {
        let bytes = b"a\x0a\x02\0\x06\0d\x02\0a\x0c\0\0";
        assert_eq!([0, 1, 6, 7, 9, 10, 99].map(|least| cut(bytes, least)), [0, 6, 6, 9, 9, 13, 13]);
    }

    #[test]
    fn what_is_wrong_has_a_name() {
        assert_eq!(code(b"x"), "unknown_step");
        assert_eq!(code(b"a\x03\0\0"), "id_negative");
        assert_eq!(code(b"a\0\0\0"), "id_zero");
        assert_eq!(code(b"a\x0a\x01\0\0"), "variable_too_large");
        assert_eq!(code(b"a\x0a\x80\0\0\0"), "number_padded");
        assert_eq!(code(b"a\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "number_too_large");
        assert_eq!(code(b"a\x0a\0\xff\xff\xff\xff\xff\xff\x01\0"), "id_too_large");
        assert_eq!(code(b"a\x0a\0\x01\0"), "id_zero");
    }
}
