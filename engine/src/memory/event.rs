//! What happened: evidence for records, and recalls with what became of them.

use serde::{Deserialize, Serialize};

use super::error::{MemoryError, Result};
use super::record::{RecordId, check_label};
use crate::verdict::Verdict;
use crate::words::number;

number! {
    /// The number of a piece of evidence.
    EvidenceId
}

number! {
    /// The number of an event.
    EventId
}

/// A checker's signature on a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The BLAKE3 hash of what was claimed, in hexadecimal.
    pub claim_hash: String,
    /// The BLAKE3 hash of the certificate that was checked, in hexadecimal.
    pub certificate_hash: String,
    /// Who checked.
    pub checker: String,
    /// In which version.
    pub checker_version: String,
}

impl Receipt {
    fn check(&self) -> Result<()> {
        check_hash("claim hash", &self.claim_hash)?;
        check_hash("certificate hash", &self.certificate_hash)?;
        check_label("checker", &self.checker)?;
        check_label("checker version", &self.checker_version)?;
        if self.checker.is_empty() {
            return Err(MemoryError::input("a receipt names its checker"));
        }
        Ok(())
    }
}

/// How a goal was proved, refuted or attempted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewEvidence {
    /// What was to be proved.
    pub goal: RecordId,
    /// What came out.
    pub verdict: Verdict,
    /// The premises that the proof uses.
    pub used: Vec<RecordId>,
    /// Who proved it.
    pub prover: String,
    /// In which version.
    pub prover_version: String,
    /// Which slice or strategy it was given.
    pub label: String,
    /// Wall seconds.
    pub seconds: f64,
    /// Who proved it again.
    pub reprover: Option<String>,
    /// In which version.
    pub reprover_version: Option<String>,
    /// The signature of whoever checked it; a proof with a receipt makes the goal verified.
    pub receipt: Option<Receipt>,
}

impl NewEvidence {
    pub(super) fn check(&self) -> Result<()> {
        check_measure("seconds", self.seconds)?;
        let labels = [("prover", &self.prover), ("prover version", &self.prover_version), ("label", &self.label)];
        labels.into_iter().try_for_each(|(what, label)| check_label(what, label))?;
        let optional = [("re-prover", &self.reprover), ("re-prover version", &self.reprover_version)];
        optional
            .into_iter()
            .try_for_each(|(what, label)| label.iter().try_for_each(|label| check_label(what, label)))?;
        self.receipt.iter().try_for_each(Receipt::check)
    }
}

/// Stored evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// Its number.
    pub id: EvidenceId,
    /// When it was recorded, in Unix milliseconds.
    pub created_ms: i64,
    /// What it says; `used` is in ascending order.
    #[serde(flatten)]
    pub content: NewEvidence,
}

/// One record that a recall considered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Which.
    pub record: RecordId,
    /// How well it suited.
    pub score: f64,
    /// Where it was shown, from 0; `None` when it was withheld.
    pub slot: Option<u32>,
    /// How probable it was that it would be treated like this (shown, or withheld): over 0, at most 1.
    pub propensity: f64,
}

/// A recall, as it is written down before its outcome is known. Its propensities cannot be found out afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewEvent {
    /// What the recall was for.
    pub goal: RecordId,
    /// The generation of the memory that was searched.
    pub snapshot: i64,
    /// What was considered, best first: the position is the rank.
    pub candidates: Vec<Candidate>,
    /// Which rule chose what to show.
    pub policy: String,
    /// The seed of its random choices.
    pub seed: i64,
}

impl NewEvent {
    pub(super) fn check(&self, generation: i64) -> Result<()> {
        check_label("policy", &self.policy)?;
        if !(0..=generation).contains(&self.snapshot) {
            let reason = format!("snapshot {} is not of this memory, which is at {generation}", self.snapshot);
            return Err(MemoryError::Input(reason));
        }
        self.candidates.iter().try_for_each(Candidate::check)?;
        check_distinct("candidate", self.candidates.iter().map(|candidate| candidate.record.0))?;
        check_distinct("slot", self.candidates.iter().filter_map(|candidate| candidate.slot.map(i64::from)))
    }
}

