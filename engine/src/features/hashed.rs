//! The built-in embedder: signed feature hashing of a statement into a short dense row.

/// The name of this embedder, stored beside the rows that it made: rows of another embedder are never compared with them.
pub const EMBEDDER: &str = "symbols-v1";

/// How many `f32` a row has.
pub const DIMENSION: usize = 256;

/// The unit row of `statement`: its features hashed with signs into [`DIMENSION`] places (Weinberger et al., ICML 2009).
///
/// A statement without any feature gives the zero row, which is similar to nothing.
pub fn embed(statement: &str) -> [f32; DIMENSION] {
    let mut row = [0.0_f32; DIMENSION];
    for word in statement.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()) {
        let hash = blake3::hash(word.as_bytes());
        let bytes = hash.as_bytes();
        let place = usize::from(u16::from_le_bytes([bytes[0], bytes[1]])) % DIMENSION;
        row[place] += if bytes[2] & 1 == 0 { 1.0 } else { -1.0 };
    }
    let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm > 0.0 {
        row.iter_mut().for_each(|x| *x /= norm);
    }
    row
}
