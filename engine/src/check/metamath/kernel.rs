//! The trusted part: a stack of expressions, and the one rule of Metamath, which is substitution.
//!
//! Expressions are flat strings of symbols in one arena that only grows while a proof is checked, so a step that is cited or saved is
//! pushed by its place and not copied. Everything that is written is paid for from the budget: a proof that doubles its expressions
//! again and again costs no more than the budget allows, and a proof within it costs what it writes and compares.
//!
//! The columns may come from a file that nobody vouches for, so every number in them is looked up with a check. A number that
//! leads nowhere makes the proof wrong, never the program.

use std::ops::{Deref, DerefMut, Range};

use super::super::{Budget, Code, Exhausted, Meter};
use super::codes;
use super::disjoint::Disjoint;
use super::library::{HYPOTHESIS, NONE, VARIABLE};
use super::view::{Cited, View};

/// An expression: its typecode, and where its other symbols stand in the arena.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    pub typecode: u32,
    pub start: u32,
    pub length: u32,
}

impl Entry {
    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.length as usize
    }
}

/// What should be proved, and from what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    pub typecode: u32,
    pub math: &'a [u32],
    /// The mandatory hypotheses, and the symbols of the essential ones.
    pub frame: &'a [[u32; HYPOTHESIS]],
    pub frame_math: &'a [u32],
    /// Which variables are disjoint: as in the columns of a library.
    pub groups: &'a [[u32; 3]],
    pub members: &'a [u32],
    pub head: u32,
    /// Only statements with smaller numbers may be cited.
    pub before: u32,
    /// What the labels mean that a compressed proof lists, where that is known, and where its letters begin.
    pub roster: Option<(&'a [u32], usize)>,
    /// Labels of the essential hypotheses when the library does not know them.
    pub own_labels: Option<OwnLabels<'a>>,
}

/// Labels that only one claim knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnLabels<'a> {
    pub text: &'a [u8],
    /// Where each label ends in `text`; the first belongs to the hypothesis at position `first` of the frame, and so on.
    pub ends: &'a [usize],
    pub first: usize,
}

impl OwnLabels<'_> {
    /// The position in the frame of the hypothesis with this label.
    pub(super) fn find(&self, label: &[u8]) -> Option<usize> {
        let mut start = 0;
        let found =
            self.ends.iter().position(|&end| self.text.get(std::mem::replace(&mut start, end)..end) == Some(label));
        found.map(|position| self.first + position)
    }
}

/// Why a proof was not accepted. Boxed, because every step returns room for one.
#[derive(Debug)]
pub(super) struct Wrong(Box<Reason>);

#[derive(Debug)]
pub(super) struct Reason {
    pub code: Code,
    /// The proof may be right for all that was found out.
    pub undecided: bool,
    pub message: Option<String>,
    /// The statement that the step cites.
    pub cited: Option<u32>,
    /// What should have stood there, and what stood there.
    pub differ: Option<(String, String)>,
}

impl Wrong {
    #[cold]
    pub(super) fn new(code: Code) -> Self {
        Self(Box::new(Reason { code, undecided: false, message: None, cited: None, differ: None }))
    }

    /// The same, at a step that cites this statement.
    #[cold]
    pub(super) fn citing(code: Code, number: u32) -> Self {
        let mut wrong = Self::new(code);
        wrong.cited = Some(number);
        wrong
    }

    /// Nothing was found out.
    #[cold]
    pub(super) fn undecided(code: Code) -> Self {
        let mut wrong = Self::new(code);
        wrong.undecided = true;
        wrong
    }
}

impl Deref for Wrong {
    type Target = Reason;

    fn deref(&self) -> &Reason {
        &self.0
    }
}

impl DerefMut for Wrong {
    fn deref_mut(&mut self) -> &mut Reason {
        &mut self.0
    }
}

impl From<Exhausted> for Wrong {
    #[cold]
    fn from(exhausted: Exhausted) -> Self {
        let mut wrong = Self::undecided(Code::BUDGET);
        wrong.message = Some(exhausted.to_string());
        wrong
    }
}

/// Memory that is used again from one proof to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    arena: Vec<u32>,
    stack: Vec<Entry>,
    /// What a number of a compressed proof refers to: an expression, or an assertion where `typecode` is [`NONE`].
    pub(super) references: Vec<Entry>,
    /// By symbol: where the expression stands that replaces the variable.
    substitution: Vec<(u32, u32)>,
    disjoint: Disjoint,
}

/// Copies are made in blocks of so many symbols, because most expressions are no longer.
const BLOCK: usize = 8;

pub(super) struct Machine<'a> {
    pub(super) view: View<'a>,
    pub(super) claim: Claim<'a>,
    pub(super) scratch: &'a mut Scratch,
    meter: Meter,
    /// How many symbols the arena may hold, and the limit in bytes that is behind it.
    most: usize,
    limit_bytes: u64,
    top: usize,
    pub(super) step: u64,
}

