//! The rules: what is sealed on its way to the disk, and what is believed on its way back. No `unsafe`, and no panic: these
//! functions run inside calls from C.

use std::ffi::c_int;
use std::mem;
use std::thread;

use rusqlite::ffi::{SQLITE_IOERR_SHORT_READ, SQLITE_IOERR_WRITE, SQLITE_OK};

use super::layer::Disk;
use super::page::{self, HEADER_BYTES, Header};

/// How often a page that is not sealed is read again. A process that opens the database without a log looks at page 1 before it
/// knows whether there is one, and another may be folding its log into the file at that moment: half of the page is new then.
const TRIES: usize = 4;

/// Why a read was refused: the number of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged(pub(super) u64);

/// What one open file knows.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// What page 1 said when it was last read or written whole.
    header: Option<Header>,
    /// A page to work on, kept so that not every write allocates.
    scratch: Vec<u8>,
}

impl Checks {
    /// Judges what a read brought: `code` is `SQLITE_OK` or `SQLITE_IOERR_SHORT_READ`, and all of `buffer` is filled.
    pub(super) fn after_read(
        &mut self,
        disk: &mut impl Disk,
        buffer: &mut [u8],
        offset: u64,
        code: c_int,
    ) -> Result<c_int, Damaged> {
        let range = offset..offset.saturating_add(buffer.len() as u64);
        if range.end <= HEADER_BYTES as u64 {
            // The size of a page, and whether page 1 changed. What follows from it is that page 1 is read whole, and checked.
            return Ok(code);
        }
        let stated = if offset == 0 { Header::read(buffer) } else { None };
        match page::whole(&range) {
            // Page 1 may be read with a wrong size, when another process made the database since its header was looked at.
            Some(1) if stated.is_some_and(|header| header.page_bytes != buffer.len() as u64) => {
                self.check_around(disk, buffer, offset, code)
            }
            Some(number) => self.check_whole(disk, number, buffer, offset, code),
            None => self.check_around(disk, buffer, offset, code),
        }
    }

    fn check_whole(
        &mut self,
        disk: &mut impl Disk,
        number: u64,
        buffer: &mut [u8],
        offset: u64,
        mut code: c_int,
    ) -> Result<c_int, Damaged> {
        for _ in 0..TRIES {
            if code == SQLITE_IOERR_SHORT_READ {
                let size = match disk.size() {
                    Ok(size) => size,
                    Err(code) => return Ok(code),
                };
                if size <= offset && !self.must_exist(number) {
                    return Ok(code);
                }
            } else if code != SQLITE_OK {
                return Ok(code);
            } else if page::is_sealed(number, buffer) {
                if number == 1 {
                    self.header = Header::read(buffer);
                }
                return Ok(code);
            }
            thread::yield_now();
            code = disk.read(buffer, offset);
        }
        Err(Damaged(number))
    }

    /// Whether the lack of a page is damage. Without a log, `SQLite` reads pages that it has not written yet, and compares the
    /// file's length with the header's. With a log it does neither: what is not in the log is in the file, or lost.
    fn must_exist(&self, number: u64) -> bool {
        number > 1 && self.header.is_some_and(|header| header.is_logged)
    }

    /// Checks the pages of which `buffer` is a part.
    fn check_around(
        &mut self,
        disk: &mut impl Disk,
        buffer: &mut [u8],
        offset: u64,
        code: c_int,
    ) -> Result<c_int, Damaged> {
        let Some(page_bytes) = header_of(disk).map(|header| header.page_bytes) else { return Err(Damaged(1)) };
        let end = match disk.size() {
            Ok(size) => size.min(offset.saturating_add(buffer.len() as u64)),
            Err(code) => return Ok(code),
        };
        let mut scratch = mem::take(&mut self.scratch);
        scratch.resize(usize::try_from(page_bytes).unwrap_or(0), 0);
        let mut start = offset - offset % page_bytes;
        let mut answer = Ok(code);
        while start < end {
            let read = disk.read(&mut scratch, start);
            answer = self.check_whole(disk, start / page_bytes + 1, &mut scratch, start, read);
            if answer != Ok(SQLITE_OK) {
                break;
            }
            answer = Ok(code);
            copy_overlap(&scratch, start, buffer, offset);
            start = start.saturating_add(page_bytes);
        }
        self.scratch = scratch;
        answer
    }

