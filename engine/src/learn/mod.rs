//! Learning from verdicts: what is asked and fails, which records help, and whether a change did harm.
//!
//! Everything here is a pure function of what it is told, in the order in which it is told: the same log gives the same numbers,
//! to the last bit and on every machine. Logarithms and powers come from `libm` for that reason. Nothing here reads a clock,
//! touches a disk or knows what a memory is.

mod chance;
mod density;
mod family;
mod sketch;

#[cfg(test)]
mod density_tests;

pub use chance::Chance;
pub use density::{Count, Density, Local, Strength};
pub use family::{CELLS, Cells, Family};
pub use sketch::{Mismatch, Sketch};
