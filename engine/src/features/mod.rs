//! What formulas look like to a ranking: embedders that need no model.

mod hashed;
mod symbols;

pub use hashed::{DIMENSION, EMBEDDER, TOKENS_EMBEDDER, WORDS_EMBEDDER, embed, embed_by};
pub use symbols::{Counts, symbol_features, token_features, word_features};
