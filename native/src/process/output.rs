//! What a child prints: all of standard output up to a limit, and the tail of standard error.

use std::io::{self, Read};
use std::mem;
use std::os::fd::{AsRawFd, RawFd};

use super::leader::Pipes;
use super::{STDERR_TAIL_BYTES, SpawnError, checked};

/// Bytes taken from a pipe at once: what a pipe holds by default.
const CHUNK_BYTES: usize = 64 << 10;

/// The most that can lie in a pipe when its writers are gone: the system's largest pipe.
const PIPE_BYTES: usize = 1 << 20;

/// The two output pipes and what came out of them.
pub(super) struct Output {
    stdout: Pipe,
    stderr: Pipe,
    max_stdout_bytes: usize,
    chunk: Box<[u8]>,
}

struct Pipe {
    /// `None` once its end was seen.
    reader: Option<Box<dyn Reader>>,
    taken: Vec<u8>,
}

trait Reader: Read + AsRawFd + Send {}
impl<T: Read + AsRawFd + Send> Reader for T {}

impl Output {
    pub(super) fn new(pipes: Pipes, max_stdout_bytes: usize) -> Result<Self, SpawnError> {
        Ok(Self {
            stdout: Pipe::new(pipes.stdout)?,
            stderr: Pipe::new(pipes.stderr)?,
            max_stdout_bytes,
            chunk: vec![0; CHUNK_BYTES].into_boxed_slice(),
        })
    }

    /// What to poll; -1, which poll ignores, for a pipe at its end.
    pub(super) fn fds(&self) -> [RawFd; 2] {
        [self.stdout.fd(), self.stderr.fd()]
    }

    /// Takes one chunk of standard output.
    pub(super) fn take_stdout(&mut self) -> usize {
        self.stdout.take(&mut self.chunk)
    }

    /// Takes one chunk of standard error, and forgets what is no longer the tail.
    pub(super) fn take_stderr(&mut self) -> usize {
        let count = self.stderr.take(&mut self.chunk);
        // Only at twice the tail, so that each byte is moved once at most.
        if self.stderr.taken.len() > 2 * STDERR_TAIL_BYTES {
            self.stderr.keep_tail();
        }
        count
    }

    /// Takes what already lies in the pipes. A writer that escaped the group may go on for ever, so it is bounded.
    pub(super) fn take_rest(&mut self) {
        take_up_to(PIPE_BYTES, || self.take_stdout());
        take_up_to(PIPE_BYTES, || self.take_stderr());
    }

    /// Bytes of standard output that were taken and not moved on.
    pub(super) fn held_bytes(&self) -> usize {
        self.stdout.taken.len()
    }

    /// Hands over the standard output that was taken, at the end of `into`.
    pub(super) fn move_stdout(&mut self, into: &mut Vec<u8>) {
        if into.is_empty() {
            mem::swap(into, &mut self.stdout.taken);
        } else {
            into.append(&mut self.stdout.taken);
        }
    }

    /// Forgets the standard output that was taken.
    pub(super) fn forget_stdout(&mut self) {
        self.stdout.taken.clear();
    }

    /// The last bytes of standard error so far.
    pub(super) fn stderr_tail(&self) -> &[u8] {
        let taken = &self.stderr.taken;
        &taken[taken.len().saturating_sub(STDERR_TAIL_BYTES)..]
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.stdout.taken.len() > self.max_stdout_bytes
    }

    /// Standard output, cut at its limit, and the tail of standard error.
    pub(super) fn into_parts(mut self) -> (Vec<u8>, Vec<u8>) {
        self.stdout.taken.truncate(self.max_stdout_bytes);
        self.stderr.keep_tail();
        (self.stdout.taken, self.stderr.taken)
    }
}

fn take_up_to(limit_bytes: usize, mut take: impl FnMut() -> usize) {
    let mut total = 0;
    while total < limit_bytes {
        match take() {
            0 => return,
            count => total += count,
        }
    }
}

impl Pipe {
    fn new(reader: impl Reader + 'static) -> Result<Self, SpawnError> {
        set_nonblocking(reader.as_raw_fd())?;
        Ok(Self { reader: Some(Box::new(reader)), taken: Vec::new() })
    }

    fn fd(&self) -> RawFd {
        self.reader.as_ref().map_or(-1, |reader| reader.as_raw_fd())
    }

    /// Takes one chunk, if there is one, and returns its length.
    fn take(&mut self, chunk: &mut [u8]) -> usize {
        let Some(reader) = &mut self.reader else { return 0 };
        match reader.read(chunk) {
            Ok(count) if count > 0 => {
                self.taken.extend_from_slice(&chunk[..count]);
                count
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => 0,
            // At its end, or broken: nothing more will come.
            Ok(_) | Err(_) => {
                self.reader = None;
                0
            }
        }
    }

    fn keep_tail(&mut self) {
        let excess = self.taken.len().saturating_sub(STDERR_TAIL_BYTES);
        self.taken.drain(..excess);
    }
}

/// Our end only: the two ends of a pipe have flags of their own, and the child's stays as programs expect it.
pub(super) fn set_nonblocking(fd: RawFd) -> Result<(), SpawnError> {
    // SAFETY: `F_GETFL` takes no pointer.
    let flags = checked("fcntl", unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
    // SAFETY: `F_SETFL` takes one number.
    checked("fcntl", unsafe { libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) })?;
    Ok(())
}
