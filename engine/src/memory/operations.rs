//! Several changes as one: all of them or, on error, none.

use super::durability::Durability;
use super::error::{MemoryError, Result};
use super::event::{EvidenceId, NewEvidence};
use super::record::{Inserted, NewRecord, RecordId, check_vector};
use super::tombstones::{self, Moment};
use super::writer::Write;
use super::{Memory, evidence};

/// One change. A negative number of a record, `-1 - i`, means the record that operation `i` of the same list inserted or kept.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Store a record, or count a known one.
    Insert {
        /// The record.
        record: Box<NewRecord>,
        /// Its vector; the built-in embedder makes one of the statement.
        vector: Option<Vec<f32>>,
    },
    /// See records no more.
    Forget {
        /// Which.
        ids: Vec<RecordId>,
        /// Why.
        reason: String,
    },
    /// See forgotten or merged records again.
    Restore {
        /// Which.
        ids: Vec<RecordId>,
    },
    /// Make two records one.
    Merge {
        /// One of them.
        one: RecordId,
        /// And the other.
        other: RecordId,
    },
    /// Record evidence for a goal.
    Evidence(Box<NewEvidence>),
}

/// What an operation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The record is stored.
    Inserted(Inserted),
    /// These were alive, and are forgotten.
    Forgotten(Vec<RecordId>),
    /// These were dead, and are back.
    Restored(Vec<RecordId>),
    /// This one stays.
    Merged(RecordId),
    /// The evidence is recorded.
    Evidence(EvidenceId),
}

impl Outcome {
    /// The one record that later operations may mean by it.
    fn record(&self) -> Option<RecordId> {
        match self {
            Self::Inserted(inserted) => Some(inserted.id),
            Self::Merged(kept) => Some(*kept),
            Self::Forgotten(_) | Self::Restored(_) | Self::Evidence(_) => None,
        }
    }
}

impl Memory {
    /// Applies `operations` in order, in one commit; if `expected` is given, only if the memory is still at that generation.
    pub fn apply(&self, operations: &[Operation], expected: Option<i64>) -> Result<Vec<Outcome>> {
        let mut vectors = Vec::with_capacity(operations.len());
        for operation in operations {
            vectors.push(match operation {
                Operation::Insert { record, vector } => {
                    record.check()?;
                    Some(self.record_vector(record, vector.as_deref())?)
                }
                _ => None,
            });
        }
        self.write(|write| {
            let found = write.state.generation;
            if let Some(expected) = expected.filter(|&expected| expected != found) {
                return Err(MemoryError::Conflict { expected, found });
            }
            let mut outcomes = Vec::with_capacity(operations.len());
            for (operation, vector) in operations.iter().zip(&vectors) {
                let outcome = write.apply(operation, vector.as_deref().unwrap_or_default(), &outcomes)?;
                outcomes.push(outcome);
            }
            Ok(outcomes)
        })
    }

    /// Sees the records `ids` no more; returns those that were alive.
    pub fn forget(&self, ids: &[RecordId], reason: &str) -> Result<Vec<RecordId>> {
        self.write(|write| tombstones::forget(&write.transaction, ids, reason, write.moment()))
    }

    /// Sees the records `ids` again; returns those that were forgotten or merged away.
    pub fn restore(&self, ids: &[RecordId]) -> Result<Vec<RecordId>> {
        self.write(|write| tombstones::restore(&write.transaction, ids, write.moment()))
    }

    /// Makes two records one, and returns the one that stays.
    pub fn merge(&self, one: RecordId, other: RecordId) -> Result<RecordId> {
        self.write(|write| tombstones::merge(&write.transaction, one, other, write.moment()))
    }

    /// Which acknowledged writes survive what.
    pub fn durability(&self) -> Durability {
        self.options.durability
    }

    /// The vector to store with `record`: the given one, checked, or one that the built-in embedder makes.
    pub(super) fn record_vector(&self, record: &NewRecord, vector: Option<&[f32]>) -> Result<Vec<f32>> {
        match vector {
            Some(vector) => {
                check_vector(vector, self.options.dimension as usize)?;
                Ok(vector.to_vec())
            }
            None => self.embed(&record.statement),
        }
    }
}

impl Write<'_> {
    /// The moment of this write.
    pub(super) fn moment(&self) -> Moment {
        Moment { generation: self.generation(), now_ms: self.now_ms }
    }

    fn apply(&mut self, operation: &Operation, vector: &[f32], before: &[Outcome]) -> Result<Outcome> {
        let meant = |id: RecordId| resolve(id, before);
        let all = |ids: &[RecordId]| ids.iter().map(|&id| meant(id)).collect::<Result<Vec<_>>>();
        let moment = self.moment();
        Ok(match operation {
            Operation::Insert { record, .. } => Outcome::Inserted(self.insert(record, vector)?),
            Operation::Forget { ids, reason } => {
                Outcome::Forgotten(tombstones::forget(&self.transaction, &all(ids)?, reason, moment)?)
            }
            Operation::Restore { ids } => {
                Outcome::Restored(tombstones::restore(&self.transaction, &all(ids)?, moment)?)
            }
            Operation::Merge { one, other } => {
                Outcome::Merged(tombstones::merge(&self.transaction, meant(*one)?, meant(*other)?, moment)?)
            }
            Operation::Evidence(new) => {
                let new = NewEvidence { goal: meant(new.goal)?, used: all(&new.used)?, ..(**new).clone() };
                new.check()?;
                Outcome::Evidence(evidence::insert(&self.transaction, &new, moment)?)
            }
        })
    }
}

/// The record that `id` means, after the operations `before` it.
fn resolve(id: RecordId, before: &[Outcome]) -> Result<RecordId> {
    if id.0 >= 0 {
        return Ok(id);
    }
    let place = usize::try_from(-1 - id.0).ok();
    place
        .and_then(|place| before.get(place))
        .and_then(Outcome::record)
        .ok_or_else(|| MemoryError::Input(format!("{id} names no record of an earlier operation of this transaction")))
}
