//! What theorems rest on.

use std::ops::Range;

use super::super::Exhausted;
use super::environment::{Environment, Proposal, ProposalScratch};
use super::library::{Columns, FRAME_LENGTH, KIND, Library, NONE};
use super::proof;
use super::scan::next_token;

/// The bits of all theorems may take so much.
const MOST_BYTES: usize = 1 << 30;

/// For each statement, which `$a` statements its proof rests on, directly or through other theorems.
#[derive(Debug)]
pub struct AxiomUse {
    /// The numbers of all `$a` statements, in order: bit `i` of a row is the `i`-th of these.
    pub axioms: Vec<u32>,
    /// How many words a row has.
    pub width: usize,
    /// A row for each statement, in order.
    pub bits: Vec<u64>,
}

impl AxiomUse {
    /// The `$a` statements that `statement` rests on, in order. An axiom rests on itself.
    pub fn of(&self, statement: u32) -> impl Iterator<Item = u32> + '_ {
        let start = statement as usize * self.width;
        let row = self.bits.get(start..start + self.width).unwrap_or_default();
        let used = move |position: usize| row.get(position / 64).is_some_and(|word| word >> (position % 64) & 1 == 1);
        self.axioms.iter().enumerate().filter(move |&(position, _)| used(position)).map(|(_, &axiom)| axiom)
    }

    /// The `$a` statements that any of `statements` rests on, in order.
    pub fn of_any(&self, statements: &[u32]) -> Vec<u32> {
        let mut all = vec![0_u64; self.width];
        for &statement in statements {
            let start = statement as usize * self.width;
            let row = self.bits.get(start..start + self.width).unwrap_or_default();
            all.iter_mut().zip(row).for_each(|(word, used)| *word |= used);
        }
        Self { axioms: self.axioms.clone(), width: self.width, bits: all }.of(0).collect()
    }
}

impl Environment {
    /// The assertions of the library that the proof of `proposal` cites itself, in order and each once; those of lemmas on top are left
    /// out. Nothing for a proposal that is not well formed.
    pub fn citations(&self, proposal: &Proposal<'_>, scratch: &mut ProposalScratch) -> Vec<u32> {
        let Some(mandatory) = self.mandatory(proposal, scratch) else { return Vec::new() };
        let text = proposal.proof;
        let proof = Proof { text, range: 0..text.len(), roster: None, mandatory };
        let mut cited = Vec::new();
        proof.cite(self.library().columns(), &mut cited);
        cited.sort_unstable();
        cited.dedup();
        cited
    }
}

impl Library {
    /// What every theorem rests on, found in one pass and then kept. Proofs are believed to be what they say: check them before.
    pub fn axiom_use(&self) -> Result<&AxiomUse, Exhausted> {
        self.uses.get_or_init(|| self.find_axiom_use()).as_ref().map_err(|exhausted| *exhausted)
    }

    fn find_axiom_use(&self) -> Result<AxiomUse, Exhausted> {
        let columns = self.columns();
        let axioms: Vec<u32> = (0..self.len()).filter(|&number| kind(columns, number) == 2).collect();
        let width = axioms.len().div_ceil(64);
        let words = width.saturating_mul(columns.rows.len());
        if words > MOST_BYTES / 8 {
            return Err(Exhausted { unit: "bytes of memory", limit: MOST_BYTES as u64 });
        }
        let mut bits = vec![0_u64; words];
        // Most of what proofs cite is syntax: one bit each, instead of a row of them.
        let mut bit_of = vec![NONE; columns.rows.len()];
        for (&axiom, bit) in axioms.iter().zip(0..) {
            bit_of[axiom as usize] = bit;
        }
        let mut cited = Vec::new();
        for number in 0..self.len() {
            let (before, rest) = bits.split_at_mut(number as usize * width);
            match kind(columns, number) {
                2 => set(rest, bit_of[number as usize]),
                3 => {
                    cite(columns, number, &mut cited);
                    let row = &mut rest[..width];
                    for &other in cited.iter().filter(|&&other| other < number) {
                        match bit_of[other as usize] {
                            NONE => {
                                let used = &before[other as usize * width..][..width];
                                row.iter_mut().zip(used).for_each(|(word, used)| *word |= used);
                            }
                            bit => set(row, bit),
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(AxiomUse { axioms, width, bits })
    }

    /// The assertions that the proof of theorem `number` cites itself, in order and each once.
    pub fn citations(&self, number: u32) -> Vec<u32> {
        let mut cited = Vec::new();
        cite(self.columns(), number, &mut cited);
        cited.sort_unstable();
        cited.dedup();
        cited
    }
}

fn set(row: &mut [u64], bit: u32) {
    row[bit as usize / 64] |= 1 << (bit % 64);
}

fn kind(columns: Columns<'_>, number: u32) -> u32 {
    columns.row(number).map_or(0, |row| row[KIND])
}

/// The assertions that the proof of a theorem cites, in no particular order.
fn cite(columns: Columns<'_>, number: u32, cited: &mut Vec<u32>) {
    cited.clear();
    let Some(row) = columns.row(number).filter(|row| row[KIND] == 3) else { return };
    let proof = Proof {
        text: columns.text,
        range: super::range(columns, row),
        roster: proof::roster(columns, row),
        mandatory: row[FRAME_LENGTH] as usize,
    };
    proof.cite(columns, cited);
}

/// A proof as it is written, and what has to be known to read it.
struct Proof<'a> {
    text: &'a [u8],
    range: Range<usize>,
    /// What the labels of a compressed proof mean and where its letters begin, if that was found before.
    roster: Option<(&'a [u32], usize)>,
    /// How many mandatory hypotheses there are.
    mandatory: usize,
}

impl Proof<'_> {
    /// Adds the assertions of the library that it cites, in no particular order.
    fn cite(&self, columns: Columns<'_>, cited: &mut Vec<u32>) {
        let Range { start: mut at, end } = self.range;
        let next_of = |at: &mut usize| {
            let token = next_token(self.text, *at, end).ok().flatten()?;
            *at = token.end;
            Some(&self.text[token])
        };
        let Some(first) = next_of(&mut at) else { return };
        if first != b"(" {
            let mut label = Some(first);
            while let Some(name) = label {
                cited.extend(columns.find(name).filter(|&number| kind(columns, number) >= 2));
                label = next_of(&mut at);
            }
            return;
        }
        if let Some((roster, letters)) = self.roster {
            cited.extend_from_slice(roster);
            at = letters;
        } else {
            while let Some(label) = next_of(&mut at).filter(|label| *label != b")") {
                cited.push(columns.find(label).unwrap_or(u32::MAX));
            }
        }
        // A label that is listed need not be used.
        let mut used = vec![false; cited.len()];
        let mut high = 0_usize;
        while let Some(letters) = next_of(&mut at) {
            for &byte in letters {
                match byte {
                    b'A'..=b'T' => {
                        let position =
                            high.saturating_mul(20).saturating_add((byte - b'A') as usize).checked_sub(self.mandatory);
                        if let Some(used) = position.and_then(|position| used.get_mut(position)) {
                            *used = true;
                        }
                        high = 0;
                    }
                    b'U'..=b'Y' => high = high.saturating_mul(5).saturating_add((byte - b'U') as usize + 1),
                    _ => {}
                }
            }
        }
        let mut position = 0;
        cited.retain(|&number| {
            position += 1;
            used[position - 1] && number != u32::MAX && kind(columns, number) >= 2
        });
    }
}
