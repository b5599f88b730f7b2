//! Names for contents.

/// The BLAKE3 hash of `bytes` in lower-case hexadecimal: what receipts call a claim or a certificate.
pub fn content_hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
