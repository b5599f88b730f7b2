//! Prover processes that stay, and how to talk to them.

mod framing;
mod session;

#[cfg(test)]
mod session_tests;

pub use framing::{Dialect, Frames, Framing, FramingError, MarkerLine};
pub use session::{Session, SessionError, nonce};
