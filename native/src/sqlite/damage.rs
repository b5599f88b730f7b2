//! Which page it was: a result code of `SQLite` has no room for it.

use std::cell::RefCell;
use std::fmt;
use std::path::PathBuf;

use rusqlite::ffi::SQLITE_IOERR_DATA;

/// A page whose bytes are not those that were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedPage {
    /// The database.
    pub file: PathBuf,
    /// The number of the page, counted from 1.
    pub page: u64,
}

impl fmt::Display for DamagedPage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "page {} of {} does not match its checksum", self.page, self.file.display())
    }
}

thread_local! {
    static LAST: RefCell<Option<DamagedPage>> = const { RefCell::new(None) };
}

/// Keeps `damaged` for whoever gets the error. A thread that is ending has nobody to tell.
pub(super) fn note(damaged: DamagedPage) {
    let _ = LAST.try_with(|last| last.replace(Some(damaged)));
}

/// The damaged page that is behind `error`, or `None` if the error is about something else.
///
/// It is known once, and on the thread on which the error arose: ask before another query is made.
pub fn damaged_page(error: &rusqlite::Error) -> Option<DamagedPage> {
    let code = error.sqlite_error()?.extended_code;
    if code == SQLITE_IOERR_DATA { LAST.take() } else { None }
}
