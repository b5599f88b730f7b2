//! A prover process that stays, spoken to in frames.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use porism_native::process::{Child, End, Ending, Launch, SpawnError, Stop, Until};

use super::framing::{Frames, Framing, FramingError};

/// Why a session did not answer. None of these says anything about what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The deadline has come.
    #[error("the deadline has come")]
    TimedOut,
    /// Somebody cancelled.
    #[error("it was cancelled")]
    Cancelled,
    /// The process ended instead.
    #[error("the process {}{}", ended_how(*ending), last_words(stderr_tail))]
    Ended {
        /// The last bytes of its standard error.
        stderr_tail: Vec<u8>,
        /// How it ended; `None` if the host reaped it behind our back.
        ending: Option<Ending>,
    },
    /// It answered, but not in frames. It stays so until [`Session::discard`]; better to end it.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// The system refused something.
    #[error(transparent)]
    System(#[from] SpawnError),
}

/// A child process with its framing. It dies with the thread that started it; see [`Child`].
pub struct Session {
    child: Child,
    frames: Frames,
}

impl Session {
    /// Starts the process. `max_frame_bytes` bounds one frame with all that stands before it.
    pub fn start(launch: &Launch, framing: Framing, max_frame_bytes: usize) -> Result<Self, SpawnError> {
        Ok(Self { child: Child::start(launch)?, frames: Frames::new(framing, max_frame_bytes) })
    }

    /// Writes `bytes` as they are: framing a request is the driver's part.
    pub fn send(&mut self, bytes: &[u8], until: &Until<'_>) -> Result<(), SessionError> {
        let sent = self.child.send(bytes, until);
        sent.map_err(|stop| self.explain(stop))
    }

    /// Waits for one frame.
    pub fn receive(&mut self, until: &Until<'_>) -> Result<Vec<u8>, SessionError> {
        loop {
            if let Some(frame) = self.frames.take()? {
                return Ok(frame);
            }
            match self.child.receive(self.frames.buffer(), until) {
                Ok(()) => {}
                Err(Stop::Ended) => {
                    return match self.frames.finish()? {
                        Some(frame) => Ok(frame),
                        None => Err(self.explain(Stop::Ended)),
                    };
                }
                Err(stop) => return Err(self.explain(stop)),
            }
        }
    }

    /// Sends, and waits for one frame.
    pub fn ask(&mut self, bytes: &[u8], until: &Until<'_>) -> Result<Vec<u8>, SessionError> {
        self.send(bytes, until)?;
        self.receive(until)
    }

    /// Sets the line that ends the next frames of [`Framing::Nonce`]; to be called before the request that makes the process
    /// print it. See [`nonce`].
    pub fn set_marker(&mut self, marker: &[u8]) -> Result<(), FramingError> {
        self.frames.set_marker(marker)
    }

    /// Forgets what was printed so far. Sound only when nothing more of it can come, or when frames end with a marker.
    pub fn discard(&mut self) {
        self.child.discard();
        self.frames.clear();
    }

    /// Closes its standard input; a process that reads to the end of file then does its work.
    pub fn close_input(&mut self) {
        self.child.close_input();
    }

    /// Sends `SIGINT` to its group.
    pub fn interrupt(&self) {
        self.child.interrupt();
    }

    /// Memory of all its processes; see [`Child::memory_bytes`].
    pub fn memory_bytes(&self) -> Option<u64> {
        self.child.memory_bytes()
    }

    /// Whether the process ended by itself. Frames may still wait to be received.
    pub fn has_ended(&mut self) -> bool {
        self.child.has_ended()
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// The last bytes of its standard error so far.
    pub fn stderr_tail(&self) -> &[u8] {
        self.child.stderr_tail()
    }

    /// Kills its group and reaps it.
    pub fn end(self) -> Result<End, SpawnError> {
        self.child.end()
    }

    fn explain(&self, stop: Stop) -> SessionError {
        match stop {
            Stop::TimedOut => SessionError::TimedOut,
            Stop::Cancelled => SessionError::Cancelled,
            Stop::System(error) => SessionError::System(error),
            Stop::Ended => {
                SessionError::Ended { stderr_tail: self.child.stderr_tail().to_vec(), ending: self.child.ending() }
            }
        }
    }
}

/// A word that nobody can guess, for a marker: `porism-` and 32 hexadecimal digits.
pub fn nonce() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // Keyed hashes of a counter, under keys that the system drew for this process: made to withstand those who choose inputs
    // and cannot see the keys, as here.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let [high, low] = [RandomState::new(), RandomState::new()].map(|keyed| keyed.hash_one(count));
    format!("porism-{high:016x}{low:016x}")
}

fn ended_how(ending: Option<Ending>) -> String {
    match ending {
        Some(Ending::Exited(code)) => format!("exited with code {code}"),
        Some(Ending::Signalled(signal)) => format!("was ended by signal {signal}"),
        _ => "ended".to_owned(),
    }
}

/// The last line of standard error that holds anything, cut for a sentence.
fn last_words(stderr_tail: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr_tail);
    match text.lines().map(str::trim).rfind(|line| !line.is_empty()) {
        Some(line) => format!(": {}", line.chars().take(200).collect::<String>()),
        None => String::new(),
    }
}
