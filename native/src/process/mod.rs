//! Child processes that always end.
//!
//! [`run`] asks a program one question: it starts it in a session of its own, feeds it, collects what it prints, and comes back
//! when it ended, when its time is over, when somebody cancelled it or when it printed too much. [`Child`] is a program that
//! stays: one sends and receives as long as one likes, and then ends or drops it. Either way the program and everything in its
//! process group is killed and reaped in the end: nothing is left behind, neither a zombie nor an open descriptor.
//!
//! * One thread waits, in one `poll(2)`, for the pipes, the end of the child (a pidfd) and the cancel token (an eventfd).
//! * A child that never reads its input can neither block us nor break a pipe: for [`run`] the input is a file in memory, and a
//!   [`Child`] has a pipe that we keep open at both ends and never wait for without a deadline or a token.
//! * The child dies with the thread that started it. [`run`] keeps that thread until the child is reaped.
//! * A grandchild that keeps the pipes open does not keep us: once the leader is gone the group is killed, and only what
//!   already lies in the pipes is read. A grandchild that opens a session of its own escapes; holding it takes a sandbox.
//!
//! Linux only: pidfd, memfd, eventfd and the parent-death signal have no portable twins, and an imitation by polling would
//! not keep the promises above.

#[cfg(not(target_os = "linux"))]
compile_error!("porism-native runs child processes on Linux only: it needs pidfd, memfd, eventfd and PR_SET_PDEATHSIG");

mod cancel;
mod child;
mod launch;
mod leader;
mod memory;
mod output;
mod setup;
mod wait;

#[cfg(test)]
mod child_tests;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::ops::ControlFlow;
use std::os::fd::FromRawFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use cancel::Cancel;
pub use child::{Child, HELD_BYTES, Stop, Until};
pub use launch::{ChildLimits, Env, Launch};
pub use leader::End;
pub use memory::memory_of_sessions;

use leader::Leader;
use output::Output;

/// How much of standard error is kept: its last bytes.
pub const STDERR_TAIL_BYTES: usize = 64 << 10;

/// What a child may use before it is killed.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Time on the wall clock.
    pub wall: Duration,
    /// Seconds of processor time (`RLIMIT_CPU`) of each process; the kernel sends `SIGXCPU` there and `SIGKILL` a second later.
    pub cpu_s: Option<u64>,
    /// Address space (`RLIMIT_AS`) of each process. A backstop: mapped files count, so be generous.
    pub memory_bytes: Option<u64>,
    /// Bytes of standard output.
    pub max_output_bytes: usize,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The program ended by itself, with this code.
    Exited(i32),
    /// A signal that we did not send ended it.
    Signalled(i32),
    /// [`Limits::wall`] was over.
    TimedOut,
    /// The token, or the watch, asked to stop.
    Cancelled,
    /// It printed more than [`Limits::max_output_bytes`].
    OutputTooLarge,
}

/// What a run left.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// What it printed, at most [`Limits::max_output_bytes`].
    pub stdout: Vec<u8>,
    /// The last [`STDERR_TAIL_BYTES`] of its standard error.
    pub stderr_tail: Vec<u8>,
    /// Time on the wall clock, from before the start until it was reaped.
    pub wall: Duration,
    /// Processor time of the child and of the descendants that it waited for.
    pub cpu: Duration,
    /// The largest resident size. An upper bound: the kernel counts the copy of the parent that existed before `exec`.
    pub max_rss_bytes: u64,
}

/// Why a run could not be started or watched; no verdict about what the program would have said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// There is no such program.
    #[error("no program at {}", program.display())]
    NotFound {
        /// What was to be started.
        program: PathBuf,
    },
    /// The program exists and the system would not start it.
    #[error("{} could not be started: {source}", program.display())]
    Refused {
        /// What was to be started.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The system ran out of something that a run needs.
    #[error("{call} failed: {source}")]
    System {
        /// The system call.
        call: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

/// Asked now and then during a run whether to go on; this is how a host notices its own signals.
pub struct Watch<'a> {
    /// The longest time between two questions. A signal that arrives in the running thread asks at once.
    pub every: Duration,
    /// Answers [`ControlFlow::Break`] to cancel.
    pub ask: &'a mut dyn FnMut() -> ControlFlow<()>,
}

/// Runs `program` with `args`, hands it `stdin`, and returns when nothing of it is left.
///
/// The program gets the environment and the working directory of the caller, and no descriptor besides the standard three.
pub fn run(
    program: &Path,
    args: &[OsString],
    stdin: &[u8],
    limits: &Limits,
    cancel: &Cancel,
    watch: Option<Watch<'_>>,
) -> Result<Outcome, SpawnError> {
    let started = Instant::now();
    let launch = Launch {
        args: args.to_vec(),
        limits: ChildLimits { cpu_s: limits.cpu_s, memory_bytes: limits.memory_bytes, ..ChildLimits::default() },
        ..Launch::new(program)
    };
    let (mut leader, pipes) = Leader::spawn(&launch, in_memory(stdin)?.into())?;
    let mut output = Output::new(pipes, limits.max_output_bytes)?;

    let deadline = started.checked_add(limits.wall);
    let stopped = wait::until_over(&leader, &mut output, deadline, cancel, watch)?;
    let end = leader.end()?;
    output.take_rest();

    let ending = match stopped {
        Some(stopped) => stopped,
        None if output.is_too_large() => Ending::OutputTooLarge,
        None => end.ending,
    };
    let (stdout, stderr_tail) = output.into_parts();
    Ok(Outcome { ending, stdout, stderr_tail, wall: started.elapsed(), cpu: end.cpu, max_rss_bytes: end.max_rss_bytes })
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

/// Turns the `-1` of a system call into its error.
fn checked(call: &'static str, returned: libc::c_int) -> Result<libc::c_int, SpawnError> {
    if returned == -1 { Err(failed(call)) } else { Ok(returned) }
}

/// The error that `call` just left in `errno`.
fn failed(call: &'static str) -> SpawnError {
    SpawnError::System { call, source: io::Error::last_os_error() }
}