impl Candidate {
    fn check(&self) -> Result<()> {
        if !(self.propensity > 0.0 && self.propensity <= 1.0) {
            let reason =
                format!("the propensity of record {} is {}: expected over 0, at most 1", self.record, self.propensity);
            return Err(MemoryError::Input(reason));
        }
        if !self.score.is_finite() {
            return Err(MemoryError::Input(format!("the score of record {} is {}", self.record, self.score)));
        }
        Ok(())
    }
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settlement {
    /// What came out.
    pub verdict: Verdict,
    /// How many tries it took.
    pub attempts: u32,
    /// Wall seconds of all of them.
    pub seconds: f64,
    /// The records that the proof uses, in ascending order.
    pub used: Vec<RecordId>,
    /// The evidence for it.
    pub evidence: Option<EvidenceId>,
}

impl Settlement {
    pub(super) fn check(&self) -> Result<()> {
        check_measure("seconds", self.seconds)
    }

    /// The field in which `other` differs.
    pub(super) fn difference(&self, other: &Self) -> Option<&'static str> {
        let same = [
            ("verdict", self.verdict == other.verdict),
            ("used", self.used == other.used),
            ("evidence", self.evidence == other.evidence),
            ("attempts", self.attempts == other.attempts),
            ("seconds", self.seconds.to_bits() == other.seconds.to_bits()),
        ];
        same.into_iter().find_map(|(field, same)| (!same).then_some(field))
    }
}

/// A stored event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// Its number.
    pub id: EventId,
    /// When it was written down, in Unix milliseconds.
    pub created_ms: i64,
    /// What was recalled.
    #[serde(flatten)]
    pub content: NewEvent,
    /// What became of it; `None` while it is pending.
    pub settlement: Option<Settlement>,
    /// When it was settled, in Unix milliseconds.
    pub settled_ms: Option<i64>,
}

fn check_measure(what: &str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(MemoryError::Input(format!("{what} is {value}: expected a number from 0")))
}

fn check_hash(what: &str, hash: &str) -> Result<()> {
    let hexadecimal = hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if hash.len() == 64 && hexadecimal {
        return Ok(());
    }
    let found: String = hash.chars().take(80).collect();
    Err(MemoryError::Input(format!("the {what} is {found:?}: expected 64 lower-case hexadecimal digits")))
}

fn check_distinct(what: &str, values: impl Iterator<Item = i64>) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for value in values {
        if !seen.insert(value) {
            return Err(MemoryError::Input(format!("{what} {value} is listed twice")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(candidates: Vec<Candidate>) -> NewEvent {
        NewEvent { goal: RecordId(1), snapshot: 1, candidates, policy: "top".into(), seed: 0 }
    }

    fn candidate(record: i64, slot: Option<u32>, propensity: f64) -> Candidate {
        Candidate { record: RecordId(record), score: 0.5, slot, propensity }
    }

    #[test]
    fn propensities_are_probabilities_that_can_be_divided_by() {
        assert!(event(vec![candidate(1, Some(0), 1.0), candidate(2, None, 0.1)]).check(1).is_ok());
        for bad in [0.0, -0.1, 1.5, f64::NAN] {
            assert!(event(vec![candidate(1, None, bad)]).check(1).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_is_listed_twice() {
        let slots = event(vec![candidate(1, Some(0), 1.0), candidate(2, Some(0), 1.0)]).check(1).unwrap_err();
        assert_eq!(slots.to_string(), "slot 0 is listed twice");
        let records = event(vec![candidate(3, None, 1.0), candidate(3, None, 1.0)]).check(1).unwrap_err();
        assert_eq!(records.to_string(), "candidate 3 is listed twice");
    }

    #[test]
    fn a_snapshot_of_the_future_is_refused() {
        assert!(event(Vec::new()).check(0).is_err());
    }

    #[test]
    fn a_receipt_has_real_hashes_and_a_checker() {
        let hash = "0".repeat(64);
        let receipt = Receipt {
            claim_hash: hash.clone(),
            certificate_hash: hash,
            checker: "z3".into(),
            checker_version: String::new(),
        };
        assert!(receipt.check().is_ok());
        assert!(Receipt { claim_hash: "0".repeat(63), ..receipt.clone() }.check().is_err());
        assert!(Receipt { certificate_hash: "G".repeat(64), ..receipt.clone() }.check().is_err());
        assert!(Receipt { checker: String::new(), ..receipt }.check().is_err());
    }
}
