//! Read-only maps of files that only ever grow.

use std::fs::File;
use std::io;
use std::sync::Arc;

use memmap2::{Mmap, MmapOptions};
use thiserror::Error;

/// Why a file could not be mapped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MapError {
    /// The file is shorter than the prefix that was asked for.
    #[error("the file has {found} bytes where {expected} were committed")]
    #[allow(missing_docs, reason = "the message says it")]
    TooShort { expected: u64, found: u64 },
    /// The prefix does not fit into this machine's address space.
    #[error("{bytes} bytes cannot be addressed on this machine")]
    #[allow(missing_docs, reason = "the message says it")]
    TooLong { bytes: u64 },
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The committed prefix of a file, mapped read-only and unmapped on drop.
///
/// The prefix must never be truncated or rewritten while it is mapped: an access to a page that has left the file raises
/// `SIGBUS`, and no check made here can prevent that. A writer that only appends beyond the prefix keeps the promise; a person who
/// truncates the file under a running process does not.
#[derive(Debug)]
pub struct MappedFile(Mmap);

impl MappedFile {
    /// Maps the first `length` bytes of `file`, after checking that they exist.
    pub fn open(file: &File, length: u64) -> Result<Self, MapError> {
        let found = file.metadata()?.len();
        if found < length {
            return Err(MapError::TooShort { expected: length, found });
        }
        let bytes = usize::try_from(length).map_err(|_| MapError::TooLong { bytes: length })?;
        // SAFETY: the map is read-only and ends within the file, as just checked. Nobody writes below the committed length or
        // truncates the file: that is the contract of this type, stated above.
        let map = unsafe { MmapOptions::new().len(bytes).map(file) }?;
        Ok(Self(map))
    }

    /// The committed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Rows of one length behind a header, mapped read-only.
///
/// More is mapped than the rows that are there, so that most rows that come later need no new map: to map a file anew makes every
/// page of it slow to touch once more.
#[derive(Clone, Debug)]
pub struct MappedRows {
    map: Arc<Mmap>,
    header: usize,
    stride: usize,
    length: usize,
}

/// How much is mapped beyond what is there, at least; it takes addresses, not memory.
const RESERVE_BYTES: u64 = 64 << 20;

impl MappedRows {
    /// Maps `rows` rows of `stride` bytes that begin after `header` bytes.
    ///
    /// # Panics
    /// When `stride` is 0.
    pub fn open(file: &File, header: usize, stride: usize, rows: u64) -> Result<Self, MapError> {
        assert!(stride > 0, "a row has at least one byte");
        let length = check_length(file, header, stride, rows)?;
        let reserve = length.saturating_add(RESERVE_BYTES.max(length / 2));
        let addressable = |bytes| usize::try_from(bytes).map_err(|_| MapError::TooLong { bytes });
        let (length, reserve) = (addressable(length)?, addressable(reserve)?);
        // SAFETY: the map is read-only, and nothing beyond `length` is ever touched: so far the file goes, as just checked. Nobody
        // writes below that or truncates the file: that is the contract of `MappedFile`, which is this one's too.
        let map = unsafe { MmapOptions::new().len(reserve).map(file) }?;
        Ok(Self { map: Arc::new(map), header, stride, length })
    }

    /// The first `rows` rows of the same file, which has grown since.
    pub fn grown(&self, file: &File, rows: u64) -> Result<Self, MapError> {
        let length = check_length(file, self.header, self.stride, rows)?;
        match usize::try_from(length) {
            Ok(length) if length <= self.map.len() => Ok(Self { length, ..self.clone() }),
            _ => Self::open(file, self.header, self.stride, rows),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.bytes().len() / self.stride
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// The bytes of row `index`, or `None` beyond the last.
    pub fn row(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_mul(self.stride)?;
        self.bytes().get(start..)?.get(..self.stride)
    }

    /// All rows, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.bytes().chunks_exact(self.stride)
    }

    /// All rows, one behind the other.
    pub fn bytes(&self) -> &[u8] {
        &self.map[self.header..self.length]
    }
}

/// How many bytes of `file` so many rows take, after checking that they are there.
fn check_length(file: &File, header: usize, stride: usize, rows: u64) -> Result<u64, MapError> {
    let expected = rows
        .checked_mul(stride as u64)
        .and_then(|bytes| bytes.checked_add(header as u64))
        .ok_or(MapError::TooLong { bytes: u64::MAX })?;
    let found = file.metadata()?.len();
    if found < expected { Err(MapError::TooShort { expected, found }) } else { Ok(expected) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn rows_begin_behind_the_header_and_end_at_the_committed_length() {
        let file = file(b"HEADaabbcc uncommitted");
        let rows = MappedRows::open(&file, 4, 2, 3).unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows.iter().collect::<Vec<_>>(), [b"aa", b"bb", b"cc"]);
        assert_eq!(rows.row(2), Some(&b"cc"[..]));
        assert_eq!(rows.row(3), None);
        assert_eq!(rows.row(usize::MAX), None);
    }

    #[test]
    fn rows_that_come_later_are_read_through_the_same_map() {
        let mut file = file(b"HEADaa");
        let rows = MappedRows::open(&file, 4, 2, 1).unwrap();
        file.write_all(b"bb").unwrap();
        let grown = rows.grown(&file, 2).unwrap();
        assert_eq!(grown.bytes(), b"aabb");
        assert_eq!(rows.bytes(), b"aa");
        assert!(Arc::ptr_eq(&rows.map, &grown.map));
        assert!(rows.grown(&file, 3).is_err());
    }

    #[test]
    fn a_short_file_is_refused_with_both_lengths() {
        let refused = MappedRows::open(&file(b"HEADaab"), 4, 2, 2).unwrap_err();
        assert_eq!(refused.to_string(), "the file has 7 bytes where 8 were committed");
    }

    #[test]
    fn a_length_beyond_all_measure_is_refused() {
        assert!(MappedRows::open(&file(b"HEAD"), 4, 1024, u64::MAX).is_err());
    }

    #[test]
    fn no_rows_are_fine() {
        let rows = MappedRows::open(&file(b"HEAD"), 4, 8, 0).unwrap();
        assert!(rows.is_empty());
        assert_eq!(rows.row(0), None);
    }

    #[test]
    fn an_empty_prefix_is_fine() {
        assert_eq!(MappedFile::open(&file(b""), 0).unwrap().bytes(), b"");
    }
}
