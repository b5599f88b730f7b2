//! Reading what [`super::export`] writes. Every line is foreign until it is checked.

use std::collections::HashMap;
use std::io::{BufRead, Read};

use super::error::{MemoryError, Result};
use super::event::{EvidenceId, NewEvent, NewEvidence};
use super::incoming::{Header, IncomingEvent, IncomingEvidence, IncomingRecord, Line};
use super::record::RecordId;
use super::take_over::TakeOver;
use super::tombstones;
use super::writer::Write;
use super::{Memory, events, evidence, export};

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
    /// Whether numbers, generations, history and snapshots were taken over too.
    pub history: bool,
}

impl Memory {
    /// Stores everything that an export holds, in one commit: all of it or, on error, nothing.
    ///
    /// A memory in which nothing was ever stored becomes the one that was exported: with its numbers, generations, history and
    /// snapshots. In any other one, records get numbers of this memory; those that are known here are counted. What was dead there is
    /// dead here, unless it was known alive. Generations and snapshots are then those of this memory.
    pub fn import(&self, lines: &mut dyn BufRead) -> Result<Imported> {
        self.write(|write| {
            let mut number = 0_u64;
            let mut text = Vec::new();
            let mut target = None;
            loop {
                number += 1;
                text.clear();
                let read = lines.take(MAX_LINE_BYTES).read_until(b'\n', &mut text);
                if read.map_err(|error| MemoryError::io("the import", "read a line", &error))? == 0 {
                    break;
                }
                let outcome = parse(&text).and_then(|line| match (&mut target, line) {
                    (None, Line::Header(header)) => {
                        target = Some(Target::of(self, write, &header)?);
                        Ok(())
                    }
                    (None, _) => Err(MemoryError::input("an export begins with its header")),
                    (Some(_), Line::Header(_)) => Err(MemoryError::input("a second header")),
                    (Some(Target::Empty(target)), line) => target.line(write, line),
                    (Some(Target::Filled(target)), line) => target.line(write, line),
                });
                outcome.map_err(|error| match error {
                    MemoryError::Input(reason) => MemoryError::Input(format!("line {number}: {reason}")),
                    other => other,
                })?;
            }
            match target {
                None => Ok(Imported::default()),
                Some(Target::Empty(target)) => target.finish(write),
                Some(Target::Filled(target)) => target.finish(write),
            }
        })
    }

    /// Whether vectors of an export can be compared with those here.
    fn shares_vectors(&self, header: &Header) -> bool {
        header.embedder == self.options.embedder && header.dimension == self.options.dimension
    }
}

/// What the lines come into.
enum Target<'a> {
    /// A memory that becomes the one that was exported.
    Empty(TakeOver<'a>),
    /// A memory with a history of its own.
    Filled(Import<'a>),
}

impl<'a> Target<'a> {
    fn of(memory: &'a Memory, write: &Write<'_>, header: &Header) -> Result<Self> {
        if header.version > export::VERSION {
            let (version, supported) = (header.version, export::VERSION);
            return Err(MemoryError::Input(format!("an export of version {version}, this reads up to {supported}")));
        }
        let vectors = memory.shares_vectors(header);
        match header.history {
            Some(history) if write.is_first()? => {
                Ok(Self::Empty(TakeOver::new(memory, header.generation, history, vectors)?))
            }
            _ => Ok(Self::Filled(Import {
                memory,
                records: HashMap::new(),
                evidence: HashMap::new(),
                dead: Vec::new(),
                done: Imported::default(),
                vectors,
            })),
        }
    }
}

fn parse(text: &[u8]) -> Result<Line> {
    serde_json::from_slice(text).map_err(|error| MemoryError::Input(error.to_string()))
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
    fn line(&mut self, write: &mut Write<'_>, line: Line) -> Result<()> {
        match line {
            Line::Record(record) => self.record(write, record),
            Line::Evidence(IncomingEvidence { id, content, .. }) => {
                let content =
                    NewEvidence { goal: self.here(content.goal)?, used: self.all_here(&content.used)?, ..content };
                content.check()?;
                let moment = write.moment();
                self.evidence.insert(id, evidence::insert(&write.transaction, &content, moment)?);
                self.done.evidence += 1;
                Ok(())
            }
            Line::Event(event) => self.event(write, *event),
            // What a record is now was said with it; how it came to be so, and what was named, is another memory's history.
            Line::Header(_) | Line::Change(_) | Line::Snapshot(_) => Ok(()),
        }
    }

    fn record(&mut self, write: &mut Write<'_>, mut incoming: IncomingRecord) -> Result<()> {
        let (record, vector) = incoming.content()?;
        let vector = self.memory.record_vector(&record, vector.as_deref().filter(|_| self.vectors))?;
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

    fn finish(self, write: &mut Write<'_>) -> Result<Imported> {
        self.bury(write)?;
        Ok(self.done)
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
