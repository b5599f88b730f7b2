//! Reads proofs, normal and compressed, and drives the machine.

use std::ops::Range;

use super::super::Budget;
use super::codes;
use super::kernel::{Claim, Entry, Machine, Scratch, Wrong};
use super::library::{Columns, KIND, NONE, PROOF, PROOF_END, ROSTER, Row, slice};
use super::scan::{is_white, narrow_one, next_token};
use super::view::{Meaning, View};

/// Why a proof was not accepted, and at which bytes and step of it.
#[derive(Debug)]
pub(super) struct Misproof {
    pub wrong: Wrong,
    pub span: Range<usize>,
    /// 1-based; 0 before the first.
    pub step: u64,
}

/// Decides the proof at `place` of `text`.
pub(super) fn check(
    view: View<'_>,
    claim: Claim<'_>,
    text: &[u8],
    place: Range<usize>,
    budget: &Budget,
    scratch: &mut Scratch,
) -> Result<(), Misproof> {
    let whole = place.clone();
    let mut machine =
        Machine::new(view, claim, budget, scratch).map_err(|wrong| Misproof { wrong, span: whole.clone(), step: 0 })?;
    let mut reader = Reader { text, at: place.start, end: place.end, token: place.start..place.start };
    let done = reader.read(&mut machine);
    let step = machine.step;
    done.map_err(|wrong| Misproof { wrong, span: reader.token.clone(), step })?;
    machine.finish().map_err(|wrong| Misproof { wrong, span: whole, step })
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    end: usize,
    /// What is being read: where a fault will point.
    token: Range<usize>,
}

