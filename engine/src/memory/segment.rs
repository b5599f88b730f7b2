//! The file of rows: one unit vector a record, append-only.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use porism_native::map::MappedRows;

use super::catalog::{Identity, State};
use super::error::{MemoryError, Result};

/// The number of the first file of rows, as the catalog's schema says; compaction writes the next.
#[cfg(test)]
pub(super) const FIRST: u32 = 1;

/// The name of the file of rows `number` inside a memory's directory.
pub(super) fn file_name(number: u32) -> String {
    format!("rows-{number:06}.f32")
}

/// The number in a file name that [`file_name`] could have made.
pub(super) fn file_number(name: &str) -> Option<u32> {
    name.strip_prefix("rows-")?.strip_suffix(".f32")?.parse().ok()
}

/// The version of the layout that is described here and in `docs/format.md`.
const VERSION: u32 = 2;
const MAGIC: [u8; 8] = *b"porismF\n";
pub(super) const HEADER_BYTES: usize = 64;
/// The header's own checksum fills its last four bytes.
const CHECKED_BYTES: usize = HEADER_BYTES - 4;

/// The file of rows, open for reading, or for reading and appending.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u32,
    file: File,
    path: PathBuf,
    stride: usize,
}

impl Segment {
    /// Writes the empty file of rows `number`, of `dimension` places, into `directory`.
    ///
    /// A file that is there already belongs to nobody: its writer died before it could commit.
    pub(super) fn create(directory: &Path, number: u32, dimension: u32, identity: &Identity) -> io::Result<File> {
        let mut file = File::create(directory.join(file_name(number)))?;
        file.write_all(&header(dimension, identity))?;
        Ok(file)
    }

    /// Opens the file of rows in `directory` that `state` names, and checks its header against what the catalog says.
    pub(super) fn open(directory: &Path, state: &State, append: bool) -> Result<Self> {
        let path = directory.join(file_name(state.segment));
        let mut file = OpenOptions::new().read(true).write(append).open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => MemoryError::damaged(&path, "its directory", "the file is missing"),
            _ => MemoryError::io(&path, "open the file", &error),
        })?;
        check_header(&mut file, &path, state)?;
        Ok(Self { number: state.segment, file, path, stride: state.dimension as usize * size_of::<f32>() })
    }

    /// Maps the first `rows` rows.
    pub(super) fn map(&self, rows: u64) -> Result<MappedRows> {
        MappedRows::open(&self.file, HEADER_BYTES, self.stride, rows)
            .map_err(|error| MemoryError::map(&self.path, &error))
    }

    /// Maps the first `rows` rows, given a map of fewer of them.
    pub(super) fn grown(&self, mapped: &MappedRows, rows: u64) -> Result<MappedRows> {
        mapped.grown(&self.file, rows).map_err(|error| MemoryError::map(&self.path, &error))
    }

    /// How many bytes a file of so many rows has.
    pub(super) fn size_bytes(&self, rows: u64) -> u64 {
        HEADER_BYTES as u64 + rows * self.stride as u64
    }

    /// Waits until everything that was written is on the disk.
    pub(super) fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| MemoryError::io(&self.path, "sync the rows", &error))
    }

    /// Writes `bytes`, one or more whole rows, from row `index` on; no transaction has committed these yet.
    pub(super) fn write(&self, index: u64, bytes: &[u8]) -> Result<()> {
        debug_assert_eq!(bytes.len() % self.stride, 0, "a row has one length");
        let offset = self.size_bytes(index);
        self.file.write_all_at(bytes, offset).map_err(|error| MemoryError::io(&self.path, "append a row", &error))
    }

    /// Whether row `index` is there and consists of `bytes`.
    pub(super) fn holds(&self, index: u64, bytes: &[u8]) -> Result<bool> {
        let mut found = vec![0; bytes.len()];
        match self.file.read_exact_at(&mut found, self.size_bytes(index)) {
            Ok(()) => Ok(found == bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(MemoryError::io(&self.path, "read a row", &error)),
        }
    }

    /// An error if `bytes` are not those that were committed as row `index`.
    pub(super) fn check(&self, index: u64, bytes: &[u8], checksum: u32) -> Result<()> {
        let found = crc32fast::hash(bytes);
        if found == checksum {
            return Ok(());
        }
        let offset = self.size_bytes(index);
        Err(MemoryError::damaged(
            &self.path,
            format!("row {index} (byte {offset})"),
            format!("its checksum is {found:08x}, {checksum:08x} was committed"),
        ))
    }
}

/// Appends the bytes of the unit vector in the direction of `vector` to `bytes`; all zeros stay all zeros.
pub(super) fn push_unit_row(bytes: &mut Vec<u8>, vector: &[f32]) {
    bytes.extend(unit(vector).iter().flat_map(|x| x.to_le_bytes()));
}

