//! TPTP for C callers.

use std::ffi::c_char;

use porism_engine::tptp::{Limits, Problem};

use crate::boundary::{guard, text};
use crate::error::{Error, Failure, Status};

/// Reads `length` bytes of TPTP (`fof` and `cnf`), and counts the annotated formulas in them.
///
/// An `include` in the text is followed: files are looked for in the current folder, then in the one that the
/// environment variable `TPTP` names. Size, depth and number of formulas are bounded.
///
/// `formulas` may be NULL, when only the status matters; it is written on success alone. `error` may be NULL, when
/// only the status matters; otherwise `*error` is set on every call: to NULL on success, to a new error on failure.
///
/// # Safety
///
/// `start` is NULL with a `length` of 0, or points at `length` readable bytes that no other thread changes during
/// the call. They need no NUL at their end. `formulas` and `error` are NULL or point at writable room for one value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porism_check_tptp(
    start: *const c_char,
    length: usize,
    formulas: *mut usize,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: null or `length` readable, unchanging bytes, by the contract of this function.
        let text = unsafe { text(start.cast(), length) }?;
        let problem =
            Problem::parse(text, "<text>", &Limits::default()).map_err(|error| Failure::parse(error.to_string()))?;
        if !formulas.is_null() {
            // SAFETY: not null, hence writable and aligned by the contract of this function.
            unsafe { formulas.write(problem.formulas.len()) };
        }
        Ok(())
    };
    // SAFETY: `error` is null or writable, by the contract of this function.
    unsafe { guard(error, body) }
}
