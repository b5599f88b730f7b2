//! The unsafe floor of Porism.
//!
//! Code is admitted here when it needs `unsafe`, is useful without knowing what a proof is, and has a portable twin that is the
//! oracle of its test. Everything that leaves this crate is safe to call.

pub mod event;
pub mod isa;
pub mod map;
pub mod process;
pub mod simd;
pub mod sqlite;
pub mod sync;
pub mod words;
