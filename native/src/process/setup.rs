//! What a child does to itself between fork and exec.

use std::io;

use super::ChildLimits;

/// Everything is computed before the fork, since the child must not allocate.
#[derive(Clone, Copy)]
pub(super) struct Setup {
    parent: libc::pid_t,
    limits: ChildLimits,
}

impl Setup {
    pub(super) fn new(limits: ChildLimits) -> Self {
        // SAFETY: takes nothing and cannot fail.
        let parent = unsafe { libc::getpid() };
        Self { parent, limits }
    }

    /// Makes async-signal-safe calls only, and allocates nothing.
    pub(super) fn apply(self) -> io::Result<()> {
        // SAFETY: no arguments. A session of its own takes the child off the terminal: Ctrl-C is the parent's to handle.
        succeeded(unsafe { libc::setsid() })?;
        self.die_with_parent()?;
        reset_signals();
        keep_only_standard_descriptors();
        self.lower_limits()
    }

    fn die_with_parent(self) -> io::Result<()> {
        // SAFETY: this option takes one number.
        succeeded(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })?;
        // A parent that died before the line above sends no signal any more.
        // SAFETY: takes nothing and cannot fail.
        if unsafe { libc::getppid() } == self.parent { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ESRCH)) }
    }

    fn lower_limits(self) -> io::Result<()> {
        let ChildLimits { cpu_s, memory_bytes, processes, files, file_bytes } = self.limits;
        lower_limit(libc::RLIMIT_CORE, Some(0), 0)?;
        lower_limit(libc::RLIMIT_CPU, cpu_s, 1)?;
        lower_limit(libc::RLIMIT_AS, memory_bytes, 0)?;
        lower_limit(libc::RLIMIT_NPROC, processes, 0)?;
        lower_limit(libc::RLIMIT_NOFILE, files, 0)?;
        lower_limit(libc::RLIMIT_FSIZE, file_bytes, 0)
    }
}

/// A shell starts background jobs with some signals ignored, and hosts ignore others (Python: `SIGPIPE`, `SIGXFSZ`); exec hands
/// that on, and a program that does not expect it can neither be interrupted nor wait for its own children.
fn reset_signals() {
    // The standard signals. `SIGKILL` and `SIGSTOP` refuse, which changes nothing.
    for signal in 1..=31 {
        // SAFETY: `SIG_DFL` installs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
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

/// Sets a limit if there is one, the hard one `margin` above it, but never above what is in force already: raising is refused.
fn lower_limit(resource: Resource, limit: Option<u64>, margin: u64) -> io::Result<()> {
    let Some(soft) = limit else { return Ok(()) };
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live local of the right type.
    succeeded(unsafe { libc::getrlimit(resource, &raw mut limit) })?;
    limit.rlim_max = limit.rlim_max.min(soft.saturating_add(margin));
    limit.rlim_cur = limit.rlim_cur.min(soft).min(limit.rlim_max);
    // SAFETY: as above; the kernel only reads it.
    succeeded(unsafe { libc::setrlimit(resource, &raw const limit) })
}

/// Like `checked`, for the child's side of the fork, where nothing may allocate.
fn succeeded(returned: libc::c_int) -> io::Result<()> {
    if returned == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
