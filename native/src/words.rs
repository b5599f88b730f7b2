//! Numbers of 32 bits in mapped bytes, read where they lie.

/// The little-endian numbers that `bytes` holds, without a copy; `None` where that is impossible, because the bytes do not begin at a
/// multiple of four, are no multiple of four, or because this machine has the other byte order.
pub fn words(bytes: &[u8]) -> Option<&[u32]> {
    if cfg!(target_endian = "big") {
        return None;
    }
    // SAFETY: every pattern of 32 bits is a `u32`, and `align_to` yields only aligned ones from within `bytes`.
    let (before, words, after) = unsafe { bytes.align_to::<u32>() };
    (before.is_empty() && after.is_empty()).then_some(words)
}

/// The same numbers, copied: the plain twin, which works everywhere.
pub fn copy_words(bytes: &[u8]) -> Option<Vec<u32>> {
    let (words, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then(|| words.iter().map(|word| u32::from_le_bytes(*word)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_place_are_those_that_are_copied() {
        let bytes: Vec<u8> = (0..=255).collect();
        // One of the four begins where a number can lie.
        let found = (0..4).filter_map(|start| {
            let bytes = &bytes[start..start + 100];
            words(bytes).inspect(|words| assert_eq!(Some(words.to_vec()), copy_words(bytes)))
        });
        assert_eq!(found.count(), usize::from(cfg!(target_endian = "little")));
        assert_eq!(copy_words(&bytes[..5]), None);
        assert_eq!(words(&[]).unwrap_or_default(), []);
    }
}
