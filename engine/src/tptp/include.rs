//! Included files: where they are found, what is read of them, and which of their formulas are wanted.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::ast::Symbol;
use super::error::{ParseError, ParseErrorKind, Place, escape};

/// The file that `include('name')` means, first beside the including file, then in the library.
pub(super) fn find(name: &str, folder: &Path, library: Option<&Path>) -> Result<PathBuf, ParseErrorKind> {
    let mut tried = Vec::new();
    for folder in [Some(folder), library].into_iter().flatten() {
        // An absolute name replaces the folder.
        let candidate = folder.join(name);
        if candidate.is_file() {
            return Ok(candidate);
        }
        if !tried.contains(&candidate) {
            tried.push(candidate);
        }
    }
    Err(ParseErrorKind::IncludeNotFound { name: escape(name.chars()), tried })
}

/// The bytes of a file, which may be so many that with the `used_bytes` of earlier files they reach the limit.
/// Of a larger file, or one that never ends, only enough to tell is read.
pub(super) fn read_bytes(path: &Path, used_bytes: u64, limit_bytes: u64) -> Result<Vec<u8>, ParseErrorKind> {
    let io_error = |error: io::Error| ParseErrorKind::Io { kind: error.kind(), reason: error.to_string() };
    let file = File::open(path).map_err(io_error)?;
    let own_bytes = file.metadata().map_err(io_error)?.len();
    let size_bytes = used_bytes.saturating_add(own_bytes);
    if size_bytes > limit_bytes {
        return Err(ParseErrorKind::TooLarge { size_bytes, limit_bytes });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(own_bytes).unwrap_or(0));
    file.take((limit_bytes - used_bytes).saturating_add(1)).read_to_end(&mut bytes).map_err(io_error)?;
    Ok(bytes)
}

/// The text that the bytes encode; the error points at the first byte that is no UTF-8.
pub(super) fn decode(bytes: Vec<u8>, label: &str) -> Result<String, ParseError> {
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let bytes = error.into_bytes();
        let valid = String::from_utf8_lossy(&bytes[..offset]);
        ParseError::new(Place::at(label, &valid, offset), ParseErrorKind::NotUtf8 { offset })
    })
}

/// The names that an `include` asks for, and which of them were found.
pub(super) struct Selection(BTreeMap<Symbol, bool>);

impl Selection {
    pub(super) fn new(names: &[Symbol]) -> Self {
        Self(names.iter().map(|name| (name.clone(), false)).collect())
    }

    /// Whether the name is asked for; it counts as found from now on.
    pub(super) fn admits(&mut self, name: &Symbol) -> bool {
        self.0.get_mut(name).map(|found| *found = true).is_some()
    }

    /// The names that were not found.
    pub(super) fn into_missing(self) -> Vec<String> {
        self.0.into_iter().filter(|(_, found)| !found).map(|(name, _)| escape(name.chars())).collect()
    }
}
