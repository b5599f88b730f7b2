//! Prover processes that stay, and how to talk to them.

mod framing;
mod session;

pub use framing::{Dialect, Frames, Framing, FramingError, MarkerLine};
pub use session::{Session, SessionError, nonce};
