//! `SQLite` databases whose pages carry checksums.
//!
//! `SQLite` believes what it reads: a flipped byte in an index or in a column is a wrong answer and no error. A database made by
//! [`create`] leaves eight bytes at the end of each page free, into which a layer between `SQLite` and the file puts a checksum of
//! every page that it writes. Each page that is read is compared with its checksum first. Where they differ, the query fails with
//! `SQLITE_IOERR_DATA`, and [`damaged_page`] names the page. That eight reserved bytes are a good place for it was shown by the
//! checksum extension that comes with `SQLite`; the code and the format are our own.
//!
//! What is checked is the database's own file. A log (`-wal`) has checksums of its own, which `SQLite` compares when it recovers
//! the log; its pages are sealed when they are folded into the file.
//!
//! The file stays an `SQLite` database that every program can read. A program that writes it without this layer leaves pages
//! behind whose checksums do not match.

mod checks;
mod damage;
mod file;
mod gather;
mod header;
mod layer;
mod log;
mod page;
mod stamp;
mod vfs;

use std::ffi::c_int;
use std::path::Path;
use std::ptr;

use rusqlite::ffi::{
    self, SQLITE_FCNTL_RESERVE_BYTES, SQLITE_FCNTL_VFS_POINTER, SQLITE_MISUSE, SQLITE_OK, sqlite3_vfs,
};
use rusqlite::{Connection, OpenFlags};

pub use damage::{DamagedPage, damaged_page};
pub use header::read_header;
pub use stamp::commit_stamp;

/// Opens the database at `path`, and makes it if there is none. `path` is never a URI.
///
/// The size of a page is fixed from here on: a `VACUUM` that would change it fails.
pub fn create(path: impl AsRef<Path>) -> rusqlite::Result<Connection> {
    create_with(path.as_ref(), "")
}

/// Like [`create`], with settings that have to be made before the first page is written.
fn create_with(path: &Path, settings: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    connection.execute_batch(settings)?;
    // A change of nothing writes page 1 of a new database, so that what it says about pages is settled.
    connection.execute_batch("BEGIN IMMEDIATE; COMMIT")?;
    Ok(connection)
}

/// Opens the database at `path`, which may be a URI if `flags` say so.
///
/// Like `SQLite` itself, it reads nothing yet: a database without checksums is refused by the first query, as damaged at page 1.
/// A database that is attached to the connection is checked as well.
pub fn open(path: impl AsRef<Path>, flags: OpenFlags) -> rusqlite::Result<Connection> {
    vfs::register()?;
    let connection = Connection::open_with_flags_and_vfs(path, flags, vfs::NAME)?;
    let mut used: *mut sqlite3_vfs = ptr::null_mut();
    // SAFETY: the argument of this operation is a pointer to such a pointer.
    unsafe { control(&connection, SQLITE_FCNTL_VFS_POINTER, &raw mut used) }?;
    // SAFETY: the name is a C string; the answer is only compared.
    if used != unsafe { ffi::sqlite3_vfs_find(vfs::NAME.as_ptr()) } {
        let reason = "the URI asks for a VFS other than the one that checks pages".to_owned();
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(SQLITE_MISUSE), Some(reason)));
    }
    let mut reserved = c_int::from(page::RESERVED_BYTES);
    // SAFETY: the argument of this operation is a pointer to such a number.
    unsafe { control(&connection, SQLITE_FCNTL_RESERVE_BYTES, &raw mut reserved) }?;
    Ok(connection)
}

/// # Safety
/// `argument` points to what `operation` takes.
unsafe fn control<T>(connection: &Connection, operation: c_int, argument: *mut T) -> rusqlite::Result<()> {
    // SAFETY: the handle is used while the connection is borrowed, and is not closed.
    let handle = unsafe { connection.handle() };
    // SAFETY: the handle is open, the name is a C string, and the caller vouches for the argument.
    match unsafe { ffi::sqlite3_file_control(handle, c"main".as_ptr(), operation, argument.cast()) } {
        SQLITE_OK => Ok(()),
        code => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)),
    }
}

#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod tests;
