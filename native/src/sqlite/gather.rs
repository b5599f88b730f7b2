//! The rules for a log: what one commit writes to it goes to the file below in one write. No `unsafe`, and no panic: these
//! functions run inside calls from C.
//!
//! `SQLite` writes a log frame by frame, and each frame in two pieces: a header, then a page. The header of a commit's last frame
//! says that it is the last. So what comes before that page may be held back until it comes: the write of that page writes all of
//! it, and its answer, which `SQLite` waits for before anybody can see the commit, is the answer for all. Nothing is ever held
//! back behind the end of a commit.
//!
//! Frames that are held back belong to a change that is under way: only its own connection reads them, and reading writes them
//! first. A change that is given up leaves them behind; they are forgotten when it lets go of the lock on writing
//! ([`Gather::forget`]), because the next writer may put its own in their place.

use std::ffi::c_int;

use rusqlite::ffi::SQLITE_OK;

use super::layer::Disk;

/// The length of a frame's header.
const HEADER_BYTES: usize = 24;
/// When so much is held back, it is written: a large change is gathered in pieces.
const MOST_BYTES: usize = 64 << 10;
/// So far ahead of a log whose every commit is synced, it is filled with zeros. A sync of a file that has grown writes down its
/// length too, and takes twice as long as one of a file that has not. No frame of zeros is a good one: a log ends there.
const AHEAD_BYTES: usize = 1 << 20;

/// What was held back last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    /// A page, or nothing is held back.
    #[default]
    Page,
    /// The header of a frame behind which others follow.
    Header,
    /// The header of the frame that ends a commit.
    Commit,
}

/// What one open log holds back.
#[derive(Debug, Default)]
pub(super) struct Gather {
    held: Vec<u8>,
    /// Where it goes.
    start: u64,
    last: Last,
    /// Why what was held back could not be written. Then every answer is this, until the change is given up: a change must not go
    /// on without some of its frames.
    failed: Option<c_int>,
    /// How many commits were written since the last sync.
    unsynced: u64,
    /// Whether each of the latest commits was synced.
    syncs_each: bool,
    /// The file is at least so long, if that is known.
    length: u64,
}

impl Gather {
    /// Takes `bytes` for `offset`, and holds them back if it is certain that others follow.
    pub(super) fn write(&mut self, disk: &mut impl Disk, bytes: &[u8], offset: u64) -> c_int {
        if let Some(code) = self.failed {
            return code;
        }
        let follows = !self.held.is_empty() && offset == self.start.saturating_add(self.held.len() as u64);
        let next = match (bytes.first_chunk(), self.last) {
            (Some(header), Last::Page) if bytes.len() == HEADER_BYTES => {
                // Sums that are corrected after a change has outgrown the cache are headers, too, and no page follows. `SQLite`
                // reads before each, so nothing is held back when it comes to the last, and that one is written at once.
                let commits = ends_commit(*header);
                (follows || !commits).then_some(if commits { Last::Commit } else { Last::Header })
            }
            (_, Last::Header | Last::Commit) if follows && bytes.len() > HEADER_BYTES => Some(Last::Page),
            _ => None,
        };
        let Some(next) = next else {
            let code = self.settle(disk);
            return if code == SQLITE_OK { disk.write(bytes, offset) } else { code };
        };
        if !follows {
            let code = self.settle(disk);
            if code != SQLITE_OK {
                return code;
            }
            self.start = offset;
        }
        self.held.extend_from_slice(bytes);
        let committed = self.last == Last::Commit;
        self.last = next;
        if committed {
            self.unsynced = self.unsynced.saturating_add(1);
            self.syncs_each &= self.unsynced == 1;
            let code = self.settle(disk);
            if code == SQLITE_OK && self.syncs_each {
                self.extend(disk, offset.saturating_add(bytes.len() as u64));
            }
            return code;
        }
        if next == Last::Page && self.held.len() >= MOST_BYTES { self.settle(disk) } else { SQLITE_OK }
    }

    /// Writes what is held back: before anything else happens to the file.
    pub(super) fn settle(&mut self, disk: &mut impl Disk) -> c_int {
        if let Some(code) = self.failed {
            return code;
        }
        if self.held.is_empty() {
            return SQLITE_OK;
        }
        let code = disk.write(&self.held, self.start);
        self.held.clear();
        self.last = Last::Page;
        if code != SQLITE_OK {
            self.failed = Some(code);
        }
        code
    }

