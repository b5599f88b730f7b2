//! Mapped files.
