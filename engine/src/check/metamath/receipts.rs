//! Receipts for theorems of a library.

use super::super::{Checker, Receipt};
use super::library::{
    DISJOINT, DISJOINT_LENGTH, FRAME, FRAME_LENGTH, KIND, Library, NONE, PROOF, PROOF_END, TYPECODE, slice,
};

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
        let mut groups = slice(columns.disjoint, row[DISJOINT], row[DISJOINT_LENGTH]);
        while let Some((&length, rest)) = groups.split_first() {
            let (group, behind) = rest.split_at(rest.len().min(length as usize));
            if let Some((&first, others)) = group.split_first() {
                write(first, others, "$d");
            }
            groups = behind;
        }
        write(row[TYPECODE], columns.math(row), if row[KIND] == 2 { "$a" } else { "$p" });
        Some(claim)
    }

    /// What the checker signs for theorem `number`, whose proof it has accepted; `None` if that is no theorem, or if there are too many
    /// axioms to tell which it rests on.
    pub fn receipt(&self, number: u32) -> Option<Receipt> {
        let columns = self.columns();
        let row = columns.row(number).filter(|row| row[KIND] == 3)?;
        let claim = self.claim(number)?;
        let proof = columns.bytes(row[PROOF], row[PROOF_END]);
        let mut receipt = Receipt::new(claim.as_bytes(), proof, self.name(), self.version());
        let axioms = self.axiom_use().ok()?.of(number);
        receipt.axioms = axioms.filter_map(|axiom| self.label(axiom).map(str::to_owned)).collect();
        Some(receipt)
    }
}
