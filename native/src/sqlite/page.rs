//! What a sealed page looks like. Nothing here touches a file.
//!
//! The last eight bytes of a page are ours: `SQLite` keeps what a database reserves free of its own data. They hold a tag and the
//! CRC-32 of the page's number and of all bytes before the tag. With the number in the sum, a page at another page's place is
//! noticed; with the tag, a page that was never sealed.

use std::ops::Range;

/// How many bytes at the end of each page are ours.
pub(super) const RESERVED_BYTES: u8 = 8;
/// Stands before the sum, and changes when the way of summing changes.
const TAG: u32 = u32::from_le_bytes(*b"crc1");
/// The first bytes of every database.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// The length of the database's header, at the beginning of page 1.
pub(super) const HEADER_BYTES: usize = 100;
/// The byte at which `SQLite` keeps its locks. The page around it holds no data and is never read or written.
const LOCK_BYTE: u64 = 1 << 30;

/// The number of the page that `range` of the file is, if it is a whole page of some size, counted from 1.
pub(super) fn whole(range: &Range<u64>) -> Option<u64> {
    let bytes = range.end.checked_sub(range.start)?;
    let fits = is_page_size(bytes) && range.start.is_multiple_of(bytes);
    fits.then(|| range.start / bytes + 1)
}

/// Whether the page that begins at `start` is the one that holds nothing but locks.
pub(super) fn holds_locks(start: u64, bytes: u64) -> bool {
    (start..start.saturating_add(bytes)).contains(&LOCK_BYTE)
}

/// The sizes that `SQLite` gives to pages.
fn is_page_size(bytes: u64) -> bool {
    bytes.is_power_of_two() && (512..=65536).contains(&bytes)
}

/// Writes the seal of page `number` into its last bytes.
pub(super) fn seal(number: u64, page: &mut [u8]) {
    if let Some((content, place)) = page.split_last_chunk_mut() {
        *place = seal_of(number, content);
    }
}

/// Whether `page` is what was sealed as page `number`.
pub(super) fn is_sealed(number: u64, page: &[u8]) -> bool {
    page.split_last_chunk().is_some_and(|(content, found)| *found == seal_of(number, content))
}

fn seal_of(number: u64, content: &[u8]) -> [u8; RESERVED_BYTES as usize] {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&number.to_le_bytes());
    sum.update(content);
    (u64::from(sum.finalize()) << 32 | u64::from(TAG)).to_le_bytes()
}

/// What the header in page 1 says about all pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The size of a page.
    pub(super) page_bytes: u64,
    /// Whether every page has room for a seal.
    pub(super) has_room: bool,
    /// Whether changes go through a write-ahead log.
    pub(super) is_logged: bool,
}

impl Header {
    /// Reads the header at the beginning of `page1`. `None` if it is not a database's, or too short to tell.
    pub(super) fn read(page1: &[u8]) -> Option<Self> {
        let [high, low, _, read_version, reserved] = *page1.strip_prefix(MAGIC)?.first_chunk()?;
        // 65536 does not fit into the two bytes and is written as 1.
        let page_bytes = match u64::from(u16::from_be_bytes([high, low])) {
            1 => 65536,
            bytes => bytes,
        };
        let header = Self { page_bytes, has_room: reserved == RESERVED_BYTES, is_logged: read_version == 2 };
        is_page_size(page_bytes).then_some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_breaks_the_seal() {
        let mut page: Vec<u8> = (0..512_u32).map(|place| (place % 251) as u8).collect();
        seal(7, &mut page);
        assert!(is_sealed(7, &page));
        for place in 0..page.len() {
            for bit in 0..8 {
                page[place] ^= 1 << bit;
                assert!(!is_sealed(7, &page), "bit {bit} of byte {place}");
                page[place] ^= 1 << bit;
            }
        }
    }

    #[test]
    fn the_seal_is_the_same_on_every_machine() {
        let mut page = [0; 512];
        seal(1, &mut page);
        assert_eq!(page[504..508], *b"crc1");
        assert_eq!(page[508..], crc32fast::hash(&[&[1, 0, 0, 0, 0, 0, 0, 0][..], &[0; 504]].concat()).to_le_bytes());
    }

    #[test]
    fn a_page_elsewhere_and_an_empty_page_are_not_sealed() {
        let mut page = [1; 512];
        seal(7, &mut page);
        assert!(!is_sealed(8, &page));
        assert!(!is_sealed(1, &[0; 4096]));
        assert!(!is_sealed(1, &[]));
    }

    #[test]
    fn pages_are_told_from_other_ranges() {
        assert_eq!(whole(&(0..4096)), Some(1));
        assert_eq!(whole(&(1024..1536)), Some(3));
        assert_eq!(whole(&(0..65536)), Some(1));
        for other in [0..100, 24..40, 512..1536, 0..131_072, 0..256, 4096..4096] {
            assert_eq!(whole(&other), None, "{other:?}");
        }
    }

    #[test]
    fn the_page_of_the_locks_is_known() {
        assert!(holds_locks(1 << 30, 512));
        assert!(!holds_locks((1 << 30) - 512, 512));
        assert!(!holds_locks((1 << 30) + 512, 512));
    }

    #[test]
    fn the_header_says_what_pages_are_like() {
        let mut page1 = [MAGIC, &[0x10, 0x00, 1, 2, 8]].concat();
        assert_eq!(Header::read(&page1), Some(Header { page_bytes: 4096, has_room: true, is_logged: true }));
        page1[20] = 0;
        page1[19] = 1;
        assert_eq!(Header::read(&page1), Some(Header { page_bytes: 4096, has_room: false, is_logged: false }));
        page1[16..18].copy_from_slice(&[0, 1]);
        assert_eq!(Header::read(&page1).unwrap().page_bytes, 65536);
        page1[16] = 3;
        assert_eq!(Header::read(&page1), None);
        assert_eq!(Header::read(b"SQLite format 3"), None);
        assert_eq!(Header::read(&[0; 100]), None);
    }
}
