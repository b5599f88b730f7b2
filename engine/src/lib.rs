//! The safe core of Porism: it reads formulas, ranks premises and keeps the memory of what was proved.
//!
//! It knows neither Python nor any unsafe code; `porism-native` below it holds the mapped files and the child processes.

#![forbid(unsafe_code)]

pub mod check;
pub mod features;
pub mod hash;
pub mod learn;
pub mod library;
pub mod lsh;
pub mod memory;
mod metrics;
pub mod pool;
mod prometheus;
pub mod queue;
pub mod rank;
pub mod tptp;
pub mod verdict;
pub mod words;
