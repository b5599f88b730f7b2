//! Confinement of programs that run what strangers wrote.
//!
//! A candidate for Lean, Rocq or Isabelle is a program: it can open files, connect, start processes. A [`Sandbox`] says what it
//! may do; [`Sandbox::prepare`] turns that into rules before the fork, out of what this kernel grants, or refuses;
//! [`Prepared::apply`] puts them in force in the child, between fork and exec.
//!
//! | what | by what |
//! |---|---|
//! | files | landlock; own mounts, everything read-only that is not listed to be written |
//! | network | no call that makes a socket; a network namespace |
//! | processes outside | a PID namespace with its own `/proc`; landlock's scopes |
//! | the kernel | seccomp: a list of the calls that exist |
//! | privileges | no new ones, and all capabilities dropped |
//! | numbers | limits of the user namespace; a control group |
//!
//! Every mechanism that the kernel grants is used, also where one would do: a hole in one is not a hole in all.
//! The order in the child matters: whatever needs rights comes before these are given up, and the filter of system calls comes
//! last, since it would forbid all the rest.

mod calls;
mod files;
mod groups;
mod keeper;
mod mounts;
mod namespaces;
mod privileges;
mod probe;
mod report;
mod scratch;
mod sys;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

pub use report::{Entry, Guarantee, Report};

use files::Files;
use groups::Group;
use mounts::Mounts;
use namespaces::Namespaces;
use probe::Granted;
use scratch::Scratch;

/// What a confined program may do. Beyond the listed paths it may read and run what stands in the system's folders (`/usr`,
/// `/lib`, ..., not `/etc` or `/home`), and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// Files and folders that it may read, run and not change.
    pub read: Vec<PathBuf>,
    /// Files and folders that it may read and change; it may not run what lies there.
    pub write: Vec<PathBuf>,
    /// Whether it gets a folder of its own, whose name it finds in `TMPDIR`. The folder goes with the program.
    pub scratch: bool,
    /// What it may reach.
    pub network: Network,
    /// How many processes and threads it and its descendants may be at a time.
    pub processes: Option<u32>,
    /// How many bytes of memory it and its descendants may use, all together.
    pub memory_bytes: Option<u64>,
    /// What has to hold for it to be started at all.
    pub demand: Demand,
}

/// What a confined program may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// Nothing: there are no sockets but connected pairs.
    #[default]
    None,
    /// Itself: a loopback device of its own, for programs whose halves speak TCP with each other. Takes a network namespace.
    Private,
    /// Whatever the host reaches.
    Host,
}

/// What has to hold for a program to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Whatever the kernel grants will do. The report says what that was.
    BestEffort,
    /// All of these, or it is not started.
    AtLeast(Vec<Guarantee>),
}

impl Default for Demand {
    /// What hostile input calls for, and every kernel since 6.2 gives to everybody.
    fn default() -> Self {
        use Guarantee::{Calls, Files, Network, Privileges, Together};
        Self::AtLeast(vec![Privileges, Files, Network, Calls, Together])
    }
}

/// Why a sandbox cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The kernel does not grant what was demanded.
    #[error("the sandbox cannot guarantee {guarantee}: {reason}")]
    Unavailable {
        /// The first guarantee that does not hold.
        guarantee: Guarantee,
        /// Why not.
        reason: String,
    },
    /// A listed path cannot be opened.
    #[error("{} cannot be put into a sandbox: {reason}", path.display())]
    #[allow(missing_docs, reason = "the message says it")]
    Path { path: PathBuf, reason: String },
    /// More paths than a sandbox holds.
    #[error("a sandbox holds {most} paths and {listed} were listed")]
    #[allow(missing_docs, reason = "the message says it")]
    TooManyPaths { listed: usize, most: usize },
    /// The rules about files could not be made.
    #[error("landlock refused the rules: {reason}")]
    #[allow(missing_docs, reason = "the message says it")]
    Landlock { reason: String },
    /// The filter could not be made.
    #[error("the filter of system calls could not be compiled: {reason}")]
    #[allow(missing_docs, reason = "the message says it")]
    Seccomp { reason: String },
    /// The system ran out of something.
    #[error("{what} could not be made: {source}")]
    #[allow(missing_docs, reason = "the message says it")]
    System { what: &'static str, source: io::Error },
}

impl Sandbox {
    /// What this kernel grants to this user: the report that a sandbox with all limits and without a demand would have. Tried in
    /// children at the first call, and kept.
    pub fn probe() -> Report {
        let asked = Self { processes: Some(1), memory_bytes: Some(1), ..Self::default() };
        let group = groups::probe();
        report::of(&asked, Granted::here(), &group)
    }

    /// Makes the rules, and whatever the child will need, so that [`Prepared::apply`] allocates nothing.
    pub fn prepare(&self) -> Result<Prepared, SandboxError> {
        self.prepare_on(Granted::here())
    }

