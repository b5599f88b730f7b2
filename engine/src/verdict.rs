//! What a check of a candidate came to, and how far that can be trusted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::memory::Receipt;
use crate::words::words;

words! {
    /// How an attempt at a goal ended.
    ///
    /// [`Proved`](Verdict::Proved) and [`Refuted`](Verdict::Refuted) are about the goal. `Rejected`, `Incomplete` and `Mismatch` are
    /// about the candidate, whose failure says nothing about the goal. All others are about the attempt alone.
    Verdict, "verdict" {
        /// It follows.
        Proved = "proved",
        /// It does not follow.
        Refuted = "refuted",
        /// The prover gave up, or came to a limit that does not depend on the machine.
        Unknown = "unknown",
        /// It came to a limit in time, which is no refutation.
        Timeout = "timeout",
        /// It came to a limit in memory.
        Memory = "memory",
        /// It died, or what it printed contradicts itself.
        Crashed = "crashed",
        /// The caller stopped it.
        Cancelled = "cancelled",
        /// It does not read such a problem.
        Unsupported = "unsupported",
        /// Something else kept it from an answer.
        Failed = "failed",
        /// The checker read the candidate and does not accept it.
        Rejected = "rejected",
        /// The candidate leaves a gap: `sorry`, `admit`, an axiom of its own, an open goal.
        Incomplete = "incomplete",
        /// The candidate proves another statement than the one that was asked for.
        Mismatch = "mismatch",
        /// It was not tried: there was no room, or no time left.
        Overloaded = "overloaded",
    }
}

/// What a verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The goal: true or false, whoever looks.
    Goal,
    /// The candidate: not a proof of the goal.
    Candidate,
    /// How much was spent: with more of it the answer may be another.
    Budget,
    /// This one attempt, which says nothing about the next.
    Attempt,
}

impl Verdict {
    /// What it is about.
    pub const fn subject(self) -> Subject {
        match self {
            Self::Proved | Self::Refuted => Subject::Goal,
            Self::Rejected | Self::Incomplete | Self::Mismatch => Subject::Candidate,
            Self::Timeout | Self::Unknown => Subject::Budget,
            Self::Memory | Self::Crashed | Self::Cancelled | Self::Unsupported | Self::Failed | Self::Overloaded => {
                Subject::Attempt
            }
        }
    }
}

/// Who vouches for a verdict: each level is stronger than the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Trust {
    /// The prover said so, in the same process that ran the candidate.
    #[default]
    L0,
    /// The same, with the statement pinned and the axioms audited.
    L1,
    /// The same again, by a second process in which the candidate never ran.
    L2,
    /// A separate checker of the prover's own kernel.
    L3,
    /// An independent kernel.
    L4,
}

impl Trust {
    /// Every one, weakest first.
    pub const ALL: [Self; 5] = [Self::L0, Self::L1, Self::L2, Self::L3, Self::L4];
}

impl From<Trust> for u8 {
    fn from(trust: Trust) -> Self {
        trust as Self
    }
}

impl TryFrom<u8> for Trust {
    type Error = UnknownTrust;

    fn try_from(level: u8) -> Result<Self, UnknownTrust> {
        Self::ALL.get(usize::from(level)).copied().ok_or(UnknownTrust(level))
    }
}

/// A number that is no level of trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no level of trust: they are 0 to 4")]
pub struct UnknownTrust(pub u8);

words! {
    /// How grave a message of a prover is.
    Severity, "severity" {
        /// It only tells.
        Information = "information",
        /// It may be wrong.
        Warning = "warning",
        /// It is wrong.
        Error = "error",
    }
}

/// What a prover said about a place in the candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// How grave it is.
    pub severity: Severity,
    /// In the prover's words.
    pub text: String,
    /// The line, counted from 1; 0 where the prover names none.
    pub line: u32,
    /// The column, counted from 1 in characters; 0 where the prover names none.
    pub column: u32,
}

/// What came back for one candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// How it ended.
    pub verdict: Verdict,
    /// Who vouches for that.
    pub trust: Trust,
    /// Who was asked.
    pub prover: String,
    /// In which version.
    pub prover_version: String,
    /// What the proof rests on, by name.
    pub axioms: Vec<String>,
    /// What the prover said.
    pub messages: Vec<Message>,
    /// One line for people.
    pub detail: String,
    /// How long the candidate waited.
    pub wait: Duration,
    /// How long it was worked on.
    pub work: Duration,
    /// The prover's own word for the verdict.
    pub raw: String,
    /// The signature of whoever checked it.
    pub receipt: Option<Receipt>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_trust_are_ordered_numbers() {
        assert!(Trust::ALL.is_sorted());
        for (level, trust) in (0..).zip(Trust::ALL) {
            assert_eq!((u8::from(trust), Trust::try_from(level)), (level, Ok(trust)));
        }
        assert_eq!(Trust::try_from(5), Err(UnknownTrust(5)));
    }

    #[test]
    fn words_that_were_stored_before_keep_their_meaning() {
        let old = "proved refuted unknown timeout memory crashed cancelled unsupported failed".split(' ');
        for (word, verdict) in old.zip(Verdict::ALL) {
            assert_eq!(word.parse(), Ok(*verdict));
        }
    }
}
