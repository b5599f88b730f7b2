//! Landlock: which files may be opened, run and changed; no TCP; no signals to the outside.
//!
//! The rules stand before the fork. What the child mounts for itself is added there, by one raw call a path.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::ptr;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, Scope,
};

use super::sys;
use super::{Network, Sandbox, SandboxError};

/// The newest version whose rights are used: the newest that this code was tried with.
const NEWEST: i32 = 7;

/// What nearly every program opens: libraries, the loader's list of them, the time zone, sources of zeros and random numbers.
/// Nothing in here is a secret. `/etc` as a whole is not here.
const SYSTEM: [&str; 17] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/gnu/store",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/etc/alternatives",
    "/etc/nsswitch.conf",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// What every process can read about the machine, where it has no `/proc` of its own.
const MACHINE: [&str; 4] = ["/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm/overcommit_memory"];

/// What may be done with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// Look and run.
    Read,
    /// Look and change, but not run: what a candidate writes is not a program.
    Write,
}

impl Right {
    fn bits(self, abi: ABI) -> BitFlags<AccessFs> {
        match self {
            Self::Read => AccessFs::from_read(abi),
            Self::Write => AccessFs::from_all(abi) & !AccessFs::Execute & !AccessFs::MakeChar & !AccessFs::MakeBlock,
        }
    }
}

/// The version of the kernel's landlock, or why there is none.
pub(super) fn version() -> io::Result<i32> {
    const VERSION: libc::c_uint = 1;
    // SAFETY: with this flag the call reads no structure.
    let found = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, ptr::null::<u8>(), 0_usize, VERSION) };
    sys::succeeded(found).map(|version| i32::try_from(version).unwrap_or(i32::MAX))
}

/// A finished set of rules.
#[derive(Debug)]
pub(super) struct Files {
    rules: OwnedFd,
    abi: ABI,
}

impl Files {
    /// The rules of `sandbox` for a kernel of that version. `own_proc`: the child will see a `/proc` without others.
    pub(super) fn new(sandbox: &Sandbox, version: i32, own_proc: bool) -> Result<Self, SandboxError> {
        let abi = ABI::from(version.min(NEWEST));
        let mut ruleset = Ruleset::default().handle_access(AccessFs::from_all(abi))?;
        if version >= 4 && sandbox.network == Network::None {
            ruleset = ruleset.handle_access(AccessNet::from_all(abi))?;
        }
        if version >= 6 {
            let scopes = Scope::from_all(abi);
            ruleset = ruleset.scope(if sandbox.network == Network::Host {
                scopes & !Scope::AbstractUnixSocket
            } else {
                scopes
            })?;
        }
        let mut rules = ruleset.create()?;
        let machine = if own_proc { &[][..] } else { &MACHINE[..] };
        for path in SYSTEM.iter().chain(machine).map(Path::new).filter(|path| path.exists()) {
            rules = allow(rules, path, Right::Read, abi)?;
        }
        rules = allow(rules, Path::new("/dev/null"), Right::Write, abi)?;
        for path in &sandbox.read {
            rules = allow(rules, path, Right::Read, abi)?;
        }
        for path in &sandbox.write {
            rules = allow(rules, path, Right::Write, abi)?;
        }
        let fd: Option<OwnedFd> = rules.into();
        fd.map(|rules| Self { rules, abi }).ok_or(SandboxError::Landlock { reason: "it went away".to_owned() })
    }

    /// Allows one directory more; for the child's side of the fork.
    pub(super) fn allow_later(&self, path: &CStr, right: Right) -> io::Result<()> {
        const PATH_BENEATH: libc::c_int = 1;
        let parent = sys::open(path, libc::O_PATH)?;
        let rule = Beneath { allowed: right.bits(self.abi).bits(), parent: parent.as_raw_fd() };
        let rules = self.rules.as_raw_fd();
        // SAFETY: the kernel reads a structure of this layout through the pointer.
        let returned = unsafe { libc::syscall(libc::SYS_landlock_add_rule, rules, PATH_BENEATH, &raw const rule, 0) };
        sys::succeeded(returned).map(drop)
    }

    /// Puts the rules in force for this process and all that it starts, for good; for the child's side of the fork.
    pub(super) fn enforce(&self) -> io::Result<()> {
        // SAFETY: takes two numbers.
        sys::succeeded(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, self.rules.as_raw_fd(), 0) }).map(drop)
    }
}

/// What the kernel calls `landlock_path_beneath_attr`.
#[repr(C, packed)]
struct Beneath {
    allowed: u64,
    parent: libc::c_int,
}

fn allow(rules: RulesetCreated, path: &Path, right: Right, abi: ABI) -> Result<RulesetCreated, SandboxError> {
    let refused = |reason: String| SandboxError::Path { path: path.to_owned(), reason };
    let fd = PathFd::new(path).map_err(|error| refused(error.to_string()))?;
    let about = path.metadata().map_err(|error| refused(error.to_string()))?;
    let mut bits = right.bits(abi);
    if !about.is_dir() {
        bits &= AccessFs::from_file(abi);
    }
    Ok(rules.add_rule(PathBeneath::new(fd, bits))?)
}

impl From<landlock::RulesetError> for SandboxError {
    fn from(error: landlock::RulesetError) -> Self {
        Self::Landlock { reason: error.to_string() }
    }
}

/// Listed paths as the kernel knows them: absolute and without links.
pub(super) fn resolved(paths: &[PathBuf]) -> Result<Vec<PathBuf>, SandboxError> {
    let resolve = |path: &PathBuf| {
        path.canonicalize().map_err(|error| SandboxError::Path { path: path.clone(), reason: error.to_string() })
    };
    paths.iter().map(resolve).collect()
}
