//! Where the columns of a library are: in memory, or in a mapped file.

use std::ops::Range;

use porism_native::map::MappedFile;
use porism_native::words::{copy_words, words};

use super::library::{Columns, HYPOTHESIS, ROW, Row, SYMBOL};

/// The columns in memory.
#[derive(Debug, Default)]
pub(super) struct Owned {
    pub text: Vec<u8>,
    pub rows: Vec<Row>,
    pub frames: Vec<[u32; HYPOTHESIS]>,
    pub math: Vec<u32>,
    pub disjoint: Vec<u32>,
    pub groups: Vec<[u32; 3]>,
    pub members: Vec<u32>,
    pub rosters: Vec<u32>,
    pub symbols: Vec<[u32; SYMBOL]>,
    pub symbol_names: Vec<u32>,
    pub labels: Vec<u32>,
    pub label_text: Vec<u8>,
    pub label_ends: Vec<u32>,
    pub seed: u64,
}

/// How many columns of numbers there are.
pub(super) const NUMBERS: usize = 11;

/// The columns in a file.
#[derive(Debug)]
pub(super) struct Mapped {
    pub map: MappedFile,
    /// Where the text is, and the labels.
    pub text: Range<usize>,
    pub label_text: Range<usize>,
    /// Where the columns of numbers are, in the order of [`columns_of_numbers`].
    pub numbers: [Range<usize>; NUMBERS],
    pub seed: u64,
}

#[derive(Debug)]
pub(super) enum Store {
    Owned(Box<Owned>),
    Mapped(Box<Mapped>),
}

impl Store {
    pub(super) fn columns(&self) -> Columns<'_> {
        match self {
            Self::Owned(owned) => Columns {
                text: &owned.text,
                rows: &owned.rows,
                frames: &owned.frames,
                math: &owned.math,
                disjoint: &owned.disjoint,
                groups: &owned.groups,
                members: &owned.members,
                rosters: &owned.rosters,
                symbols: &owned.symbols,
                symbol_names: &owned.symbol_names,
                labels: &owned.labels,
                label_text: &owned.label_text,
                label_ends: &owned.label_ends,
                seed: owned.seed,
            },
            Self::Mapped(mapped) => {
                let bytes = mapped.map.bytes();
                let [rows, frames, math, disjoint, groups, members, rosters, symbols, symbol_names, labels, label_ends] =
                    mapped.numbers.each_ref().map(|range| bytes.get(range.clone()).and_then(words).unwrap_or_default());
                Columns {
                    text: bytes.get(mapped.text.clone()).unwrap_or_default(),
                    rows: rows.as_chunks::<ROW>().0,
                    frames: frames.as_chunks::<HYPOTHESIS>().0,
                    math,
                    disjoint,
                    groups: groups.as_chunks::<3>().0,
                    members,
                    rosters,
                    symbols: symbols.as_chunks::<SYMBOL>().0,
                    symbol_names,
                    labels,
                    label_text: bytes.get(mapped.label_text.clone()).unwrap_or_default(),
                    label_ends,
                    seed: mapped.seed,
                }
            }
        }
    }
}

/// The columns of numbers in the order in which files have them.
pub(super) fn columns_of_numbers<'a>(columns: &Columns<'a>) -> [&'a [u32]; NUMBERS] {
    [
        columns.rows.as_flattened(),
        columns.frames.as_flattened(),
        columns.math,
        columns.disjoint,
        columns.groups.as_flattened(),
        columns.members,
        columns.rosters,
        columns.symbols.as_flattened(),
        columns.symbol_names,
        columns.labels,
        columns.label_ends,
    ]
}

/// The columns of a file, copied: for machines that cannot read them in place.
pub(super) fn copied(mapped: &Mapped) -> Option<Owned> {
    let bytes = mapped.map.bytes();
    let mut numbers = mapped.numbers.iter().map(|range| bytes.get(range.clone()).and_then(copy_words));
    let mut next = || numbers.next().flatten();
    Some(Owned {
        rows: next()?.as_chunks().0.to_vec(),
        frames: next()?.as_chunks().0.to_vec(),
        math: next()?,
        disjoint: next()?,
        groups: next()?.as_chunks().0.to_vec(),
        members: next()?,
        rosters: next()?,
        symbols: next()?.as_chunks().0.to_vec(),
        symbol_names: next()?,
        labels: next()?,
        label_ends: next()?,
        label_text: bytes.get(mapped.label_text.clone())?.to_vec(),
        text: bytes.get(mapped.text.clone())?.to_vec(),
        seed: mapped.seed,
    })
}
