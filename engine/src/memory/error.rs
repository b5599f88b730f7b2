//! Why the memory could not do as asked.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use porism_native::map::MapError;
use porism_native::sqlite::damaged_page;
use rusqlite::ErrorCode;
use thiserror::Error;

use crate::lsh::Damage;
use crate::words::UnknownWord;

/// The name of the catalog inside a memory's directory.
pub(super) const CATALOG: &str = "catalog.sqlite";

/// The result of an operation on the memory.
pub type Result<T> = std::result::Result<T, MemoryError>;

/// Why the memory could not do as asked. Whatever was acknowledged before is unharmed.
#[derive(Debug, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum MemoryError {
    /// The path holds something else, or nothing.
    #[error("{}: not a memory: {reason}", path.display())]
    NotAMemory { path: PathBuf, reason: String },
    /// It was written by a newer Porism.
    #[error("{}: format {found}, but this version reads formats up to {supported}: use a newer Porism", path.display())]
    Format { path: PathBuf, found: u32, supported: u32 },
    /// It was written by an older Porism.
    #[error("{}: format {found}, this version writes {current}: upgrade it once with: porism memory upgrade {}", path.display(), path.display())]
    OldFormat { path: PathBuf, found: u32, current: u32 },
    /// Bytes disagree with their checksum, their length or each other.
    #[error("{}: damaged at {place}: {reason}", file.display())]
    Damaged { file: PathBuf, place: String, reason: String },
    /// Another process is writing.
    #[error(
        "{}: another process holds the write lock and did not let go within {:.1} s: let it finish, or wait longer (timeout_s)",
        path.display(), waited.as_secs_f64()
    )]
    Locked { path: PathBuf, waited: Duration },
    /// Somebody else has written since the caller looked.
    #[error("the memory is at generation {found}, the transaction expects {expected}: look again, then repeat it")]
    Conflict { expected: i64, found: i64 },
    /// A write would make the memory larger than it may be.
    #[error("{}: {size} bytes with this write, the budget is {budget}: forget and compact, or raise it (budget_bytes)", path.display())]
    Budget { path: PathBuf, size: u64, budget: u64 },
    /// The operating system refused.
    #[error("{}: cannot {action}: {reason}", path.display())]
    Io { path: PathBuf, action: &'static str, reason: String },
    /// What was handed over cannot be used.
    #[error("{0}")]
    Input(String),
    /// The memory was made with another embedder: its rows cannot be compared with the caller's.
    #[error("{}: made with the {what} {stored}, but opened with {asked}", path.display())]
    Mismatch { path: PathBuf, what: &'static str, stored: String, asked: String },
}

impl MemoryError {
    /// What was handed over cannot be used.
    pub(super) fn input(reason: impl Into<String>) -> Self {
        Self::Input(reason.into())
    }

    /// `file` is damaged at `place`.
    pub(super) fn damaged(file: impl Into<PathBuf>, place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Damaged { file: file.into(), place: place.into(), reason: reason.into() }
    }

    /// The operating system refused `action` on `path`.
    pub(super) fn io(path: impl Into<PathBuf>, action: &'static str, error: &io::Error) -> Self {
        Self::Io { path: path.into(), action, reason: error.to_string() }
    }

    /// A map of `file` failed; a file that is too short was truncated.
    pub(super) fn map(file: &Path, error: &MapError) -> Self {
        match error {
            MapError::Io(error) => Self::io(file, "map the file", error),
            other => Self::damaged(file, "its end", other.to_string()),
        }
    }

    /// An index is damaged where it could not be done without.
    pub(super) fn index(damage: &Damage) -> Self {
        Self::damaged("the index", damage.place.clone(), damage.reason.clone())
    }

    /// The same error, with file names completed by the memory's `directory` and a lock by the time that was `waited` for it.
    ///
    /// Deep in the catalog only the name of a file is known; the face of the memory adds the rest, once.
    pub(super) fn within(self, directory: &Path, waited: Duration) -> Self {
        match self {
            Self::Damaged { file, place, reason } => Self::Damaged { file: directory.join(file), place, reason },
            Self::Io { path, action, reason } => Self::Io { path: directory.join(path), action, reason },
            Self::Locked { path, .. } => Self::Locked { path: directory.join(path), waited },
            other => other,
        }
    }
}

impl From<UnknownWord> for MemoryError {
    fn from(error: UnknownWord) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<rusqlite::Error> for MemoryError {
    fn from(error: rusqlite::Error) -> Self {
        if let Some(damage) = damaged_page(&error) {
            let reason = "its checksum is not that of its bytes";
            return Self::damaged(CATALOG, format!("page {}", damage.page), reason);
        }
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Locked { path: CATALOG.into(), waited: Duration::ZERO }
            }
            Some(
                ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory,
            ) => Self::Io { path: CATALOG.into(), action: "use the catalog", reason },
            // Everything else says that the file does not hold what this code writes: a page, a table or a value is wrong.
            _ => Self::damaged(CATALOG, "its tables", reason),
        }
    }
}
