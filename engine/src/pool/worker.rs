//! What a pool keeps warm, and by which name.

use std::fmt;
use std::sync::Arc;

use crate::queue::Key;

/// Reads how much memory a worker uses, in bytes, from any thread and while the worker is at work; `None` when that cannot be told,
/// also because it has ended.
pub type Meter = Arc<dyn Fn() -> Option<u64> + Send + Sync>;

/// Something that is costly to start and can be used again: a prover's process, or a test's stand-in.
pub trait Worker: Send + 'static {
    /// Asks it to leave what it does and to listen again.
    fn interrupt(&self);

    /// What reads its memory.
    fn meter(&self) -> Meter;

    /// Whether it is gone already.
    fn has_ended(&mut self) -> bool;

    /// Ends it for good; nothing of it is left afterwards.
    fn end(self);
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
