//! What is remembered: records, their kinds and what is known about them.

use serde::{Serialize, Serializer};

use super::error::{MemoryError, Result};
use crate::tptp::{Limits, canonical, parse_formula};
use crate::words::{number, words};

/// The longest statement, in bytes.
pub const MAX_STATEMENT_BYTES: usize = 16 << 20;
/// The longest name, source, namespace or label, in bytes.
pub const MAX_LABEL_BYTES: usize = 64 << 10;

number! {
    /// The number of a record; never used twice.
    RecordId
}

words! {
    /// What a record is.
    Kind, "kind" {
        /// Taken as true without proof.
        Axiom = "axiom",
        /// What a symbol means.
        Definition = "definition",
        /// A stepping stone.
        Lemma = "lemma",
        /// A result.
        Theorem = "theorem",
        /// Believed, not proved.
        Conjecture = "conjecture",
        /// Any other statement that holds.
        Fact = "fact",
        /// A derivation.
        Proof = "proof",
        /// A step for a proof assistant.
        Tactic = "tactic",
        /// A plan of attack.
        Strategy = "strategy",
        /// Why a statement does not hold.
        Counterexample = "counterexample",
        /// What was tried in vain.
        Failure = "failure",
        /// An equation to be used in one direction.
        Rewrite = "rewrite",
        /// Two things and how they relate.
        Triple = "triple",
        /// What happened while working on a goal.
        Episode = "episode",
    }
}

words! {
    /// How much is known about a record.
    Status, "status" {
        /// Nobody has proved it here.
        Conjectural = "conjectural",
        /// A prover claims it; no second one has left a receipt.
        Checked = "checked",
        /// A checker has left a receipt; only evidence sets this.
        Verified = "verified",
    }
}

/// What two statements share exactly when they say the same: a BLAKE3 hash of the canonical text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FactKey(pub [u8; 32]);

