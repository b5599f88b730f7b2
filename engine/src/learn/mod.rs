//! Learning from verdicts: what is asked and fails, which records help, and whether a change did harm.
//!
//! Everything here is a pure function of what it is told, in the order in which it is told: the same log gives the same numbers,
//! to the last bit and on every machine. Logarithms and powers come from `libm` for that reason. Nothing here reads a clock,
//! touches a disk or knows what a memory is.

mod calibration;
mod chance;
mod density;
mod experts;
mod family;
mod lessons;
mod logistic;
mod sketch;
mod trial;
mod uplift;

#[cfg(test)]
mod density_tests;

pub use calibration::{Calibration, Skill};
pub use chance::Chance;
pub use density::{Count, Density, Local, Strength};
pub use experts::Mixture;
pub use family::{CELLS, Cells, Family};
pub use lessons::{Case, Considered, Lessons};
pub use logistic::{Logistic, Row, WEIGHTS};
pub use sketch::{Mismatch, Sketch};
pub use trial::{Finding, Trial};
pub use uplift::{Effect, Exposure, FACTORS, Fit, Uplift};
