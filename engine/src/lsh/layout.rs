//! The bytes of a sealed index: `docs/format.md` describes them. Everything is little-endian.

use super::calibration::Promise;
use super::list::list_bytes;
use super::rotation::bits;
use super::sealed::Damage;

pub(crate) const MAGIC: [u8; 8] = *b"porismX\n";
pub(crate) const VERSION: u32 = 1;
pub(crate) const HEADER_BYTES: usize = 512;
/// The header's own checksum fills its last four bytes.
const CHECKED_BYTES: usize = HEADER_BYTES - 4;
const PROMISES_AT: usize = 64;
const PROMISE_BYTES: usize = 24;
pub(crate) const MAX_PROMISES: usize = 16;
const FRONT_CHECKSUM_AT: usize = PROMISES_AT + MAX_PROMISES * PROMISE_BYTES;
/// The largest dimension that can be indexed: the sums of a scan have 16 bits.
const MAX_DIMENSION: u32 = 8192;
/// Whether rows of `dimension` places can have codes.
pub fn can_index(dimension: u32) -> bool {
    (1..=MAX_DIMENSION).contains(&dimension)
}

/// Of so many rows the records stand in one block, with one checksum.
pub(crate) const RECORDS_AT_ONCE: usize = 4096;
/// The number of a record, and the checksum of its row.
pub(crate) const RECORD_BYTES: usize = 12;

/// What an index belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belonging {
    /// The random number of the memory.
    pub identity: [u8; 16],
    /// The number of its file of rows.
    pub segment: u32,
    /// Places of a row.
    pub dimension: u32,
}

/// The first bytes of the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    pub(crate) belonging: Belonging,
    pub(crate) seed: u64,
    pub(crate) rows: u64,
    /// Counts the indexes of one file of rows.
    pub(crate) number: u32,
    pub(crate) clusters: u32,
    pub(crate) promises: Vec<Promise>,
    /// The checksum of everything between the header and the clusters.
    pub(crate) front_checksum: u32,
}

impl Header {
    pub(crate) fn write(&self) -> [u8; HEADER_BYTES] {
        assert!(self.promises.len() <= MAX_PROMISES, "a header has room for {MAX_PROMISES} promises");
        let mut bytes = [0; HEADER_BYTES];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, &MAGIC);
        put(8, &VERSION.to_le_bytes());
        put(12, &self.belonging.dimension.to_le_bytes());
        put(16, &self.belonging.identity);
        put(32, &self.seed.to_le_bytes());
        put(40, &self.rows.to_le_bytes());
        put(48, &self.belonging.segment.to_le_bytes());
        put(52, &self.number.to_le_bytes());
        put(56, &self.clusters.to_le_bytes());
        put(60, &u32::try_from(self.promises.len()).unwrap_or_default().to_le_bytes());
        for (place, promise) in self.promises.iter().enumerate() {
            let fields = [
                promise.k,
                promise.recall.to_bits(),
                promise.setting.probes,
                promise.setting.width.to_bits(),
                promise.measured.to_bits(),
                promise.queries,
            ];
            put(PROMISES_AT + place * PROMISE_BYTES, &fields.map(u32::to_le_bytes).concat());
        }
        put(FRONT_CHECKSUM_AT, &self.front_checksum.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[..CHECKED_BYTES]);
        bytes[CHECKED_BYTES..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Damage> {
        let damage = |reason: String| Damage { place: "its header".into(), reason };
        let Some(bytes) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(damage(format!("it has {} bytes of {HEADER_BYTES}", bytes.len())));
        };
        if bytes[..8] != MAGIC {
            return Err(damage("it does not begin as an index".into()));
        }
        let (computed, stored) = (crc32fast::hash(&bytes[..CHECKED_BYTES]), word(bytes, CHECKED_BYTES));
        if computed != stored {
            return Err(damage(format!("its checksum is {computed:08x}, {stored:08x} was written")));
        }
        if word(bytes, 8) != VERSION {
            return Err(damage(format!("it has format {}, this is written for {VERSION}", word(bytes, 8))));
        }
        let mut identity = [0; 16];
        identity.copy_from_slice(&bytes[16..32]);
        let promises = word(bytes, 60) as usize;
        if promises > MAX_PROMISES {
            return Err(damage(format!("it makes {promises} promises of at most {MAX_PROMISES}")));
        }
        let promises = (0..promises).map(|place| {
            let field = |index: usize| word(bytes, PROMISES_AT + place * PROMISE_BYTES + 4 * index);
            Promise::from_fields([0, 1, 2, 3, 4, 5].map(field))
        });
        let header = Self {
            belonging: Belonging { identity, segment: word(bytes, 48), dimension: word(bytes, 12) },
            seed: long(bytes, 32),
            rows: long(bytes, 40),
            number: word(bytes, 52),
            clusters: word(bytes, 56),
            promises: promises.collect(),
            front_checksum: word(bytes, FRONT_CHECKSUM_AT),
        };
        // A row has a number of 32 bits, and none is in two clusters.
        let sane = header.rows < u64::from(u32::MAX)
            && (1..=header.rows).contains(&u64::from(header.clusters))
            && can_index(header.belonging.dimension)
            && header.promises.iter().all(|promise| promise.is_possible(header.clusters));
        if sane { Ok(header) } else { Err(damage("its numbers cannot be true".into())) }
    }

    pub(crate) fn dimension(&self) -> usize {
        self.belonging.dimension as usize
    }

    pub(crate) fn blocks_of_records(&self) -> usize {
        usize::try_from(self.rows).unwrap_or(usize::MAX).div_ceil(RECORDS_AT_ONCE)
    }
}

/// Where the parts between the header and the clusters begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Front {
    pub(crate) mean: usize,
    /// The centroids in bytes.
    pub(crate) centroids: usize,
    pub(crate) scales: usize,
    pub(crate) half_squares: usize,
    pub(crate) list: usize,
    /// How many rows each cluster has.
    pub(crate) sizes: usize,
    pub(crate) cluster_checksums: usize,
    pub(crate) record_checksums: usize,
    pub(crate) end: usize,
}

impl Front {
    pub(crate) fn new(header: &Header) -> Self {
        let (dimension, clusters) = (header.dimension(), header.clusters as usize);
        let mean = HEADER_BYTES;
        let centroids = mean + 4 * dimension;
        // What comes behind is of words, so that all of it is aligned.
        let scales = centroids + (dimension * clusters).next_multiple_of(4);
        let half_squares = scales + 4 * clusters;
        let list = half_squares + 4 * clusters;
        let sizes = list + list_bytes(bits(dimension), clusters);
        let cluster_checksums = sizes + 4 * clusters;
        let record_checksums = cluster_checksums + 4 * clusters;
        let end = record_checksums + 4 * header.blocks_of_records();
        Self { mean, centroids, scales, half_squares, list, sizes, cluster_checksums, record_checksums, end }
    }
}

/// The four bytes at `at`.
pub(crate) fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

/// The eight bytes at `at`.
pub(crate) fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}
