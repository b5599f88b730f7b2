//! A database's file as `SQLite` sees it: the methods of C, over those of the file below.

use std::ffi::{CStr, OsStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::{ptr, slice};

use rusqlite::ffi::{
    SQLITE_FCNTL_CHUNK_SIZE, SQLITE_FCNTL_MMAP_SIZE, SQLITE_IOCAP_SUBPAGE_READ, SQLITE_IOERR, SQLITE_IOERR_DATA,
    SQLITE_IOERR_FSTAT, SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ, SQLITE_IOERR_WRITE, SQLITE_NOTFOUND, SQLITE_OK,
    SQLITE_SHM_EXCLUSIVE, SQLITE_SHM_UNLOCK, sqlite3_file, sqlite3_filename, sqlite3_int64, sqlite3_io_methods,
};

use super::checks::{Checks, Damaged};
use super::damage::{self, DamagedPage};
use super::layer::{Layer, pass_on};
use super::log::Log;
use super::stamp;

/// What we know of an open database.
pub(super) struct Database {
    path: PathBuf,
    checks: Checks,
    /// Its log, while that is open.
    log: *mut Layer<Log>,
}

/// Puts a checked database at `file`, over the file below that has been opened.
///
/// # Safety
/// As for [`Layer::install`]. `name` is null or a C string.
pub(super) unsafe fn install(file: *mut sqlite3_file, name: sqlite3_filename) {
    let path = if name.is_null() {
        PathBuf::new()
    } else {
        // SAFETY: the caller promises a C string; it is copied here.
        OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes()).into()
    };
    let database = Database { path, checks: Checks::default(), log: ptr::null_mut() };
    // SAFETY: the caller's promise is that of this function, and the methods are for a database.
    unsafe {
        Layer::install(file, database, |below| {
            // A log needs shared memory, which some files below do not have.
            if below.xShmMap.is_some() { &WITH_LOG } else { &WITHOUT_LOG }
        });
    }
}

/// Tells the database at `file` of its log, or that there is none any more.
///
/// # Safety
/// `file` is an open file of this or another VFS, or null; `log` is null, or open until this is called with null.
pub(super) unsafe fn set_log(file: *mut sqlite3_file, log: *mut Layer<Log>) -> bool {
    // SAFETY: an open file begins with a pointer to its methods.
    let Some(methods) = (unsafe { file.as_ref() }).map(|file| file.pMethods) else { return false };
    let is_ours = ptr::eq(methods, &raw const WITH_LOG);
    if is_ours {
        // SAFETY: only `install` gives these methods to a file.
        unsafe { ours(file) }.own.log = log;
    }
    is_ours
}

/// # Safety
/// As for [`Layer::of`].
unsafe fn ours<'a>(file: *mut sqlite3_file) -> &'a mut Layer<Database> {
    // SAFETY: the caller's promise is that of this function.
    unsafe { Layer::of(file) }
}

