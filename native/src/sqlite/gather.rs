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

    /// Notes that the file is synced.
    pub(super) fn synced(&mut self) {
        self.syncs_each = self.unsynced <= 1;
        self.unsynced = 0;
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
