//! A database's log as `SQLite` sees it: the methods of C, over those of the file below.

use std::ffi::{c_int, c_void};
use std::{ptr, slice};

use rusqlite::ffi::{
    self, SQLITE_IOERR, SQLITE_IOERR_FSTAT, SQLITE_IOERR_WRITE, SQLITE_NOTFOUND, SQLITE_OK, sqlite3_file,
    sqlite3_filename, sqlite3_int64, sqlite3_io_methods,
};

use super::file;
use super::gather::Gather;
use super::layer::{Disk, Layer, pass_on};

/// What we know of an open log.
pub(super) struct Log {
    gather: Gather,
    /// The database that is told when it closes; null if there is none, and then nothing may be held back.
    database: *mut sqlite3_file,
}

impl Log {
    /// The change that was under way is given up, or was committed.
    pub(super) fn forget(&mut self) {
        self.gather.forget();
    }
}

/// Puts a log at `file`, over the file below that has been opened.
///
/// # Safety
/// As for [`Layer::install`]. `name` is what `SQLite` gave to open a log.
pub(super) unsafe fn install(file: *mut sqlite3_file, name: sqlite3_filename) {
    let log = Log { gather: Gather::default(), database: ptr::null_mut() };
    // SAFETY: the caller's promise is that of this function, and the methods are for a log.
    unsafe { Layer::install(file, log, |_| &METHODS) };
    // SAFETY: the caller promises a name that `SQLite` made for a log.
    let database = unsafe { ffi::sqlite3_database_file_object(name) };
    // SAFETY: `SQLite` opens a log while its database is open, and closes it before; `close` tells of that.
    if unsafe { file::set_log(database, file.cast()) } {
        // SAFETY: it was just installed.
        unsafe { ours(file) }.own.database = database;
    }
}

/// # Safety
/// As for [`Layer::of`].
unsafe fn ours<'a>(file: *mut sqlite3_file) -> &'a mut Layer<Log> {
    // SAFETY: the caller's promise is that of this function.
    unsafe { Layer::of(file) }
}

/// Writes what is held back, before anything else happens to the file.
///
/// # Safety
/// As for [`Layer::of`].
unsafe fn settle(file: *mut sqlite3_file) -> c_int {
    // SAFETY: the caller's promise is that of this function.
    let this = unsafe { ours(file) };
    this.own.gather.settle(&mut this.below)
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: `SQLite` calls the methods of open files.
    let database = unsafe { ours(file) }.own.database;
    // SAFETY: the database is null, or closed after its log.
    unsafe { file::set_log(database, ptr::null_mut()) };
    // What is held back now belongs to a change that was given up.
    // SAFETY: `SQLite` closes a file once.
    unsafe { Layer::<Log>::close(file) }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: `SQLite` calls the methods of open files.
    let this = unsafe { ours(file) };
    let (Ok(length), Ok(offset)) = (usize::try_from(length), u64::try_from(offset)) else { return SQLITE_IOERR_WRITE };
    // SAFETY: `SQLite` gives so many filled bytes, and does not change them during the call.
    let bytes = unsafe { slice::from_raw_parts(bytes.cast::<u8>(), length) };
    if this.own.database.is_null() {
        return this.below.write(bytes, offset);
    }
    this.own.gather.write(&mut this.below, bytes, offset)
}

/// A method that writes what is held back, and then is that of the file below.
macro_rules! settle_first {
    ($($name:ident = $below:ident ($($argument:ident: $type:ty),*);)+) => {
        $(
            unsafe extern "C" fn $name(file: *mut sqlite3_file, $($argument: $type),*) -> c_int {
                // SAFETY: `SQLite` calls the methods of open files.
                let code = unsafe { settle(file) };
                if code != SQLITE_OK {
                    return code;
                }
                // SAFETY: the arguments are those that `SQLite` gave.
                unsafe { $below(file, $($argument),*) }
            }
        )+
    };
}

settle_first! {
    read = pass_read(buffer: *mut c_void, bytes: c_int, offset: sqlite3_int64);
    truncate = truncate_settled(size: sqlite3_int64);
    sync = sync_settled(flags: c_int);
    file_size = pass_file_size(size: *mut sqlite3_int64);
    control = pass_control(operation: c_int, argument: *mut c_void);
}

unsafe extern "C" fn truncate_settled(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: `SQLite` calls the methods of open files.
    unsafe { ours(file) }.own.gather.truncated();
    // SAFETY: the argument is the one that `SQLite` gave.
    unsafe { pass_truncate(file, size) }
}

unsafe extern "C" fn sync_settled(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: `SQLite` calls the methods of open files.
    unsafe { ours(file) }.own.gather.synced();
    // SAFETY: the argument is the one that `SQLite` gave.
    unsafe { pass_sync(file, flags) }
}

pass_on! { Log:
    pass_read, xRead, (buffer: *mut c_void, bytes: c_int, offset: sqlite3_int64), SQLITE_IOERR;
    pass_truncate, xTruncate, (size: sqlite3_int64), SQLITE_IOERR;
    pass_sync, xSync, (flags: c_int), SQLITE_IOERR;
    pass_file_size, xFileSize, (size: *mut sqlite3_int64), SQLITE_IOERR_FSTAT;
    lock, xLock, (level: c_int), SQLITE_IOERR;
    unlock, xUnlock, (level: c_int), SQLITE_IOERR;
    check_reserved_lock, xCheckReservedLock, (result: *mut c_int), SQLITE_IOERR;
    pass_control, xFileControl, (operation: c_int, argument: *mut c_void), SQLITE_NOTFOUND;
    sector_size, xSectorSize, (), 0;
    device_characteristics, xDeviceCharacteristics, (), 0;
}

/// Version 1 of the methods: a log has no shared memory of its own, and no map of it goes around what is held back.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};