unsafe extern "C" fn read(file: *mut sqlite3_file, buffer: *mut c_void, bytes: c_int, offset: sqlite3_int64) -> c_int {
    // SAFETY: `SQLite` calls the methods of open files.
    let this = unsafe { ours(file) };
    // SAFETY: `SQLite` gives a buffer of so many bytes.
    let code = unsafe { this.below.read_into(buffer, bytes, offset) };
    if code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ {
        return code;
    }
    let (Ok(length), Ok(offset)) = (usize::try_from(bytes), u64::try_from(offset)) else { return SQLITE_IOERR_READ };
    // SAFETY: the buffer has so many bytes, and all are filled now: behind the file's end with zeros. It is nobody else's until
    // this call returns.
    let buffer = unsafe { slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
    match this.own.checks.after_read(&mut this.below, buffer, offset, code) {
        Ok(code) => code,
        Err(Damaged(page)) => {
            damage::note(DamagedPage { file: this.own.path.clone(), page });
            SQLITE_IOERR_DATA
        }
    }
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
    this.own.checks.write(&mut this.below, bytes, offset)
}

unsafe extern "C" fn control(file: *mut sqlite3_file, operation: c_int, argument: *mut c_void) -> c_int {
    match operation {
        // Growing the file in large steps would leave pages in it that nobody sealed.
        SQLITE_FCNTL_CHUNK_SIZE => SQLITE_NOTFOUND,
        // A map would show pages that nobody checked. The answer to `PRAGMA mmap_size` is 0.
        SQLITE_FCNTL_MMAP_SIZE => {
            // SAFETY: the argument of this operation is a pointer to such a number.
            unsafe { argument.cast::<sqlite3_int64>().write(0) };
            SQLITE_OK
        }
        stamp::STAMP => {
            // SAFETY: `SQLite` calls the methods of open files.
            let below = unsafe { &ours(file).below };
            // SAFETY: whoever asks for this vouches for the argument.
            unsafe { stamp::copy(below, argument) }
        }
        // SAFETY: `SQLite` calls the methods of open files, and vouches for the argument.
        _ => unsafe { pass_control(file, operation, argument) },
    }
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    // Parts of pages cannot be checked without reading the rest.
    // SAFETY: `SQLite` calls the methods of open files.
    unsafe { pass_device_characteristics(file) & !SQLITE_IOCAP_SUBPAGE_READ }
}

pass_on! { Database:
    truncate, xTruncate, (size: sqlite3_int64), SQLITE_IOERR;
    sync, xSync, (flags: c_int), SQLITE_IOERR;
    file_size, xFileSize, (size: *mut sqlite3_int64), SQLITE_IOERR_FSTAT;
    lock, xLock, (level: c_int), SQLITE_IOERR;
    unlock, xUnlock, (level: c_int), SQLITE_IOERR;
    check_reserved_lock, xCheckReservedLock, (result: *mut c_int), SQLITE_IOERR;
    pass_control, xFileControl, (operation: c_int, argument: *mut c_void), SQLITE_NOTFOUND;
    sector_size, xSectorSize, (), 0;
    pass_device_characteristics, xDeviceCharacteristics, (), 0;
    shm_map, xShmMap, (region: c_int, bytes: c_int, extend: c_int, map: *mut *mut c_void), SQLITE_IOERR;
    pass_shm_lock, xShmLock, (offset: c_int, count: c_int, flags: c_int), SQLITE_IOERR;
    shm_unmap, xShmUnmap, (delete: c_int), SQLITE_IOERR;
}

/// The lock on writing is the first of those in shared memory (the WAL-index format, section 2.3).
const WRITE_LOCK: c_int = 0;

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    if offset == WRITE_LOCK && flags == SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE {
        // SAFETY: `SQLite` calls the methods of open files.
        let log = unsafe { ours(file) }.own.log;
        // SAFETY: a log that we were told of is open, and `SQLite` is not in one of its methods now.
        if let Some(log) = unsafe { log.as_mut() } {
            log.own.forget();
        }
    }
    // SAFETY: the arguments are those that `SQLite` gave.
    unsafe { pass_shm_lock(file, offset, count, flags) }
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: `SQLite` calls the methods of open files.
    let below = unsafe { &ours(file).below };
    if let Some(barrier) = below.methods.xShmBarrier {
        // SAFETY: the method belongs to the file below, which is open while we are.
        unsafe { barrier(below.file) };
    }
}

/// Version 2 of the methods: shared memory for a log, but no maps of the file (`xFetch`, version 3), which would go around the
/// checks.
static WITH_LOG: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(Layer::<Database>::close),
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
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

static WITHOUT_LOG: sqlite3_io_methods =
    sqlite3_io_methods { iVersion: 1, xShmMap: None, xShmLock: None, xShmBarrier: None, xShmUnmap: None, ..WITH_LOG };
