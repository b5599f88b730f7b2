//! A child that stays: one talks to it through pipes until one ends it.

use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::AsRawFd;
use std::time::Instant;

use super::leader::{End, Leader};
use super::output::{Output, set_nonblocking};
use super::wait::{Woken, poll, readable, writable};
use super::{Cancel, Ending, Launch, SpawnError, memory_of_sessions};

/// Standard output that is held while nobody receives it. Beyond that the child waits in its own write, as with any pipe.
pub const HELD_BYTES: usize = 64 << 20;

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Until<'a> {
    /// The latest; `None` is for ever.
    pub deadline: Option<Instant>,
    /// Stops the wait from another thread, within a millisecond.
    pub cancel: &'a Cancel,
}

impl Until<'_> {
    /// Whether the wait is over, and why.
    fn check(&self) -> Result<(), Stop> {
        if self.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(Stop::TimedOut);
        }
        Ok(())
    }
}

/// Why sending or receiving came back early.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// [`Until::deadline`] has come.
    #[error("the deadline has come")]
    TimedOut,
    /// [`Until::cancel`] was used.
    #[error("it was cancelled")]
    Cancelled,
    /// The child ended, and all that it said was received.
    #[error("the process ended")]
    Ended,
    /// The system refused something.
    #[error(transparent)]
    System(#[from] SpawnError),
}

/// A running program: the leader of its own session, with pipes to all its standard descriptors.
///
/// Dropping it kills its process group and reaps it. It dies with the *thread* that started it, too: whoever keeps children
/// must start them on threads that live as long as they do, such as those of a pool.
pub struct Child {
    leader: Leader,
    output: Output,
    /// `None` once it was closed.
    input: Option<Input>,
    /// The leader was seen dead, its group is killed, and what lay in the pipes is taken.
    over: bool,
}

struct Input {
    writer: PipeWriter,
    /// The child's end, held open here as well: a pipe with a reader neither breaks nor sends `SIGPIPE`, whatever the host did
    /// with that signal. That the child is gone is learned from its pidfd.
    _reader: PipeReader,
}

impl Child {
    /// Starts it.
    pub fn start(launch: &Launch) -> Result<Self, SpawnError> {
        let (reader, writer) = io::pipe().map_err(|source| SpawnError::System { call: "pipe2", source })?;
        set_nonblocking(writer.as_raw_fd())?;
        let theirs = reader.try_clone().map_err(|source| SpawnError::System { call: "dup", source })?;
        let (leader, pipes) = Leader::spawn(launch, theirs.into())?;
        let output = Output::new(pipes, usize::MAX)?;
        Ok(Self { leader, output, input: Some(Input { writer, _reader: reader }), over: false })
    }

    /// Writes all of `bytes` to its standard input. What it prints meanwhile is taken and held, up to [`HELD_BYTES`], so that
    /// two full pipes do not wait for each other.
    ///
    /// A child that closed its input without ending is not noticed before the pipe is full and the deadline has come. After an
    /// early stop some of `bytes` may have been written.
    pub fn send(&mut self, mut bytes: &[u8], until: &Until<'_>) -> Result<(), Stop> {
        loop {
            until.check()?;
            if self.over {
                return Err(Stop::Ended);
            }
            let Some(input) = &mut self.input else { return Err(input_is_closed().into()) };
            match input.writer.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(source) => return Err(SpawnError::System { call: "write", source }.into()),
            }
            if bytes.is_empty() {
                return Ok(());
            }
            let fd = input.writer.as_raw_fd();
            self.wait(fd, until)?;
        }
    }

    /// Appends what it printed to `into`: at least one byte, or the reason why there is none. [`Stop::Ended`] comes only after
    /// everything was received.
    pub fn receive(&mut self, into: &mut Vec<u8>, until: &Until<'_>) -> Result<(), Stop> {
        loop {
            until.check()?;
            if self.output.held_bytes() > 0 {
                self.output.move_stdout(into);
                return Ok(());
            }
            if self.over {
                return Err(Stop::Ended);
            }
            self.wait(-1, until)?;
        }
    }

    /// Forgets the output that was not received, as far as it was written by now.
    pub fn discard(&mut self) {
        self.output.take_rest();
        self.output.forget_stdout();
    }

    /// Sleeps until there is something to do, and takes what was printed.
    fn wait(&mut self, input: libc::c_int, until: &Until<'_>) -> Result<(), SpawnError> {
        let [stdout, stderr] = self.output.fds();
        let stdout = if self.output.held_bytes() < HELD_BYTES { stdout } else { -1 };
        let asked = [
            readable(stdout),
            readable(stderr),
            readable(self.leader.pidfd()),
            readable(until.cancel.wake_fd()),
            writable(input),
        ];
        let Woken::Ready([stdout_ready, stderr_ready, ended, ..]) = poll(asked, until.deadline)? else {
            return Ok(());
        };
        if stdout_ready {
            self.output.take_stdout();
        }
        if stderr_ready {
            self.output.take_stderr();
        }
        if ended {
            self.settle();
        }
        Ok(())
    }

    /// Once the leader is dead: kills what it left, so that the pipes come to their end, and takes what lies in them.
    fn settle(&mut self) {
        if !self.over {
            self.leader.signal_group(libc::SIGKILL);
            self.output.take_rest();
            self.over = true;
        }
    }

    /// Closes its standard input: the child reads to the end of what was sent, and then finds the end of file.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Sends `SIGINT` to its group. A prover that knows how to be interrupted stays and answers that it was.
    pub fn interrupt(&self) {
        self.leader.signal_group(libc::SIGINT);
    }

    /// Memory of all processes of its session: the proportional size (PSS), in which a page that n processes share counts one
    /// n-th, or the resident size of those whose PSS may not be read. `None` when none of them lives.
    pub fn memory_bytes(&self) -> Option<u64> {
        memory_of_sessions(&[self.pid()]).first().copied().flatten()
    }

    /// The last bytes of its standard error, as far as it was taken; sending and receiving take it.
    pub fn stderr_tail(&self) -> &[u8] {
        self.output.stderr_tail()
    }

    /// Its process number, which is also that of its group and its session.
    pub fn pid(&self) -> u32 {
        self.leader.pid().cast_unsigned()
    }

    /// Whether it ended by itself. Output may still wait to be received.
    pub fn has_ended(&mut self) -> bool {
        self.ending().is_some()
    }

    /// How it ended, if it did.
    pub fn ending(&self) -> Option<Ending> {
        self.leader.ending()
    }

    /// Kills its group, reaps it, and says how it ended. Dropping does the same in silence.
    pub fn end(mut self) -> Result<End, SpawnError> {
        self.leader.end()
    }
}

fn input_is_closed() -> SpawnError {
    SpawnError::System { call: "write", source: io::ErrorKind::BrokenPipe.into() }
}
