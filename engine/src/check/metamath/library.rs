//! A database that was read: plain columns of numbers beside its text, so that they can live in a mapped file.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::super::{Code, Exhausted, Fault};
use super::citations::AxiomUse;
use super::names;
use super::source::place;
use super::store::Store;

/// Set in the code of a variable. The other bits number the symbol.
pub(super) const VARIABLE: u32 = 1 << 31;
/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// What a labelled statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// `$f`: a variable has a type.
    Floating,
    /// `$e`: a logical hypothesis.
    Essential,
    /// `$a`: asserted without proof, be it syntax, a definition or an axiom.
    Axiom,
    /// `$p`: asserted with a proof.
    Theorem,
}

/// Numbers a hypothesis of a frame: its typecode, and where its other symbols stand in the column `math`, with their number. A floating
/// hypothesis has the code of its variable and [`NONE`] instead.
pub(super) const HYPOTHESIS: usize = 3;
pub(super) const SYMBOL: usize = 4;

/// A row of the column `rows`: what is known of a labelled statement. One line of a cache.
pub(super) const ROW: usize = 16;
pub(super) const KIND: usize = 0;
pub(super) const TYPECODE: usize = 1;
/// Into `math`: the symbols behind the typecode.
pub(super) const MATH: usize = 2;
pub(super) const MATH_LENGTH: usize = 3;
/// Into `frames`, in hypotheses.
pub(super) const FRAME: usize = 4;
pub(super) const FRAME_LENGTH: usize = 5;
/// Into `disjoint`: groups of mandatory variables, each behind its length.
pub(super) const DISJOINT: usize = 6;
pub(super) const DISJOINT_LENGTH: usize = 7;
/// Of a hypothesis: the first statement behind its scope. Of an assertion: the last group of disjoint variables that is active.
pub(super) const END: usize = 8;
pub(super) const HEAD: usize = 8;
/// Into the text.
pub(super) const LABEL: usize = 9;
pub(super) const LABEL_LENGTH: usize = 10;
pub(super) const SPAN: usize = 11;
pub(super) const SPAN_END: usize = 12;
pub(super) const PROOF: usize = 13;
pub(super) const PROOF_END: usize = 14;
/// Into `rosters`, or [`NONE`]: how many labels a compressed proof lists, where its letters begin, and what the labels mean.
pub(super) const ROSTER: usize = 15;

pub(super) type Row = [u32; ROW];

/// The columns. Whatever reads them must expect any number: they may come from a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns<'a> {
    pub text: &'a [u8],
    pub rows: &'a [Row],
    pub frames: &'a [[u32; HYPOTHESIS]],
    pub math: &'a [u32],
    pub disjoint: &'a [u32],
    /// Groups of disjoint variables: the group that was active before, and where its variables are in `members`.
    pub groups: &'a [[u32; 3]],
    pub members: &'a [u32],
    pub rosters: &'a [u32],
    /// Where the name of each symbol is in the text, its code, and the floating hypothesis of a variable in the outermost scope.
    pub symbols: &'a [[u32; SYMBOL]],
    /// Symbols by their names.
    pub symbol_names: &'a [u32],
    /// Statements by their labels.
    pub labels: &'a [u32],
    /// All labels, one behind the other, and where each ends: together, because a text would spread them over its whole length.
    pub label_text: &'a [u8],
    pub label_ends: &'a [u32],
    pub seed: u64,
}

