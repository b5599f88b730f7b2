//! A file descriptor that an event loop can watch.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Readable from [`set`](Self::set) to [`clear`](Self::clear), however often it is set: many events wake a loop once.
#[derive(Debug)]
pub struct Descriptor(OwnedFd);

impl Descriptor {
    /// A descriptor that is not readable.
    ///
    /// # Errors
    ///
    /// The process or the system has no descriptor left.
    pub fn new() -> io::Result<Self> {
        // SAFETY: `eventfd` takes two plain numbers and touches no memory of ours.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just gave us `fd`; nobody else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Makes it readable.
    pub fn set(&self) {
        // SAFETY: the descriptor lives as long as `self`, and it never blocks. The only failure is a full counter, and then it is
        // readable already.
        unsafe { libc::eventfd_write(self.0.as_raw_fd(), 1) };
    }

    /// Makes it unreadable.
    pub fn clear(&self) {
        let mut count = 0;
        // SAFETY: the descriptor lives as long as `self`, it never blocks, and `count` outlives the call. The only failure is that
        // it was not readable.
        unsafe { libc::eventfd_read(self.0.as_raw_fd(), &raw mut count) };
    }
}

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable(descriptor: &Descriptor) -> bool {
        let mut poll = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one `pollfd`, which outlives the call.
        unsafe { libc::poll(&raw mut poll, 1, 0) == 1 }
    }

    #[test]
    fn set_many_times_it_is_cleared_once() {
        let descriptor = Descriptor::new().unwrap();
        assert!(!readable(&descriptor));
        descriptor.set();
        descriptor.set();
        assert!(readable(&descriptor));
        descriptor.clear();
        assert!(!readable(&descriptor));
        descriptor.clear();
    }
}
