//! A database's file as `SQLite` sees it: the methods of C, over those of the file below.

use std::ffi::{CStr, OsStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::{ptr, slice};

use rusqlite::ffi::{
    SQLITE_FCNTL_CHUNK_SIZE, SQLITE_FCNTL_MMAP_SIZE, SQLITE_IOCAP_SUBPAGE_READ, SQLITE_IOERR, SQLITE_IOERR_DATA,
    SQLITE_IOERR_FSTAT, SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ, SQLITE_IOERR_WRITE, SQLITE_NOTFOUND, SQLITE_OK,
    sqlite3_file, sqlite3_filename, sqlite3_int64, sqlite3_io_methods,
};

use super::checks::{Checks, Damaged, Disk};
use super::damage::{self, DamagedPage};

/// What `SQLite` holds for an open database. The file below stands right behind it, in the same allocation.
#[repr(C)]
pub(super) struct CheckedFile {
    /// What `SQLite` knows of us.
    base: sqlite3_file,
    below: Below,
    path: PathBuf,
    checks: Checks,
}

// `SQLite` aligns its allocations, and the file below ours, to eight bytes.
const _: () = assert!(align_of::<CheckedFile>() <= 8 && size_of::<CheckedFile>().is_multiple_of(8));

impl CheckedFile {
    /// Where the file below is to be opened.
    ///
    /// # Safety
    /// `file` begins an allocation that has room for a `CheckedFile` and at least one byte.
    pub(super) unsafe fn place_below(file: *mut sqlite3_file) -> *mut sqlite3_file {
        // SAFETY: the caller promises the room.
        unsafe { file.cast::<Self>().add(1) }.cast()
    }

    /// Puts a `CheckedFile` at `file`, over the file below that has been opened.
    ///
    /// # Safety
    /// The file at `place_below(file)` is open, and nothing that needs to be dropped is at `file`. `name` is null or a C string.
    pub(super) unsafe fn install(file: *mut sqlite3_file, name: sqlite3_filename) {
        // SAFETY: the caller opened the file there.
        let below_file = unsafe { Self::place_below(file) };
        // SAFETY: an open file begins with a pointer to its methods.
        let below = unsafe { *below_file }.pMethods;
        // SAFETY: the methods of an open file are constant and outlive it.
        let methods = unsafe { *below };
        let path = if name.is_null() {
            PathBuf::new()
        } else {
            // SAFETY: the caller promises a C string; it is copied here.
            OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes()).into()
        };
        // A log needs shared memory, which some files below do not have.
        let ours: &'static sqlite3_io_methods = if methods.xShmMap.is_some() { &WITH_LOG } else { &WITHOUT_LOG };
        let below = Below { file: below_file, methods };
        let checked = Self { base: sqlite3_file { pMethods: ours }, below, path, checks: Checks::default() };
        // SAFETY: the caller promises the place, which is aligned as asserted above.
        unsafe { file.cast::<Self>().write(checked) };
    }
}

/// The file below, and what can be done with it.
struct Below {
    file: *mut sqlite3_file,
    methods: sqlite3_io_methods,
}

impl Below {
    /// # Safety
    /// `buffer` has room for `bytes` bytes.
    unsafe fn read_into(&self, buffer: *mut c_void, bytes: c_int, offset: sqlite3_int64) -> c_int {
        let Some(read) = self.methods.xRead else { return SQLITE_IOERR_READ };
        // SAFETY: the method belongs to this file, which is open while we are; the caller vouches for the buffer.
        unsafe { read(self.file, buffer, bytes, offset) }
    }
}

impl Disk for Below {
    fn read(&mut self, buffer: &mut [u8], offset: u64) -> c_int {
        let (Ok(bytes), Ok(offset)) = (buffer.len().try_into(), offset.try_into()) else { return SQLITE_IOERR_READ };
        // SAFETY: pointer and length are those of `buffer`.
        unsafe { self.read_into(buffer.as_mut_ptr().cast(), bytes, offset) }
    }

    fn write(&mut self, bytes: &[u8], offset: u64) -> c_int {
        let Some(write) = self.methods.xWrite else { return SQLITE_IOERR_WRITE };
        let (Ok(length), Ok(offset)) = (bytes.len().try_into(), offset.try_into()) else { return SQLITE_IOERR_WRITE };
        // SAFETY: the method belongs to this file, which is open while we are; pointer and length are those of `bytes`.
        unsafe { write(self.file, bytes.as_ptr().cast(), length, offset) }
    }