impl Reader<'_> {
    fn read(&mut self, machine: &mut Machine<'_>) -> Result<(), Wrong> {
        if let Some((roster, letters)) = machine.claim.roster {
            if resolved(machine, roster).is_ok() {
                self.at = letters;
                return self.letters(machine);
            }
            // The text says what is wrong, and where.
            machine.scratch.references.truncate(machine.claim.frame.len());
        }
        let Some(first) = self.next()? else { return Err(Wrong::new(codes::PROOF_EMPTY)) };
        if &self.text[first.clone()] == b"(" {
            self.roster(machine)?;
            return self.letters(machine);
        }
        let mut token = Some(first);
        while let Some(place) = token {
            self.label(machine, &place)?;
            token = self.next()?;
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Range<usize>>, Wrong> {
        let found = next_token(self.text, self.at, self.end).map_err(|trouble| {
            self.token = trouble.span;
            Wrong::new(trouble.code)
        })?;
        if let Some(token) = &found {
            self.at = token.end;
            self.token = token.clone();
        }
        Ok(found)
    }

    /// One step of a normal proof.
    fn label(&self, machine: &mut Machine<'_>, place: &Range<usize>) -> Result<(), Wrong> {
        let label = &self.text[place.clone()];
        machine.begin_step()?;
        if label == b"?" {
            return Err(Wrong::undecided(codes::PROOF_INCOMPLETE));
        }
        if let Some(position) = own(machine, label) {
            machine.push(machine.scratch.references[position]);
            return Ok(());
        }
        match meaning(machine, label)? {
            Reference::Assertion(number) => machine.apply(number),
            Reference::Hypothesis(typecode, math, _) => {
                let entry = machine.write(typecode, math)?;
                machine.push(entry);
                Ok(())
            }
        }
    }

    /// The labels of a compressed proof.
    fn roster(&mut self, machine: &mut Machine<'_>) -> Result<(), Wrong> {
        loop {
            let Some(place) = self.next()? else { return Err(Wrong::new(codes::ROSTER_UNTERMINATED)) };
            let label = &self.text[place];
            if label == b")" {
                return Ok(());
            }
            if own(machine, label).is_some() {
                return Err(Wrong::new(codes::ROSTER_MANDATORY));
            }
            let reference = meaning(machine, label)?;
            list(machine, &reference)?;
        }
    }

    /// The steps of a compressed proof.
    fn letters(&mut self, machine: &mut Machine<'_>) -> Result<(), Wrong> {
        /// Beyond this no step can be meant, and nothing overflows up to here.
        const GREATEST: usize = u32::MAX as usize / 8;
        let text = self.text;
        let (mut high, mut digits_at, mut can_save) = (0_usize, None, false);
        while self.at < self.end {
            let (at, byte) = (self.at, text[self.at]);
            self.at += 1;
            match byte {
                b'A'..=b'T' => {
                    self.token = digits_at.take().unwrap_or(at)..at + 1;
                    let number = high * 20 + (byte - b'A') as usize;
                    high = 0;
                    can_save = true;
                    machine.begin_step()?;
                    match machine.scratch.references.get(number) {
                        None => return Err(Wrong::new(codes::NUMBER_OUT_OF_RANGE)),
                        Some(entry) if entry.typecode == NONE => machine.apply(entry.start)?,
                        Some(&entry) => machine.push(entry),
                    }
                }
                b'U'..=b'Y' => {
                    digits_at.get_or_insert(at);
                    high = high * 5 + (byte - b'U') as usize + 1;
                    if high > GREATEST / 20 {
                        self.token = digits_at.unwrap_or(at)..at + 1;
                        return Err(Wrong::new(codes::NUMBER_OVERFLOW));
                    }
                }
                byte if is_white(byte) => {}
                b'Z' => {
                    self.token = at..at + 1;
                    // Only a step can be saved, and only once.
                    let step = machine.last().filter(|_| can_save && digits_at.is_none());
                    machine.scratch.references.push(step.ok_or_else(|| Wrong::new(codes::SAVE_MISPLACED))?);
                    can_save = false;
                }
                b'?' if digits_at.is_none() => {
                    self.token = at..at + 1;
                    machine.begin_step()?;
                    return Err(Wrong::undecided(codes::PROOF_INCOMPLETE));
                }
                b'$' => {
                    // A comment, or the text would have ended; whatever follows is read again.
                    self.at = at;
                    match self.next()? {
                        None => self.at = self.end,
                        Some(token) if token.start > at => self.at = token.start,
                        Some(_) => return Err(Wrong::new(codes::LETTER_MALFORMED)),
                    }
                }
                _ => {
                    self.token = at..at + 1;
                    return Err(Wrong::new(codes::LETTER_MALFORMED));
                }
            }
        }
        if let Some(start) = digits_at {
            self.token = start..self.end;
            return Err(Wrong::new(codes::NUMBER_TRUNCATED));
        }
        Ok(())
    }
}

/// Adds what a listed label means to the references.
fn list(machine: &mut Machine<'_>, reference: &Reference<'_>) -> Result<(), Wrong> {
    let entry = match *reference {
        Reference::Assertion(number) => Entry { typecode: NONE, start: number, length: 0 },
        // An essential hypothesis that is active is always mandatory.
        Reference::Hypothesis(_, _, true) => return Err(Wrong::new(codes::ROSTER_MANDATORY)),
        Reference::Hypothesis(typecode, math, false) => {
            if machine.claim.frame.iter().any(|&[_, code, length]| length == NONE && math == [code]) {
                return Err(Wrong::new(codes::ROSTER_MANDATORY));
            }
            machine.write(typecode, math)?
        }
    };
    machine.scratch.references.push(entry);
    Ok(())
}

/// Adds the meanings of all listed labels, which were found before and are not believed for that.
fn resolved(machine: &mut Machine<'_>, roster: &[u32]) -> Result<(), Wrong> {
    for &number in roster {
        let reference = reference(machine, Some(number), &[])?;
        list(machine, &reference)?;
    }
    Ok(())
}

/// What the roster of a theorem was found to mean, and where the letters behind it begin.
pub(super) fn roster<'a>(columns: Columns<'a>, row: &Row) -> Option<(&'a [u32], usize)> {
    let &[length, letters] = columns.rosters.get(row[ROSTER] as usize..)?.first_chunk()?;
    let numbers = slice(columns.rosters, row[ROSTER].checked_add(2)?, length);
    let inside = (row[PROOF]..=row[PROOF_END]).contains(&letters);
    (inside && numbers.len() == length as usize).then_some((numbers, letters as usize))
}

