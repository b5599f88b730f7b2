//! What can go wrong, as C sees it: a status, and an error that holds the sentence.

use std::ffi::{CStr, CString, c_char};

use crate::boundary::guard_or;

/// How a call ended. New values may be added; treat an unknown one as a failure.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The call did what it says.
    Ok = 0,
    /// An argument cannot be used: a null pointer, or text that is not UTF-8.
    InvalidArgument = 1,
    /// The text breaks the rules of its language, or goes beyond a limit.
    ParseError = 2,
    /// A bug in Porism. The call had no effect that can be relied on; other calls keep working.
    Panic = 3,
}

/// Why a call failed. Owned by the caller, who frees it with `porism_error_free`. It may be read from any thread.
pub struct Error {
    message: CString,
}

impl Error {
    pub(crate) fn new(failure: &Failure) -> Self {
        // A NUL inside would cut the message short for C; a message may quote hostile text.
        let message = failure.message.replace('\0', "\u{fffd}");
        Self { message: CString::new(message).unwrap_or_default() }
    }
}

/// Why the body of an exported function failed, before it becomes an [`Error`].
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn argument(message: String) -> Self {
        Self { status: Status::InvalidArgument, message }
    }

    pub(crate) fn parse(message: String) -> Self {
        Self { status: Status::ParseError, message }
    }

    pub(crate) fn panic(message: &str) -> Self {
        Self { status: Status::Panic, message: format!("a bug in Porism, please report it: {message}") }
    }
}

const NO_MESSAGE: &CStr = c"";

/// The message of `error`: one NUL-terminated UTF-8 text that lives until `error` is freed. Empty for NULL.
///
/// # Safety
///
/// `error` is NULL, or came from a call of this library and has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porism_error_message(error: *const Error) -> *const c_char {
    guard_or(NO_MESSAGE.as_ptr(), || {
        // SAFETY: null or a live error, by the contract of this function.
        unsafe { error.as_ref() }.map_or(NO_MESSAGE.as_ptr(), |error| error.message.as_ptr())
    })
}

/// Frees `error`. NULL is allowed and does nothing.
///
/// # Safety
///
/// `error` is NULL, or came from a call of this library and has not been freed. It is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porism_error_free(error: *mut Error) {
    guard_or((), || {
        if !error.is_null() {
            // SAFETY: every error is handed out by `Box::into_raw`, and is freed once, by the contract of this function.
            drop(unsafe { Box::from_raw(error) });
        }
    });
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    #[test]
    fn a_nul_in_a_message_does_not_cut_it_short() {
        let error = Error::new(&Failure::parse("found `a\0b` here".to_owned()));
        assert_eq!(error.message.to_str().unwrap(), "found `a\u{fffd}b` here");
    }

    #[test]
    fn no_error_has_an_empty_message_and_is_freed_without_effect() {
        // SAFETY: null is allowed.
        let message = unsafe { porism_error_message(ptr::null()) };
        // SAFETY: a static text.
        assert_eq!(unsafe { CStr::from_ptr(message) }, c"");
        // SAFETY: null is allowed.
        unsafe { porism_error_free(ptr::null_mut()) };
    }
}
