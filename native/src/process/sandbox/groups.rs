//! A control group around the program and all its descendants: how much memory, how many processes.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::sys;

/// Which limits of a group bind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) memory: bool,
    pub(super) processes: bool,
}

/// A group of control groups, version 2, made for one program; removed when dropped.
#[derive(Debug)]
pub(super) struct Group {
    path: PathBuf,
    members: OwnedFd,
    limits: Limits,
}

impl Group {
    /// A new group beside our own, with these limits; why not, otherwise.
    pub(super) fn new(processes: Option<u32>, memory_bytes: Option<u64>) -> Result<Self, String> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        if processes.is_none() && memory_bytes.is_none() {
            return Err("no limit was asked for".to_owned());
        }
        let parent = parent()?;
        let name = format!("porism-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = parent.join(name);
        let told = |error: io::Error| format!("not granted: {} cannot hold a group: {error}", parent.display());
        fs::create_dir(&path).map_err(told)?;
        Self::limited(path.clone(), processes, memory_bytes).map_err(|error| {
            let _ = fs::remove_dir(&path);
            told(error)
        })
    }

    fn limited(path: PathBuf, processes: Option<u32>, memory_bytes: Option<u64>) -> io::Result<Self> {
        let set = |file: &str, limit: Option<u64>| {
            limit.is_some_and(|limit| fs::write(path.join(file), limit.to_string()).is_ok())
        };
        // The two keepers are members too.
        let processes = set("pids.max", processes.map(|most| u64::from(most).saturating_add(2)));
        let memory = set("memory.max", memory_bytes);
        // Swap would be a way around; a kernel without it has no such file.
        set("memory.swap.max", memory_bytes.map(|_| 0));
        let members = fs::OpenOptions::new().write(true).open(path.join("cgroup.procs"))?.into();
        Ok(Self { path, members, limits: Limits { memory, processes } })
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// Moves this process in; for the child's side of the fork.
    pub(super) fn join(&self) -> io::Result<()> {
        sys::write(&self.members, b"0")
    }
}

impl Drop for Group {
    /// A group can be removed when its last member is gone. By now all were killed; what takes longer to die leaves an empty
    /// group behind.
    fn drop(&mut self) {
        let _ = fs::write(self.path.join("cgroup.kill"), "1");
        let _ = fs::remove_dir(&self.path);
    }
}

/// Which limits a group would have here.
pub(super) fn probe() -> Result<Limits, String> {
    Group::new(Some(u32::MAX), Some(1 << 50)).map(|group| group.limits())
}

/// The folder of our own group, or the one above it: a group with processes of its own cannot divide its resources further.
fn parent() -> Result<PathBuf, String> {
    let own = fs::read_to_string("/proc/self/cgroup").map_err(|error| error.to_string())?;
    let own =
        own.lines().find_map(|line| line.strip_prefix("0::/")).ok_or("there are no control groups of version 2")?;
    let root = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        .map(Path::new)
        .into_iter()
        .find(|root| root.join("cgroup.controllers").exists())
        .ok_or("control groups of version 2 are not mounted")?;
    let own = root.join(own);
    [Some(own.as_path()), own.parent().filter(|up| up.starts_with(root))]
        .into_iter()
        .flatten()
        .find(|folder| {
            fs::read_to_string(folder.join("cgroup.subtree_control"))
                .is_ok_and(|divided| divided.split_whitespace().any(|name| name == "memory" || name == "pids"))
        })
        .map(Path::to_owned)
        .ok_or_else(|| format!("neither memory nor pids can be limited below {}", own.display()))
}