/// Finds what the rosters of all compressed proofs mean: the rows that tell where, and the column that they tell of.
pub(super) fn resolve(columns: Columns<'_>) -> (Vec<Row>, Vec<u32>) {
    let (mut rows, mut rosters) = (columns.rows.to_vec(), Vec::new());
    for row in rows.iter_mut().filter(|row| row[KIND] == 3) {
        let start = rosters.len();
        row[ROSTER] = NONE;
        match list_labels(columns, row, &mut rosters) {
            Some(()) => row[ROSTER] = narrow_one(start),
            // Only whoever checks the proof says why.
            None => rosters.truncate(start),
        }
    }
    (rows, rosters)
}

fn list_labels(columns: Columns<'_>, row: &Row, rosters: &mut Vec<u32>) -> Option<()> {
    let Range { start: mut at, end } = super::range(columns, row);
    let mut next = || {
        let token = next_token(columns.text, at, end).ok().flatten()?;
        at = token.end;
        Some(token)
    };
    if &columns.text[next()?] != b"(" {
        return None;
    }
    let start = rosters.len();
    rosters.extend([0, 0]);
    loop {
        let token = next()?;
        if &columns.text[token.clone()] == b")" {
            rosters[start] = narrow_one(rosters.len() - start - 2);
            rosters[start + 1] = narrow_one(token.end);
            return Some(());
        }
        rosters.push(columns.find(&columns.text[token])?);
    }
}

/// The position in the frame of the claim's own hypothesis with this label.
fn own(machine: &Machine<'_>, label: &[u8]) -> Option<usize> {
    machine.claim.own_labels?.find(label)
}

enum Reference<'a> {
    Assertion(u32),
    /// Typecode, other symbols, and whether it is an essential one.
    Hypothesis(u32, &'a [u32], bool),
}

fn meaning<'a>(machine: &Machine<'a>, label: &[u8]) -> Result<Reference<'a>, Wrong> {
    reference(machine, machine.view.find(label), label)
}

/// What the statement with this number means to the proof; `label` only serves a fault.
fn reference<'a>(machine: &Machine<'a>, number: Option<u32>, label: &[u8]) -> Result<Reference<'a>, Wrong> {
    let meaning = number.map_or(Meaning::Unknown, |number| machine.view.meaning(number, machine.claim.before));
    match meaning {
        Meaning::Assertion(number) => Ok(Reference::Assertion(number)),
        Meaning::Floating(typecode, math) => Ok(Reference::Hypothesis(typecode, math, false)),
        Meaning::Essential(typecode, math) if machine.claim.own_labels.is_none() => {
            Ok(Reference::Hypothesis(typecode, math, true))
        }
        // A claim that brings its own hypotheses has no others.
        Meaning::Essential(..) => Err(Wrong::citing(codes::HYPOTHESIS_INACTIVE, number.unwrap_or(NONE))),
        Meaning::Inactive(number) => Err(Wrong::citing(codes::HYPOTHESIS_INACTIVE, number)),
        Meaning::Later(number) => Err(Wrong::citing(codes::LABEL_LATER, number)),
        Meaning::Unknown => {
            let mut wrong = Wrong::new(codes::LABEL_UNKNOWN);
            let shown = String::from_utf8_lossy(&label[..label.len().min(100)]).into_owned();
            wrong.message = Some(format!("{}: '{shown}'", codes::meaning(codes::LABEL_UNKNOWN)));
            Err(wrong)
        }
    }
}
