//! The one place where a run sleeps, and the poll below it that children who stay share.

use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use super::leader::Leader;
use super::output::Output;
use super::{Cancel, Ending, SpawnError, Watch, failed};

/// Collects output until the leader ended (`None`) or has to be ended (why).
pub(super) fn until_over(
    leader: &Leader,
    output: &mut Output,
    deadline: Option<Instant>,
    cancel: &Cancel,
    mut watch: Option<Watch<'_>>,
) -> Result<Option<Ending>, SpawnError> {
    let mut next_question = Instant::now();
    loop {
        if cancel.is_cancelled() {
            return Ok(Some(Ending::Cancelled));
        }
        let now = Instant::now();
        if deadline.is_some_and(|deadline| deadline <= now) {
            return Ok(Some(Ending::TimedOut));
        }
        let mut wake_at = deadline;
        if let Some(watch) = &mut watch {
            if next_question <= now {
                if (watch.ask)().is_break() {
                    return Ok(Some(Ending::Cancelled));
                }
                next_question = now + watch.every;
            }
            wake_at = Some(deadline.map_or(next_question, |deadline| deadline.min(next_question)));
        }

        let [stdout, stderr] = output.fds();
        let woken = match poll([stdout, stderr, leader.pidfd(), cancel.wake_fd()].map(readable), wake_at)? {
            Woken::Ready(ready) => ready,
            Woken::BySignal => {
                next_question = now;
                continue;
            }
        };
        let [stdout_ready, stderr_ready, leader_ended, _] = woken;
        if stdout_ready {
            output.take_stdout();
        }
        if stderr_ready {
            output.take_stderr();
        }
        if output.is_too_large() {
            return Ok(Some(Ending::OutputTooLarge));
        }
        if leader_ended {
            return Ok(None);
        }
    }
}

pub(super) enum Woken<const N: usize> {
    /// Which descriptors have something to say; none when the time came.
    Ready([bool; N]),
    /// A signal handler ran in this thread.
    BySignal,
}

/// Asks for a descriptor to be readable, or closed at its other end. -1 is never ready.
pub(super) fn readable(fd: RawFd) -> libc::pollfd {
    libc::pollfd { fd, events: libc::POLLIN, revents: 0 }
}

/// Asks for a descriptor to have room. -1 is never ready.
pub(super) fn writable(fd: RawFd) -> libc::pollfd {
    libc::pollfd { fd, events: libc::POLLOUT, revents: 0 }
}

/// Sleeps until a descriptor is ready, `wake_at` has come, or a signal was handled.
pub(super) fn poll<const N: usize>(
    mut entries: [libc::pollfd; N],
    wake_at: Option<Instant>,
) -> Result<Woken<N>, SpawnError> {
    // SAFETY: the pointer and the count describe `entries`, which outlives the call.
    let count = unsafe { libc::poll(entries.as_mut_ptr(), N as libc::nfds_t, timeout_ms(wake_at)) };
    if count >= 0 {
        return Ok(Woken::Ready(entries.map(|entry| entry.revents != 0)));
    }
    match failed("poll") {
        SpawnError::System { source, .. } if source.kind() == io::ErrorKind::Interrupted => Ok(Woken::BySignal),
        error => Err(error),
    }
}

/// Rounded up, so that a wait never ends just before its time and spins; -1 is for ever.
fn timeout_ms(wake_at: Option<Instant>) -> libc::c_int {
    let Some(wake_at) = wake_at else { return -1 };
    let left = wake_at.saturating_duration_since(Instant::now()) + Duration::from_nanos(999_999);
    libc::c_int::try_from(left.as_millis()).unwrap_or(libc::c_int::MAX)
}
