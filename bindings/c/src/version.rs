//! Which Porism this is.

use std::ffi::{CStr, c_char};

use crate::boundary::guard_or;

/// The version of the functions in `porism.h`. It grows when one of them changes in a way that old callers notice.
pub const ABI_VERSION: u32 = 1;

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("a version holds no NUL"),
};

/// The version of this library, such as `0.1.0`: a static NUL-terminated text.
#[unsafe(no_mangle)]
pub extern "C" fn porism_version() -> *const c_char {
    guard_or(c"".as_ptr(), || VERSION.as_ptr())
}

/// `PORISM_ABI_VERSION` of the library that runs; compare it with the one in the header that was compiled against.
#[unsafe(no_mangle)]
pub extern "C" fn porism_abi_version() -> u32 {
    guard_or(0, || ABI_VERSION)
}