impl FactKey {
    /// The key of `statement`: a TPTP formula counts up to the names of its variables, any other text up to white space.
    pub fn of(statement: &str) -> Self {
        let text = match parse_formula(statement, &Limits::default()) {
            Ok(formula) => canonical(&formula),
            Err(_) => statement.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        Self(blake3::hash(text.as_bytes()).into())
    }

    /// The key in 64 hexadecimal digits.
    pub fn to_hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

impl Serialize for FactKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

/// A record that is to be stored.
#[derive(Clone, Debug)]
pub struct NewRecord {
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub statement: String,
    /// What it is called.
    pub name: Option<String>,
    /// Where it comes from, such as the name of a library.
    pub source: Option<String>,
    /// Which part of the memory it belongs to.
    pub namespace: String,
    /// What is known about it; [`Status::Verified`] is refused, because only evidence sets it.
    pub status: Status,
    /// What makes it the same as another.
    pub key: FactKey,
}

impl NewRecord {
    /// A conjectural record of `statement`.
    pub fn new(kind: Kind, statement: impl Into<String>) -> Self {
        let statement = statement.into();
        Self {
            kind,
            key: FactKey::of(&statement),
            name: None,
            source: None,
            namespace: String::new(),
            status: Status::Conjectural,
            statement,
        }
    }

    /// The same record under a name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Refuses what cannot be stored.
    pub(super) fn check(&self) -> Result<()> {
        check_length("statement", &self.statement, MAX_STATEMENT_BYTES)?;
        if self.statement.trim().is_empty() {
            return Err(MemoryError::input("the statement is empty"));
        }
        check_label("namespace", &self.namespace)?;
        self.name.iter().try_for_each(|name| check_label("name", name))?;
        self.source.iter().try_for_each(|source| check_label("source", source))?;
        if self.status == Status::Verified {
            return Err(MemoryError::input("status verified is set by evidence with a receipt, not by an insert"));
        }
        Ok(())
    }

    /// The checksum of everything that never changes, so that a damaged page is reported and not served.
    pub(super) fn checksum(&self) -> u32 {
        constant_checksum(
            self.kind,
            self.name.as_deref(),
            &self.statement,
            self.source.as_deref(),
            &self.namespace,
            self.key,
        )
    }
}

/// A stored record.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "they are those of `NewRecord`")]
pub struct Record {
    pub id: RecordId,
    pub kind: Kind,
    pub name: Option<String>,
    pub statement: String,
    pub source: Option<String>,
    pub namespace: String,
    pub key: FactKey,
    pub status: Status,
    /// When it was first inserted, in Unix milliseconds.
    pub created_ms: i64,
    /// How often it was inserted.
    pub inserts: i64,
    /// The generation from which on it is seen.
    pub born: i64,
    /// The generation from which on it is seen no more; `None` while it is alive.
    pub died: Option<i64>,
    /// The record that it became one with.
    pub merged_into: Option<RecordId>,
}

impl Record {
    /// The checksum of the [`NewRecord`] that it was.
    pub(super) fn checksum(&self) -> u32 {
        constant_checksum(
            self.kind,
            self.name.as_deref(),
            &self.statement,
            self.source.as_deref(),
            &self.namespace,
            self.key,
        )
    }
}

/// What an insert did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inserted {
    /// The record, new or known.
    pub id: RecordId,
    /// Whether it was not known before.
    pub new: bool,
    /// Whether it is a record that was forgotten or merged away; an insert does not bring it back, `restore` does.
    pub forgotten: bool,
}

fn constant_checksum(
    kind: Kind,
    name: Option<&str>,
    statement: &str,
    source: Option<&str>,
    namespace: &str,
    key: FactKey,
) -> u32 {
    let [name, source] = [name, source].map(Option::unwrap_or_default);
    payload_checksum([
        kind.as_str().as_bytes(),
        name.as_bytes(),
        statement.as_bytes(),
        source.as_bytes(),
        namespace.as_bytes(),
        &key.0,
    ])
}

/// The checksum over `fields` and their lengths: a byte that moves from one field to the next changes it.
fn payload_checksum<const N: usize>(fields: [&[u8]; N]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for field in fields {
        hasher.update(&(field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    hasher.finalize()
}

/// Refuses a label that is too long to be one.
pub(super) fn check_label(what: &str, label: &str) -> Result<()> {
    check_length(what, label, MAX_LABEL_BYTES)
}

fn check_length(what: &str, text: &str, limit: usize) -> Result<()> {
    if text.len() > limit {
        return Err(MemoryError::input(format!("the {what} has {} bytes, the limit is {limit}", text.len())));
    }
    Ok(())
}

/// Refuses a vector of the wrong length, or with a place that is no finite number.
pub(super) fn check_vector(vector: &[f32], dimension: usize) -> Result<()> {
    if vector.len() != dimension {
        return Err(MemoryError::input(format!(
            "the vector has {} dimensions, the memory has {dimension}",
            vector.len()
        )));
    }
    match vector.iter().position(|x| !x.is_finite()) {
        Some(place) => Err(MemoryError::input(format!("the vector has {} at place {place}", vector[place]))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_does_not_change_the_key() {
        assert_eq!(FactKey::of("n + 0 = n"), FactKey::of("  n +\n0 =  n "));
        assert_ne!(FactKey::of("n + 0 = n"), FactKey::of("n + 1 = n"));
    }

    #[test]
    fn names_of_variables_do_not_change_the_key() {
        assert_eq!(FactKey::of("![X]: f(X, e) = X"), FactKey::of("! [Y] : (f(Y,e) = Y)"));
    }

    #[test]
    fn an_unknown_kind_is_told_the_known_ones() {
        let refused = "lema".parse::<Kind>().unwrap_err().to_string();
        assert!(refused.starts_with("unknown kind \"lema\": expected one of axiom, definition, lemma,"), "{refused}");
    }

    #[test]
    fn every_word_reads_back() {
        assert!(Kind::ALL.iter().all(|kind| kind.as_str().parse::<Kind>().is_ok_and(|read| read == *kind)));
    }

    #[test]
    fn a_byte_that_changes_fields_changes_the_checksum() {
        assert_ne!(payload_checksum([b"ab", b"c"]), payload_checksum([b"a", b"bc"]));
    }

    #[test]
    fn a_vector_that_cannot_be_stored_is_refused() {
        assert!(check_vector(&[1.0, 0.0], 2).is_ok());
        for (vector, expected) in [
            (vec![1.0], "the vector has 1 dimensions, the memory has 2"),
            (vec![1.0, f32::NAN], "NaN at place 1"),
            (vec![f32::INFINITY, 0.0], "inf at place 0"),
        ] {
            let refused = check_vector(&vector, 2).unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn a_record_that_cannot_be_stored_is_refused() {
        let good = NewRecord::new(Kind::Lemma, "p");
        assert!(good.check().is_ok());
        let cases = [
            (NewRecord { statement: " \n".into(), ..good.clone() }, "empty"),
            (NewRecord { statement: "x".repeat(MAX_STATEMENT_BYTES + 1), ..good.clone() }, "16777217 bytes"),
            (NewRecord { status: Status::Verified, ..good.clone() }, "receipt"),
            (good.clone().named("n".repeat(MAX_LABEL_BYTES + 1)), "name has 65537 bytes"),
        ];
        for (record, expected) in cases {
            let refused = record.check().unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
