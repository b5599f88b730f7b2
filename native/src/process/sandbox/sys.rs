//! The system calls between fork and exec. None of these allocates, takes a lock or touches anything but its arguments, so a
//! child of a process with many threads may make them.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

/// Turns the `-1` of a system call into its error.
pub(super) fn succeeded(returned: libc::c_long) -> io::Result<libc::c_long> {
    if returned == -1 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}

/// Forks without the handlers that the C library and the host registered for it.
///
/// A child that is `silent` ends without a `SIGCHLD`, and waiting for it takes `__WALL`: a host that counts its own children
/// does not see it.
///
/// # Safety
///
/// The child may make async-signal-safe calls only, and must not allocate.
pub(super) unsafe fn fork(silent: bool) -> io::Result<libc::pid_t> {
    let signal = if silent { 0 } else { libc::SIGCHLD };
    // SAFETY: no flag shares memory or a stack, and null pointers say that nothing is to be stored.
    let pid = succeeded(unsafe { libc::syscall(libc::SYS_clone, signal, 0, 0, 0, 0) })?;
    Ok(libc::pid_t::try_from(pid).unwrap_or(-1))
}

/// Ends this process without running anything that was registered for its end.
pub(super) fn exit(code: libc::c_int) -> ! {
    // SAFETY: takes a number and does not come back.
    unsafe { libc::_exit(code) }
}

/// Waits for `pid`, or with -1 for any child, and returns whose end came with which status.
pub(super) fn wait(pid: libc::pid_t) -> io::Result<(libc::pid_t, libc::c_int)> {
    let mut status = 0;
    loop {
        // SAFETY: the pointer is to a live local of the right type.
        let ended = unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL) };
        if ended != -1 {
            return Ok((ended, status));
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINTR) {
            return Err(error);
        }
    }
}

pub(super) fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: takes a number.
    succeeded(unsafe { libc::unshare(flags) }.into()).map(drop)
}

/// `prctl` with an option that takes numbers only.
pub(super) fn prctl(option: libc::c_int, first: libc::c_ulong, second: libc::c_ulong) -> io::Result<()> {
    let none: libc::c_ulong = 0;
    // SAFETY: the callers use options without pointers.
    succeeded(unsafe { libc::prctl(option, first, second, none, none) }.into()).map(drop)
}

pub(super) fn open(path: &CStr, flags: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: the path is a C string; no file is created, so no mode is read.
    let fd = succeeded(unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC) }.into())?;
    Ok(owned(fd))
}

/// A descriptor that the kernel has just given us.
fn owned(fd: libc::c_long) -> OwnedFd {
    // SAFETY: nobody else owns it yet.
    unsafe { OwnedFd::from_raw_fd(RawFd::try_from(fd).unwrap_or(-1)) }
}

/// Writes all of `bytes` in one call, as files of the kernel want it.
pub(super) fn write(fd: &OwnedFd, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: pointer and length describe `bytes`.
    let written =
        succeeded(unsafe { libc::write(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) } as libc::c_long)?;
    if usize::try_from(written) == Ok(bytes.len()) { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EIO)) }
}

