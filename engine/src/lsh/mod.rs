//! Approximate nearest neighbours: one-bit codes, a partition of the rows, and an exact re-rank that stops when it may.
//!
//! Rows are unit vectors, and the score of a row is its product with the query. Each row belongs to the cluster of its nearest
//! centroid and is known by a code: the signs of its randomly rotated residual, and two numbers that turn a sum over these signs into an
//! unbiased estimate of the product, with a bound on its error (Gao, Long: `RaBitQ`, SIGMOD 2024). A search looks at the
//! nearest clusters, estimates every row in them, and computes the products of those alone that may still belong to the best.
//!
//! How many clusters are looked at, and how wide the bound is taken, follows from the recall that was asked for: both were measured
//! on a sample of queries when the partition was made.
//!
//! Nothing here knows what a record is, and the same rows give the same bytes on every machine.

mod calibration;
mod centroids;
mod code;
mod exact;
mod layout;
mod list;
mod query;
mod rotation;
mod rows;
mod seal;
mod sealed;
mod search;
mod tail;
mod train;
mod workers;

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod tests;

pub use calibration::{Promise, Promises, Reach, Setting};
pub use exact::exact;
pub use layout::{Belonging, can_index};
pub(crate) use rotation::Rotation;
pub use rows::{RowSet, Rows, Scored, floats};
pub use seal::{SealError, Source, carry, seal};
pub use sealed::{Damage, Sealed};
pub use search::{Found, Scope, Trouble, search};
pub use tail::Tail;
pub use workers::{Cancelled, Workers};
