//! The C face of Porism: `include/porism/porism.h`, and nothing that decides anything.
//!
//! Every exported function runs inside [`guard`](boundary::guard), so a panic never crosses into C. A function that
//! can fail returns a [`Status`] and, where the caller asks for it, an [`Error`] that the caller owns and frees.
//!
//! The error belongs to the caller, not to the thread: a message kept in a thread-local is lost when the next call
//! runs, or when a scheduler moves the caller to another thread before it reads it.

mod boundary;
mod error;
mod tptp;
mod version;

pub use error::{Error, Status, porism_error_free, porism_error_message};
pub use tptp::porism_check_tptp;
pub use version::{ABI_VERSION, porism_abi_version, porism_version};
