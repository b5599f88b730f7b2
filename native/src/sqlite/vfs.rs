//! The face of the files that `SQLite` is given: its own for all but databases.

use std::ffi::{CStr, c_int};
use std::ptr;
use std::sync::OnceLock;

use rusqlite::ffi::{
    self, SQLITE_CANTOPEN, SQLITE_OK, SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_WAL, sqlite3_file, sqlite3_filename,
    sqlite3_io_methods, sqlite3_vfs,
};

use super::file::{self, Database};
use super::layer::Layer;
use super::log::{self, Log};

/// The name under which `SQLite` knows it.
pub(super) const NAME: &CStr = c"porism-checked";

/// What `SQLite` holds of us. It lives as long as the process.
#[repr(C)]
struct Checked {
    base: sqlite3_vfs,
    below: *mut sqlite3_vfs,
}

/// Makes the name known to `SQLite`, once for the process.
pub(super) fn register() -> rusqlite::Result<()> {
    static REGISTERED: OnceLock<Result<(), c_int>> = OnceLock::new();
    REGISTERED.get_or_init(register_now).map_err(|code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
}

fn register_now() -> Result<(), c_int> {
    // SAFETY: a null name asks for the default; `SQLite` starts itself if it has to.
    let below = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
    if below.is_null() {
        return Err(SQLITE_CANTOPEN);
    }
    // All but `xOpen` is the default's own. That of the bundled `SQLite` looks at `pAppData` and `mxPathname` of what it is
    // given at most, and they are copied here.
    // SAFETY: what was found stays registered, and is not changed.
    let mut base = unsafe { *below };
    let ours = size_of::<Layer<Database>>().max(size_of::<Layer<Log>>());
    let room = c_int::try_from(ours).ok().and_then(|ours| base.szOsFile.checked_add(ours));
    base.szOsFile = room.ok_or(SQLITE_CANTOPEN)?;
    base.pNext = ptr::null_mut();
    base.zName = NAME.as_ptr();
    base.xOpen = Some(open);
    let checked: *mut Checked = Box::leak(Box::new(Checked { base, below }));
    // SAFETY: what is registered is never freed. It does not become the default.
    match unsafe { ffi::sqlite3_vfs_register(checked.cast(), 0) } {
        SQLITE_OK => Ok(()),
        code => Err(code),
    }
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    // SAFETY: `SQLite` gives what was registered, which is the beginning of a `Checked`.
    let below = unsafe { &*vfs.cast::<Checked>() }.below;
    // SAFETY: the default stays registered, and is not changed.
    let Some(open_below) = (unsafe { *below }).xOpen else { return SQLITE_CANTOPEN };
    let below_file = match flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL) {
        // SAFETY: `szOsFile` asked for room for both files.
        SQLITE_OPEN_MAIN_DB => unsafe { Layer::<Database>::place_below(file) },
        // SAFETY: as above.
        SQLITE_OPEN_WAL => unsafe { Layer::<Log>::place_below(file) },
        // Journals and temporary files do not outlive their use. They are the default's alone.
        // SAFETY: the arguments are those that `SQLite` gave; `file` has more room than the default needs.
        _ => return unsafe { open_below(below, name, file, flags, flags_out) },
    };
    // A file without methods is one that `SQLite` need not close.
    // SAFETY: `SQLite` gives room for a file.
    unsafe { (*file).pMethods = ptr::null() };
    // SAFETY: as above.
    unsafe { (*below_file).pMethods = ptr::null() };
    // SAFETY: the arguments are those that `SQLite` gave, but for the place, which has the room that the default asked for.
    let code = unsafe { open_below(below, name, below_file, flags, flags_out) };
    if code != SQLITE_OK {
        // SAFETY: the place holds a pointer to methods, null or not.
        let methods = unsafe { *below_file }.pMethods;
        // SAFETY: a file that has methods asks to be closed, even though its opening failed.
        unsafe { close_failed(below_file, methods) };
    } else if flags & SQLITE_OPEN_WAL == 0 {
        // SAFETY: the file below was just opened, and `file` holds nothing yet. `name` is a C string, or null.
        unsafe { file::install(file, name) };
    } else {
        // SAFETY: the file below was just opened, and `file` holds nothing yet. `name` is that of a log.
        unsafe { log::install(file, name) };
    }
    code
}

/// # Safety
/// `methods` is null, or the methods of `file`, which nobody else closes.
unsafe fn close_failed(file: *mut sqlite3_file, methods: *const sqlite3_io_methods) {
    // SAFETY: the caller promises a valid pointer, or null.
    if let Some(close) = unsafe { methods.as_ref() }.and_then(|methods| methods.xClose) {
        // SAFETY: the method belongs to the file.
        unsafe { close(file) };
    }
}
