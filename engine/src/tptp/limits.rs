//! How much a reader accepts before it gives up.

/// The bounds that keep a hostile or mistaken file from exhausting the memory or the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file, and of all files of a problem together. A file included twice counts twice.
    pub max_bytes: u64,
    /// How deep parentheses, connectives and terms may nest. Values above [`Limits::DEEPEST`] count as that.
    pub max_depth: usize,
    /// How often a file may be opened for one problem.
    pub max_files: usize,
    /// Formulas of a problem.
    pub max_formulas: usize,
    /// Terms and subformulas of a problem: two bytes of text can ask for a hundred bytes of memory, so bytes alone bound little.
    pub max_nodes: usize,
}

impl Limits {
    /// The greatest depth that is honoured.
    ///
    /// The parser recurses, and so does everything that walks a formula. A thread other than the main one has 2 MiB of stack, of
    /// which a level costs up to 2.4 KiB without optimisation: this depth leaves the caller nearly half. A test parses, prints
    /// and drops it on such a thread.
    pub const DEEPEST: usize = 500;

    /// The depth that the parser enforces.
    pub(super) fn depth(&self) -> usize {
        self.max_depth.min(Self::DEEPEST)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_depth: Self::DEEPEST,
            max_files: 1000,
            max_formulas: 1_000_000,
            max_nodes: 20_000_000,
        }
    }
}