/// The unit vector in the direction of `vector`.
#[allow(clippy::cast_possible_truncation, reason = "f64 is only for the sum: squares of large f32 overflow f32")]
pub(super) fn unit(vector: &[f32]) -> Vec<f32> {
    let norm = vector.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    if norm == 0.0 {
        return vec![0.0; vector.len()];
    }
    vector.iter().map(|&x| (f64::from(x) / norm) as f32).collect()
}

fn header(dimension: u32, identity: &Identity) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[12..16].copy_from_slice(&dimension.to_le_bytes());
    header[16..32].copy_from_slice(identity);
    let checksum = crc32fast::hash(&header[..CHECKED_BYTES]);
    header[CHECKED_BYTES..].copy_from_slice(&checksum.to_le_bytes());
    header
}

fn check_header(file: &mut File, path: &Path, state: &State) -> Result<()> {
    let mut found = [0; HEADER_BYTES];
    file.read_exact(&mut found).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => MemoryError::damaged(path, "its header", "the file ends within it"),
        _ => MemoryError::io(path, "read the header", &error),
    })?;
    if found[..8] != MAGIC {
        return Err(MemoryError::damaged(path, "byte 0", "it does not begin as a file of rows"));
    }
    let computed = crc32fast::hash(&found[..CHECKED_BYTES]);
    let stored = word(&found, CHECKED_BYTES);
    if computed != stored {
        return Err(MemoryError::damaged(
            path,
            "its header",
            format!("its checksum is {computed:08x}, {stored:08x} was written"),
        ));
    }
    if word(&found, 8) > VERSION {
        return Err(MemoryError::Format { path: path.into(), found: word(&found, 8), supported: VERSION });
    }
    if word(&found, 12) != state.dimension {
        return Err(MemoryError::damaged(
            path,
            "byte 12",
            format!("its rows have {} dimensions, the catalog says {}", word(&found, 12), state.dimension),
        ));
    }
    if found[16..32] != state.identity {
        let mut identity = Identity::default();
        identity.copy_from_slice(&found[16..32]);
        let [here, there] = [identity, state.identity].map(u128::from_be_bytes);
        let reason = format!("it belongs to the memory {here:032x}, the catalog to {there:032x}");
        return Err(MemoryError::damaged(path, "byte 16", reason));
    }
    Ok(())
}

fn word(bytes: &[u8], offset: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[offset..offset + 4]);
    u32::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_unit_vectors_even_of_huge_numbers() {
        assert_eq!(unit(&[3e38, 3e38]), unit(&[1.0, 1.0]));
        assert_eq!(unit(&[0.0, 0.0]), [0.0, 0.0]);
        let mut row = Vec::new();
        push_unit_row(&mut row, &[0.0, -2.0]);
        assert_eq!(row, [0, 0, 0, 0, 0, 0, 0x80, 0xbf]);
    }

    fn state() -> State {
        State {
            embedder: "any".into(),
            dimension: 256,
            rows: 0,
            generation: 0,
            segment: FIRST,
            horizon: 0,
            synced_rows: 0,
            next_record: 1,
            identity: [7; 16],
        }
    }

    #[test]
    fn every_flipped_bit_of_the_header_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let good = header(256, &[7; 16]);
        for bit in 0..HEADER_BYTES * 8 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(directory.path().join(file_name(FIRST)), bad).unwrap();
            let refused = Segment::open(directory.path(), &state(), false).unwrap_err();
            assert!(matches!(refused, MemoryError::Damaged { .. }), "bit {bit}: {refused}");
        }
    }

    #[test]
    fn rows_of_another_memory_are_told() {
        let directory = tempfile::tempdir().unwrap();
        Segment::create(directory.path(), FIRST, 256, &[8; 16]).unwrap();
        let refused = Segment::open(directory.path(), &state(), false).unwrap_err().to_string();
        assert!(refused.contains("belongs to the memory 0808"), "{refused}");
    }

    #[test]
    fn names_of_files_read_back() {
        assert_eq!(file_number(&file_name(7)), Some(7));
        assert_eq!(file_number("rows-x.f32"), None);
        assert_eq!(file_number("catalog.sqlite"), None);
    }

    #[test]
    fn a_newer_format_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let mut newer = header(256, &[7; 16]);
        newer[8] = 9;
        let checksum = crc32fast::hash(&newer[..CHECKED_BYTES]);
        newer[CHECKED_BYTES..].copy_from_slice(&checksum.to_le_bytes());
        std::fs::write(directory.path().join(file_name(FIRST)), newer).unwrap();
        let refused = Segment::open(directory.path(), &state(), false).unwrap_err();
        assert!(matches!(refused, MemoryError::Format { found: 9, supported: VERSION, .. }), "{refused}");
    }
}
