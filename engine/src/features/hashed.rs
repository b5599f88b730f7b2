//! The built-in embedder: signed feature hashing of a statement into a short dense row.

use super::{Counts, symbol_features, token_features, word_features};
use crate::tptp::{Limits, parse_formula};

/// The name of this embedder, stored beside the rows that it made: rows of another embedder are never compared with them.
pub const EMBEDDER: &str = "symbols-v1";

/// The name of the embedder that sees every statement, formula or not, by its words.
pub const WORDS_EMBEDDER: &str = "words-v1";

/// The name of the embedder that sees every statement by its tokens, which stand between white space: for Metamath.
pub const TOKENS_EMBEDDER: &str = "tokens-v1";

/// How many `f32` a row has.
pub const DIMENSION: usize = 256;

/// The unit row of `statement`: its features hashed with signs into [`DIMENSION`] places (Weinberger et al., Feature Hashing for
/// Large Scale Multitask Learning, ICML 2009).
///
/// A TPTP formula is seen by its symbols and walks, any other text by its words. A statement without any feature gives the zero
/// row, which is similar to nothing.
pub fn embed(statement: &str) -> [f32; DIMENSION] {
    let counts = match parse_formula(statement, &Limits::default()) {
        Ok(formula) => symbol_features(&formula),
        Err(_) => word_features(statement),
    };
    unit(hashed(&counts))
}

/// The unit row of `statement` by the built-in embedder of that name; `None` if none is called so.
pub fn embed_by(embedder: &str, statement: &str) -> Option<Vec<f32>> {
    match embedder {
        EMBEDDER => Some(embed(statement).to_vec()),
        WORDS_EMBEDDER => Some(unit(hashed(&word_features(statement))).to_vec()),
        TOKENS_EMBEDDER => Some(unit(hashed(&token_features(statement))).to_vec()),
        _ => None,
    }
}

fn hashed(counts: &Counts) -> [f32; DIMENSION] {
    let mut row = [0.0_f32; DIMENSION];
    for (feature, &count) in counts {
        let hash = blake3::hash(feature.as_bytes());
        let [low, high, sign, ..] = *hash.as_bytes();
        let place = usize::from(u16::from_le_bytes([low, high])) % DIMENSION;
        // Longer walks are rarer, and tell more: without counts of a corpus this is the weight that can be had.
        let length = 1 + feature.matches('\u{1f}').count();
        let weight = (1.0 + (count as f32).ln()) * (length as f32).sqrt();
        row[place] += if sign & 1 == 0 { weight } else { -weight };
    }
    row
}

fn unit(mut row: [f32; DIMENSION]) -> [f32; DIMENSION] {
    let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm > 0.0 {
        row.iter_mut().for_each(|x| *x /= norm);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::{TOKENS_EMBEDDER, embed, embed_by};

    fn cosine(left: &str, right: &str) -> f32 {
        embed(left).iter().zip(embed(right)).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn renaming_variables_changes_nothing() {
        assert!(cosine("![X] : f(X, e) = X", "![Y] : f(Y, e) = Y") > 0.999_999);
    }

    #[test]
    fn a_formula_is_closer_to_its_kin_than_to_a_stranger() {
        let kin = cosine("![X] : f(X, e) = X", "![X] : f(e, X) = X");
        let stranger = cosine("![X] : f(X, e) = X", "?[Y] : (in(Y, union(Y)) & ~ empty(Y))");
        assert!(kin > stranger + 0.3, "{kin} against {stranger}");
    }

    #[test]
    fn signs_are_tokens_and_not_words() {
        let row = |statement: &str| embed_by(TOKENS_EMBEDDER, statement).unwrap();
        let cosine = |left: &str, right: &str| row(left).iter().zip(row(right)).map(|(x, y)| x * y).sum::<f32>();
        let (sum, product, order) =
            ("|- ( A + B ) = ( B + A )", "|- ( A x. B ) = ( B x. A )", "|- ( A < B -> A =/= B )");
        assert!(cosine(sum, product) > cosine(sum, order), "two laws of commutation are kin");
        assert!(cosine(sum, product) < 0.999, "and not the same");
    }

    #[test]
    fn nothing_gives_the_zero_row() {
        assert!(embed(" ... ").iter().all(|&place| place == 0.0));
    }
}
