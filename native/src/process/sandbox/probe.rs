//! What this kernel grants, found by trying it in a child, once.

use std::io;
use std::sync::OnceLock;

use super::keeper;
use super::mounts::Mounts;
use super::namespaces::Namespaces;
use super::{files, sys};

/// What can be had. A refusal keeps its reason.
#[derive(Clone, Debug)]
pub(super) struct Granted {
    /// The version of landlock.
    pub(super) landlock: Result<i32, String>,
    /// Whether filters of system calls are there, on an architecture that we can write them for.
    pub(super) seccomp: Result<(), String>,
    /// `CLONE_NEWUSER` if the other namespaces take it, 0 if they do not or none is granted.
    pub(super) user: libc::c_int,
    pub(super) mounts: Result<(), String>,
    pub(super) processes: Result<(), String>,
    /// A `/proc` of its own, which takes both of the above.
    pub(super) proc: Result<(), String>,
    pub(super) network: Result<(), String>,
    pub(super) ipc: Result<(), String>,
}

impl Granted {
    /// Tried at the first call, and kept.
    pub(super) fn here() -> &'static Self {
        static GRANTED: OnceLock<Granted> = OnceLock::new();
        GRANTED.get_or_init(Self::try_all)
    }

    fn try_all() -> Self {
        // Someone who may mount needs no user namespace, and is better off without one: containers often forbid them.
        let with = |flags: libc::c_int| {
            let namespaces = Namespaces::new(flags, flags & libc::CLONE_NEWNET != 0);
            move || namespaces.enter()
        };
        let is_privileged = in_child(with(libc::CLONE_NEWNS)).is_ok();
        let is_user_granted = !is_privileged && in_child(with(libc::CLONE_NEWUSER)).is_ok();
        let user = if is_user_granted { libc::CLONE_NEWUSER } else { 0 };
        let mounts = mounts_granted(user);
        let own_processes = with(user | libc::CLONE_NEWPID);
        let processes = in_child(|| own_processes().and_then(|()| keeper::enter()));
        let proc = mounts.as_ref().map_err(Clone::clone).and_then(|()| proc_granted(user)).and(processes.clone());
        Self {
            landlock: files::version().map_err(|error| match error.raw_os_error() {
                Some(libc::ENOSYS) => "the kernel was built without it".to_owned(),
                Some(libc::EOPNOTSUPP) => "it was switched off when the kernel was started".to_owned(),
                _ => error.to_string(),
            }),
            seccomp: seccomp_granted(),
            user,
            mounts,
            processes,
            proc,
            network: in_child(with(user | libc::CLONE_NEWNET)),
            ipc: in_child(with(user | libc::CLONE_NEWIPC)),
        }
    }
}

fn mounts_granted(user: libc::c_int) -> Result<(), String> {
    let namespaces = Namespaces::new(user | libc::CLONE_NEWNS, false);
    let none: [&str; 0] = [];
    let mounts = Mounts::new(&none, &none, None, false).map_err(|error| error.to_string())?;
    in_child(move || {
        namespaces.enter()?;
        mounts.apply(None)
    })
}

fn proc_granted(user: libc::c_int) -> Result<(), String> {
    let namespaces = Namespaces::new(user | libc::CLONE_NEWNS | libc::CLONE_NEWPID, false);
    let none: [&str; 0] = [];
    let mounts = Mounts::new(&none, &none, None, true).map_err(|error| error.to_string())?;
    in_child(move || {
        namespaces.enter()?;
        keeper::enter()?;
        mounts.apply(None)
    })
}

fn seccomp_granted() -> Result<(), String> {
    seccompiler::TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
    let action = libc::SECCOMP_RET_ERRNO;
    let (operation, flags): (libc::c_uint, libc::c_uint) = (libc::SECCOMP_GET_ACTION_AVAIL, 0);
    // SAFETY: the operation reads one number through the pointer.
    let returned = unsafe { libc::syscall(libc::SYS_seccomp, operation, flags, &raw const action) };
    sys::succeeded(returned).map(drop).map_err(|error| error.to_string())
}

/// Runs `attempt` in a child, and tells how it went. `attempt` must be fit for a child
/// between fork and exec; it is built before.
fn in_child(attempt: impl FnOnce() -> io::Result<()>) -> Result<(), String> {
    let told = || -> io::Result<i32> {
        let (read, write) = sys::pipe()?;
        // SAFETY: the child runs `attempt`, which is fit for it, writes and ends.
        let child = unsafe { sys::fork(true) }?;
        if child == 0 {
            let error = attempt().err().and_then(|error| error.raw_os_error()).unwrap_or(0);
            let _ = sys::write(&write, &error.to_le_bytes());
            sys::exit(0);
        }
        drop(write);
        let mut bytes = [0; 4];
        let read = sys::read(&read, &mut bytes);
        sys::wait(child)?;
        read.map(|()| i32::from_le_bytes(bytes))
    };
    match told() {
        Ok(0) => Ok(()),
        Ok(error) => Err(format!("not granted: {}", io::Error::from_raw_os_error(error))),
        Err(error) => Err(format!("could not be tried: {error}")),
    }
}