    /// Seals `bytes` on their way to the disk.
    ///
    /// Only a copy is sealed: `SQLite` hands out its own page as constant, and goes on using it.
    pub(super) fn write(&mut self, disk: &mut impl Disk, bytes: &[u8], offset: u64) -> c_int {
        let length = bytes.len() as u64;
        let Some(number) = page::whole(&(offset..offset.saturating_add(length))) else { return SQLITE_IOERR_WRITE };
        let stated = match self.header {
            _ if number == 1 => Header::read(bytes),
            // An interrupted change is taken back before anything is read.
            None => header_of(disk),
            known => known,
        };
        // A page without room for its seal would lose data; one of another size than page 1 says could not be read back.
        let Some(header) = stated.filter(|header| header.has_room && header.page_bytes == length) else {
            return SQLITE_IOERR_WRITE;
        };
        self.header = stated;
        let mut scratch = mem::take(&mut self.scratch);
        let filled = if header.is_logged { SQLITE_OK } else { fill_gap(disk, &mut scratch, length, offset) };
        let written = if filled == SQLITE_OK {
            scratch.clear();
            scratch.extend_from_slice(bytes);
            page::seal(number, &mut scratch);
            disk.write(&scratch, offset)
        } else {
            filled
        };
        self.scratch = scratch;
        written
    }
}

/// Seals the pages between the end of the file and `offset`.
///
/// A page that was taken and given back within one change is not written by `SQLite`, and the file has a hole there if a later
/// page is. The hole can be read one day: `VACUUM` looks at every page that it writes over. With a log there are no holes, and a
/// gap is a lost page, which must not be made to look like a good one.
fn fill_gap(disk: &mut impl Disk, scratch: &mut Vec<u8>, page_bytes: u64, offset: u64) -> c_int {
    let size = match disk.size() {
        Ok(size) => size,
        Err(code) => return code,
    };
    let mut start = size.next_multiple_of(page_bytes);
    while start < offset {
        if !page::holds_locks(start, page_bytes) {
            scratch.clear();
            scratch.resize(usize::try_from(page_bytes).unwrap_or(0), 0);
            page::seal(start / page_bytes + 1, scratch);
            let code = disk.write(scratch, start);
            if code != SQLITE_OK {
                return code;
            }
        }
        start = start.saturating_add(page_bytes);
    }
    SQLITE_OK
}

/// What the file's header says, unchecked.
fn header_of(disk: &mut impl Disk) -> Option<Header> {
    let mut header = [0; HEADER_BYTES];
    if disk.read(&mut header, 0) == SQLITE_OK { Header::read(&header) } else { None }
}

