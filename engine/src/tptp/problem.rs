//! A problem: the formulas of a file and of all files it includes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::ast::{Annotated, Symbol};
use super::cursor::Cursor;
use super::error::{ParseError, ParseErrorKind, Place, escape};
use super::include::{self, Selection};
use super::limits::Limits;
use super::parser::Shared;
use super::statement::{Statement, Statements};

/// How deep includes may nest; the problems of the TPTP library nest two or three deep.
const MAX_INCLUDE_DEPTH: usize = 32;

/// The formulas of a problem, in the order in which a prover would read them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// The files they come from, the top-level one first. A text that is no file stands here by its label.
    pub files: Vec<PathBuf>,
    /// The formulas, those of an included file in the place of the `include`.
    pub formulas: Vec<Annotated>,
}

impl Problem {
    /// Reads a file and what it includes.
    ///
    /// An included file is looked for in the folder of the file that includes it, then in the folder that the environment
    /// variable `TPTP` names.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self, ParseError> {
        Self::read_with_library(path, limits, library())
    }

    /// Reads a text as if it were a file; `label` stands for its name in errors.
    /// An included file is looked for in the current folder, then in the folder that `TPTP` names.
    pub fn parse(text: &str, label: &str, limits: &Limits) -> Result<Self, ParseError> {
        let mut reader = Reader::new(limits, library());
        let label_path = PathBuf::from(label);
        let size_bytes = text.len() as u64;
        let top = reader
            .charge(size_bytes)
            .map_err(|kind| ParseError::new(Place::whole(label), kind))
            .map(|()| reader.open(label_path, None))?;
        let mut shared = Shared::default();
        reader.statements(text, top, &mut shared)?;
        reader.finish(label)
    }

    pub(super) fn read_with_library(
        path: &Path,
        limits: &Limits,
        library: Option<PathBuf>,
    ) -> Result<Self, ParseError> {
        let mut reader = Reader::new(limits, library);
        let mut shared = Shared::default();
        reader.file(path, &mut shared)?;
        reader.finish(&path.to_string_lossy())
    }
}

fn library() -> Option<PathBuf> {
    std::env::var_os("TPTP").map(PathBuf::from)
}

/// Where a name was first used.
struct Origin {
    file: u32,
    offset: usize,
    line: u32,
}

/// Follows the includes of a problem and gathers its formulas.
struct Reader<'l> {
    limits: &'l Limits,
    library: Option<PathBuf>,
    files: Vec<PathBuf>,
    /// Files by their one true path, so that a file included twice keeps its index.
    indices: HashMap<PathBuf, u32>,
    /// The files that are being read, the innermost last.
    open: Vec<u32>,
    /// The selections in force, one for each open include that has one.
    selections: Vec<Selection>,
    names: HashMap<Symbol, Origin>,
    formulas: Vec<Annotated>,
    size_bytes: u64,
    times_opened: usize,
}

impl<'l> Reader<'l> {
    fn new(limits: &'l Limits, library: Option<PathBuf>) -> Self {
        Self {
            limits,
            library,
            files: Vec::new(),
            indices: HashMap::new(),
            open: Vec::new(),
            selections: Vec::new(),
            names: HashMap::new(),
            formulas: Vec::new(),
            size_bytes: 0,
            times_opened: 0,
        }
    }

    fn finish(self, label: &str) -> Result<Problem, ParseError> {
        if self.formulas.is_empty() {
            return Err(ParseError::new(Place::whole(label), ParseErrorKind::NoFormula));
        }
        Ok(Problem { files: self.files, formulas: self.formulas })
    }

    /// Accounts for bytes that are about to be parsed.
    fn charge(&mut self, size_bytes: u64) -> Result<(), ParseErrorKind> {
        let size_bytes = self.size_bytes.saturating_add(size_bytes);
        let limit_bytes = self.limits.max_bytes;
        if size_bytes > limit_bytes {
            return Err(ParseErrorKind::TooLarge { size_bytes, limit_bytes });
        }
        self.size_bytes = size_bytes;
        Ok(())
    }

    /// The index of a file, the same each time for the same `identity`.
    fn open(&mut self, path: PathBuf, identity: Option<PathBuf>) -> u32 {
        let next = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        let index = identity.map_or(next, |identity| *self.indices.entry(identity).or_insert(next));
        if index == next {
            self.files.push(path);
        }
        index
    }

