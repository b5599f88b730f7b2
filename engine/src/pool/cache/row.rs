//! An entry as bytes, and the seal on them.

use super::error::{CacheError, Result};
use super::key::CacheKey;
use super::rules::{Entry, Place};

/// An entry may have so many bytes; a longer one is not kept.
pub const MAX_ENTRY_BYTES: u32 = 1 << 20;

/// A random number that tells caches apart.
pub(super) type Identity = [u8; 16];

/// An entry as it stands in the file.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) body: Vec<u8>,
    pub(super) seal: [u8; 32],
}

impl Row {
    /// `None`: it is too long.
    pub(super) fn write(identity: &Identity, key: &CacheKey, place: Place, entry: &Entry) -> Option<Self> {
        let body = serde_json::to_vec(entry).expect("an entry has text, numbers and durations only");
        (body.len() <= MAX_ENTRY_BYTES as usize)
            .then(|| Self { seal: seal(identity, key, place.number(), &body), body })
    }
}

/// Reads the entry that stands in the file under `key` at `place`; a bit that differs from what was written is an error.
pub(super) fn read(identity: &Identity, key: &CacheKey, place: u8, body: &[u8], sealed: &[u8]) -> Result<Entry> {
    let damaged = |reason: &str| CacheError::damaged(format!("the entry {key}"), reason);
    // Only accidents are to be noticed: who can write the file can compute the seal.
    if sealed != seal(identity, key, place, body) {
        return Err(damaged("its seal is not that of its bytes"));
    }
    let entry: Entry = serde_json::from_slice(body).map_err(|error| damaged(&error.to_string()))?;
    if entry.place().map(Place::number) != Some(place) {
        return Err(damaged("it stands where such a verdict is not kept"));
    }
    Ok(entry)
}

/// BLAKE3 over everything that the meaning of a row depends on, and the cache that it belongs to.
fn seal(identity: &Identity, key: &CacheKey, place: u8, body: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("porism 2026 verdict cache: row 1");
    // All but the last have a fixed length.
    hasher.update(identity).update(&key.0).update(&[place]).update(body);
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{entry, key};
    use super::*;
    use crate::verdict::Verdict;

    #[test]
    fn a_row_is_read_as_it_was_written_and_with_any_bit_changed_not_at_all() {
        let (identity, key, entry) = ([7; 16], key(1), entry(Verdict::Proved));
        let Row { mut body, seal } = Row::write(&identity, &key, Place::Answer, &entry).unwrap();
        assert_eq!(read(&identity, &key, 0, &body, &seal).unwrap(), entry);
        for bit in 0..body.len() * 8 {
            body[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&identity, &key, 0, &body, &seal).is_err(), "bit {bit}");
            body[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(read(&[8; 16], &key, 0, &body, &seal).is_err());
        assert!(read(&identity, &super::super::samples::key(2), 0, &body, &seal).is_err());
        assert!(read(&identity, &key, 1, &body, &seal).is_err());
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let mut entry = entry(Verdict::Proved);
        entry.check.raw = "x".repeat(MAX_ENTRY_BYTES as usize);
        assert!(Row::write(&[0; 16], &key(1), Place::Answer, &entry).is_none());
    }
}
