//! Reading what [`super::export`] writes. Every line is foreign until it is checked.

use std::collections::HashMap;
use std::io::{BufRead, Read};

use serde::Deserialize;

use super::error::{MemoryError, Result};
use super::event::{EvidenceId, NewEvent, NewEvidence, Settlement};
use super::record::{Kind, NewRecord, RecordId, Status};
use super::tombstones;
use super::writer::Write;
use super::{Memory, base64, events, evidence, export};

/// The longest line, in bytes: a record of the longest statement with its vector, escaped.
const MAX_LINE_BYTES: u64 = 256 << 20;

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Records that were new here.
    pub new: u64,
    /// Records that were known here.
    pub known: u64,
    /// Pieces of evidence.
    pub evidence: u64,
    /// Events.
    pub events: u64,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line {
    Header { version: u32, embedder: String, dimension: u32 },
    Record(IncomingRecord),
    Evidence(Numbered<NewEvidence>),
    Event(Box<IncomingEvent>),
    // What a record is now was said with it; how it came to be so, and what was named, is another memory's history.
    Change {},
    Snapshot {},
}

#[derive(Deserialize)]
struct IncomingRecord {
    id: RecordId,
    kind: Kind,
    name: Option<String>,
    statement: String,
    source: Option<String>,
    #[serde(default)]
    namespace: String,
    status: Status,
    died: Option<i64>,
    merged_into: Option<RecordId>,
    vector: Option<String>,
}

#[derive(Deserialize)]
struct Numbered<T> {
    id: EvidenceId,
    #[serde(flatten)]
    content: T,
}

#[derive(Deserialize)]
struct IncomingEvent {
    #[serde(flatten)]
    content: NewEvent,
    settlement: Option<Settlement>,
}

impl Memory {
    /// Stores everything that an export holds, in one commit: all of it or, on error, nothing.
    ///
    /// Records get numbers of this memory; those that are known here are counted. What was dead there is dead here, unless it was
    /// known alive. Generations and snapshots are those of this memory, so the other's are not taken over.
    pub fn import(&self, lines: &mut dyn BufRead) -> Result<Imported> {
        self.write(|write| {
            let mut import = Import {
                memory: self,
                records: HashMap::new(),
                evidence: HashMap::new(),
                dead: Vec::new(),
                done: Imported::default(),
                vectors: false,
            };
            let mut number = 0_u64;
            let mut text = Vec::new();
            loop {
                number += 1;
                text.clear();
                let read = lines.take(MAX_LINE_BYTES).read_until(b'\n', &mut text);
                if read.map_err(|error| MemoryError::io("the import", "read a line", &error))? == 0 {
                    break;
                }
                import.line(write, number, &text).map_err(|error| match error {
                    MemoryError::Input(reason) => MemoryError::Input(format!("line {number}: {reason}")),
                    other => other,
                })?;
            }
            import.bury(write)?;
            Ok(import.done)
        })
    }
}

struct Import<'a> {
    memory: &'a Memory,
    /// From numbers there to numbers here.
    records: HashMap<RecordId, RecordId>,
    evidence: HashMap<EvidenceId, EvidenceId>,
    /// Records that were new here and dead there, with what they were merged into.
    dead: Vec<(RecordId, Option<RecordId>)>,
    done: Imported,
    /// Whether vectors of the export can be compared with those here.
    vectors: bool,
}

