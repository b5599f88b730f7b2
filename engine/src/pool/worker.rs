//! What a pool keeps warm, and by which name.

use std::fmt;
use std::sync::Arc;

use porism_native::process::memory_of_sessions;

use super::session::Session;
use crate::queue::Key;

/// Something that is costly to start and can be used again: a prover's process, or a test's stand-in.
pub trait Worker: Send + 'static {
    /// By what its memory is read from any thread and while it is at work, such as the number of its process.
    type Meter: Clone + Send + 'static;

    /// Its own.
    fn meter(&self) -> Self::Meter;

    /// Reads the memory of many workers in one go, in bytes each; `None` when that cannot be told, also because one has ended.
    fn measure(meters: &[Self::Meter]) -> Vec<Option<u64>>;

    /// Asks it to leave what it does and to listen again.
    fn interrupt(&self);

    /// Whether it is gone already.
    fn has_ended(&mut self) -> bool;

    /// Ends it for good; nothing of it is left afterwards.
    fn end(self);
}

impl Worker for Session {
    type Meter = u32;

    fn meter(&self) -> u32 {
        self.pid()
    }

    fn measure(meters: &[u32]) -> Vec<Option<u64>> {
        memory_of_sessions(meters)
    }

    fn interrupt(&self) {
        self.interrupt();
    }

    fn has_ended(&mut self) -> bool {
        self.has_ended()
    }

    fn end(self) {
        // What fails here is the reaping, when the host has reaped it already. The group is killed in any case.
        let _ = self.end();
    }
}

/// Which workers can stand in for each other: the same program, of the same version, with the same things loaded.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WorkerKey {
    prover: Arc<str>,
    digest: Key,
}

impl WorkerKey {
    /// The key of a `prover` of some `version` (a name, or a digest of the program) that has read `header`.
    pub fn new(prover: impl Into<Arc<str>>, version: &str, header: &[u8]) -> Self {
        let prover = prover.into();
        let digest = Key::of([prover.as_bytes(), version.as_bytes(), header]);
        Self { prover, digest }
    }

    /// The name of the prover.
    pub fn prover(&self) -> &Arc<str> {
        &self.prover
    }
}

impl fmt::Debug for WorkerKey {
    /// Two headers of a prover are told apart by the beginning of their digests.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{:04x}", self.prover, self.digest.spread())
    }
}
