//! A theorem of a library in the parts that a proposal has.

use super::library::{FRAME, FRAME_LENGTH, HEAD, KIND, Library, NONE, PROOF, PROOF_END, slice};

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
}
