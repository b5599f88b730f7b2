//! Premise selection: which earlier formulas are worth a prover's time.
//!
//! Two rankings that complement each other: [`Corpus::similarity`] needs nothing but the statements, [`nearest_proofs`] learns
//! from what proved similar goals; [`fuse`] joins them.

mod corpus;
mod neighbours;
mod ranking;

pub use corpus::{Corpus, SparseRow, Weights};
pub use neighbours::{Proof, nearest_proofs};
pub use ranking::{Pool, Ranking, fuse};
