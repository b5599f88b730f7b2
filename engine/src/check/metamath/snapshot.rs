//! A library as a file that is mapped, so that opening it takes no time and processes share its memory.
//!
//! ```text
//! magic 8 | version u32 | count of sections u32 | seed u64 | hash of the text 32 | hash of all behind the header 32
//! (offset u64, length u64) for each section | CRC-32 of all that u32 | sections, each at a multiple of 64
//! ```
//!
//! All numbers are little-endian. The sections are the text, the list of files as JSON, the labels, and the columns of numbers.
//!
//! A snapshot is input like any other: no number in it is believed, and each is looked up with a check. What it says about the text
//! (which symbols a statement has, and where it stands) is believed; its proofs are checked like those of a text.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use porism_native::map::{MapError, MappedFile};
use thiserror::Error;

use super::library::{Columns, Library};
use super::proof;
use super::store::{Mapped, NUMBERS, Store, columns_of_numbers, copied};

const MAGIC: &[u8; 8] = b"PorismMm";
const VERSION: u32 = 1;
const SECTIONS: usize = NUMBERS + 3;
const TABLE: usize = 88;
const HEADER: usize = TABLE + 16 * SECTIONS + 4;
const ALIGNMENT: usize = 64;

/// Why a snapshot could not be written or opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Another kind of file.
    #[error("this is no snapshot of a Metamath library")]
    NotASnapshot,
    /// Written by another version of the format.
    #[error("the snapshot has version {found}, and this reads version {VERSION}: make it again from its text")]
    #[allow(missing_docs, reason = "the message says it")]
    Version { found: u32 },
    /// The file was changed, or cut off.
    #[error("the snapshot is damaged: {what}")]
    #[allow(missing_docs, reason = "the message says it")]
    Damaged { what: &'static str },
    /// The file is shorter than it says, or cannot be mapped.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Library {
    /// Whether the file at `path` begins like a snapshot.
    pub fn is_snapshot(path: &Path) -> io::Result<bool> {
        let mut magic = Vec::new();
        File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut magic)?;
        Ok(magic == MAGIC)
    }

    /// Writes the library to `path`, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), SnapshotError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = path.file_name().ok_or(io::Error::from(io::ErrorKind::InvalidInput))?.to_string_lossy();
        let scratch = folder.join(format!(".{name}.{}", std::process::id()));
        let written = self.write(&scratch).and_then(|()| Ok(fs::rename(&scratch, path)?));
        if written.is_err() {
            // Whatever went wrong is what the caller should hear of.
            let _ = fs::remove_file(&scratch);
        }
        written
    }

    fn write(&self, path: &Path) -> Result<(), SnapshotError> {
        let columns = self.columns();
        let (rows, rosters) = proof::resolve(columns);
        let columns = Columns { rows: &rows, rosters: &rosters, ..columns };
        let files = serde_json::to_vec(&self.files).map_err(io::Error::from)?;
        let mut sections = Vec::with_capacity(SECTIONS);
        let mut hasher = blake3::Hasher::new();
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let mut at = HEADER.next_multiple_of(ALIGNMENT) as u64;
        hasher.update(&[0; ALIGNMENT][..HEADER.next_multiple_of(ALIGNMENT) - HEADER]);
        file.seek(SeekFrom::Start(at))?;
        let mut put = |pieces: &mut dyn Iterator<Item = Vec<u8>>| -> io::Result<()> {
            let start = at;
            for piece in pieces {
                hasher.update(&piece);
                file.write_all(&piece)?;
                at += piece.len() as u64;
            }
            sections.push((start, at - start));
            let padding = at.next_multiple_of(ALIGNMENT as u64) - at;
            let padded = &[0; ALIGNMENT][..usize::try_from(padding).unwrap_or(0)];
            hasher.update(padded);
            file.write_all(padded)?;
            at += padding;
            Ok(())
        };
        put(&mut columns.text.chunks(1 << 20).map(<[u8]>::to_vec))?;
        put(&mut std::iter::once(files))?;
        put(&mut std::iter::once(columns.label_text.to_vec()))?;
        for numbers in columns_of_numbers(&columns) {
            let bytes = |block: &[u32]| block.iter().flat_map(|number| number.to_le_bytes()).collect();
            put(&mut numbers.chunks(1 << 16).map(bytes))?;
        }
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&u32::try_from(SECTIONS).unwrap_or(0).to_le_bytes());
        header.extend_from_slice(&columns.seed.to_le_bytes());
        header.extend_from_slice(blake3::hash(columns.text).as_bytes());
        header.extend_from_slice(hasher.finalize().as_bytes());
        for (start, length) in sections {
            header.extend_from_slice(&start.to_le_bytes());
            header.extend_from_slice(&length.to_le_bytes());
        }
        header.extend_from_slice(&crc32fast::hash(&header).to_le_bytes());
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&header)?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(())
    }

    /// Maps the snapshot at `path`. With `verify`, everything in it is read once and compared with its hash.
    ///
    /// The file must not be changed in place while it is mapped; [`Library::save`] never does that.
    pub fn open_snapshot(path: &Path, verify: bool) -> Result<Self, SnapshotError> {
        let mut file = File::open(path)?;
        let mut header = Vec::with_capacity(HEADER);
        Read::by_ref(&mut file).take(HEADER as u64).read_to_end(&mut header)?;
        if !header.starts_with(MAGIC) {
            return Err(SnapshotError::NotASnapshot);
        }
        let damaged = |what| SnapshotError::Damaged { what };
        let (start, checksum) = header.split_last_chunk::<4>().ok_or(damaged("it ends within its header"))?;
        let version = number(start, 8).ok_or(damaged("it ends within its header"))?;
        if version != VERSION {
            return Err(SnapshotError::Version { found: version });
        }
        if header.len() < HEADER || crc32fast::hash(start) != u32::from_le_bytes(*checksum) {
            return Err(damaged("its header does not fit its checksum"));
        }
        let length = file.metadata()?.len();
        let map = MappedFile::open(&file, length)?;
        let mut ranges = start[TABLE..].as_chunks::<16>().0.iter().map(|entry| range(entry, map.bytes().len()));
        let mut next = || ranges.next().flatten().ok_or(damaged("a section lies outside the file"));
        let (text, files, label_text) = (next()?, next()?, next()?);
        let mut numbers: [Range<usize>; NUMBERS] = Default::default();
        for column in &mut numbers {
            *column = next()?;
        }
        if verify {
            let contents = map.bytes().get(HEADER..).unwrap_or_default();
            if blake3::hash(contents).as_bytes()[..] != start[56..TABLE] {
                return Err(damaged("its contents do not fit their hash"));
            }
        }
        let files =
            serde_json::from_slice(&map.bytes()[files]).map_err(|_| damaged("its list of files is malformed"))?;
        let seed = u64::from(number(start, 16).unwrap_or(0)) | u64::from(number(start, 20).unwrap_or(0)) << 32;
        let mapped = Mapped { map, text, label_text, numbers, seed };
        let store = if cfg!(target_endian = "big") {
            Store::Owned(Box::new(copied(&mapped).ok_or(damaged("a column is cut off"))?))
        } else {
            Store::Mapped(Box::new(mapped))
        };
        Ok(Self { store, files, root: None::<PathBuf>, uses: OnceLock::new() })
    }
}

