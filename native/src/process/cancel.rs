//! The token that stops runs from another thread.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::wait::{poll, readable};
use super::{SpawnError, checked};
use crate::event::Descriptor;

/// Stops every run that was given a clone of it, those under way at once and later ones at their start. It cannot be undone.
#[derive(Clone, Debug)]
pub struct Cancel {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    cancelled: AtomicBool,
    /// Readable from the first `cancel` on. Nobody reads it, so that it wakes all runs and not only the first.
    wake: OwnedFd,
}

impl Cancel {
    /// A fresh token.
    pub fn new() -> Result<Self, SpawnError> {
        // SAFETY: `eventfd` takes two plain numbers and touches no memory of ours.
        let fd = checked("eventfd", unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: the kernel just gave us `fd`; nobody else owns it.
        let wake = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { shared: Arc::new(Shared { cancelled: AtomicBool::new(false), wake }) })
    }

    /// Wakes and ends the runs.
    pub fn cancel(&self) {
        if self.shared.cancelled.swap(true, Ordering::AcqRel) {
            return;
        }
        // SAFETY: the descriptor lives as long as `self`, and it never blocks. The only failure left is a full counter, and one
        // write cannot fill it.
        unsafe { libc::eventfd_write(self.shared.wake.as_raw_fd(), 1) };
    }

    /// Whether [`Cancel::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::Acquire)
    }

    /// Sleeps until `event` is set, the token is cancelled or `wake_at` has come. May wake for nothing.
    ///
    /// # Errors
    ///
    /// The system refuses to wait.
    pub fn sleep(&self, event: &Descriptor, wake_at: Option<Instant>) -> Result<(), SpawnError> {
        poll([readable(event.as_raw_fd()), readable(self.wake_fd())], wake_at).map(|_| ())
    }

    /// What to poll.
    pub(super) fn wake_fd(&self) -> RawFd {
        self.shared.wake.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_sleeper_wakes_for_its_event_its_time_and_the_token() {
        let (token, event) = (Cancel::new().unwrap(), Descriptor::new().unwrap());
        let soon = Instant::now() + Duration::from_millis(1);
        token.sleep(&event, Some(soon)).unwrap();
        assert!(Instant::now() >= soon);
        event.set();
        token.sleep(&event, None).unwrap();
        event.clear();
        let sleeper = thread::spawn({
            let token = token.clone();
            move || {
                while !token.is_cancelled() {
                    token.sleep(&event, None).unwrap();
                }
            }
        });
        token.cancel();
        sleeper.join().unwrap();
    }
}
