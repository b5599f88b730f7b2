//! The first bytes of a database, without a database.

use std::ffi::{CString, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use rusqlite::ffi::{
    self, SQLITE_CANTOPEN, SQLITE_IOERR_SHORT_READ, SQLITE_OK, SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_READONLY, sqlite3_file,
    sqlite3_io_methods,
};

/// The file of the default VFS, while it is open.
struct Open {
    /// Room for the file, aligned as `SQLite` aligns it.
    room: Vec<u64>,
}

impl Open {
    fn file(&mut self) -> *mut sqlite3_file {
        self.room.as_mut_ptr().cast()
    }

    /// What can be done with it, if it is open.
    fn methods(&mut self) -> Option<&sqlite3_io_methods> {
        // SAFETY: the room is that of a file, and began as zeros.
        let methods = unsafe { *self.file() }.pMethods;
        // SAFETY: the methods of an open file are constant and outlive it.
        unsafe { methods.as_ref() }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(close) = self.methods().and_then(|methods| methods.xClose) {
            // SAFETY: the file is open, and nobody uses it afterwards.
            unsafe { close(self.file()) };
        }
    }
}

/// Fills `header` with the first bytes of the file at `path`; false if it has fewer.
///
/// The file is read through `SQLite`: whoever opens and closes a file on Unix lets go of every lock that the process has on it, those
/// of open databases too. `SQLite` knows of these and waits with closing.
pub fn read_header(path: &Path, header: &mut [u8]) -> rusqlite::Result<bool> {
    let failed = |code: c_int| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| failed(SQLITE_CANTOPEN))?;
    // SAFETY: a null name asks for the default; `SQLite` starts itself if it has to.
    let vfs = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
    // SAFETY: what was found stays registered, and is not changed.
    let Some(vfs_methods) = (unsafe { vfs.as_ref() }) else { return Err(failed(SQLITE_CANTOPEN)) };
    let (Some(open), Ok(bytes)) = (vfs_methods.xOpen, usize::try_from(vfs_methods.szOsFile)) else {
        return Err(failed(SQLITE_CANTOPEN));
    };
    let mut opened = Open { room: vec![0; bytes.div_ceil(size_of::<u64>())] };
    let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
    // SAFETY: the name is a C string without parameters, which the flags do not promise; there is as much room for the file as the VFS
    // asks for.
    let code = unsafe { open(vfs, name.as_ptr(), opened.file(), flags, ptr::null_mut()) };
    if code != SQLITE_OK {
        return Err(failed(code));
    }
    let read = opened.methods().and_then(|methods| methods.xRead);
    let (Some(read), Ok(length)) = (read, c_int::try_from(header.len())) else { return Err(failed(SQLITE_CANTOPEN)) };
    // SAFETY: the method belongs to this file; pointer and length are those of `header`.
    match unsafe { read(opened.file(), header.as_mut_ptr().cast(), length, 0) } {
        SQLITE_OK => Ok(true),
        SQLITE_IOERR_SHORT_READ => Ok(false),
        code => Err(failed(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{create, open};
    use super::*;

    #[test]
    fn the_first_bytes_are_read_and_no_more_than_there_are() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("some.sqlite");
        let mut header = [0; 16];
        assert!(read_header(&path, &mut header).is_err());
        std::fs::write(&path, b"SQLite").unwrap();
        assert!(!read_header(&path, &mut header).unwrap());
        std::fs::write(&path, b"SQLite format 3\0 and more").unwrap();
        assert!(read_header(&path, &mut header).unwrap());
        assert_eq!(&header, b"SQLite format 3\0");
    }

    /// Whether another process could lock the whole file for itself.
    fn is_locked(path: &Path) -> bool {
        let script = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB)";
        !std::process::Command::new("python3")
            .args(["-c", script])
            .arg(path)
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    #[test]
    fn the_locks_of_an_open_database_stay() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("locked.sqlite");
        let database = create(&path).unwrap();
        database.pragma_update(None, "journal_mode", "wal").unwrap();
        database.execute_batch("CREATE TABLE one (x)").unwrap();
        let reader = open(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        reader.query_one("SELECT count(*) FROM one", [], |row| row.get::<_, i64>(0)).unwrap();
        assert!(is_locked(&path));
        assert!(read_header(&path, &mut [0; 16]).unwrap());
        assert!(is_locked(&path), "reading the header has let go of the locks");
    }
}
