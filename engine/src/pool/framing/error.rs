//! What is no frame.

/// Why the bytes make no frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FramingError {
    /// A frame did not end within its number of bytes, or announced that it would not.
    #[error("the answer is longer than {max_bytes} bytes")]
    TooLarge {
        /// The most that was allowed.
        max_bytes: usize,
    },
    /// Something stands where a frame cannot have it.
    #[error("expected {expected} at byte {at} of the answer, found {found}")]
    Garbage {
        /// What belongs there.
        expected: &'static str,
        /// The first bytes of what stands there, quoted.
        found: String,
        /// Where, in bytes from the end of the frame before.
        at: usize,
    },
    /// A marker must be set before an answer that ends with one is waited for: one line, not empty.
    #[error("no marker is set that is one line and not empty")]
    NoMarker,
    /// The frame that ends with the file was handed out.
    #[error("there is only one answer until the end of file, and it was received")]
    Finished,
}

/// Bytes that are quoted.
const QUOTED_BYTES: usize = 60;

impl FramingError {
    /// What stands at byte `at` should have been `expected`.
    pub(super) fn garbage(expected: &'static str, at: usize) -> Self {
        Self::Garbage { expected, found: String::new(), at }
    }

    /// With the words in question out of `bytes`.
    pub(super) fn quoting(mut self, bytes: &[u8]) -> Self {
        if let Self::Garbage { found, at, .. } = &mut self
            && found.is_empty()
        {
            let rest = bytes.get(*at..).unwrap_or_default();
            *found = format!("{:?}", String::from_utf8_lossy(&rest[..rest.len().min(QUOTED_BYTES)]));
        }
        self
    }
}
