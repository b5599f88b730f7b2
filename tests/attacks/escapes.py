"""What a hostile candidate tries to get out of its sandbox.

Run as ``escapes.py ATTACK ARGUMENTS``. An attack raises ``OSError`` where it is held, and returns where it got through.
The last line of the output is ``escaped`` or ``held: reason``. Without a sandbox every one of them gets through: the
tests of the sandbox (``native/src/process/sandbox/tests.rs``) run each both ways. Only the standard library is used.
"""

import ctypes
import errno
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_DETACH = 16, 17
CLONE_NEWUSER = 0x10000000
IO_URING_SETUP, BPF, KEYCTL, PROCESS_VM_READV, ADD_KEY = 425, 321, 250, 310, 248
if os.uname().machine == "aarch64":
    BPF, KEYCTL, PROCESS_VM_READV, ADD_KEY = 280, 219, 270, 217


def checked(returned: int) -> int:
    if returned < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return returned


# --- files ------------------------------------------------------------------------------------------------------------


def read(path: str) -> None:
    Path(path).read_bytes()


def list_folder(path: str) -> None:
    list(Path(path).iterdir())


def write(path: str) -> None:
    with Path(path).open("a") as file:
        file.write("x")


def truncate(path: str) -> None:
    os.truncate(path, 1)


def create(folder: str) -> None:
    Path(folder, "created").write_text("x")


def remove(path: str) -> None:
    Path(path).rename(f"{path}-moved")
    Path(f"{path}-moved").rename(path)


def chmod(path: str) -> None:
    """Landlock does not look at modes."""
    Path(path).chmod(0o666)


def touch(path: str) -> None:
    """Nor at times."""
    os.utime(path, (1, 1))


def set_attribute(path: str) -> None:
    """Nor at attributes."""
    os.setxattr(path, "user.porism", b"x")


def through_symlink(path: str, own: str) -> None:
    link = Path(own, "link")
    link.symlink_to(path)
    link.read_bytes()


def through_hard_link(path: str, own: str) -> None:
    os.link(path, Path(own, "hard"))


def through_proc_root(path: str) -> None:
    Path(f"/proc/self/root{path}").read_bytes()


def through_dots(path: str, own: str) -> None:
    """From an allowed folder up to the root and down again."""
    Path(own, *[".."] * 40, path.lstrip("/")).read_bytes()


def through_descriptors(_: str) -> None:
    """Whatever the host left open."""
    for number in range(3, 64):
        try:
            if b"secret" in os.pread(number, 100, 0):
                return
        except OSError:
            continue
    raise OSError(errno.EBADF, "nothing was left open")


def setuid_file(own: str) -> None:
    path = Path(own, "setuid")
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o4755))
    path.chmod(0o4755)


def setuid_on_creation(own: str) -> None:
    os.umask(0)
    os.close(os.open(Path(own, "born-setuid"), os.O_WRONLY | os.O_CREAT, 0o6755))


def device(own: str) -> None:
    os.mknod(Path(own, "zero"), 0o20666, os.makedev(1, 5))


# --- network ----------------------------------------------------------------------------------------------------------


def tcp(port: str) -> None:
    socket.create_connection(("127.0.0.1", int(port)), timeout=2).close()


def udp(port: str) -> None:
    """Gets through if an answer comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(2)
        sender.sendto(b"hello", ("127.0.0.1", int(port)))
        sender.recv(10)


def listen(_: str) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()


def unix_stream(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)


def unix_datagram(path: str) -> None:
    """A pair needs no `socket`, and its halves could be turned to an address."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        one.sendto(b"hello", path)


def netlink(_: str) -> None:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()


# --- other processes --------------------------------------------------------------------------------------------------


def kill(pid: str) -> None:
    os.kill(int(pid), signal.SIGCONT)


def ptrace(pid: str) -> None:
    checked(libc.ptrace(PTRACE_ATTACH, int(pid), None, None))
    os.waitpid(int(pid), 0x40000000)
    libc.ptrace(PTRACE_DETACH, int(pid), None, None)


def read_memory(pid: str) -> None:
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    address = next(line.split("-")[0] for line in lines if "[stack]" in line)
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        memory.seek(int(address, 16) + 0x1000)
        memory.read(1)


def read_memory_by_call(pid: str) -> None:
    class Span(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

    buffer = ctypes.create_string_buffer(1)
    local, remote = Span(ctypes.addressof(buffer), 1), Span(1, 1)
    try:
        checked(libc.syscall(PROCESS_VM_READV, int(pid), ctypes.byref(local), 1, ctypes.byref(remote), 1, 0))
    except OSError as error:
        # The address is nonsense, but the process was let in.
        if error.errno != errno.EFAULT:
            raise


def lower_limit(pid: str) -> None:
    soft, hard = resource.prlimit(int(pid), resource.RLIMIT_CORE)
    resource.prlimit(int(pid), resource.RLIMIT_CORE, (soft, hard))


# --- the kernel -------------------------------------------------------------------------------------------------------


def is_there(returned: int) -> None:
    """A call that exists complains about its arguments."""
    if returned < 0 and ctypes.get_errno() in (errno.ENOSYS, errno.EPERM):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def io_uring(_: str) -> None:
    is_there(libc.syscall(IO_URING_SETUP, 0, None))


def keyring(_: str) -> None:
    is_there(libc.syscall(ADD_KEY, None, None, None, 0, 0))
    is_there(libc.syscall(KEYCTL, 99, 0, 0, 0, 0))


def bpf(_: str) -> None:
    is_there(libc.syscall(BPF, 99, None, 0))


def unshare_user(_: str) -> None:
    checked(libc.unshare(CLONE_NEWUSER))


def mount(own: str) -> None:
    checked(libc.mount(b"none", os.fsencode(own), b"tmpfs", 0, None))
    libc.umount2(os.fsencode(own), 2)


def outlive_parent(_: str) -> None:
    checked(libc.prctl(1, 0, 0, 0, 0))


# --- programs and processes -------------------------------------------------------------------------------------------


def run_own_program(own: str) -> None:
    path = Path(own, "program")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o755), "w") as file:
        file.write("#!/bin/sh\nexit 0\n")
    subprocess.run([path], check=True)


def run_from_memory(_: str) -> None:
    memory = os.memfd_create("program", 0)
    os.write(memory, b"#!/bin/sh\nexit 0\n")
    subprocess.run([f"/proc/self/fd/{memory}"], check=True, pass_fds=[memory])


def many_processes(count: str) -> None:
    children = []
    try:
        for _ in range(int(count)):
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            children.append(child)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)


def daemon(own: str) -> None:
    """Leaves the session and the group, and writes to its folder as long as it lives."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for fd in range(3):
                os.close(fd)
            beats = os.open(Path(own, "beats"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            for _ in range(1000):
                os.write(beats, b".")
                time.sleep(0.01)
        os._exit(0)
    while not Path(own, "beats").exists():
        if os.waitpid(-1, os.WNOHANG)[1]:
            raise OSError(errno.ENOSYS, "could not leave the session")
        time.sleep(0.01)


def main(attack: str, arguments: list[str]) -> None:
    attacks = {name: value for name, value in globals().items() if callable(value)}
    try:
        attacks[attack](*arguments)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"held: {error}")
    else:
        print("escaped")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