    fn file(&mut self, path: &Path, shared: &mut Shared) -> Result<(), ParseError> {
        self.times_opened += 1;
        let label = path.to_string_lossy();
        let bytes = include::read_bytes(path, self.size_bytes, self.limits.max_bytes)
            .map_err(|kind| ParseError::new(Place::whole(&label), kind))?;
        self.charge(bytes.len() as u64).map_err(|kind| ParseError::new(Place::whole(&label), kind))?;
        let text = include::decode(bytes, &label)?;
        let identity = path.canonicalize().ok();
        let index = self.open(path.to_path_buf(), identity);
        self.statements(&text, index, shared)
    }

    fn statements(&mut self, text: &str, file: u32, shared: &mut Shared) -> Result<(), ParseError> {
        let label = self.files[file as usize].to_string_lossy().into_owned();
        let cursor = Cursor::new(text, &label)?;
        let mut statements = Statements::new(cursor, file, self.limits, shared);
        self.open.push(file);
        while let Some(statement) = statements.next()? {
            match statement {
                Statement::Formula { annotated, offset } => {
                    self.formula(annotated, offset).map_err(|kind| statements.cursor().error_at(offset, kind))?;
                }
                Statement::Include { file, names, offset } => {
                    let path = self.resolve(&file).map_err(|kind| statements.cursor().error_at(offset, kind))?;
                    self.selections.extend(names.as_deref().map(Selection::new));
                    self.file(&path, statements.shared())?;
                    if names.is_some() {
                        self.close_selection(&file).map_err(|kind| statements.cursor().error_at(offset, kind))?;
                    }
                }
            }
        }
        self.open.pop();
        Ok(())
    }

    fn formula(&mut self, annotated: Annotated, offset: usize) -> Result<(), ParseErrorKind> {
        if !self.selections.iter_mut().rev().all(|selection| selection.admits(&annotated.name)) {
            return Ok(());
        }
        if self.is_known(&annotated, offset)? {
            return Ok(());
        }
        let limit = self.limits.max_formulas;
        if self.formulas.len() >= limit {
            return Err(ParseErrorKind::TooMany { what: "formulas", limit });
        }
        self.formulas.push(annotated);
        Ok(())
    }

    /// Whether this very formula was read before, because its file is included twice.
    /// A different one of the same name is an error.
    fn is_known(&mut self, annotated: &Annotated, offset: usize) -> Result<bool, ParseErrorKind> {
        let (file, line) = (annotated.file, annotated.line);
        let Some(first) = self.names.get(&annotated.name) else {
            self.names.insert(annotated.name.clone(), Origin { file, offset, line });
            return Ok(false);
        };
        if (first.file, first.offset) == (file, offset) {
            return Ok(true);
        }
        Err(ParseErrorKind::DuplicateName {
            name: escape(annotated.name.chars()),
            first_file: self.label(first.file),
            first_line: first.line,
        })
    }

    /// The path of an included file, if reading it would be neither circular nor too much.
    fn resolve(&self, name: &str) -> Result<PathBuf, ParseErrorKind> {
        let limit = self.limits.max_files;
        if self.times_opened >= limit {
            return Err(ParseErrorKind::TooMany { what: "files", limit });
        }
        if self.open.len() >= MAX_INCLUDE_DEPTH {
            return Err(ParseErrorKind::TooDeep { what: "includes", limit: MAX_INCLUDE_DEPTH });
        }
        let including = self.open.last().map(|&index| self.files[index as usize].as_path());
        let folder = including.and_then(Path::parent).unwrap_or(Path::new(""));
        let path = include::find(name, folder, self.library.as_deref())?;
        self.refuse_cycle(&path)?;
        Ok(path)
    }

    fn refuse_cycle(&self, path: &Path) -> Result<(), ParseErrorKind> {
        let index = path.canonicalize().ok().and_then(|identity| self.indices.get(&identity).copied());
        let Some(start) = index.and_then(|index| self.open.iter().position(|&open| open == index)) else {
            return Ok(());
        };
        let mut cycle: Vec<String> = self.open[start..].iter().map(|&open| self.label(open)).collect();
        cycle.push(self.label(self.open[start]));
        Err(ParseErrorKind::IncludeCycle { cycle })
    }

    fn close_selection(&mut self, file: &str) -> Result<(), ParseErrorKind> {
        let names = self.selections.pop().map(Selection::into_missing).unwrap_or_default();
        if names.is_empty() { Ok(()) } else { Err(ParseErrorKind::MissingNames { file: escape(file.chars()), names }) }
    }

    fn label(&self, file: u32) -> String {
        escape(self.files[file as usize].to_string_lossy().chars())
    }
}

#[cfg(test)]
#[path = "problem_tests.rs"]
mod tests;
