//! What holds, and by which means.

use std::fmt;

use super::groups::Limits;
use super::probe::Granted;
use super::{Network, Sandbox};

/// What a sandbox promises about the program in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Guarantee {
    /// It gains no rights: setuid programs, file capabilities and root's powers do nothing.
    Privileges,
    /// It opens only what was listed, and changes only what was listed to be written.
    Files,
    /// It reaches no other machine, no port of this one, and no socket of another process.
    Network,
    /// It can neither signal, trace nor read processes outside.
    Outside,
    /// It makes no system call but those that ordinary programs need.
    Calls,
    /// Nothing that it started outlives it.
    Together,
    /// It and its descendants are at most as many as asked.
    Processes,
    /// It and its descendants use at most as much memory as asked, all together.
    Memory,
}

impl Guarantee {
    /// Each of them.
    pub const ALL: [Self; 8] = [
        Self::Privileges,
        Self::Files,
        Self::Network,
        Self::Outside,
        Self::Calls,
        Self::Together,
        Self::Processes,
        Self::Memory,
    ];

    /// One word, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Privileges => "privileges",
            Self::Files => "files",
            Self::Network => "network",
            Self::Outside => "outside",
            Self::Calls => "calls",
            Self::Together => "together",
            Self::Processes => "processes",
            Self::Memory => "memory",
        }
    }

    /// The one of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|guarantee| guarantee.name() == name)
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// One mechanism of the kernel, or one guarantee that rests on several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What the documentation calls it.
    pub name: &'static str,
    /// Whether it is in force; in the report of [`Sandbox::probe`](super::Sandbox::probe), whether it can be.
    pub in_force: bool,
    /// Version and extent if so, and why not otherwise.
    pub detail: String,
}

/// Everything that is in force, and everything that is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// One entry a mechanism.
    pub mechanisms: Vec<Entry>,
    /// One entry a [`Guarantee`], in their order.
    pub guarantees: Vec<Entry>,
}

impl Report {
    /// Whether that is guaranteed.
    pub fn holds(&self, guarantee: Guarantee) -> bool {
        self.guarantees.iter().any(|entry| entry.name == guarantee.name() && entry.in_force)
    }
}

impl Entry {
    pub(super) fn new(name: &'static str, in_force: bool, detail: impl Into<String>) -> Self {
        Self { name, in_force, detail: detail.into() }
    }
}

impl Report {
    /// Why that is not guaranteed, if it is not.
    pub(super) fn missing(&self, guarantee: Guarantee) -> Option<&str> {
        let entry = self.guarantees.iter().find(|entry| entry.name == guarantee.name())?;
        (!entry.in_force).then_some(&entry.detail)
    }
}

/// What `asked` comes to on a kernel that grants this.
pub(super) fn of(asked: &Sandbox, granted: &Granted, group: &Result<Limits, String>) -> Report {
    Report { mechanisms: mechanisms(asked, granted, group), guarantees: guarantees(asked, granted, group) }
}

fn mechanisms(asked: &Sandbox, granted: &Granted, group: &Result<Limits, String>) -> Vec<Entry> {
    let entry = |name, result: &Result<(), String>, detail: &str| match result {
        Ok(()) => Entry::new(name, true, detail),
        Err(reason) => Entry::new(name, false, reason.as_str()),
    };
    let network = match asked.network {
        Network::Host => Err("the host's network was asked for".to_owned()),
        _ => granted.network.clone(),
    };
    let user = match granted.user {
        0 if granted.mounts.is_ok() => Err("not needed: this user may make the others without".to_owned()),
        0 => Err("not granted".to_owned()),
        _ => Ok(()),
    };
    let mut entries = vec![
        Entry::new("no_new_privs", true, "programs gain no rights from their files"),
        Entry::new("capabilities", true, "all dropped"),
        match &granted.landlock {
            Ok(version) => Entry::new("landlock", true, landlock_detail(*version)),
            Err(reason) => Entry::new("landlock", false, reason.as_str()),
        },
        entry("seccomp", &granted.seccomp, "all calls but those of ordinary programs answer ENOSYS"),
        entry("user_namespace", &user, "this user, and nobody else"),
        entry("mount_namespace", &granted.mounts, "read-only but for what is listed; own /tmp and /dev/shm"),
        entry("pid_namespace", &granted.processes, "own process numbers; all killed with the first"),
        entry("proc", &granted.proc, "own /proc, which shows no process outside"),
        entry("network_namespace", &network, "own network, with a loopback device and nothing else"),
        entry("ipc_namespace", &granted.ipc, "own System V objects and message queues"),
    ];
    entries.push(match group {
        Ok(limits) => {
            let names = [(limits.memory, "memory.max"), (limits.processes, "pids.max")];
            let set: Vec<&str> = names.into_iter().filter_map(|(set, name)| set.then_some(name)).collect();
            Entry::new("cgroup", !set.is_empty(), format!("version 2: {}", set.join(", ")))
        }
        Err(reason) => Entry::new("cgroup", false, reason.as_str()),
    });
    entries
}

fn landlock_detail(version: i32) -> String {
    let mut what = vec!["files"];
    let since = [(3, "truncation"), (4, "TCP"), (5, "devices"), (6, "signals and abstract sockets")];
    what.extend(since.into_iter().filter(|(first, _)| *first <= version).map(|(_, name)| name));
    format!("ABI {version}: {}", what.join(", "))
}

fn guarantees(asked: &Sandbox, granted: &Granted, group: &Result<Limits, String>) -> Vec<Entry> {
    let landlock = granted.landlock.as_ref().copied().unwrap_or(0);
    let (mounts, seccomp, processes) = (granted.mounts.is_ok(), granted.seccomp.is_ok(), granted.processes.is_ok());
    let counts_users = granted.user != 0;
    Guarantee::ALL
        .into_iter()
        .map(|guarantee| {
            let (holds, otherwise) = match guarantee {
                Guarantee::Privileges => (true, ""),
                // Before version 3 landlock let every file be cut to nothing, and it never looks at modes and times.
                Guarantee::Files => (
                    landlock >= 3 && (mounts || seccomp) || landlock >= 1 && mounts,
                    "takes landlock, and before its version 3 a mount namespace",
                ),
                Guarantee::Network => match asked.network {
                    Network::None => (seccomp, "takes seccomp"),
                    Network::Private => (seccomp && granted.network.is_ok(), "takes seccomp and a network namespace"),
                    Network::Host => (false, "the host's network was asked for"),
                },
                Guarantee::Outside => (
                    landlock >= 6 && seccomp || processes && granted.proc.is_ok(),
                    "takes landlock since version 6 with seccomp, or a PID namespace with its own /proc",
                ),
                Guarantee::Calls => (seccomp, "takes seccomp"),
                Guarantee::Together => (processes || seccomp, "takes a PID namespace or seccomp"),
                Guarantee::Processes => (
                    asked.processes.is_some() && (counts_users || group.as_ref().is_ok_and(|limits| limits.processes)),
                    "takes a number, and a control group or (not for root) a user namespace",
                ),
                Guarantee::Memory => (
                    asked.memory_bytes.is_some() && group.as_ref().is_ok_and(|limits| limits.memory),
                    "takes a number and a control group",
                ),
            };
            Entry::new(guarantee.name(), holds, if holds { "holds" } else { otherwise })
        })
        .collect()
}