fn number(header: &[u8], at: usize) -> Option<u32> {
    header.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes))
}

/// Where a section is, if that is within the file and where numbers can lie.
fn range(entry: &[u8; 16], length: usize) -> Option<Range<usize>> {
    let (offset, size) = entry.split_at(8);
    let start = usize::try_from(u64::from_le_bytes(offset.try_into().ok()?)).ok()?;
    let end = start.checked_add(usize::try_from(u64::from_le_bytes(size.try_into().ok()?)).ok()?)?;
    (end <= length && start.is_multiple_of(4)).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::super::super::{Checker, Verdict};
    use super::super::conformance_tests::accepted_texts;
    use super::super::{Library, Reading};
    use super::*;

    fn library() -> Library {
        let text = accepted_texts().into_iter().max_by_key(Vec::len).unwrap();
        Library::from_text(text, "longest.mm", &Reading::default()).unwrap()
    }

    fn verdicts(library: &Library) -> Vec<Verdict> {
        let mut scratch = library.scratch();
        library.theorems().iter().map(|theorem| library.check(theorem, &Library::BUDGET, &mut scratch)).collect()
    }

    #[test]
    fn a_snapshot_says_what_its_library_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("library.snapshot");
        let library = library();
        library.save(&path).unwrap();
        assert!(Library::is_snapshot(&path).unwrap());
        let opened = Library::open_snapshot(&path, true).unwrap();
        assert_eq!(opened.len(), library.len());
        for number in 0..library.len() {
            assert_eq!(opened.statement(number), library.statement(number));
            assert_eq!(opened.find(library.label(number).unwrap()), Some(number));
            assert_eq!(opened.claim(number), library.claim(number));
        }
        assert_eq!(verdicts(&opened), verdicts(&library));
    }

    #[test]
    fn damage_never_ends_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("library.snapshot");
        library().save(&path).unwrap();
        let whole = fs::read(&path).unwrap();
        let mut state = 1_u64;
        for round in 0..3000_usize {
            let mut bytes = whole.clone();
            for _ in 0..=round % 3 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = usize::try_from(state >> 33).unwrap() % bytes.len();
                // The sections are what no checksum guards when they are not verified.
                bytes[at.max(HEADER)] = u8::try_from(state >> 24 & 255).unwrap();
            }
            if round % 10 == 0 {
                bytes.truncate(usize::try_from(state >> 33).unwrap() % whole.len());
            }
            let path = folder.path().join(format!("{round}"));
            fs::write(&path, &bytes).unwrap();
            if let Ok(opened) = Library::open_snapshot(&path, false) {
                verdicts(&opened);
                let _ = opened.axiom_use();
                (0..opened.len().min(1000)).for_each(|number| drop((opened.statement(number), opened.claim(number))));
            }
            assert!(bytes == whole || Library::open_snapshot(&path, true).is_err());
        }
    }
}
