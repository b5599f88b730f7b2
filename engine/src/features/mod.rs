//! What formulas look like to a ranking: embedders that need no model.

mod hashed;

pub use hashed::{DIMENSION, EMBEDDER, embed};
