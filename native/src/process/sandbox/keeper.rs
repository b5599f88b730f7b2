//! The two processes around a program in a PID namespace of its own.
//!
//! ```text
//! leader   the child that was spawned; outside. Waits, and ends as the program ended
//! `- init  the first process inside. Collects the dead; when it ends, the kernel kills everything inside
//!    `- the program
//! ```
//!
//! Neither runs another program: both are forks of the host that hold no descriptor of it, block all signals and only wait.
//! Whoever kills the leader's group kills init with it, so nothing inside survives, whatever session it moved to.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};

use super::sys;

/// Comes back in the program's process only, the grandchild of the caller. The caller has unshared its PID namespace.
pub(super) fn enter() -> io::Result<()> {
    set_signal_mask(true);
    let (read, write) = sys::pipe()?;
    // SAFETY: everything that the child does, here and in the caller, is async-signal-safe.
    if unsafe { sys::fork(false) }? != 0 {
        drop(write);
        lead(&read);
    }
    drop(read);
    // The parent is outside, where its number means nothing here: a broken pipe says that it ended before this line.
    sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL.cast_unsigned().into(), 0)?;
    if is_broken(&write) {
        sys::exit(1);
    }
    // SAFETY: as above.
    let program = unsafe { sys::fork(false) }?;
    if program != 0 {
        collect(program, &write);
    }
    set_signal_mask(false);
    Ok(())
}

/// The leader: ends as the program did.
fn lead(status: &OwnedFd) -> ! {
    keep_only(status);
    let mut bytes = [0; 4];
    let told = sys::read(status, &mut bytes);
    // Adds the processor time of everything inside to ours.
    let ended = sys::wait(-1);
    let status = match (told, ended) {
        (Ok(()), _) => libc::c_int::from_le_bytes(bytes),
        // Init was killed, or could not start the program and has said so through the pipe of the spawner.
        (Err(_), Ok((_, status))) => status,
        (Err(_), Err(_)) => sys::exit(1),
    };
    if libc::WIFSIGNALED(status) {
        die_of(libc::WTERMSIG(status));
    }
    sys::exit(libc::WEXITSTATUS(status))
}

/// Init: waits for the program and for all orphans, and ends with the program.
fn collect(program: libc::pid_t, status: &OwnedFd) -> ! {
    keep_only(status);
    // What the host had in memory is no business of a program that may look for it in `/proc`.
    let _ = sys::prctl(libc::PR_SET_DUMPABLE, 0, 0);
    loop {
        match sys::wait(-1) {
            Ok((ended, how)) if ended == program => {
                let _ = sys::write(status, &how.to_le_bytes());
                sys::exit(0);
            }
            Ok(_) => {}
            Err(_) => sys::exit(1),
        }
    }
}

fn keep_only(fd: &OwnedFd) {
    sys::close_range(0, fd.as_raw_fd() - 1);
    sys::close_range(fd.as_raw_fd() + 1, libc::c_int::MAX);
}

/// Whether nobody reads any more.
fn is_broken(write: &OwnedFd) -> bool {
    let mut entry = libc::pollfd { fd: write.as_raw_fd(), events: 0, revents: 0 };
    // SAFETY: the pointer is to one live entry.
    let found = unsafe { libc::poll(&raw mut entry, 1, 0) };
    found == 1 && entry.revents & libc::POLLERR != 0
}

/// Blocks all signals, or none.
fn set_signal_mask(block: bool) {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    if block {
        // SAFETY: the call fills the set.
        unsafe { libc::sigfillset(set.as_mut_ptr()) };
    } else {
        // SAFETY: the call fills the set.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    }
    // SAFETY: the set was filled above, and the old one is not asked for.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), std::ptr::null_mut()) };
}

fn die_of(signal: libc::c_int) -> ! {
    // SAFETY: `SIG_DFL` installs no code of ours.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
    // SAFETY: takes nothing and cannot fail.
    let own = unsafe { libc::getpid() };
    // SAFETY: takes two numbers.
    unsafe { libc::kill(own, signal) };
    set_signal_mask(false);
    // For a signal that does not end a process.
    sys::exit(128 + signal)
}
