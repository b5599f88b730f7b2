//! What a proof may cite: the statements of a library, and lemmas that were put on top of it.

use std::sync::Arc;

use super::library::{
    Columns, DISJOINT, DISJOINT_LENGTH, END, FRAME, FRAME_LENGTH, HYPOTHESIS, KIND, TYPECODE, VARIABLE, slice,
};

/// An assertion on top of a library, made from a claim that was accepted.
#[derive(Debug)]
pub(super) struct Lemma {
    pub label: Vec<u8>,
    pub typecode: u32,
    pub math: Vec<u32>,
    pub frame: Vec<[u32; HYPOTHESIS]>,
    pub frame_math: Vec<u32>,
    pub disjoint: Vec<u32>,
}

/// An assertion as the kernel needs it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cited<'a> {
    pub typecode: u32,
    pub math: &'a [u32],
    pub frame: &'a [[u32; HYPOTHESIS]],
    /// Where the symbols of the essential hypotheses stand.
    pub frame_math: &'a [u32],
    pub disjoint: &'a [u32],
}

/// A library with lemmas on top, which have the numbers behind its last.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub columns: Columns<'a>,
    pub lemmas: &'a [Arc<Lemma>],
}

/// What a label means to a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    Assertion(u32),
    /// A hypothesis that is active: its typecode and its other symbols.
    Floating(u32, &'a [u32]),
    Essential(u32, &'a [u32]),
    Inactive(u32),
    Later(u32),
    Unknown,
}

impl<'a> View<'a> {
    #[inline]
    pub(super) fn assertion(&self, number: u32) -> Option<Cited<'a>> {
        let Some(row) = self.columns.row(number) else {
            let lemma = self.lemmas.get(number as usize - self.columns.rows.len())?;
            return Some(Cited {
                typecode: lemma.typecode,
                math: &lemma.math,
                frame: &lemma.frame,
                frame_math: &lemma.frame_math,
                disjoint: &lemma.disjoint,
            });
        };
        if row[TYPECODE] & VARIABLE != 0 {
            return None;
        }
        let start = row[FRAME] as usize;
        Some(Cited {
            typecode: row[TYPECODE],
            math: self.columns.math(row),
            frame: self.columns.frames.get(start..start.saturating_add(row[FRAME_LENGTH] as usize))?,
            frame_math: self.columns.math,
            disjoint: slice(self.columns.disjoint, row[DISJOINT], row[DISJOINT_LENGTH]),
        })
    }

    /// The number of the statement or lemma with this label.
    pub(super) fn find(&self, label: &[u8]) -> Option<u32> {
        let lemma = self.lemmas.iter().rposition(|lemma| lemma.label == label);
        lemma
            .map_or_else(|| self.columns.find(label), |position| u32::try_from(self.columns.rows.len() + position).ok())
    }

    /// What the statement with this number means to a proof that may cite what stands before number `before`.
    pub(super) fn meaning(&self, number: u32, before: u32) -> Meaning<'a> {
        if number >= before {
            return Meaning::Later(number);
        }
        let Some(row) = self.columns.row(number) else { return Meaning::Assertion(number) };
        match row[KIND] {
            2 | 3 => Meaning::Assertion(number),
            // A scope that ends before the proof leaves its hypotheses behind.
            // Only a file that is wrong has such a typecode, and the machine gives it a meaning of its own.
            _ if row[TYPECODE] & VARIABLE != 0 => Meaning::Unknown,
            _ if row[END] <= before => Meaning::Inactive(number),
            0 => Meaning::Floating(row[TYPECODE], self.columns.math(row)),
            _ => Meaning::Essential(row[TYPECODE], self.columns.math(row)),
        }
    }

    pub(super) fn label(&self, number: u32) -> &'a [u8] {
        let lemma = (number as usize).checked_sub(self.columns.rows.len()).and_then(|lemma| self.lemmas.get(lemma));
        lemma.map_or_else(|| self.columns.label(number), |lemma| &lemma.label)
    }

    pub(super) fn symbols(&self) -> usize {
        self.columns.symbols.len()
    }

    pub(super) fn symbol(&self, code: u32) -> &'a [u8] {
        self.columns.symbol(code)
    }

    pub(super) fn render(&self, typecode: u32, math: &[u32]) -> String {
        self.columns.render(typecode, math)
    }
}
