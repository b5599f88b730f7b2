//! Certificates in files, beside the problems they are about: the format is named, or told by the file's name.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::cnf::Formula;
use super::lrat::CheckError;
use super::receipt::Receipt;
use super::verdict::Verdict;
use super::{Work, drat, lrat, model, rewrite};
use crate::hash::content_hash;

/// The formats that come with a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Unsatisfiability, with hints.
    Lrat,
    /// Unsatisfiability, without hints.
    Drat,
    /// Satisfiability.
    Model,
    /// An equation from equations.
    Rewrite,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Lrat, Self::Drat, Self::Model, Self::Rewrite];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lrat => "lrat",
            Self::Drat => "drat",
            Self::Model => "model",
            Self::Rewrite => "rewrite",
        }
    }

    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The format that the end of a file's name tells.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "lrat" | "clrat" | "blrat" => Some(Self::Lrat),
            "drat" | "drup" => Some(Self::Drat),
            "model" | "sol" => Some(Self::Model),
            "rewrite" | "prw" => Some(Self::Rewrite),
            _ => None,
        }
    }
}

/// Why a file was not checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The check was called off.
    #[error("the check was called off")]
    Cancelled,
}

/// The verdict on the certificate in one file about the problem in another, and what it is about.
///
/// A problem that is malformed is a certificate that is rejected: nothing is claimed that could be proved. The fault names the file.
pub fn check_file(
    problem: &Path,
    certificate: &Path,
    format: Format,
    work: &Work<'_>,
) -> Result<(Verdict, Receipt), FileError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| FileError::Io { path, source }
    };
    let claim = fs::read(problem).map_err(failed(problem))?;
    let whole = || fs::read(certificate).map_err(failed(certificate));
    if format == Format::Rewrite {
        return Ok(rewrite::check(&claim, &whole()?, &work.budget));
    }
    let formula = match Formula::parse(&claim) {
        Ok(formula) => formula,
        Err(mut fault) => {
            fault.file = Some(problem.display().to_string());
            return Ok((Verdict::Rejected(fault), Receipt::new(&claim, &whole()?, "porism-cnf", "1")));
        }
    };
    let stopped = |error| match error {
        CheckError::Io(source) => failed(certificate)(source),
        CheckError::Cancelled => FileError::Cancelled,
    };
    match format {
        Format::Lrat => {
            let proof = File::open(certificate).map_err(failed(certificate))?;
            lrat::check(&formula, proof, work).map(|report| (report.verdict, report.receipt)).map_err(stopped)
        }
        Format::Drat => {
            drat::check(&formula, &whole()?, work).map(|(report, _)| (report.verdict, report.receipt)).map_err(stopped)
        }
        Format::Model | Format::Rewrite => {
            let bytes = whole()?;
            let (claim_hash, certificate_hash) = (formula.hash(), content_hash(&bytes));
            let (checker, checker_version, axioms) = (model::NAME, model::VERSION, Vec::new());
            let receipt = Receipt { claim_hash, certificate_hash, checker, checker_version, axioms };
            Ok((model::check(&formula, &bytes), receipt))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::check::Budget;

    #[test]
    fn the_format_is_told_by_the_name() {
        for format in Format::ALL {
            assert_eq!(Format::named(format.name()), Some(format));
            assert_eq!(Format::of(Path::new("a.cnf").with_extension(format.name()).as_path()), Some(format));
        }
        assert_eq!((Format::of(Path::new("lrat")), Format::of(Path::new("a.mm"))), (None, None));
    }

    #[test]
    fn a_file_that_is_not_there_is_no_verdict() {
        let cancel = AtomicBool::new(false);
        let work = Work { threads: 1, budget: Budget::default(), cancel: &cancel, observer: None };
        let nowhere = Path::new("/nowhere/a.cnf");
        let error = check_file(nowhere, nowhere, Format::Lrat, &work).unwrap_err();
        assert!(error.to_string().starts_with("cannot read /nowhere/a.cnf: "), "{error}");
    }
}
