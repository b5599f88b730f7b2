//! Seccomp: which system calls exist for the program.
//!
//! A list of what is allowed, so that calls which a newer kernel adds, and the x32 twins of all calls, are not. Everything else
//! answers `ENOSYS`, as on a kernel without it, which is what libraries know how to live with.

use std::collections::BTreeMap;

use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{BpfProgram, SeccompAction, SeccompCondition, SeccompFilter, SeccompRule, TargetArch};

use super::{Network, SandboxError};

#[path = "allowed.rs"]
mod allowed;

/// What the other mechanisms make harmless.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    /// What may be reached.
    pub(super) network: Network,
    /// All that may not be written is mounted read-only. Landlock alone lets everybody change modes, times and attributes.
    pub(super) read_only_mounts: bool,
    /// Processes end with the first one, whatever session they are in.
    pub(super) own_processes: bool,
}

/// The filter, compiled.
pub(super) fn compile(around: Around) -> Result<BpfProgram, SandboxError> {
    let arch: TargetArch = std::env::consts::ARCH.try_into()?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = allowed::always().map(|call| (call, Vec::new())).collect();
    if around.read_only_mounts {
        rules.extend(allowed::TIMES.iter().map(|&call| (call, Vec::new())));
        for &(call, mode) in allowed::MODES {
            rules.insert(call, vec![SeccompRule::new(vec![no_setuid(mode)?])?]);
        }
    }
    if around.own_processes {
        rules.extend([libc::SYS_setsid, libc::SYS_setpgid].map(|call| (call, Vec::new())));
    }
    match around.network {
        Network::None => {}
        Network::Private => {
            rules.extend(allowed::SOCKETS.iter().map(|&call| (call, Vec::new())));
            let family = |family: libc::c_int| SeccompRule::new(vec![is(0, family)?]);
            rules.insert(libc::SYS_socket, vec![family(libc::AF_INET)?, family(libc::AF_INET6)?]);
        }
        Network::Host => {
            rules.extend(allowed::SOCKETS.iter().map(|&call| (call, Vec::new())));
            rules.insert(libc::SYS_socket, Vec::new());
        }
    }
    rules.extend(with_arguments()?);
    let enosys = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    Ok(SeccompFilter::new(rules, enosys, SeccompAction::Allow, arch)?.try_into()?)
}

/// Calls that are allowed with some arguments only. The rules of one call are alternatives; the conditions of a rule all hold.
fn with_arguments() -> Result<Vec<(i64, Vec<SeccompRule>)>, seccompiler::BackendError> {
    let rule = SeccompRule::new;
    let mut rules = vec![
        // Threads and processes, but no namespaces: in one of its own a program has every capability again. `clone3` hides its
        // flags in memory and is not there; libraries fall back to this.
        (libc::SYS_clone, vec![rule(vec![masked(0, NAMESPACES, 0)?])?]),
        // Characters pushed into a terminal would be commands to the shell that reads them.
        (libc::SYS_ioctl, vec![rule(vec![is_not(1, libc::TIOCSTI)?, is_not(1, TIOCLINUX)?])?]),
        // Without the parent-death signal the program could outlive us.
        (libc::SYS_prctl, vec![rule(vec![is_not(0, i64::from(libc::PR_SET_PDEATHSIG))?])?]),
        // Own limits and own processors only.
        (libc::SYS_prlimit64, vec![rule(vec![is(0, 0)?])?]),
        (libc::SYS_sched_setaffinity, vec![rule(vec![is(0, 0)?])?]),
        // Pairs of connected streams. A datagram socket could be turned to an address after all.
        (
            libc::SYS_socketpair,
            vec![rule(vec![is(0, libc::AF_UNIX)?, masked(1, 0xf, libc::SOCK_STREAM.cast_unsigned().into())?])?],
        ),
        // No new setuid files: without mounts of its own, scratch is a directory in which others could run them. The mode counts
        // only where a file is created, and may be left-over bits otherwise.
        (libc::SYS_openat, vec![rule(vec![masked(2, CREATES, 0)?])?, rule(vec![no_setuid(3)?])?]),
        (libc::SYS_mkdirat, vec![rule(vec![no_setuid(2)?])?]),
        // Named pipes, and no devices.
        (libc::SYS_mknodat, vec![rule(vec![masked(2, FILE_TYPE | SETUID, libc::S_IFIFO.into())?])?]),
    ];
    // Asks for the current execution domain, or for addresses that are not random (some Lisps do).
    let domains = [0, 0x0004_0000, 0xffff_ffff_u32];
    let domain = |domain: u32| rule(vec![SeccompCondition::new(0, Dword, Eq, domain.into())?]);
    rules.push((libc::SYS_personality, domains.map(domain).into_iter().collect::<Result<_, _>>()?));
    #[cfg(target_arch = "x86_64")]
    rules.extend([
        (libc::SYS_open, vec![rule(vec![masked(1, CREATES, 0)?])?, rule(vec![no_setuid(2)?])?]),
        (libc::SYS_creat, vec![rule(vec![no_setuid(1)?])?]),
        (libc::SYS_mkdir, vec![rule(vec![no_setuid(1)?])?]),
        (libc::SYS_mknod, vec![rule(vec![masked(1, FILE_TYPE | SETUID, libc::S_IFIFO.into())?])?]),
    ]);
    Ok(rules)
}

/// The flags of `clone` that make namespaces: cgroup, IPC, mount, network, PID, user and UTS.
const NAMESPACES: u64 = 0x7e02_0000;
/// `O_CREAT`, and the bit of `O_TMPFILE` that is its own.
const CREATES: u64 = 0o100 | 0o20_000_000;
/// Set-user-ID and set-group-ID.
const SETUID: u64 = 0o6000;
/// `S_IFMT`.
const FILE_TYPE: u64 = 0o170_000;
/// Selects and pastes on the console.
const TIOCLINUX: u64 = 0x541c;

fn no_setuid(argument: u8) -> Result<SeccompCondition, seccompiler::BackendError> {
    masked(argument, SETUID, 0)
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, Qword, MaskedEq(mask), value)
}

fn is(argument: u8, value: libc::c_int) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, Dword, Eq, value.cast_unsigned().into())
}

/// Compares the lower half, which is all that the kernel looks at in these calls.
fn is_not<N: TryInto<u64>>(argument: u8, value: N) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, Dword, Ne, value.try_into().unwrap_or(0))
}

impl From<seccompiler::BackendError> for SandboxError {
    fn from(error: seccompiler::BackendError) -> Self {
        Self::Seccomp { reason: error.to_string() }
    }
}