impl<'a> Machine<'a> {
    /// A machine with an empty stack, and the mandatory hypotheses as its first references.
    pub(super) fn new(
        view: View<'a>,
        claim: Claim<'a>,
        budget: &Budget,
        scratch: &'a mut Scratch,
    ) -> Result<Self, Wrong> {
        scratch.stack.clear();
        scratch.references.clear();
        scratch.substitution.resize(view.symbols(), (0, 0));
        scratch.disjoint.clear();
        let most = usize::try_from(budget.memory_bytes / size_of::<u32>() as u64).unwrap_or(usize::MAX);
        let most = most.min(NONE as usize - BLOCK);
        let (meter, limit_bytes) = (Meter::new(budget), budget.memory_bytes);
        let mut machine = Self { view, claim, scratch, meter, most, limit_bytes, top: 0, step: 0 };
        for &[typecode, start, length] in claim.frame {
            if typecode & VARIABLE != 0 {
                return Err(Wrong::new(codes::TYPECODE_NOT_CONSTANT));
            }
            let entry = if length == NONE {
                machine.write(typecode, &[start])?
            } else {
                let math = super::library::slice(claim.frame_math, start, length);
                machine.write(typecode, math)?
            };
            machine.scratch.references.push(entry);
        }
        Ok(machine)
    }

    /// Makes room for so many more symbols and a block.
    #[inline]
    fn reserve(&mut self, more: usize) -> Result<(), Exhausted> {
        let needed = self.top + more + BLOCK;
        if needed > self.scratch.arena.len() || needed > self.most { self.grow(needed) } else { Ok(()) }
    }

    #[cold]
    fn grow(&mut self, needed: usize) -> Result<(), Exhausted> {
        if needed > self.most {
            return Err(Exhausted { unit: "bytes of memory", limit: self.limit_bytes });
        }
        let length = self.scratch.arena.len();
        if needed > length {
            self.scratch.arena.resize(needed.max(length * 2).max(1 << 12).min(self.most.max(needed)), 0);
        }
        Ok(())
    }

    /// Writes an expression to the arena.
    pub(super) fn write(&mut self, typecode: u32, math: &[u32]) -> Result<Entry, Exhausted> {
        self.reserve(math.len())?;
        let start = self.top;
        self.scratch.arena[start..start + math.len()].copy_from_slice(math);
        self.top += math.len();
        Ok(Entry { typecode, start: narrow(start), length: narrow(math.len()) })
    }

    /// Pays for a step.
    #[inline]
    pub(super) fn begin_step(&mut self) -> Result<(), Exhausted> {
        self.step += 1;
        self.meter.steps(1)
    }

    #[inline]
    pub(super) fn push(&mut self, entry: Entry) {
        self.scratch.stack.push(entry);
    }

    /// The expression that the last step left.
    pub(super) fn last(&self) -> Option<Entry> {
        self.scratch.stack.last().copied()
    }

    /// Replaces the hypotheses of an assertion, which end the stack, by what it concludes from them.
    pub(super) fn apply(&mut self, number: u32) -> Result<(), Wrong> {
        let Some(cited) = self.view.assertion(number) else { return Err(Wrong::citing(codes::LABEL_UNKNOWN, number)) };
        let Some(base) = self.scratch.stack.len().checked_sub(cited.frame.len()) else {
            return Err(Wrong::citing(codes::STACK_UNDERFLOW, number));
        };
        let scratch = &mut *self.scratch;
        let mut compared = 0;
        for (&entry, &[typecode, start, length]) in scratch.stack[base..].iter().zip(cited.frame) {
            if entry.typecode != typecode {
                return Err(self.mismatch(codes::TYPECODE_MISMATCH, number, &cited, entry, [typecode, start, length]));
            }
            if length == NONE {
                let Some(slot) = scratch.substitution.get_mut((start & !VARIABLE) as usize) else {
                    return Err(Wrong::citing(codes::LABEL_UNKNOWN, number));
                };
                *slot = (entry.start, entry.length);
            } else {
                compared += u64::from(entry.length) + u64::from(length);
                let math = super::library::slice(cited.frame_math, start, length);
                if !matches(&scratch.arena, &scratch.substitution, math, entry) {
                    return Err(self.mismatch(
                        codes::HYPOTHESIS_MISMATCH,
                        number,
                        &cited,
                        entry,
                        [typecode, start, length],
                    ));
                }
            }
        }
        if !cited.disjoint.is_empty() {
            self.check_disjoint(number, &cited)?;
        }
        let start = self.top;
        self.instantiate(cited.math)?;
        let length = self.top - start;
        self.meter.nodes(compared + length as u64)?;
        self.scratch.stack.truncate(base);
        self.scratch.stack.push(Entry { typecode: cited.typecode, start: narrow(start), length: narrow(length) });
        Ok(())
    }

