//! What is asked, as a key.

use std::fmt;

/// Everything on which the answer depends, but for who vouches for it and what it may cost: those stand beside the answers.
///
/// Two questions are the same if all their parts are equal, byte by byte.
#[derive(Clone, Copy, Debug, Default)]
pub struct Question<'a> {
    /// Which build of which prover: a hash of its files rather than its version.
    pub prover_build: &'a [u8],
    /// Which library it has loaded: a hash of its files.
    pub library: &'a [u8],
    /// Its options, written one way only.
    pub options: &'a [u8],
    /// The trusted text in front of the candidate.
    pub prefix: &'a [u8],
    /// What is checked.
    pub candidate: &'a [u8],
    /// What it must prove.
    pub statement: &'a [u8],
}

impl Question<'_> {
    /// BLAKE3 over all parts, each behind its length, so that no two questions have the same bytes.
    pub fn key(&self) -> CacheKey {
        let mut hasher = blake3::Hasher::new_derive_key("porism 2026 verdict cache: question 1");
        let Self { prover_build, library, options, prefix, candidate, statement } = *self;
        for part in [prover_build, library, options, prefix, candidate, statement] {
            // A length in memory always fits.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        CacheKey(*hasher.finalize().as_bytes())
    }
}

/// The name of a question.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey(pub [u8; 32]);

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn question(parts: &[Vec<u8>; 6]) -> Question<'_> {
        let [prover_build, library, options, prefix, candidate, statement] = parts;
        Question { prover_build, library, options, prefix, candidate, statement }
    }

    #[test]
    fn every_part_counts_and_so_does_where_it_stands() {
        let keys: HashSet<CacheKey> = (0..6)
            .map(|place| {
                let mut parts = <[Vec<u8>; 6]>::default();
                parts[place] = b"x".to_vec();
                question(&parts).key()
            })
            .chain([Question::default().key()])
            .collect();
        assert_eq!(keys.len(), 7);
    }

    proptest! {
        #[test]
        fn equal_keys_are_equal_questions(
            one in proptest::array::uniform6(proptest::collection::vec(0_u8..2, 0..3)),
            other in proptest::array::uniform6(proptest::collection::vec(0_u8..2, 0..3)),
        ) {
            prop_assert_eq!(one == other, question(&one).key() == question(&other).key());
        }
    }
}
