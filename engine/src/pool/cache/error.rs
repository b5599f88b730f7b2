//! Why the cache could not do as asked.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use porism_native::sqlite::damaged_page;
use rusqlite::ErrorCode;
use thiserror::Error;

/// The result of an operation on the cache.
pub type Result<T> = std::result::Result<T, CacheError>;

/// Why the cache could not do as asked. None of it says anything about a candidate: whoever gets it can ask the prover instead.
#[derive(Debug, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum CacheError {
    /// The path holds something else, or nothing.
    #[error("{}: not a verdict cache: {reason}", path.display())]
    NotACache { path: PathBuf, reason: String },
    /// It was written by another version of Porism.
    #[error("{}: format {found}, this version has format {current}: begin an empty one (rebuild)", path.display())]
    Format { path: PathBuf, found: u32, current: u32 },
    /// Bytes disagree with their checksum or each other.
    #[error("{}: damaged at {place}: {reason}; begin an empty one (rebuild)", path.display())]
    Damaged { path: PathBuf, place: String, reason: String },
    /// Others are writing, or opening it, for too long.
    #[error("{}: others held it for {:.1} s: wait longer (timeout_s)", path.display(), waited.as_secs_f64())]
    Locked { path: PathBuf, waited: Duration },
    /// The operating system refused.
    #[error("{}: cannot {action}: {reason}", path.display())]
    Io { path: PathBuf, action: &'static str, reason: String },
    /// What was handed over cannot be used.
    #[error("{0}")]
    Input(String),
}

impl CacheError {
    pub(super) fn damaged(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Damaged { path: PathBuf::new(), place: place.into(), reason: reason.into() }
    }

    pub(super) fn io(path: &Path, action: &'static str, error: &io::Error) -> Self {
        Self::Io { path: path.into(), action, reason: error.to_string() }
    }

    /// The same error with the cache's `path`, and a lock with the time that was `waited` for it. Deep in the store neither is known.
    pub(super) fn within(self, cache: &Path, waited: Duration) -> Self {
        match self {
            Self::Damaged { path, place, reason } if path.as_os_str().is_empty() => {
                Self::Damaged { path: cache.into(), place, reason }
            }
            Self::Io { path, action, reason } if path.as_os_str().is_empty() => {
                Self::Io { path: cache.into(), action, reason }
            }
            Self::Locked { .. } => Self::Locked { path: cache.into(), waited },
            other => other,
        }
    }
}

impl From<rusqlite::Error> for CacheError {
    fn from(error: rusqlite::Error) -> Self {
        if let Some(damage) = damaged_page(&error) {
            return Self::damaged(format!("page {}", damage.page), "its checksum is not that of its bytes");
        }
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Locked { path: PathBuf::new(), waited: Duration::ZERO }
            }
            Some(
                ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory,
            ) => Self::Io { path: PathBuf::new(), action: "use the file", reason },
            // Everything else says that the file does not hold what this code writes.
            _ => Self::damaged("its tables", reason),
        }
    }
}