    /// The same for a kernel that grants this.
    fn prepare_on(&self, granted: &Granted) -> Result<Prepared, SandboxError> {
        let group = Group::new(self.processes, self.memory_bytes);
        let report = report::of(self, granted, &group.as_ref().map(Group::limits).map_err(Clone::clone));
        if let Demand::AtLeast(guarantees) = &self.demand {
            for &guarantee in guarantees {
                if let Some(reason) = report.missing(guarantee) {
                    return Err(SandboxError::Unavailable { guarantee, reason: reason.to_owned() });
                }
            }
        }
        if self.network == Network::Private && granted.network.is_err() {
            let reason = "a private network takes a network namespace".to_owned();
            return Err(SandboxError::Unavailable { guarantee: Guarantee::Network, reason });
        }

        let scratch = self.scratch.then(Scratch::new).transpose();
        let scratch = scratch.map_err(|source| SandboxError::System { what: "a scratch folder", source })?;
        let mut resolved =
            Self { read: files::resolved(&self.read)?, write: files::resolved(&self.write)?, ..self.clone() };
        let own_mounts = granted.mounts.is_ok();
        let own_processes = granted.processes.is_ok();
        let mounts = own_mounts
            .then(|| {
                let scratch = scratch.as_ref().map(Scratch::path);
                Mounts::new(&resolved.read, &resolved.write, scratch, granted.proc.is_ok())
            })
            .transpose()?;
        if !own_mounts {
            resolved.write.extend(scratch.as_ref().map(|scratch| scratch.path().to_owned()));
        }
        let files = match granted.landlock {
            Ok(version) => Some(Files::new(&resolved, version, granted.proc.is_ok())?),
            Err(_) => None,
        };
        let around = calls::Around { network: self.network, read_only_mounts: own_mounts, own_processes };
        let calls = granted.seccomp.is_ok().then(|| calls::compile(around)).transpose()?;
        Ok(Prepared {
            namespaces: Namespaces::new(flags(granted, self.network), self.network == Network::Private),
            // Counted from zero in a user namespace of its own, and never for root, whom this limit does not bind.
            processes: self
                .processes
                .filter(|_| granted.user != 0)
                .map(|most| if own_processes { most.saturating_add(2) } else { most }),
            own_processes,
            mounts,
            files,
            calls,
            group: group.ok(),
            report,
            scratch,
        })
    }
}

/// The namespaces to enter: all that are granted.
fn flags(granted: &Granted, network: Network) -> libc::c_int {
    let mut flags = granted.user;
    let rooms = [
        (&granted.mounts, libc::CLONE_NEWNS),
        (&granted.processes, libc::CLONE_NEWPID),
        (&granted.ipc, libc::CLONE_NEWIPC),
        (&granted.network, libc::CLONE_NEWNET),
    ];
    for (granted, flag) in rooms {
        if granted.is_ok() && !(flag == libc::CLONE_NEWNET && network == Network::Host) {
            flags |= flag;
        }
    }
    flags
}

/// A sandbox that waits for its child. It has to live as long as the child: the scratch folder and the control group go with it.
#[derive(Debug)]
pub struct Prepared {
    namespaces: Namespaces,
    own_processes: bool,
    mounts: Option<Mounts>,
    files: Option<Files>,
    calls: Option<seccompiler::BpfProgram>,
    processes: Option<u32>,
    group: Option<Group>,
    report: Report,
    scratch: Option<Scratch>,
}

impl Prepared {
    /// What is in force once [`Prepared::apply`] came back.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The program's own folder. Where mounts are granted, only the program sees what it puts there.
    pub fn scratch(&self) -> Option<&Path> {
        self.scratch.as_ref().map(Scratch::path)
    }

    /// Whether the spawned process and its child are keepers that stand around the program, and are not the program.
    pub fn has_keepers(&self) -> bool {
        self.own_processes
    }

    /// Confines this process, for good. For the child's side of the fork only: it makes async-signal-safe calls and allocates
    /// nothing. With a PID namespace it comes back in a grandchild, and the child becomes a keeper that ends as the program ends.
    ///
    /// An error leaves the process half confined; it must not go on to `exec`.
    pub fn apply(&self) -> io::Result<()> {
        if let Some(group) = &self.group {
            group.join()?;
        }
        self.namespaces.enter()?;
        if self.own_processes {
            keeper::enter()?;
        }
        privileges::refuse_new()?;
        if let Some(mounts) = &self.mounts {
            mounts.apply(self.files.as_ref())?;
        }
        if let Some(files) = &self.files {
            files.enforce()?;
        }
        privileges::drop_capabilities()?;
        if let Some(most) = self.processes {
            super::setup::lower_limit(libc::RLIMIT_NPROC, Some(most.into()), 0)?;
        }
        self.calls
            .as_ref()
            .map_or(Ok(()), |calls| seccompiler::apply_filter(calls).map_err(|_| io::Error::last_os_error()))
    }
}