impl<'a> Columns<'a> {
    pub(super) fn row(&self, statement: u32) -> Option<&'a Row> {
        self.rows.get(statement as usize)
    }

    pub(super) fn find(&self, label: &[u8]) -> Option<u32> {
        names::find(self.labels, self.seed, label, |statement| self.label(statement))
    }

    #[inline]
    pub(super) fn label(&self, statement: u32) -> &'a [u8] {
        label(self.label_text, self.label_ends, statement)
    }

    pub(super) fn bytes(&self, start: u32, end: u32) -> &'a [u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The symbol with this name.
    pub(super) fn find_symbol(&self, name: &[u8]) -> Option<&'a [u32; SYMBOL]> {
        let symbol = names::find(self.symbol_names, self.seed, name, |symbol| self.symbol(symbol))?;
        self.symbols.get(symbol as usize).filter(|symbol| symbol[2] != NONE)
    }

    pub(super) fn math(&self, row: &Row) -> &'a [u32] {
        slice(self.math, row[MATH], row[MATH_LENGTH])
    }

    /// The name of the symbol with this code.
    pub(super) fn symbol(&self, code: u32) -> &'a [u8] {
        let entry = self.symbols.get((code & !VARIABLE) as usize);
        entry.map_or(&[], |&[start, length, ..]| self.bytes(start, start.saturating_add(length)))
    }

    /// An expression as it is written, with single spaces.
    pub(super) fn show(&self, first: u32, others: &[u32]) -> String {
        let mut shown = String::from_utf8_lossy(self.symbol(first)).into_owned();
        for &code in others {
            shown.push(' ');
            shown.push_str(&String::from_utf8_lossy(self.symbol(code)));
        }
        shown
    }

    /// An expression as it is written, shortened.
    pub(super) fn render(&self, typecode: u32, math: &[u32]) -> String {
        const MAX_SYMBOLS: usize = 200;
        let mut shown = self.show(typecode, &math[..math.len().min(MAX_SYMBOLS)]);
        if math.len() > MAX_SYMBOLS {
            shown.push_str(" ...");
        }
        shown
    }
}

/// The label of a statement, or nothing.
#[inline]
pub(super) fn label<'a>(text: &'a [u8], ends: &[u32], statement: u32) -> &'a [u8] {
    let statement = statement as usize;
    let start = statement.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied());
    let (Some(start), Some(&end)) = (start, ends.get(statement)) else { return &[] };
    text.get(start as usize..end as usize).unwrap_or_default()
}

pub(super) fn slice(column: &[u32], start: u32, length: u32) -> &[u32] {
    let start = start as usize;
    column.get(start..start.saturating_add(length as usize)).unwrap_or_default()
}

/// A database of theorems with their proofs, read and found well formed. Its proofs are not checked by that.
#[derive(Debug)]
pub struct Library {
    pub(super) store: Store,
    /// Where each file begins in the text, and its path.
    pub(super) files: Vec<(u32, String)>,
    /// From where files were included.
    pub(super) root: Option<PathBuf>,
    pub(super) uses: OnceLock<Result<AxiomUse, Exhausted>>,
}

impl Library {
    pub(super) fn columns(&self) -> Columns<'_> {
        self.store.columns()
    }

    /// How many labelled statements there are.
    pub fn len(&self) -> u32 {
        u32::try_from(self.columns().rows.len()).unwrap_or(u32::MAX)
    }

    /// Whether there is no labelled statement.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The statement with this label.
    pub fn find(&self, label: &str) -> Option<u32> {
        self.columns().find(label.as_bytes())
    }

    /// What statement `number` is.
    pub fn kind(&self, number: u32) -> Option<StatementKind> {
        self.columns().row(number).and_then(|row| kind(row[KIND]))
    }

    /// The label of statement `number`.
    pub fn label(&self, number: u32) -> Option<&str> {
        str::from_utf8(self.columns().label(number)).ok().filter(|label| !label.is_empty())
    }

    /// What statement `number` says, with single spaces between its symbols.
    pub fn statement(&self, number: u32) -> Option<String> {
        let columns = self.columns();
        let row = columns.row(number)?;
        Some(columns.show(row[TYPECODE], columns.math(row)))
    }

    /// The theorems, in order.
    pub fn theorems(&self) -> Vec<u32> {
        (0..self.len()).filter(|&number| self.kind(number) == Some(StatementKind::Theorem)).collect()
    }

    /// The fault at `span`, with file, line and column.
    pub(super) fn place(&self, code: Code, message: Option<String>, span: Range<usize>) -> Fault {
        place(self.columns().text, &self.files, code, message, span)
    }
}

pub(super) fn kind(number: u32) -> Option<StatementKind> {
    match number {
        0 => Some(StatementKind::Floating),
        1 => Some(StatementKind::Essential),
        2 => Some(StatementKind::Axiom),
        3 => Some(StatementKind::Theorem),
        _ => None,
    }
}
