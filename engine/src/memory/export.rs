//! Everything in a memory, as lines of JSON. `docs/format.md` describes them.

use std::io::Write;
use std::path::Path;

use porism_native::map::MappedRows;
use rusqlite::Connection;
use serde::Serialize;

use super::catalog;
use super::error::{MemoryError, Result};
use super::event::{Event, Evidence};
use super::record::Record;
use super::{events, evidence, records};

/// The version of the lines.
const VERSION: u32 = 1;

/// One line. The header comes first, then all records, all evidence and all events, each in the order of their numbers.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Header {
        version: u32,
        generation: i64,
        embedder: &'a str,
        dimension: u32,
    },
    Record {
        #[serde(flatten)]
        record: &'a Record,
        #[serde(skip_serializing_if = "Option::is_none")]
        vector: Option<String>,
    },
    Evidence(&'a Evidence),
    Event(&'a Event),
}

/// Writes everything to `out`; vectors only with `rows`.
pub(super) fn export(connection: &Connection, rows: Option<&MappedRows>, out: &mut dyn Write) -> Result<()> {
    let state = catalog::state(connection)?;
    let header = Line::Header {
        version: VERSION,
        generation: state.generation,
        embedder: &state.embedder,
        dimension: state.dimension,
    };
    write(out, &header)?;
    // Records and rows are written together, so record after record is row after row.
    let mut rows = rows.map(MappedRows::iter);
    records::for_each(connection, |record| {
        let vector = rows.as_mut().and_then(Iterator::next).map(base64);
        write(out, &Line::Record { record: &record?, vector })
    })?;
    evidence::for_each(connection, None, |evidence| write(out, &Line::Evidence(&evidence)))?;
    events::for_each(connection, None, |event| write(out, &Line::Event(&event)))?;
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

/// `bytes` in base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |index| u32::from(group.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 0x3f;
            // A group of n bytes fills n + 1 digits.
            text.push(if digit > group.len() { '=' } else { char::from(ALPHABET[value as usize]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let cases = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, coded) in cases {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }
}
