//! Everything in a memory, as lines of JSON. `docs/format.md` describes them.

use std::io::Write;
use std::path::Path;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::changes::{self, Change};
use super::error::{MemoryError, Result};
use super::event::{Event, Evidence};
use super::record::Record;
use super::snapshots::{self, Snapshot};
use super::view::View;
use super::{base64, catalog};
use super::{events, evidence, records};

/// The version of the lines.
pub(super) const VERSION: u32 = 2;

/// One line. The header comes first, then all records, all evidence and all events, each in the order of their numbers; then what
/// happened to records after they were inserted, and the snapshots.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Header {
        version: u32,
        generation: i64,
        embedder: &'a str,
        dimension: u32,
        #[serde(flatten)]
        history: History,
    },
    Record {
        #[serde(flatten)]
        record: &'a Record,
        #[serde(skip_serializing_if = "Option::is_none")]
        vector: Option<String>,
    },
    Evidence(&'a Evidence),
    Event(&'a Event),
    Change(&'a Change),
    Snapshot(&'a Snapshot),
}

/// What an empty memory needs to know to become the one that was exported.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct History {
    /// The oldest generation that can still be seen.
    pub(super) horizon: i64,
    /// The numbers of what comes next: none is ever used twice.
    pub(super) next_record: i64,
    pub(super) next_evidence: i64,
    pub(super) next_event: i64,
}

/// Writes everything to `out`; vectors only with `view`.
pub(super) fn export(connection: &Connection, view: Option<&View>, out: &mut dyn Write) -> Result<()> {
    let state = catalog::state(connection)?;
    let (next_evidence, next_event) = catalog::next_numbers(connection)?;
    let header = Line::Header {
        version: VERSION,
        generation: state.generation,
        embedder: &state.embedder,
        dimension: state.dimension,
        history: History { horizon: state.horizon, next_record: state.next_record, next_evidence, next_event },
    };
    write(out, &header)?;
    // Records and rows are written together and compacted in order, so record after record is row after row.
    let mut rows = view.map(View::checked_rows);
    records::for_each(connection, |record| {
        let vector = rows.as_mut().and_then(Iterator::next).transpose()?.map(base64::encode);
        write(out, &Line::Record { record: &record?, vector })
    })?;
    evidence::for_each(connection, None, |evidence| write(out, &Line::Evidence(&evidence)))?;
    events::for_each(connection, None, |event| write(out, &Line::Event(&event)))?;
    let changes = changes::find(connection, None)?;
    let later = changes.iter().filter(|change| change.action != changes::Action::Inserted);
    later.map(Line::Change).try_for_each(|line| write(out, &line))?;
    snapshots::all(connection)?.iter().map(Line::Snapshot).try_for_each(|line| write(out, &line))?;
    out.flush().map_err(|error| failed(&error))
}

fn write(out: &mut dyn Write, line: &Line<'_>) -> Result<()> {
    let mut text = serde_json::to_vec(line).map_err(|error| failed(&error.into()))?;
    text.push(b'\n');
    out.write_all(&text).map_err(|error| failed(&error))
}

fn failed(error: &std::io::Error) -> MemoryError {
    MemoryError::io(Path::new("the export"), "write a line", error)
}