    /// Forgets what a change that was given up has left. After one that was committed, nothing is there to forget.
    pub(super) fn forget(&mut self) {
        self.held.clear();
        self.last = Last::Page;
        self.failed = None;
    }

    /// Notes that the file is synced. With no commit since the last time it says nothing: a log's own header is synced, too.
    pub(super) fn synced(&mut self) {
        if self.unsynced > 0 {
            self.syncs_each = self.unsynced == 1;
            self.unsynced = 0;
        }
    }

    /// Notes that the file has another length.
    pub(super) fn truncated(&mut self) {
        self.length = 0;
    }

    /// Fills the file with zeros behind `end`, if that is its end. It need not succeed: the next write will say so.
    fn extend(&mut self, disk: &mut impl Disk, end: u64) {
        if end < self.length {
            return;
        }
        self.length = disk.size().unwrap_or(u64::MAX);
        if self.length <= end && disk.write(&vec![0; AHEAD_BYTES], end) == SQLITE_OK {
            self.length = end.saturating_add(AHEAD_BYTES as u64);
        }
    }
}

/// Whether the frame of this header is the last of its commit: it says how many pages the database has then.
fn ends_commit(header: [u8; 8]) -> bool {
    header[4..] != [0; 4]
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi::{SQLITE_FULL, SQLITE_IOERR};

    use super::*;

    const PAGE: [u8; 512] = [7; 512];
    const FRAME_BYTES: u64 = 24 + 512;

    /// A file in memory that notes where it was written.
    #[derive(Default)]
    struct Memory {
        bytes: Vec<u8>,
        writes: Vec<(u64, usize)>,
        fails: bool,
    }

    impl Disk for Memory {
        fn read(&mut self, _: &mut [u8], _: u64) -> c_int {
            SQLITE_IOERR
        }

        fn write(&mut self, bytes: &[u8], offset: u64) -> c_int {
            if self.fails {
                return SQLITE_FULL;
            }
            self.writes.push((offset, bytes.len()));
            let offset = usize::try_from(offset).unwrap();
            self.bytes.resize(self.bytes.len().max(offset + bytes.len()), 0);
            self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
            SQLITE_OK
        }

        fn size(&mut self) -> Result<u64, c_int> {
            Ok(self.bytes.len() as u64)
        }
    }

    fn header(pages_after_commit: u8) -> [u8; 24] {
        let mut header = [1; 24];
        header[4..8].copy_from_slice(&[0, 0, 0, pages_after_commit]);
        header
    }

    /// Writes frame `number`, counted from 0, as `SQLite` does.
    fn frame(gather: &mut Gather, disk: &mut Memory, number: u64, commits: bool) -> c_int {
        let offset = 32 + number * FRAME_BYTES;
        match gather.write(disk, &header(u8::from(commits)), offset) {
            SQLITE_OK => gather.write(disk, &PAGE, offset + 24),
            code => code,
        }
    }

    #[test]
    fn a_commit_is_one_write_and_nothing_is_held_back_behind_it() {
        let (mut gather, mut disk) = (Gather::default(), Memory::default());
        for number in 0..3 {
            assert_eq!(frame(&mut gather, &mut disk, number, false), SQLITE_OK);
            assert!(disk.writes.is_empty(), "nobody can see these frames yet");
        }
        assert_eq!(frame(&mut gather, &mut disk, 3, true), SQLITE_OK);
        assert_eq!(disk.writes, [(32, 4 * 536)]);
        let expected: Vec<u8> =
            [0, 0, 0, 1].iter().flat_map(|&commits| [&header(commits)[..], &PAGE].concat()).collect();
        assert_eq!(disk.bytes[32..], expected);
        assert_eq!(gather.settle(&mut disk), SQLITE_OK);
        assert_eq!(disk.writes.len(), 1);
    }

    #[test]
    fn a_commit_of_one_frame_and_a_corrected_sum_are_written_at_once() {
        let (mut gather, mut disk) = (Gather::default(), Memory::default());
        assert_eq!(frame(&mut gather, &mut disk, 0, true), SQLITE_OK);
        assert_eq!(disk.writes, [(32, 24), (56, 512)]);
        // Before each sum that is corrected, `SQLite` reads, which writes what is held back.
        for (number, commits) in [(0, 0), (1, 1)] {
            assert_eq!(gather.settle(&mut disk), SQLITE_OK);
            assert_eq!(gather.write(&mut disk, &header(commits), 32 + number * FRAME_BYTES), SQLITE_OK);
        }
        assert_eq!(disk.writes[2..], [(32, 24), (32 + FRAME_BYTES, 24)]);
    }

    #[test]
    fn what_does_not_follow_is_written_behind_what_came_before() {
        let (mut gather, mut disk) = (Gather::default(), Memory::default());
        assert_eq!(frame(&mut gather, &mut disk, 5, false), SQLITE_OK);
        // A page that is written anew, as a change does that has outgrown the cache; then the log goes on.
        assert_eq!(gather.write(&mut disk, &PAGE, 32 + 5 * FRAME_BYTES + 24), SQLITE_OK);
        assert_eq!(frame(&mut gather, &mut disk, 6, false), SQLITE_OK);
        assert_eq!(frame(&mut gather, &mut disk, 9, false), SQLITE_OK);
        assert_eq!(gather.settle(&mut disk), SQLITE_OK);
        let at = |number: u64| 32 + number * FRAME_BYTES;
        assert_eq!(disk.writes, [(at(5), 536), (at(5) + 24, 512), (at(6), 536), (at(9), 536)]);
    }

    #[test]
    fn a_large_change_is_written_in_pieces() {
        let (mut gather, mut disk) = (Gather::default(), Memory::default());
        for number in 0..1000 {
            assert_eq!(frame(&mut gather, &mut disk, number, number == 999), SQLITE_OK);
            assert!(gather.held.len() < MOST_BYTES);
        }
        assert_eq!(disk.bytes.len() as u64, 32 + 1000 * FRAME_BYTES);
        assert!(disk.writes.len() < 10, "{}", disk.writes.len());
    }

    #[test]
    fn a_change_of_which_frames_are_lost_cannot_be_committed() {
        let (mut gather, mut disk) = (Gather::default(), Memory::default());
        assert_eq!(frame(&mut gather, &mut disk, 0, false), SQLITE_OK);
        disk.fails = true;
        assert_eq!(frame(&mut gather, &mut disk, 1, true), SQLITE_FULL, "the commit has to hear of it");

        gather.forget();
        disk.fails = false;
        assert_eq!(frame(&mut gather, &mut disk, 0, false), SQLITE_OK);
        disk.fails = true;
        assert_eq!(gather.settle(&mut disk), SQLITE_FULL, "a read in the middle");
        disk.fails = false;
        assert_eq!(gather.settle(&mut disk), SQLITE_FULL);
        assert_eq!(frame(&mut gather, &mut disk, 1, true), SQLITE_FULL);
        assert!(disk.writes.is_empty());
        gather.forget();
        assert_eq!(frame(&mut gather, &mut disk, 0, true), SQLITE_OK);
    }

    #[test]
    fn what_was_given_up_is_never_written() {
        let (mut gather, mut disk) = (Gather::default(), Memory::default());
        assert_eq!(frame(&mut gather, &mut disk, 0, false), SQLITE_OK);
        gather.forget();
        assert_eq!(gather.settle(&mut disk), SQLITE_OK);
        assert!(disk.writes.is_empty());
    }

    #[test]
    fn a_log_whose_commits_are_synced_does_not_grow_with_each() {
        let (mut gather, mut disk) = (Gather::default(), Memory::default());
        let mut lengths = std::collections::BTreeSet::new();
        for number in 0..2000 {
            frame(&mut gather, &mut disk, 2 * number, false);
            frame(&mut gather, &mut disk, 2 * number + 1, true);
            gather.synced();
            lengths.insert(disk.bytes.len());
        }
        assert!(lengths.len() <= 4, "{lengths:?}");
        assert!(disk.bytes.len() as u64 <= 32 + 4000 * FRAME_BYTES + AHEAD_BYTES as u64);

        let (mut gather, mut disk) = (Gather::default(), Memory::default());
        for number in 0..50 {
            frame(&mut gather, &mut disk, 2 * number, false);
            frame(&mut gather, &mut disk, 2 * number + 1, true);
        }
        assert_eq!(disk.bytes.len() as u64, 32 + 100 * FRAME_BYTES, "without syncs it is as long as what it holds");
    }
}
