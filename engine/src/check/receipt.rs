//! What a checker signs.

use crate::hash::content_hash;

/// A checker's signature: this certificate proves this claim from these axioms.
///
/// A receipt binds contents and not names, so that a file that changes after the check is not covered by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The BLAKE3 hash of what was claimed, in hexadecimal.
    pub claim_hash: String,
    /// The BLAKE3 hash of the certificate, in hexadecimal.
    pub certificate_hash: String,
    /// Who checked.
    pub checker: &'static str,
    /// In which version.
    pub checker_version: &'static str,
    /// What the claim rests on without proof, by name, in the order of the library; empty where a format has no such thing.
    pub axioms: Vec<String>,
}

impl Receipt {
    /// A receipt for a certificate that was accepted.
    pub fn new(claim: &[u8], certificate: &[u8], checker: &'static str, checker_version: &'static str) -> Self {
        Self {
            claim_hash: content_hash(claim),
            certificate_hash: content_hash(certificate),
            checker,
            checker_version,
            axioms: Vec::new(),
        }
    }
}
