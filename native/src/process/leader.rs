//! The started program: the leader of its own session and process group.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ChildStderr, ChildStdout, ExitStatus, Stdio};
use std::time::Duration;

use super::setup::Setup;
use super::{Ending, Launch, SpawnError, checked, failed};

/// The reading ends of a child's output.
pub(super) struct Pipes {
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

/// How a child itself ended, and what it used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// [`Ending::Exited`] or [`Ending::Signalled`]; the latter with `SIGKILL` when it was still there and had to be killed.
    pub ending: Ending,
    /// Processor time of the child and of the descendants that it waited for.
    pub cpu: Duration,
    /// The largest resident size. An upper bound: the kernel counts the copy of the parent that existed before `exec`.
    pub max_rss_bytes: u64,
}

/// A child that has not been reaped. Until then its number cannot be given to another process, so signals cannot go astray.
pub(super) struct Leader {
    pid: libc::pid_t,
    pidfd: OwnedFd,
    reaped: bool,
}

impl Leader {
    /// Starts it with `stdin` as its standard input.
    pub(super) fn spawn(launch: &Launch, stdin: Stdio) -> Result<(Self, Pipes), SpawnError> {
        let mut command = launch.command();
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let setup = Setup::new(launch.limits);
        // SAFETY: between fork and exec only async-signal-safe calls are allowed; `Setup::apply` makes no others and does not
        // allocate.
        unsafe { command.pre_exec(move || setup.apply()) };

        let mut child = command.spawn().map_err(|source| refused(launch, source))?;
        let pid = child.id().cast_signed();
        let pidfd = open_pidfd(pid).inspect_err(|_| {
            // Without a pidfd the child could not be watched: take it back. Its group is young and holds it alone.
            let _ = child.kill();
            let _ = child.wait();
        })?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            unreachable!("both outputs were asked to be pipes")
        };
        Ok((Self { pid, pidfd, reaped: false }, Pipes { stdout, stderr }))
    }

    /// Readable once the leader ended.
    pub(super) fn pidfd(&self) -> RawFd {
        self.pidfd.as_raw_fd()
    }

    /// Its number, which is also that of its group and its session.
    pub(super) fn pid(&self) -> libc::pid_t {
        self.pid
    }

    /// Sends a signal to every process of the group.
    pub(super) fn signal_group(&self, signal: libc::c_int) {
        if !self.reaped {
            // SAFETY: plain numbers; the un-reaped leader keeps the group's number ours.
            unsafe { libc::killpg(self.pid, signal) };
        }
    }

    /// How the leader ended, if it did; it stays un-reaped.
    pub(super) fn ending(&self) -> Option<Ending> {
        // SAFETY: `siginfo_t` is plain numbers, for which zero is a value.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: the pointer is to a live local of the right type, and `pid` is our un-reaped child. It does not block, so no
        // signal interrupts it.
        unsafe { libc::waitid(libc::P_PID, self.pid.cast_unsigned(), &raw mut info, options) };
        // SAFETY: for this call the kernel fills in the fields of a child, and they stay zero when it has not ended.
        let status = unsafe { info.si_status() };
        match info.si_code {
            libc::CLD_EXITED => Some(Ending::Exited(status)),
            libc::CLD_KILLED | libc::CLD_DUMPED => Some(Ending::Signalled(status)),
            _ => None,
        }
    }

    /// Kills what is left of the group and reaps the leader.
    pub(super) fn end(&mut self) -> Result<End, SpawnError> {
        // The group goes first: its number is the leader's, and reaping would set that free.
        self.signal_group(libc::SIGKILL);
        let (status, usage) = self.reap()?;
        Ok(End {
            ending: ending_of(ExitStatus::from_raw(status)),
            cpu: duration(usage.ru_utime) + duration(usage.ru_stime),
            max_rss_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024,
        })
    }

    fn reap(&mut self) -> Result<(libc::c_int, libc::rusage), SpawnError> {
        let mut status = 0;
        // SAFETY: `rusage` is plain numbers, for which zero is a value.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        loop {
            // SAFETY: both pointers are to live locals of the right types, and `pid` is our un-reaped child.
            let reaped = unsafe { libc::wait4(self.pid, &raw mut status, 0, &raw mut usage) };
            if reaped == self.pid {
                self.reaped = true;
                return Ok((status, usage));
            }
            let error = failed("wait4");
            if !is_interrupted(&error) {
                // Somebody else reaped our child (or ignores SIGCHLD): there is nothing left to wait for.
                self.reaped = true;
                return Err(error);
            }
        }
    }
}

impl Drop for Leader {
    /// An error on the way, or a panic, must not leave the child running.
    fn drop(&mut self) {
        if !self.reaped {
            let _ = self.end();
        }
    }
}

/// Tells a program that is not there from a directory that is not there: the system says the same of both.
fn refused(launch: &Launch, source: io::Error) -> SpawnError {
    let program = launch.program.clone();
    match &launch.dir {
        Some(dir) if !dir.is_dir() => {
            let told = format!("no directory at {}", dir.display());
            SpawnError::Refused { program, source: io::Error::new(source.kind(), told) }
        }
        _ if source.kind() == io::ErrorKind::NotFound => SpawnError::NotFound { program },
        _ => SpawnError::Refused { program, source },
    }
}

fn open_pidfd(pid: libc::pid_t) -> Result<OwnedFd, SpawnError> {
    // SAFETY: takes two plain numbers. The result is close-on-exec by itself.
    let returned = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = checked("pidfd_open", libc::c_int::try_from(returned).unwrap_or(-1))?;
    // SAFETY: the kernel just gave us `fd`; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn ending_of(status: ExitStatus) -> Ending {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Exited(code),
        (None, Some(signal)) => Ending::Signalled(signal),
        (None, None) => unreachable!("wait4 without WUNTRACED reports only the dead"),
    }
}

fn is_interrupted(error: &SpawnError) -> bool {
    matches!(error, SpawnError::System { source, .. } if source.kind() == io::ErrorKind::Interrupted)
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let micros = u64::try_from(time.tv_usec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}
