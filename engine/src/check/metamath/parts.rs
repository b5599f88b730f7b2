//! A theorem of a library in the parts that a proposal has.

use std::iter;

use super::library::{
    Columns, DISJOINT, DISJOINT_LENGTH, FRAME, FRAME_LENGTH, HEAD, KIND, Library, NONE, PROOF, PROOF_END, Row,
    TYPECODE, slice,
};

impl Library {
    /// The proof of a theorem as it is written; `None` for what is no theorem.
    pub fn proof(&self, number: u32) -> Option<&str> {
        let columns = self.columns();
        let row = columns.row(number).filter(|row| row[KIND] == 3)?;
        str::from_utf8(columns.bytes(row[PROOF], row[PROOF_END])).ok()
    }

    /// What the essential hypotheses of an assertion say, in order.
    pub fn hypotheses(&self, number: u32) -> Vec<String> {
        let columns = self.columns();
        let Some(row) = columns.row(number).filter(|row| row[KIND] >= 2) else { return Vec::new() };
        let start = row[FRAME] as usize;
        let frame = columns.frames.get(start..start + row[FRAME_LENGTH] as usize).unwrap_or_default();
        let essential = frame.iter().filter(|[_, _, length]| *length != NONE);
        let show = |&[typecode, start, length]: &[u32; 3]| columns.show(typecode, slice(columns.math, start, length));
        essential.map(show).collect()
    }

    /// All groups of disjoint variables that are active at an assertion, those of dummy variables too, innermost first.
    pub fn disjoint(&self, number: u32) -> Vec<String> {
        let columns = self.columns();
        let Some(row) = columns.row(number).filter(|row| row[KIND] >= 2) else { return Vec::new() };
        let mut groups = Vec::new();
        let mut head = row[HEAD];
        while let Some(&[before, start, length]) = columns.groups.get(head as usize) {
            if let Some((&first, others)) = slice(columns.members, start, length).split_first() {
                groups.push(columns.show(first, others));
            }
            // A chain from a file could run in a circle.
            head = if before < head { before } else { NONE };
        }
        groups
    }

    /// Assertion `number` in one line: its essential hypotheses with `&` between them, `=>`, the conclusion, and then a `$d` for each
    /// group of its variables that must be disjoint. Two assertions that mean different things differ in it, but for the types of their
    /// variables, which follow from the names in a database.
    pub fn sequent(&self, number: u32) -> Option<String> {
        let columns = self.columns();
        let row = columns.row(number).filter(|row| row[KIND] >= 2)?;
        let mut sequent = self.hypotheses(number).join(" & ");
        if !sequent.is_empty() {
            sequent.push_str(" => ");
        }
        sequent.push_str(&columns.show(row[TYPECODE], columns.math(row)));
        for (first, others) in disjoint_groups(columns, row) {
            sequent.push_str(" $d ");
            sequent.push_str(&columns.show(first, others));
        }
        Some(sequent)
    }
}

/// The groups of variables of an assertion that must be disjoint where it is used: the first of each, and the others.
pub(super) fn disjoint_groups<'a>(columns: Columns<'a>, row: &Row) -> impl Iterator<Item = (u32, &'a [u32])> {
    let mut groups = slice(columns.disjoint, row[DISJOINT], row[DISJOINT_LENGTH]);
    iter::from_fn(move || {
        let (&length, rest) = groups.split_first()?;
        let (group, behind) = rest.split_at(rest.len().min(length as usize));
        groups = behind;
        Some(group)
    })
    .filter_map(|group| group.split_first())
    .map(|(&first, others)| (first, others))
}
