//! What to start, and what it may use.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

/// A program with everything that is decided before it starts.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program. An absolute path says most clearly which; a bare name is looked for along the child's `PATH`.
    pub program: PathBuf,
    /// Its arguments, without its own name.
    pub args: Vec<OsString>,
    /// Its environment.
    pub env: Env,
    /// Its working directory; `None` is the caller's.
    pub dir: Option<PathBuf>,
    /// What each of its processes may use.
    pub limits: ChildLimits,
}

impl Launch {
    /// `program` without arguments, with the caller's environment and directory, and without limits.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Env::default(),
            dir: None,
            limits: ChildLimits::default(),
        }
    }

    /// The command that starts it; its pipes and what happens between fork and exec are not in it yet.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        match &self.env {
            Env::InheritedWith(variables) => command.envs(variables.iter().map(|(name, value)| (name, value))),
            Env::Only(variables) => command.env_clear().envs(variables.iter().map(|(name, value)| (name, value))),
        };
        command
    }
}

/// The environment of a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Env {
    /// The caller's, with these variables added or replaced.
    InheritedWith(Vec<(OsString, OsString)>),
    /// These variables and no others.
    Only(Vec<(OsString, OsString)>),
}

impl Default for Env {
    /// The caller's as it is.
    fn default() -> Self {
        Self::InheritedWith(Vec::new())
    }
}

/// What the system lets each process of a child use. `None` leaves the caller's own limit in force, and no limit is ever raised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChildLimits {
    /// Seconds of processor time (`RLIMIT_CPU`); the kernel sends `SIGXCPU` there and `SIGKILL` a second later. It counts over
    /// the whole life of a process, so it suits one that is started for a single question.
    pub cpu_s: Option<u64>,
    /// Address space (`RLIMIT_AS`). A backstop: mapped files count, so be generous.
    pub memory_bytes: Option<u64>,
    /// Processes and threads (`RLIMIT_NPROC`). The kernel counts all those of the user, not of the child alone, and does not
    /// hold root to it.
    pub processes: Option<u64>,
    /// Open descriptors (`RLIMIT_NOFILE`), the standard three among them.
    pub files: Option<u64>,
    /// Size of each file that is written (`RLIMIT_FSIZE`); the kernel sends `SIGXFSZ` to whoever goes beyond.
    pub file_bytes: Option<u64>,
}
