//! A library that is a folder: one problem a file, in order.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::tptp::{Annotated, Limits, ParseError, Problem, Role, Symbol, canonical};

/// The file that lists the problems of a folder in order, one file name a line; without it, names are sorted with numbers by value.
pub const ORDER_FILE: &str = "library.txt";

/// Why a library could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// A file is malformed or missing.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The folder or its order file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// What could not be read.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The folder holds no problem.
    #[error("{}: expected problems (files that end in .p or .tptp, or a {ORDER_FILE} that lists them), found none", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// One name means two things in two files of a folder.
    #[error("{}: the name {name} already stands for another formula, from {}", path.display(), earlier.display())]
    NameClash {
        /// The name.
        name: String,
        /// The file that says it second.
        path: PathBuf,
        /// The file that said it first.
        earlier: PathBuf,
    },
}

/// Reads `path`, a file or a folder, as one sequence of formulas.
pub fn read(path: &Path, limits: &Limits) -> Result<Problem, LibraryError> {
    if path.is_dir() { read_folder(path, limits) } else { Ok(Problem::read(path, limits)?) }
}

/// Joins the problems of a folder: what several files say alike is kept once, where it was first said.
fn read_folder(folder: &Path, limits: &Limits) -> Result<Problem, LibraryError> {
    let paths = problem_files(folder)?;
    if paths.is_empty() {
        return Err(LibraryError::Empty { path: folder.to_owned() });
    }
    let mut joined = Joined::default();
    for path in &paths {
        joined.append(Problem::read(path, limits)?, path)?;
    }
    Ok(joined.problem)
}

#[derive(Default)]
struct Joined {
    problem: Problem,
    seen: HashMap<Symbol, Seen>,
}

struct Seen {
    canonical: String,
    path: PathBuf,
}

impl Joined {
    fn append(&mut self, problem: Problem, path: &Path) -> Result<(), LibraryError> {
        let first_file = u32::try_from(self.problem.files.len()).expect("limits bound the number of files");
        self.problem.files.extend(problem.files);
        for mut annotated in problem.formulas {
            annotated.file += first_file;
            self.push(annotated, path)?;
        }
        Ok(())
    }

    fn push(&mut self, mut annotated: Annotated, path: &Path) -> Result<(), LibraryError> {
        let canonical = canonical(&annotated.formula);
        if let Some(seen) = self.seen.get(&annotated.name) {
            if seen.canonical == canonical {
                return Ok(());
            }
            // Every file may call its conjecture `goal`; the file's own name tells them apart.
            let renamed = Symbol::new(&path.file_stem().unwrap_or_default().to_string_lossy());
            if annotated.role != Role::Conjecture || self.seen.contains_key(&renamed) {
                let (name, earlier) = (annotated.name.to_string(), seen.path.clone());
                return Err(LibraryError::NameClash { name, path: path.to_owned(), earlier });
            }
            annotated.name = renamed;
        }
        self.seen.insert(annotated.name.clone(), Seen { canonical, path: path.to_owned() });
        self.problem.formulas.push(annotated);
        Ok(())
    }
}

fn problem_files(folder: &Path) -> Result<Vec<PathBuf>, LibraryError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| LibraryError::Io { path, source }
    };
    let order = folder.join(ORDER_FILE);
    if order.is_file() {
        let listed = fs::read_to_string(&order).map_err(failed(&order))?;
        return Ok(listed
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| folder.join(line))
            .collect());
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "p" || extension == "tptp") {
            paths.push(path);
        }
    }
    paths.sort_by(|left, right| natural(&left.to_string_lossy(), &right.to_string_lossy()).then(left.cmp(right)));
    Ok(paths)
}

/// Compares names with runs of digits by value: `t2` before `t10`.
fn natural(left: &str, right: &str) -> Ordering {
    let (left, right) = (chunks(left), chunks(right));
    left.cmp(&right)
}

/// A run of digits (by length without leading zeros, then digits) or one other character.
fn chunks(name: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for character in name.chars() {
        match found.last_mut() {
            Some((length, digits)) if *length > 0 && character.is_ascii_digit() => {
                digits.push(character);
                *length += 1;
            }
            _ => found.push((usize::from(character.is_ascii_digit()), character.to_string())),
        }
    }
    for (length, digits) in &mut found {
        if *length > 0 {
            *digits = digits.trim_start_matches('0').to_owned();
            *length = digits.len() + 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;
    use std::fs;

    use super::{Limits, ORDER_FILE, natural, read};

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        folder
    }

    fn names(folder: &tempfile::TempDir) -> Vec<String> {
        let problem = read(folder.path(), &Limits::default()).expect("a library");
        problem.formulas.iter().map(|formula| formula.name.to_string()).collect()
    }

    #[test]
    fn numbers_are_compared_by_value() {
        assert_eq!(natural("t2.p", "t10.p"), Ordering::Less);
        assert_eq!(natural("t2.p", "t2.p"), Ordering::Equal);
        assert_eq!(natural("a9b", "a09c"), Ordering::Less);
    }

    #[test]
    fn shared_axioms_are_kept_once_and_goals_are_told_apart() {
        let axiom = "fof(a, axiom, p).";
        let folder = folder(&[
            ("t2.p", &format!("{axiom} fof(goal, conjecture, p & p).")),
            ("t10.p", &format!("{axiom} fof(goal, conjecture, p | q).")),
        ]);
        assert_eq!(names(&folder), ["a", "goal", "t10"]);
    }

    #[test]
    fn an_order_file_decides() {
        let folder =
            folder(&[("a.p", "fof(x, conjecture, p)."), ("b.p", "fof(y, conjecture, q)."), (ORDER_FILE, "b.p\na.p\n")]);
        assert_eq!(names(&folder), ["y", "x"]);
    }

    #[test]
    fn one_name_for_two_axioms_is_an_error_that_names_both_files() {
        let folder = folder(&[("a.p", "fof(x, axiom, p)."), ("b.p", "fof(x, axiom, q).")]);
        let message = read(folder.path(), &Limits::default()).expect_err("a clash").to_string();
        assert!(message.contains("b.p: the name x") && message.contains("a.p"), "{message}");
    }

    #[test]
    fn an_empty_folder_says_what_was_expected() {
        let message = read(folder(&[]).path(), &Limits::default()).expect_err("nothing").to_string();
        assert!(message.contains("found none"), "{message}");
    }
}
