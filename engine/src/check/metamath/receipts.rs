//! Receipts for theorems of a library.

use super::super::{Checker, Receipt};
use super::library::{FRAME, FRAME_LENGTH, KIND, Library, NONE, PROOF, PROOF_END, TYPECODE, slice};
use super::parts::disjoint_groups;

impl Library {
    /// The claim of assertion `number` in one text that means the same wherever it stands: its hypotheses, which variables are disjoint,
    /// and its conclusion, one a line.
    pub fn claim(&self, number: u32) -> Option<String> {
        let columns = self.columns();
        let row = columns.row(number).filter(|row| row[KIND] >= 2)?;
        let mut claim = String::new();
        let mut write = |typecode: u32, math: &[u32], mark: &str| {
            claim.push_str(mark);
            for &code in [typecode].iter().chain(math) {
                claim.push(' ');
                claim.push_str(&String::from_utf8_lossy(columns.symbol(code)));
            }
            claim.push('\n');
        };
        let start = row[FRAME] as usize;
        for &[typecode, start, length] in columns.frames.get(start..start + row[FRAME_LENGTH] as usize)? {
            match length {
                NONE => write(typecode, &[start], "$f"),
                _ => write(typecode, slice(columns.math, start, length), "$e"),
            }
        }
        for (first, others) in disjoint_groups(columns, row) {
            write(first, others, "$d");
        }
        write(row[TYPECODE], columns.math(row), if row[KIND] == 2 { "$a" } else { "$p" });
        Some(claim)
    }

    /// What the checker signs for theorem `number`, whose proof it has accepted, without the axioms; `None` if that is no theorem.
    pub fn signature(&self, number: u32) -> Option<Receipt> {
        let columns = self.columns();
        let row = columns.row(number).filter(|row| row[KIND] == 3)?;
        let proof = columns.bytes(row[PROOF], row[PROOF_END]);
        Some(Receipt::new(self.claim(number)?.as_bytes(), proof, self.name(), self.version()))
    }

    /// The same with the axioms that the theorem rests on; `None` also if there are too many of them to tell.
    pub fn receipt(&self, number: u32) -> Option<Receipt> {
        let mut receipt = self.signature(number)?;
        let axioms = self.axiom_use().ok()?.of(number);
        receipt.axioms = axioms.filter_map(|axiom| self.label(axiom).map(str::to_owned)).collect();
        Some(receipt)
    }
}