/// Copies what the page at `start` and the buffer at `offset` have in common.
fn copy_overlap(page: &[u8], start: u64, buffer: &mut [u8], offset: u64) {
    let skipped = usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX);
    let ahead = usize::try_from(start.saturating_sub(offset)).unwrap_or(usize::MAX);
    if let (Some(from), Some(to)) = (page.get(skipped..), buffer.get_mut(ahead..)) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 512;

    /// A file in memory. The first `torn` reads see half of it changed.
    #[derive(Default)]
    struct Memory {
        bytes: Vec<u8>,
        torn: usize,
    }

    impl Disk for Memory {
        fn read(&mut self, buffer: &mut [u8], offset: u64) -> c_int {
            let there = self.bytes.get(usize::try_from(offset).unwrap()..).unwrap_or(&[]);
            let count = there.len().min(buffer.len());
            buffer.fill(0);
            buffer[..count].copy_from_slice(&there[..count]);
            if self.torn > 0 {
                self.torn -= 1;
                buffer[count / 2..].fill(0);
            }
            if count == buffer.len() { SQLITE_OK } else { SQLITE_IOERR_SHORT_READ }
        }

        fn write(&mut self, bytes: &[u8], offset: u64) -> c_int {
            let offset = usize::try_from(offset).unwrap();
            self.bytes.resize(self.bytes.len().max(offset + bytes.len()), 0);
            self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
            SQLITE_OK
        }

        fn size(&mut self) -> Result<u64, c_int> {
            Ok(self.bytes.len() as u64)
        }
    }

    /// A first page with `reserved` bytes to a page, and with a log if `version` is 2.
    fn page1(reserved: u8, version: u8) -> Vec<u8> {
        let mut page = b"SQLite format 3\0\x02\x00".to_vec();
        page.extend([version, version, reserved]);
        page.resize(PAGE, 7);
        page
    }

    /// A file of `pages` pages, of which page n holds n.
    fn file(pages: u8, version: u8) -> (Checks, Memory) {
        let (mut checks, mut disk) = (Checks::default(), Memory::default());
        assert_eq!(checks.write(&mut disk, &page1(8, version), 0), SQLITE_OK);
        for page in 2..=pages {
            assert_eq!(checks.write(&mut disk, &[page; PAGE], u64::from(page - 1) * PAGE as u64), SQLITE_OK);
        }
        (checks, disk)
    }

    fn read(checks: &mut Checks, disk: &mut Memory, bytes: usize, offset: u64) -> Result<(c_int, Vec<u8>), Damaged> {
        let mut buffer = vec![0; bytes];
        let code = disk.read(&mut buffer, offset);
        checks.after_read(disk, &mut buffer, offset, code).map(|code| (code, buffer))
    }

    #[test]
    fn what_was_written_is_read_and_the_callers_page_is_left_alone() {
        let (mut checks, mut disk) = file(3, 1);
        let (code, page) = read(&mut checks, &mut disk, PAGE, 1024).unwrap();
        assert_eq!((code, page[0], page[503]), (SQLITE_OK, 3, 3));
        assert_ne!(page[504..], [3; 8]);
    }

    #[test]
    fn a_part_of_a_page_is_checked_with_the_rest_of_it() {
        let (mut checks, mut disk) = file(4, 1);
        let (_, part) = read(&mut checks, &mut disk, 504, 1024).unwrap();
        assert_eq!(part, [3; 504]);
        let (_, across) = read(&mut checks, &mut disk, 704, 1000).unwrap();
        assert_eq!(across[24..528], [3; 504]);
        assert_eq!(across[536..], [4; 168]);
        // Behind the end of the part.
        disk.bytes[1024 + 510] ^= 1;
        assert_eq!(read(&mut checks, &mut disk, 504, 1024), Err(Damaged(3)));
        assert_eq!(read(&mut checks, &mut disk, 600, 500), Err(Damaged(3)));
        assert_eq!(read(&mut checks, &mut disk, 100, 1600).unwrap().1, [4; 100]);
    }

    #[test]
    fn the_header_is_read_before_anything_is_known() {
        let (_, mut disk) = file(2, 1);
        disk.bytes[PAGE - 1] ^= 1;
        let mut checks = Checks::default();
        assert!(read(&mut checks, &mut disk, 100, 0).is_ok());
        assert!(read(&mut checks, &mut disk, 16, 24).is_ok());
        assert_eq!(read(&mut checks, &mut disk, PAGE, 0), Err(Damaged(1)));
    }

    #[test]
    fn page_1_may_be_read_with_a_wrong_size_and_is_checked_with_its_own() {
        for version in [1, 2] {
            let (mut checks, mut disk) = file(3, version);
            let (code, _) = read(&mut checks, &mut disk, 4096, 0).unwrap();
            assert_eq!(code, SQLITE_IOERR_SHORT_READ);
            disk.bytes[300] ^= 1;
            assert_eq!(read(&mut checks, &mut disk, 4096, 0), Err(Damaged(1)));
        }
    }

    #[test]
    fn a_page_that_is_just_being_written_is_read_again() {
        let (mut checks, mut disk) = file(2, 1);
        disk.torn = TRIES - 1;
        assert!(read(&mut checks, &mut disk, PAGE, 0).is_ok());
        disk.torn = usize::MAX;
        assert_eq!(read(&mut checks, &mut disk, PAGE, 0), Err(Damaged(1)));
    }

    #[test]
    fn what_is_behind_the_end_is_not_there_and_half_a_page_is_damage() {
        let (mut checks, mut disk) = file(3, 1);
        assert_eq!(read(&mut checks, &mut disk, PAGE, 1536).unwrap(), (SQLITE_IOERR_SHORT_READ, vec![0; PAGE]));
        disk.bytes.truncate(1200);
        assert_eq!(read(&mut checks, &mut disk, PAGE, 1024), Err(Damaged(3)));
        assert!(read(&mut Checks::default(), &mut Memory::default(), 4096, 0).is_ok());
    }

    #[test]
    fn with_a_log_a_page_behind_the_end_was_lost() {
        let (mut checks, mut disk) = file(3, 2);
        assert_eq!(read(&mut checks, &mut disk, PAGE, 1536), Err(Damaged(4)));
        assert_eq!(checks.write(&mut disk, &[9; PAGE], 4 * PAGE as u64), SQLITE_OK);
        assert_eq!(read(&mut checks, &mut disk, PAGE, 1536), Err(Damaged(4)), "a gap is not filled");
    }

    #[test]
    fn without_a_log_a_gap_is_sealed() {
        let (mut checks, mut disk) = file(2, 1);
        assert_eq!(checks.write(&mut disk, &[9; PAGE], 5 * PAGE as u64), SQLITE_OK);
        for page in 1..=6 {
            assert!(read(&mut checks, &mut disk, PAGE, (page - 1) * PAGE as u64).is_ok(), "page {page}");
        }
    }

    #[test]
    fn a_page_without_room_for_its_seal_is_not_written() {
        let (mut checks, mut disk) = (Checks::default(), Memory::default());
        assert_eq!(checks.write(&mut disk, &[2; PAGE], 512), SQLITE_IOERR_WRITE, "nothing is known yet");
        assert_eq!(checks.write(&mut disk, &page1(0, 1), 0), SQLITE_IOERR_WRITE);
        assert_eq!(checks.write(&mut disk, &[2; PAGE], 512), SQLITE_IOERR_WRITE);
        assert_eq!(checks.write(&mut disk, &page1(8, 1), 0), SQLITE_OK);
        assert_eq!(checks.write(&mut disk, &[2; 100], 512), SQLITE_IOERR_WRITE, "no page");
        assert_eq!(checks.write(&mut disk, &[2; 1024], 1024), SQLITE_IOERR_WRITE, "of another size");
        assert_eq!(disk.bytes.len(), PAGE);
        // What was refused is not believed.
        assert_eq!(checks.write(&mut disk, &page1(8, 1)[..].repeat(2), 0), SQLITE_IOERR_WRITE);
        assert_eq!(checks.write(&mut disk, &[2; PAGE], 512), SQLITE_OK);
        disk.bytes.truncate(PAGE);
        // A change that is taken back is written before anything is read.
        assert_eq!(Checks::default().write(&mut disk, &[2; PAGE], 512), SQLITE_OK);
    }

    #[test]
    fn strange_offsets_and_lengths_do_no_harm() {
        let (mut checks, mut disk) = file(2, 1);
        assert_eq!(checks.write(&mut disk, &[1; PAGE], u64::MAX - 5), SQLITE_IOERR_WRITE);
        assert_eq!(checks.write(&mut disk, &[], 0), SQLITE_IOERR_WRITE);
        assert!(checks.after_read(&mut disk, &mut [], u64::MAX, SQLITE_OK).is_ok());
        assert!(checks.after_read(&mut disk, &mut [], 0, SQLITE_OK).is_ok());
    }
}
