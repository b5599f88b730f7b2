//! Namespaces: own mounts, processes, network and System V objects.

use std::ffi::CStr;
use std::io;
use std::os::fd::AsRawFd;

use super::sys;

/// What the child unshares, and the maps of its user namespace if it takes one to be allowed to.
#[derive(Debug)]
pub(super) struct Namespaces {
    flags: libc::c_int,
    maps: Option<Maps>,
    loopback: bool,
}

#[derive(Debug)]
struct Maps {
    users: Vec<u8>,
    groups: Vec<u8>,
}

impl Namespaces {
    /// `flags` are those of `unshare`; with `CLONE_NEWUSER` among them, this user stays who it is and nobody else exists.
    pub(super) fn new(flags: libc::c_int, loopback: bool) -> Self {
        let maps = (flags & libc::CLONE_NEWUSER != 0).then(|| {
            // SAFETY: takes nothing and cannot fail.
            let user = unsafe { libc::geteuid() };
            // SAFETY: as above.
            let group = unsafe { libc::getegid() };
            Maps { users: format!("{user} {user} 1").into_bytes(), groups: format!("{group} {group} 1").into_bytes() }
        });
        Self { flags, maps, loopback }
    }

    /// Enters them; for the child's side of the fork. A new PID namespace begins with the next child.
    pub(super) fn enter(&self) -> io::Result<()> {
        if self.flags == 0 {
            return Ok(());
        }
        sys::unshare(self.flags)?;
        if let Some(maps) = &self.maps {
            // Without this a group could be left that a file's mode shuts out, so the kernel asks for it first.
            write_file(c"/proc/self/setgroups", b"deny")?;
            write_file(c"/proc/self/uid_map", &maps.users)?;
            write_file(c"/proc/self/gid_map", &maps.groups)?;
        }
        if self.loopback { raise_loopback() } else { Ok(()) }
    }
}

fn write_file(path: &CStr, content: &[u8]) -> io::Result<()> {
    sys::write(&sys::open(path, libc::O_WRONLY)?, content)
}

/// A new network has a loopback device, and it is down.
fn raise_loopback() -> io::Result<()> {
    // SAFETY: `ifreq` is plain numbers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, &from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = libc::c_char::try_from(from).unwrap_or(0);
    }
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP).unwrap_or(0);
    let socket = sys::socket(libc::AF_INET, libc::SOCK_DGRAM)?;
    // SAFETY: the request is a live local of the type that this command reads.
    let returned = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request) };
    sys::succeeded(returned.into()).map(drop)
}
