//! A file of ours over one of the default's: what both kinds, databases and logs, have in common.

use std::ffi::{c_int, c_void};
use std::ptr;

use rusqlite::ffi::{
    SQLITE_IOERR, SQLITE_IOERR_FSTAT, SQLITE_IOERR_READ, SQLITE_IOERR_WRITE, SQLITE_OK, sqlite3_file, sqlite3_int64,
    sqlite3_io_methods,
};

/// The file below. Each answer is a result code of `SQLite`.
pub(super) trait Disk {
    /// Fills `buffer` from `offset` on. Behind the end of the file it is zeros, and the answer is `SQLITE_IOERR_SHORT_READ`.
    fn read(&mut self, buffer: &mut [u8], offset: u64) -> c_int;
    /// Writes all of `bytes` at `offset`.
    fn write(&mut self, bytes: &[u8], offset: u64) -> c_int;
    /// The length of the file.
    fn size(&mut self) -> Result<u64, c_int>;
}

/// `SQLite` itself writes no more than a page at once, and the files of the default take 17 bits of a length for granted.
const MOST_AT_ONCE: usize = 64 << 10;

/// What `SQLite` holds for an open file. The file below stands right behind it, in the same allocation.
#[repr(C)]
pub(super) struct Layer<T> {
    /// What `SQLite` knows of us.
    base: sqlite3_file,
    pub(super) below: Below,
    /// What we know of it.
    pub(super) own: T,
}

impl<T> Layer<T> {
    /// `SQLite` aligns its allocations, and the file below ours, to eight bytes.
    const FITS: () = assert!(align_of::<Self>() <= 8 && size_of::<Self>().is_multiple_of(8));

    /// Where the file below is to be opened.
    ///
    /// # Safety
    /// `file` begins an allocation that has room for a `Layer<T>` and at least one byte.
    pub(super) unsafe fn place_below(file: *mut sqlite3_file) -> *mut sqlite3_file {
        // SAFETY: the caller promises the room.
        unsafe { file.cast::<Self>().add(1) }.cast()
    }

    /// Puts a layer at `file`, over the file below that has been opened. `methods` chooses ours by those of the file below.
    ///
    /// # Safety
    /// The file at `place_below(file)` is open, and nothing that needs to be dropped is at `file`. The methods are for a
    /// `Layer<T>`.
    pub(super) unsafe fn install(
        file: *mut sqlite3_file,
        own: T,
        methods: impl FnOnce(&sqlite3_io_methods) -> &'static sqlite3_io_methods,
    ) {
        const { Self::FITS };
        // SAFETY: the caller opened the file there.
        let below_file = unsafe { Self::place_below(file) };
        // SAFETY: an open file begins with a pointer to its methods.
        let below = unsafe { *below_file }.pMethods;
        // SAFETY: the methods of an open file are constant and outlive it.
        let below = Below { file: below_file, methods: unsafe { *below } };
        let layer = Self { base: sqlite3_file { pMethods: methods(&below.methods) }, below, own };
        // SAFETY: the caller promises the place, which is aligned as asserted above.
        unsafe { file.cast::<Self>().write(layer) };
    }

    /// The layer behind the pointer that `SQLite` gives to a method.
    ///
    /// # Safety
    /// `file` was given to [`Layer::<T>::install`] and has not been closed. `SQLite` calls the methods of one file one after the
    /// other, so that the reference is the only one while a method runs.
    pub(super) unsafe fn of<'a>(file: *mut sqlite3_file) -> &'a mut Self {
        // SAFETY: the caller's promise is that of this function.
        unsafe { &mut *file.cast() }
    }

    /// Closes the file below, and drops what we know.
    ///
    /// # Safety
    /// As for [`Layer::of`]; nobody uses `file` any more.
    pub(super) unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
        // SAFETY: the caller's promise is that of this function.
        let this = unsafe { Self::of(file) };
        let (below, method) = (this.below.file, this.below.methods.xClose);
        // SAFETY: the file was installed and is closed once; nobody uses it any more.
        unsafe { ptr::drop_in_place(file.cast::<Self>()) };
        let Some(method) = method else { return SQLITE_IOERR };
        // SAFETY: the method belongs to this file, which is open until now.
        unsafe { method(below) }
    }
}

/// The file below, and what can be done with it.
pub(super) struct Below {
    pub(super) file: *mut sqlite3_file,
    pub(super) methods: sqlite3_io_methods,
}

impl Below {
    /// # Safety
    /// `buffer` has room for `bytes` bytes.
    pub(super) unsafe fn read_into(&self, buffer: *mut c_void, bytes: c_int, offset: sqlite3_int64) -> c_int {
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
        let mut offset: sqlite3_int64 = match offset.try_into() {
            Ok(offset) => offset,
            Err(_) => return SQLITE_IOERR_WRITE,
        };
        for part in bytes.chunks(MOST_AT_ONCE) {
            let Ok(length) = part.len().try_into() else { return SQLITE_IOERR_WRITE };
            // SAFETY: the method belongs to this file, which is open while we are; pointer and length are those of `part`.
            let code = unsafe { write(self.file, part.as_ptr().cast(), length, offset) };
            if code != SQLITE_OK {
                return code;
            }
            offset = offset.saturating_add(length.into());
        }
        SQLITE_OK
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

/// Methods of a `Layer<$own>` that hand their arguments to the file below, and answer `$absent` if that has no such method.
macro_rules! pass_on {
    ($own:ty: $($name:ident, $method:ident, ($($argument:ident: $type:ty),*), $absent:expr;)+) => {
        $(
            unsafe extern "C" fn $name(file: *mut sqlite3_file, $($argument: $type),*) -> c_int {
                // SAFETY: `SQLite` calls the methods of open files.
                let below = unsafe { &Layer::<$own>::of(file).below };
                let Some(method) = below.methods.$method else { return $absent };
                // SAFETY: the method belongs to the file below, which is open while we are; the arguments are those that
                // `SQLite` gave to the same method of ours.
                unsafe { method(below.file, $($argument),*) }
            }
        )+
    };
}

pub(super) use pass_on;