    /// Writes `math` to the arena, with its variables replaced.
    fn instantiate(&mut self, math: &[u32]) -> Result<(), Exhausted> {
        self.reserve(math.len())?;
        for (position, &code) in math.iter().enumerate() {
            if code & VARIABLE == 0 {
                self.scratch.arena[self.top] = code;
                self.top += 1;
                continue;
            }
            let slot = self.scratch.substitution.get((code & !VARIABLE) as usize);
            let (start, length) = slot.copied().unwrap_or_default();
            let (start, length) = (start as usize, length as usize);
            self.reserve(length + math.len() - position)?;
            let arena = &mut self.scratch.arena[..];
            if length <= BLOCK {
                copy_block(arena, start, self.top);
            } else {
                arena.copy_within(start..start + length, self.top);
            }
            self.top += length;
        }
        Ok(())
    }

    fn check_disjoint(&mut self, number: u32, cited: &Cited<'_>) -> Result<(), Wrong> {
        let Scratch { arena, substitution, disjoint, .. } = &mut *self.scratch;
        let checked =
            disjoint.check(cited.disjoint, &self.claim, arena, substitution, &mut self.meter, self.limit_bytes)?;
        checked.map_err(|(one, other)| {
            let code = if one == other { codes::DISJOINT_VIOLATION } else { codes::DISJOINT_MISSING };
            let name = |code| String::from_utf8_lossy(self.view.symbol(code)).into_owned();
            let mut wrong = Wrong::citing(code, number);
            wrong.message = Some(format!("{}: '{}' and '{}'", codes::meaning(code), name(one), name(other)));
            wrong
        })
    }

    /// The proof has ended: exactly the claim must be left.
    pub(super) fn finish(&self) -> Result<(), Wrong> {
        let &[entry] = self.scratch.stack.as_slice() else {
            let code = if self.scratch.stack.is_empty() { codes::PROOF_EMPTY } else { codes::STACK_LEFTOVER };
            return Err(Wrong::new(code));
        };
        if entry.typecode == self.claim.typecode && self.scratch.arena.get(entry.range()) == Some(self.claim.math) {
            return Ok(());
        }
        let mut wrong = Wrong::new(codes::CONCLUSION_MISMATCH);
        wrong.differ = Some((self.view.render(self.claim.typecode, self.claim.math), self.render(entry)));
        Err(wrong)
    }

    fn render(&self, entry: Entry) -> String {
        self.view.render(entry.typecode, self.scratch.arena.get(entry.range()).unwrap_or_default())
    }

    #[cold]
    fn mismatch(
        &self,
        code: Code,
        number: u32,
        cited: &Cited<'_>,
        entry: Entry,
        [typecode, start, length]: [u32; HYPOTHESIS],
    ) -> Wrong {
        const MAX_SYMBOLS: usize = 250;
        let mut expected = Vec::new();
        if length == NONE {
            expected.push(start);
        } else {
            for &symbol in super::library::slice(cited.frame_math, start, length) {
                let slot = self.scratch.substitution.get((symbol & !VARIABLE) as usize);
                match slot.filter(|_| symbol & VARIABLE != 0) {
                    Some(&(start, length)) => {
                        let replacement = &self.scratch.arena[start as usize..][..(length as usize).min(MAX_SYMBOLS)];
                        expected.extend_from_slice(replacement);
                    }
                    None => expected.push(symbol),
                }
                if expected.len() > MAX_SYMBOLS {
                    break;
                }
            }
        }
        let mut wrong = Wrong::citing(code, number);
        wrong.differ = Some((self.view.render(typecode, &expected), self.render(entry)));
        wrong
    }
}

/// Whether the expression is `math` with its variables replaced.
#[inline]
fn matches(arena: &[u32], substitution: &[(u32, u32)], math: &[u32], entry: Entry) -> bool {
    let Some(mut rest) = arena.get(entry.range()) else { return false };
    for &code in math {
        if code & VARIABLE == 0 {
            let Some((&first, others)) = rest.split_first() else { return false };
            if first != code {
                return false;
            }
            rest = others;
            continue;
        }
        let Some(&(start, length)) = substitution.get((code & !VARIABLE) as usize) else { return false };
        let length = length as usize;
        let Some(replacement) = arena.get(start as usize..start as usize + length) else { return false };
        if rest.len() < length || !same(&rest[..length], replacement) {
            return false;
        }
        rest = &rest[length..];
    }
    rest.is_empty()
}

/// Whether two slices of one length are equal. A call to compare memory costs more than most of them are long.
#[inline]
fn same(one: &[u32], other: &[u32]) -> bool {
    if one.len() <= 2 * BLOCK { one.iter().zip(other).all(|(one, other)| one == other) } else { one == other }
}

/// Copies a block, of which only a part may be meant; the rest is written over later.
#[inline]
fn copy_block(arena: &mut [u32], from: usize, to: usize) {
    let block: [u32; BLOCK] = arena[from..from + BLOCK].try_into().unwrap_or_default();
    arena[to..to + BLOCK].copy_from_slice(&block);
}

/// Positions in the arena fit, because `most` does.
#[allow(clippy::cast_possible_truncation, reason = "the arena is shorter than that")]
fn narrow(number: usize) -> u32 {
    number as u32
}
