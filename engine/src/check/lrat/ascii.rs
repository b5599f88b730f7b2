//! LRAT as text: one step a line.
//!
//! ```text
//! ID LITERAL* 0 HINT* [-CANDIDATE HINT*]* 0        an addition
//! ID d ID* 0                                       a deletion
//! c ...                                            a comment
//! ```
//!
//! Source: L. Cruz-Filipe, M. Heule, W. Hunt, M. Kaufmann, P. Schneider-Kamp, *Efficient Certified RAT Verification*, CADE 2017.

use super::steps::{CANDIDATE, Flaw, LARGEST_ID, Piece, Step};
use crate::check::cnf::Literal;
use crate::check::scan::{BadNumber, Scanner};

/// Reads `text`, which begins at the start of a line, into `into`.
pub fn read(text: &[u8], into: &mut Piece) {
    let mut scanner = Scanner::new(text);
    if let Err(flaw) = steps(&mut scanner, into) {
        into.flaw = Some((place(scanner.at()), flaw));
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a piece has fewer bytes than that")]
const fn place(at: usize) -> u32 {
    at as u32
}

fn steps(scanner: &mut Scanner<'_>, into: &mut Piece) -> Result<(), Flaw> {
    loop {
        scanner.white();
        let at = place(scanner.at());
        match scanner.peek() {
            None => return Ok(()),
            Some(b'c') => {
                scanner.line();
                continue;
            }
            Some(_) => {}
        }
        let id = id(scanner)?;
        scanner.blanks();
        let start = into.mark();
        let step = if scanner.peek() == Some(b'd') {
            scanner.pass();
            while let Some(other) = next_id(scanner)? {
                into.numbers.push(other);
            }
            Step { at, id: 0, start, middle: start, end: into.mark() }
        } else {
            if id == 0 {
                return Err(Flaw::new("id_zero", "no clause has the id 0"));
            }
            literals(scanner, into)?;
            let middle = into.mark();
            hints(scanner, into)?;
            Step { at, id, start, middle, end: into.mark() }
        };
        scanner.blanks();
        if !matches!(scanner.peek(), None | Some(b'\n')) {
            return Err(Flaw::new("line_end", "the step is complete, and its line goes on"));
        }
        into.steps.push(step);
    }
}

fn literals(scanner: &mut Scanner<'_>, into: &mut Piece) -> Result<(), Flaw> {
    loop {
        scanner.blanks();
        let negated = sign(scanner);
        let variable = number(scanner)?;
        if variable == 0 && !negated {
            return Ok(());
        }
        let literal =
            Literal::new(variable, negated).ok_or(Flaw::new("variable_too_large", "no literal has this variable"))?;
        into.largest_code = into.largest_code.max(literal.code());
        into.numbers.push(literal.code());
    }
}

fn hints(scanner: &mut Scanner<'_>, into: &mut Piece) -> Result<(), Flaw> {
    loop {
        while let Some(id) = scanner.short_number() {
            if id == 0 {
                return Ok(());
            }
            into.numbers.push(id);
        }
        scanner.blanks();
        let candidate = sign(scanner);
        let id = id(scanner)?;
        if candidate {
            into.numbers.push(CANDIDATE);
        }
        match id {
            0 if candidate => return Err(Flaw::new("id_zero", "no clause has the id 0")),
            0 => return Ok(()),
            id => into.numbers.push(id),
        }
    }
}

/// The next id of a list; `None` at its end.
fn next_id(scanner: &mut Scanner<'_>) -> Result<Option<u32>, Flaw> {
    scanner.blanks();
    Ok(Some(id(scanner)?).filter(|&id| id != 0))
}

#[inline]
fn sign(scanner: &mut Scanner<'_>) -> bool {
    let negative = scanner.peek() == Some(b'-');
    if negative {
        scanner.pass();
    }
    negative
}

#[inline]
fn id(scanner: &mut Scanner<'_>) -> Result<u32, Flaw> {
    let id = number(scanner)?;
    if id > LARGEST_ID {
        return Err(Flaw::new("id_too_large", "ids of this size are not read"));
    }
    #[allow(clippy::cast_possible_truncation, reason = "just compared")]
    Ok(id as u32)
}

/// A number with a blank or a line's end behind it.
#[inline]
fn number(scanner: &mut Scanner<'_>) -> Result<u64, Flaw> {
    let number =
        scanner.number().map_err(|bad: BadNumber| Flaw { code: bad.code(), message: bad.message(), clause: None })?;
    match scanner.peek() {
        Some(b' ') => scanner.pass(),
        None | Some(b'\t' | b'\r' | b'\n') => {}
        Some(_) => return Err(Flaw::new("number_missing", "a blank should stand here")),
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Piece {
        let mut steps = Piece::default();
        read(text.as_bytes(), &mut steps);
        steps
    }

    fn code(text: &str) -> &'static str {
        parse(text).flaw.map_or("none", |(_, flaw)| flaw.code.0)
    }

    #[test]
    fn additions_and_deletions_are_read() {
        let steps = parse("c hi\n5 1 -2 0 3 4 -1 2 -3 0\r\n\n5 d 1 2 0\n6 0 0");
        assert_eq!(steps.flaw, None);
        let [first, second, third] = steps.steps[..] else { panic!("{:?}", steps.steps) };
        assert_eq!((first.id, steps.literals(&first)), (5, &[2, 5][..]));
        assert_eq!(steps.ids(&first), [3, 4, CANDIDATE, 1, 2, CANDIDATE, 3]);
        assert_eq!((second.id, steps.ids(&second)), (0, &[1, 2][..]));
        assert_eq!((third.id, third.at, steps.literals(&third).len(), steps.ids(&third).len()), (6, 40, 0, 0));
        assert_eq!(steps.largest_code, 5);
    }

    #[test]
    fn what_is_wrong_has_a_name_and_a_place() {
        assert_eq!(code("5 1 0 3\n4 0\n"), "number_missing");
        assert_eq!(code("5 1 0 3 0 4\n"), "line_end");
        assert_eq!(code("5 1 0 -0 0\n"), "id_zero");
        assert_eq!(code("0 1 0 0\n"), "id_zero");
        assert_eq!(code("5 -0 0 0\n"), "variable_too_large");
        assert_eq!(code("5 2147483648 0 0\n"), "variable_too_large");
        assert_eq!(code("5 2147483647 0 4294967295 0\n"), "id_too_large");
        assert_eq!(code("5 1 0 18446744073709551617 0\n"), "number_too_large");
        assert_eq!(code("5 1-2 0 0\n"), "number_missing");
        assert_eq!(code("5 1 0"), "number_missing");
        assert_eq!(code("5 d 1 -2 0"), "number_missing");
        assert_eq!(parse("5 1 0 0\n6 x").flaw.unwrap().0, 10);
        assert_eq!(parse("5 1 0 0\n6 x").steps.len(), 1);
    }
}
