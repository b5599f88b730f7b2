//! How long something may take.

use std::time::Instant;

use porism_native::process::Cancel;

/// Until a moment, or until somebody cancels.
#[derive(Clone, Copy, Debug)]
pub struct Until<'a> {
    /// The moment; `None`: without an end.
    pub deadline: Option<Instant>,
    /// The token that ends it before.
    pub cancel: &'a Cancel,
}