/// Fills `bytes`, or fails.
pub(super) fn read(fd: &OwnedFd, bytes: &mut [u8]) -> io::Result<()> {
    loop {
        // SAFETY: pointer and length describe `bytes`.
        let count = unsafe { libc::read(fd.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len()) };
        match succeeded(count as libc::c_long) {
            Ok(count) if usize::try_from(count) == Ok(bytes.len()) => return Ok(()),
            Ok(_) => return Err(io::Error::from_raw_os_error(libc::EPIPE)),
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// A pipe: where to read, where to write.
pub(super) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [-1; 2];
    // SAFETY: the pointer is to an array of two, as the call wants.
    succeeded(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }.into())?;
    Ok((owned(ends[0].into()), owned(ends[1].into())))
}

/// Closes every descriptor from `first` to `last`.
pub(super) fn close_range(first: RawFd, last: RawFd) {
    if first <= last {
        // SAFETY: plain numbers. The callers are processes that need none of these any more, and run nothing that thinks it
        // owns one.
        unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    }
}

pub(super) fn mkdir(path: &CStr) -> io::Result<()> {
    // SAFETY: the path is a C string.
    match succeeded(unsafe { libc::mkdir(path.as_ptr(), 0o755) }.into()) {
        Err(error) if error.raw_os_error() != Some(libc::EEXIST) => Err(error),
        _ => Ok(()),
    }
}

/// An empty file to mount another one on.
pub(super) fn touch(path: &CStr) -> io::Result<()> {
    // SAFETY: the path is a C string, and the mode is there.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CREAT | libc::O_CLOEXEC, 0o644) };
    succeeded(fd.into()).map(|fd| drop(owned(fd)))
}

pub(super) fn chdir(path: &CStr) -> io::Result<()> {
    // SAFETY: the path is a C string.
    succeeded(unsafe { libc::chdir(path.as_ptr()) }.into()).map(drop)
}

/// The working directory, into `buffer`.
pub(super) fn working_directory(buffer: &mut [u8]) -> io::Result<&CStr> {
    // SAFETY: pointer and length describe `buffer`. Not `getcwd` of the C library, which may allocate.
    succeeded(unsafe { libc::syscall(libc::SYS_getcwd, buffer.as_mut_ptr(), buffer.len()) })?;
    CStr::from_bytes_until_nul(buffer).map_err(|_| io::Error::from_raw_os_error(libc::ENAMETOOLONG))
}

pub(super) fn mount(kind: &CStr, target: &CStr, flags: libc::c_ulong, options: &CStr) -> io::Result<()> {
    // SAFETY: all pointers are to C strings.
    let returned =
        unsafe { libc::mount(kind.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, options.as_ptr().cast()) };
    succeeded(returned.into()).map(drop)
}

/// Cuts the mounts of this namespace off from those that they were copied from.
pub(super) fn make_mounts_private() -> io::Result<()> {
    let none = ptr::null();
    let flags = libc::MS_REC | libc::MS_PRIVATE;
    // SAFETY: with these flags only the target is read.
    succeeded(unsafe { libc::mount(none, c"/".as_ptr(), none, flags, none.cast()) }.into()).map(drop)
}

/// Makes the mount at `path`, and all below it, read-only and deaf to setuid bits.
pub(super) fn make_mounts_read_only(path: &CStr) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let (at, flags, size) = (libc::AT_FDCWD, libc::AT_RECURSIVE, size_of_val(&attributes));
    // SAFETY: the path is a C string; pointer and size describe `attributes`.
    let returned =
        unsafe { libc::syscall(libc::SYS_mount_setattr, at, path.as_ptr(), flags, &raw const attributes, size) };
    succeeded(returned).map(drop)
}

/// A copy of what is mounted at `path` and below, not mounted anywhere yet.
pub(super) fn open_tree(path: &CStr) -> io::Result<OwnedFd> {
    let flags = libc::OPEN_TREE_CLONE | libc::O_CLOEXEC.cast_unsigned() | libc::AT_RECURSIVE.cast_unsigned();
    // SAFETY: the path is a C string.
    succeeded(unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags) }).map(owned)
}

/// Mounts what [`open_tree`] copied.
pub(super) fn move_mount(tree: &OwnedFd, target: &CStr) -> io::Result<()> {
    let (from, at, flags) = (tree.as_raw_fd(), libc::AT_FDCWD, libc::MOVE_MOUNT_F_EMPTY_PATH);
    // SAFETY: both paths are C strings.
    let returned = unsafe { libc::syscall(libc::SYS_move_mount, from, c"".as_ptr(), at, target.as_ptr(), flags) };
    succeeded(returned).map(drop)
}

pub(super) fn socket(family: libc::c_int, kind: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: takes plain numbers.
    succeeded(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, 0) }.into()).map(owned)
}
