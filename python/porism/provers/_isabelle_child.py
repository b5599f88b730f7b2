"""Stands between a pool and an Isabelle server: TCP on that side, lines on pipes on this one.

It runs in the same sandbox as the server, so that the network there may be nothing but a loopback device. It needs the
standard library alone. The first line on its input is how to start the server, a list in JSON. Each further line is a
message for the server, and each message of the server becomes a line, but for what it does by itself:

- ``theory {"name": ..., "text": ...}`` writes a theory into its folder, ``forget {"names": [...]}`` removes some.
- ``quiet`` is answered by ``QUIET`` when nothing is under way any more.
- SIGINT cancels every task that is under way, or begins before the next ``quiet``.
"""

from __future__ import annotations

import io
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections import deque
from pathlib import Path

_ADDRESS = re.compile(r'server "[^"]*" = (127\.0\.0\.1|localhost):(\d+) \(password "([^"]*)"\)')
_NAME = re.compile(r"\w{1,100}")
# A message that is longer, or could be taken for a count, travels with its count.
_LONGEST_LINE = 100
_PIECE = 1 << 16


class Relay:
    """The two ways, and what is under way on them."""

    def __init__(self, server: socket.socket, folder: Path, interrupts: int) -> None:
        self._server, self._folder, self._interrupts = server, folder, interrupts
        self._from_pool, self._from_server = bytearray(), bytearray()
        # Who waits for the next OK or ERROR: the pool, or nobody, since we have asked ourselves.
        self._replies: deque[bool] = deque()
        self._tasks: set[str] = set()
        self._cancelling = self._quiet_wanted = False

    def run(self) -> None:
        """Goes on until one side ends."""
        while True:
            ready, _, _ = select.select([0, self._server.fileno(), self._interrupts], [], [])
            if self._interrupts in ready:
                self._take_interrupts()
            for source, buffer in ((0, self._from_pool), (self._server.fileno(), self._from_server)):
                if source in ready:
                    more = os.read(source, _PIECE)
                    if not more:
                        return
                    buffer += more
            while b"\n" in self._from_pool:
                line, _, rest = bytes(self._from_pool).partition(b"\n")
                self._from_pool[:] = rest
                self._command(line)
            while (message := self._message()) is not None:
                self._answer(message)
            if self._quiet_wanted and not self._replies and not self._tasks:
                self._quiet_wanted = self._cancelling = False
                say(b"QUIET")

    def _take_interrupts(self) -> None:
        try:
            os.read(self._interrupts, _PIECE)
        except BlockingIOError:
            return
        self._cancelling = True
        for task in self._tasks:
            self._cancel(task)

    def _command(self, line: bytes) -> None:
        name, _, argument = line.partition(b" ")
        if name == b"quiet":
            # Whoever asks has sent SIGINT before, and it may not have been seen yet.
            self._take_interrupts()
            self._quiet_wanted = True
        elif name == b"theory":
            theory = json.loads(argument)
            self._path(theory["name"]).write_text(theory["text"], encoding="utf-8")
        elif name == b"forget":
            for theory in json.loads(argument)["names"]:
                self._path(theory).unlink(missing_ok=True)
        else:
            self._send(line, ours=False)

    def _path(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"{name!r} is no name of a theory")
        return self._folder / f"{name}.thy"

    def _send(self, message: bytes, *, ours: bool) -> None:
        counted = len(message) > _LONGEST_LINE or message.isdigit()
        self._replies.append(ours)
        self._server.sendall(b"%d\n%b" % (len(message), message) if counted else message + b"\n")

    def _cancel(self, task: str) -> None:
        self._send(b"cancel " + json.dumps({"task": task}).encode(), ours=True)

    def _message(self) -> bytes | None:
        """The next whole message of the server, on one line: a line feed in JSON is nothing but a blank."""
        line, end, rest = bytes(self._from_server).partition(b"\n")
        if not end:
            return None
        if line.strip().isdigit():
            size = int(line)
            if len(rest) < size:
                return None
            line, rest = rest[:size], rest[size:]
        self._from_server[:] = rest
        return line.replace(b"\r", b" ").replace(b"\n", b" ").strip()

    def _answer(self, message: bytes) -> None:
        name, _, argument = message.partition(b" ")
        if name in {b"OK", b"ERROR"}:
            ours = self._replies.popleft() if self._replies else False
            if name == b"OK" and (task := _task(argument)):
                self._tasks.add(task)
                if self._cancelling:
                    self._cancel(task)
            if ours:
                return
        elif name in {b"FINISHED", b"FAILED"}:
            self._tasks.discard(_task(argument))
        say(message)


def say(line: bytes) -> None:
    """Prints a line, all of it."""
    left = memoryview(line + b"\n")
    while left:
        left = left[os.write(1, left) :]


def _task(argument: bytes) -> str:
    try:
        value = json.loads(argument)
    except ValueError:
        return ""
    return str(value.get("task", "")) if isinstance(value, dict) else ""


def main() -> int:
    """Starts the server, and relays until the pool or the server has gone."""
    # The pool's SIGINT goes to the whole group. The server, whatever it does about signals, must not get it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Without a buffer: what follows the line is for the relay.
    with io.FileIO(0, closefd=False) as pipe:
        command = json.loads(pipe.readline())
    with (
        tempfile.TemporaryDirectory(prefix="porism-isabelle-") as folder,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as server,
    ):
        try:
            return _serve(server, Path(folder))
        finally:
            server.kill()


def _serve(server: subprocess.Popen[bytes], folder: Path) -> int:
    interrupted, wakes = os.pipe()
    os.set_blocking(interrupted, False)
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    assert server.stdout
    first = server.stdout.readline().decode(errors="replace")
    address = _ADDRESS.search(first)
    if address is None:
        sys.stderr.write(f"the server does not say where it listens: {first[:200]!r}\n")
        return 1
    with socket.create_connection((address[1], int(address[2]))) as connection:
        connection.sendall(address[3].encode() + b"\n")
        say(b"FOLDER " + json.dumps(str(folder)).encode())
        Relay(connection, folder, interrupted).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