    fn size(&mut self) -> Result<u64, c_int> {
        let Some(file_size) = self.methods.xFileSize else { return Err(SQLITE_IOERR_FSTAT) };
        let mut size: sqlite3_int64 = 0;
        // SAFETY: the method belongs to this file, which is open while we are; the pointer is to a live local.
        match unsafe { file_size(self.file, &raw mut size) } {
            SQLITE_OK => u64::try_from(size).map_err(|_| SQLITE_IOERR_FSTAT),
            code => Err(code),
        }
    }
}

/// The file behind the pointer that `SQLite` gives to a method.
///
/// # Safety
/// `file` was given to [`CheckedFile::install`] and has not been closed. `SQLite` calls the methods of one file one after the
/// other, so that the reference is the only one while a method runs.
unsafe fn ours<'a>(file: *mut sqlite3_file) -> &'a mut CheckedFile {
    // SAFETY: the caller's promise is that of this function.
    unsafe { &mut *file.cast() }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: `SQLite` calls the methods of open files.
    let this = unsafe { ours(file) };
    let (below, method) = (this.below.file, this.below.methods.xClose);
    // SAFETY: the file was installed and is closed once; nobody uses it any more.
    unsafe { ptr::drop_in_place(file.cast::<CheckedFile>()) };
    let Some(method) = method else { return SQLITE_IOERR };
    // SAFETY: the method belongs to this file, which is open until now.
    unsafe { method(below) }
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
    match this.checks.after_read(&mut this.below, buffer, offset, code) {
        Ok(code) => code,
        Err(Damaged(page)) => {
            damage::note(DamagedPage { file: this.path.clone(), page });
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
    this.checks.write(&mut this.below, bytes, offset)
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
        // SAFETY: `SQLite` calls the methods of open files, and vouches for the argument.
        _ => unsafe { pass_control(file, operation, argument) },
    }
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    // Parts of pages cannot be checked without reading the rest.
    // SAFETY: `SQLite` calls the methods of open files.
    unsafe { pass_device_characteristics(file) & !SQLITE_IOCAP_SUBPAGE_READ }
}

/// A method that hands its arguments to the file below, and answers `$absent` if that has no such method.
macro_rules! pass_on {
    ($name:ident, $method:ident, ($($argument:ident: $type:ty),*), $absent:expr) => {
        unsafe extern "C" fn $name(file: *mut sqlite3_file, $($argument: $type),*) -> c_int {
            // SAFETY: `SQLite` calls the methods of open files.
            let below = unsafe { &ours(file).below };
            let Some(method) = below.methods.$method else { return $absent };
            // SAFETY: the method belongs to the file below, which is open while we are; the arguments are those that `SQLite`
            // gave to the same method of ours.
            unsafe { method(below.file, $($argument),*) }
        }
    };
}

pass_on!(truncate, xTruncate, (size: sqlite3_int64), SQLITE_IOERR);
pass_on!(sync, xSync, (flags: c_int), SQLITE_IOERR);
pass_on!(file_size, xFileSize, (size: *mut sqlite3_int64), SQLITE_IOERR_FSTAT);
pass_on!(lock, xLock, (level: c_int), SQLITE_IOERR);
pass_on!(unlock, xUnlock, (level: c_int), SQLITE_IOERR);
pass_on!(check_reserved_lock, xCheckReservedLock, (result: *mut c_int), SQLITE_IOERR);
pass_on!(pass_control, xFileControl, (operation: c_int, argument: *mut c_void), SQLITE_NOTFOUND);
pass_on!(sector_size, xSectorSize, (), 0);
pass_on!(pass_device_characteristics, xDeviceCharacteristics, (), 0);
pass_on!(shm_map, xShmMap, (region: c_int, bytes: c_int, extend: c_int, map: *mut *mut c_void), SQLITE_IOERR);
pass_on!(shm_lock, xShmLock, (offset: c_int, count: c_int, flags: c_int), SQLITE_IOERR);
pass_on!(shm_unmap, xShmUnmap, (delete: c_int), SQLITE_IOERR);

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
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

static WITHOUT_LOG: sqlite3_io_methods =
    sqlite3_io_methods { iVersion: 1, xShmMap: None, xShmLock: None, xShmBarrier: None, xShmUnmap: None, ..WITH_LOG };
