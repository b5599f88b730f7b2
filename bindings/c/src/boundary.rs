//! The edge between C and Rust: panics stop here, and raw pointers become slices.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::str;

use crate::error::{Error, Failure, Status};

/// Runs the body of an exported function that can fail, and reports how it ended.
///
/// `*error` is set on every call when `error` is not null: to null on success, to a new [`Error`] otherwise.
///
/// # Safety
///
/// `error` is null or points at writable, aligned room for one pointer.
pub(crate) unsafe fn guard(error: *mut *mut Error, body: impl FnOnce() -> Result<(), Failure>) -> Status {
    // What the body was working on is not used again after a panic, so no broken invariant is ever seen.
    let outcome =
        catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(Failure::panic(&describe(payload))));
    let (status, made) = match outcome {
        Ok(()) => (Status::Ok, None),
        Err(failure) => (failure.status, Some(Error::new(&failure))),
    };
    if !error.is_null() {
        let made = made.map_or(std::ptr::null_mut(), |made| Box::into_raw(Box::new(made)));
        // SAFETY: not null, and the caller of `guard` vouches that it is then writable and aligned. What was there
        // before may be uninitialised, so it is overwritten and not dropped.
        unsafe { error.write(made) };
    }
    status
}

/// Runs the body of an exported function that has nothing to report; after a panic it returns `fallback`.
pub(crate) fn guard_or<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        describe(payload);
        fallback
    })
}

/// The message of a panic. The payload is leaked, because dropping a foreign payload may itself panic.
fn describe(payload: Box<dyn Any + Send>) -> String {
    let message = payload
        .downcast_ref::<&'static str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned());
    std::mem::forget(payload);
    message
}

/// The UTF-8 text at `start`, `length` bytes long.
///
/// # Safety
///
/// `start` is null, or points at `length` readable bytes that do not change for as long as `'a` lasts.
pub(crate) unsafe fn text<'a>(start: *const u8, length: usize) -> Result<&'a str, Failure> {
    if start.is_null() {
        return if length == 0 {
            Ok("")
        } else {
            Err(Failure::argument(format!("the text is NULL, but its length is {length}")))
        };
    }
    if isize::try_from(length).is_err() {
        return Err(Failure::argument(format!("a length of {length} bytes is more than any memory holds")));
    }
    // SAFETY: not null, at most `isize::MAX` bytes, readable and unchanging by the contract of this function; `u8`
    // has no alignment and no invalid values.
    let bytes = unsafe { slice::from_raw_parts(start, length) };
    str::from_utf8(bytes).map_err(|error| {
        Failure::argument(format!("the text is not UTF-8 after its first {} bytes", error.valid_up_to()))
    })
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;
    use crate::error::{porism_error_free, porism_error_message};

    fn message_of(error: *const Error) -> String {
        // SAFETY: `error` comes from `guard` and has not been freed.
        let message = unsafe { porism_error_message(error) };
        // SAFETY: the message is NUL-terminated and lives as long as `error`.
        unsafe { std::ffi::CStr::from_ptr(message) }.to_str().expect("messages are UTF-8").to_owned()
    }

    #[test]
    fn a_panic_becomes_a_status_and_a_message() {
        let mut error = ptr::null_mut();
        // SAFETY: `error` is a live local.
        let status = unsafe { guard(&raw mut error, || panic!("{} is broken", "this")) };
        assert_eq!(status, Status::Panic);
        assert!(message_of(error).contains("this is broken"), "{}", message_of(error));
        // SAFETY: `error` comes from `guard` and is freed once.
        unsafe { porism_error_free(error) };
    }

    #[test]
    fn a_panic_without_a_report_gives_the_fallback() {
        assert_eq!(guard_or(7, || panic!("nobody hears this")), 7);
    }

    #[test]
    fn success_clears_what_the_caller_left_in_the_error() {
        let mut error = ptr::dangling_mut();
        // SAFETY: `error` is a live local; `guard` does not read what it holds.
        let status = unsafe { guard(&raw mut error, || Ok(())) };
        assert_eq!(status, Status::Ok);
        assert!(error.is_null());
    }

    #[test]
    fn an_error_that_nobody_asked_for_is_dropped() {
        // SAFETY: a null `error` is allowed.
        let status = unsafe { guard(ptr::null_mut(), || Err(Failure::argument("wrong".to_owned()))) };
        assert_eq!(status, Status::InvalidArgument);
    }

    #[test]
    fn no_text_is_empty_only_when_its_length_says_so() {
        // SAFETY: null is allowed.
        assert_eq!(unsafe { text(ptr::null(), 0) }.unwrap(), "");
        // SAFETY: null is allowed.
        assert_eq!(unsafe { text(ptr::null(), 3) }.unwrap_err().status, Status::InvalidArgument);
    }

    #[test]
    fn an_impossible_length_is_refused_before_it_is_read() {
        let bytes = b"x";
        // SAFETY: this breaks the contract on purpose; the length is refused before any byte is read.
        let failure = unsafe { text(bytes.as_ptr(), usize::MAX) }.unwrap_err();
        assert_eq!(failure.status, Status::InvalidArgument);
    }

    #[test]
    fn bytes_that_are_not_text_say_where() {
        let bytes = b"fof(\xff)";
        // SAFETY: a live array with its own length.
        let failure = unsafe { text(bytes.as_ptr(), bytes.len()) }.unwrap_err();
        assert!(failure.message.contains("first 4 bytes"), "{}", failure.message);
    }
}
