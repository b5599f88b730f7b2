//! The started program: the leader of its own session and process group.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::{Ending, Limits, SpawnError, checked, failed};

/// The reading ends of a child's output.
pub(super) struct Pipes {
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

/// How the leader itself ended, and what it used.
pub(super) struct End {
    pub(super) ending: Ending,
    pub(super) cpu: Duration,
    pub(super) max_rss_bytes: u64,
}

/// A child that has not been reaped. Until then its number cannot be given to another process, so signals cannot go astray.
pub(super) struct Leader {
    pid: libc::pid_t,
    pidfd: OwnedFd,
    reaped: bool,
}

impl Leader {
    pub(super) fn spawn(
        program: &Path,
        args: &[OsString],
        stdin: &[u8],
        limits: &Limits,
    ) -> Result<(Self, Pipes), SpawnError> {
        let mut command = Command::new(program);
        command.args(args).stdin(in_memory(stdin)?).stdout(Stdio::piped()).stderr(Stdio::piped());
        let setup = Setup::new(limits);
        // SAFETY: between fork and exec only async-signal-safe calls are allowed; `Setup::apply` makes no others and does not
        // allocate.
        unsafe { command.pre_exec(move || setup.apply()) };

        let mut child = command.spawn().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => SpawnError::NotFound { program: program.to_owned() },
            _ => SpawnError::Refused { program: program.to_owned(), source },
        })?;
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

    /// Kills what is left of the group and reaps the leader.
    pub(super) fn end(&mut self) -> Result<End, SpawnError> {
        // The group goes first: its number is the leader's, and reaping would set that free.
        // SAFETY: plain numbers; the un-reaped leader keeps the group's number ours.
        unsafe { libc::killpg(self.pid, libc::SIGKILL) };
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

/// What the child does to itself between fork and exec. Everything is computed before, since the child must not allocate.
#[derive(Clone, Copy)]
struct Setup {
    parent: libc::pid_t,
    cpu_s: Option<u64>,
    memory_bytes: Option<u64>,
}

impl Setup {
    fn new(limits: &Limits) -> Self {
        // SAFETY: takes nothing and cannot fail.
        let parent = unsafe { libc::getpid() };
        Self { parent, cpu_s: limits.cpu_s, memory_bytes: limits.memory_bytes }
    }

    fn apply(self) -> io::Result<()> {
        // SAFETY: no arguments. A session of its own takes the child off the terminal: Ctrl-C is the parent's to handle.
        succeeded(unsafe { libc::setsid() })?;
        self.die_with_parent()?;
        // A shell starts background jobs with these ignored, and exec hands that on.
        for signal in [libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGXCPU] {
            // SAFETY: `SIG_DFL` installs no code of ours.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        keep_only_standard_descriptors();
        lower_limit(libc::RLIMIT_CORE, 0, 0)?;
        if let Some(seconds) = self.cpu_s {
            lower_limit(libc::RLIMIT_CPU, seconds, seconds.saturating_add(1))?;
        }
        if let Some(bytes) = self.memory_bytes {
            lower_limit(libc::RLIMIT_AS, bytes, bytes)?;
        }
        Ok(())
    }

    fn die_with_parent(self) -> io::Result<()> {
        // SAFETY: this option takes one number.
        succeeded(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })?;
        // A parent that died before the line above sends no signal any more.
        // SAFETY: takes nothing and cannot fail.
        if unsafe { libc::getppid() } == self.parent { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ESRCH)) }
    }
}

/// Marks all others close-on-exec: ours are already, but the host may hold or have inherited some that are not.
fn keep_only_standard_descriptors() {
    // SAFETY: plain numbers. Marking closes nothing yet, so the pipe through which std reports a failed exec still works. A
    // kernel older than 5.11 refuses, and then what the host left open stays open.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
}

#[cfg(target_env = "musl")]
type Resource = libc::c_int;
#[cfg(not(target_env = "musl"))]
type Resource = libc::__rlimit_resource_t;

/// Sets a limit, but never above the one that is in force already: raising it would be refused.
pub(super) fn lower_limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live local of the right type.
    succeeded(unsafe { libc::getrlimit(resource, &raw mut limit) })?;
    limit.rlim_max = limit.rlim_max.min(hard);
    limit.rlim_cur = soft.min(limit.rlim_max);
    // SAFETY: as above; the kernel only reads it.
    succeeded(unsafe { libc::setrlimit(resource, &raw const limit) })
}

/// Like `checked`, for the child's side of the fork, where nothing may allocate.
fn succeeded(returned: libc::c_int) -> io::Result<()> {
    if returned == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A file without a name that holds `bytes` and stands at its beginning.
fn in_memory(bytes: &[u8]) -> Result<File, SpawnError> {
    // SAFETY: the name is a C string literal.
    let fd = checked("memfd_create", unsafe { libc::memfd_create(c"stdin".as_ptr(), libc::MFD_CLOEXEC) })?;
    // SAFETY: the kernel just gave us `fd`; nobody else owns it.
    let mut file = unsafe { File::from_raw_fd(fd) };
    file.write_all(bytes)
        .and_then(|()| file.rewind())
        .map_err(|source| SpawnError::System { call: "write to memfd", source })?;
    Ok(file)
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
