//! A queue in front of the write lock, so that a busy writer cannot starve the others.
//!
//! `SQLite` hands its write lock to whoever asks at the right moment, which is mostly the one who has just let go. So a writer
//! passes a turnstile first: it stands in it while it waits for the write lock, and whoever comes back for more has to wait
//! behind it. The operating system lets go of a file lock when its process dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::error::{MemoryError, Result};

/// The name of the file inside a memory's directory.
const FILE: &str = "writer.lock";
const FIRST_NAP: Duration = Duration::from_micros(100);
const LONGEST_NAP: Duration = Duration::from_millis(5);

/// The turnstile of one memory.
#[derive(Debug)]
pub(super) struct Turnstile {
    file: File,
    path: PathBuf,
}

impl Turnstile {
    pub(super) fn open(directory: &Path) -> Result<Self> {
        let path = directory.join(FILE);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| MemoryError::io(&path, "open the file", &error))?;
        Ok(Self { file, path })
    }

    /// Steps in, and out when the result is dropped.
    pub(super) fn enter(&self, timeout: Duration) -> Result<Inside<'_>> {
        let deadline = Instant::now() + timeout;
        let mut nap = FIRST_NAP;
        loop {
            match self.file.try_lock() {
                Ok(()) => return Ok(Inside(&self.file)),
                Err(TryLockError::Error(error)) => return Err(MemoryError::io(&self.path, "lock the file", &error)),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Err(MemoryError::Locked { path: self.path.clone(), waited: timeout });
                }
                Err(TryLockError::WouldBlock) => {
                    thread::sleep(nap);
                    nap = LONGEST_NAP.min(nap * 2);
                }
            }
        }
    }
}

/// Somebody stands in the turnstile.
#[must_use]
pub(super) struct Inside<'a>(&'a File);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        // It cannot fail on a lock that is held; and if it did, closing the file lets go of it.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let (one, other) = (Turnstile::open(directory.path()).unwrap(), Turnstile::open(directory.path()).unwrap());
        let inside = one.enter(Duration::ZERO).unwrap();
        assert!(matches!(other.enter(Duration::from_millis(3)), Err(MemoryError::Locked { .. })));
        drop(inside);
        assert!(other.enter(Duration::ZERO).is_ok());
    }
}
