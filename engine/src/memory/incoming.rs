//! The lines of an export, as they are read. Every one is foreign until it is checked.

use serde::Deserialize;

use super::base64;
use super::changes::Action;
use super::error::{MemoryError, Result};
use super::event::{EventId, EvidenceId, NewEvent, NewEvidence, Settlement};
use super::export::History;
use super::record::{Kind, NewRecord, RecordId, Status};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Line {
    Header(Header),
    Record(IncomingRecord),
    Evidence(IncomingEvidence),
    Event(Box<IncomingEvent>),
    Change(IncomingChange),
    Snapshot(IncomingSnapshot),
}

#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) version: u32,
    #[serde(default)]
    pub(super) generation: i64,
    pub(super) embedder: String,
    pub(super) dimension: u32,
    /// Exports of the first versions have none.
    #[serde(flatten)]
    pub(super) history: Option<History>,
}

#[derive(Deserialize)]
pub(super) struct IncomingRecord {
    pub(super) id: RecordId,
    kind: Kind,
    name: Option<String>,
    statement: String,
    source: Option<String>,
    #[serde(default)]
    namespace: String,
    pub(super) status: Status,
    #[serde(default)]
    pub(super) created_ms: i64,
    #[serde(default)]
    pub(super) inserts: i64,
    #[serde(default)]
    pub(super) born: i64,
    pub(super) died: Option<i64>,
    pub(super) merged_into: Option<RecordId>,
    vector: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct IncomingEvidence {
    pub(super) id: EvidenceId,
    #[serde(default)]
    pub(super) created_ms: i64,
    #[serde(flatten)]
    pub(super) content: NewEvidence,
}

#[derive(Deserialize)]
pub(super) struct IncomingEvent {
    pub(super) id: Option<EventId>,
    #[serde(default)]
    pub(super) created_ms: i64,
    #[serde(flatten)]
    pub(super) content: NewEvent,
    pub(super) settlement: Option<Settlement>,
    pub(super) settled_ms: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct IncomingChange {
    pub(super) record: RecordId,
    pub(super) generation: i64,
    pub(super) action: Action,
    pub(super) detail: String,
    pub(super) created_ms: i64,
}

#[derive(Deserialize)]
pub(super) struct IncomingSnapshot {
    pub(super) name: String,
    pub(super) generation: i64,
    pub(super) created_ms: i64,
}

impl IncomingRecord {
    /// What it says, checked, and its vector if there is one. Only evidence verifies, so a status above checked is left to it.
    pub(super) fn content(&mut self) -> Result<(NewRecord, Option<Vec<f32>>)> {
        let record = NewRecord {
            name: self.name.take(),
            source: self.source.take(),
            namespace: std::mem::take(&mut self.namespace),
            status: self.status.min(Status::Checked),
            ..NewRecord::new(self.kind, std::mem::take(&mut self.statement))
        };
        record.check()?;
        let vector = match self.vector.take() {
            Some(coded) => Some(floats(&coded).ok_or_else(|| MemoryError::input("the vector is no base64 of f32"))?),
            None => None,
        };
        Ok((record, vector))
    }
}

fn floats(coded: &str) -> Option<Vec<f32>> {
    let bytes = base64::decode(coded)?;
    let (floats, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then(|| floats.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
}