impl Import<'_> {
    fn line(&mut self, write: &mut Write<'_>, number: u64, text: &[u8]) -> Result<()> {
        let line: Line = serde_json::from_slice(text).map_err(|error| MemoryError::Input(error.to_string()))?;
        match (number, line) {
            (1, Line::Header { version, embedder, dimension }) => {
                if version > export::VERSION {
                    let supported = export::VERSION;
                    return Err(MemoryError::Input(format!(
                        "an export of version {version}, this reads up to {supported}"
                    )));
                }
                let options = &self.memory.options;
                self.vectors = embedder == options.embedder && dimension == options.dimension;
                Ok(())
            }
            (1, _) => Err(MemoryError::input("an export begins with its header")),
            (_, Line::Header { .. }) => Err(MemoryError::input("a second header")),
            (_, Line::Record(record)) => self.record(write, record),
            (_, Line::Evidence(Numbered { id, content })) => {
                let content =
                    NewEvidence { goal: self.here(content.goal)?, used: self.all_here(&content.used)?, ..content };
                content.check()?;
                let moment = write.moment();
                self.evidence.insert(id, evidence::insert(&write.transaction, &content, moment)?);
                self.done.evidence += 1;
                Ok(())
            }
            (_, Line::Event(event)) => self.event(write, *event),
            (_, Line::Change {} | Line::Snapshot {}) => Ok(()),
        }
    }

    fn record(&mut self, write: &mut Write<'_>, incoming: IncomingRecord) -> Result<()> {
        let vector = match incoming.vector.filter(|_| self.vectors) {
            Some(coded) => Some(floats(&coded).ok_or_else(|| MemoryError::input("the vector is no base64 of f32"))?),
            None => None,
        };
        let record = NewRecord {
            name: incoming.name,
            source: incoming.source,
            namespace: incoming.namespace,
            // Only evidence verifies; it follows.
            status: incoming.status.min(Status::Checked),
            ..NewRecord::new(incoming.kind, incoming.statement)
        };
        record.check()?;
        let vector = self.memory.record_vector(&record, vector.as_deref())?;
        let inserted = write.insert(&record, &vector)?;
        if self.records.insert(incoming.id, inserted.id).is_some() {
            return Err(MemoryError::Input(format!("record {} is listed twice", incoming.id)));
        }
        if inserted.new {
            self.done.new += 1;
            if incoming.died.is_some() {
                self.dead.push((inserted.id, incoming.merged_into));
            }
        } else {
            self.done.known += 1;
        }
        Ok(())
    }

    fn event(&mut self, write: &mut Write<'_>, event: IncomingEvent) -> Result<()> {
        let mut content = NewEvent { goal: self.here(event.content.goal)?, snapshot: 0, ..event.content };
        // What was compacted away there has no number here.
        content.candidates.retain(|candidate| self.records.contains_key(&candidate.record));
        for candidate in &mut content.candidates {
            candidate.record = self.here(candidate.record)?;
        }
        let id = events::insert(&write.transaction, &content, write.now_ms)?;
        self.done.events += 1;
        let Some(mut settlement) = event.settlement else {
            return Ok(());
        };
        settlement.check()?;
        settlement.used.retain(|id| self.records.contains_key(id));
        settlement.used = self.all_here(&settlement.used)?;
        settlement.used.sort_unstable();
        settlement.evidence = match settlement.evidence {
            Some(id) => Some(
                self.evidence
                    .get(&id)
                    .copied()
                    .ok_or_else(|| MemoryError::Input(format!("evidence {id} was not listed before")))?,
            ),
            None => None,
        };
        events::settle(&write.transaction, id, &settlement, write.now_ms).map(drop)
    }

    /// Makes dead here what was dead there.
    fn bury(&self, write: &mut Write<'_>) -> Result<()> {
        let moment = write.moment();
        let (merged, forgotten): (Vec<_>, Vec<_>) = self.dead.iter().partition(|(_, into)| into.is_some());
        // Records merge while those that they merge into are still alive.
        for (id, into) in merged.into_iter().chain(forgotten) {
            let into = into.map(|into| self.here(into)).transpose()?;
            let merge = into.map(|into| tombstones::merge(&write.transaction, id, into, moment));
            match merge {
                Some(Ok(_)) => {}
                // What it became one with is dead here: then it is dead too, by itself.
                None | Some(Err(MemoryError::Input(_))) => {
                    tombstones::forget(&write.transaction, &[id], "forgotten before it was imported", moment)
                        .map(drop)?;
                }
                Some(Err(other)) => return Err(other),
            }
        }
        Ok(())
    }

    fn here(&self, there: RecordId) -> Result<RecordId> {
        let here = self.records.get(&there).copied();
        here.ok_or_else(|| MemoryError::Input(format!("record {there} was not listed before")))
    }

    fn all_here(&self, there: &[RecordId]) -> Result<Vec<RecordId>> {
        there.iter().map(|&id| self.here(id)).collect()
    }
}

fn floats(coded: &str) -> Option<Vec<f32>> {
    let bytes = base64::decode(coded)?;
    let (floats, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then(|| floats.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
}
