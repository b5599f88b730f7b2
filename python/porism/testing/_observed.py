"""What the conformance suite puts around a driver to see, or to disturb, what it does."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from porism.provers._driver import Driver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from porism._core import Session
    from porism._verdicts import Check
    from porism.provers._driver import Capabilities, Job, Launch

_TRICKLE = Path(__file__).with_name("_trickle.py")

#: How long a process may take to be gone after its pool was closed: the kernel has its own pace.
PATIENCE_S = 20.0


class Observed(Driver):
    """A driver that does what another does, and tells when a check begins."""

    def __init__(self, inner: Driver) -> None:
        self.inner = inner
        self.name = inner.name
        self.options = inner.options
        self.checking = threading.Event()

    def capabilities(self) -> Capabilities:
        """The other's."""
        return self.inner.capabilities()

    def version(self) -> str:
        """The other's."""
        return self.inner.version()

    @property
    def keeps_process(self) -> bool:
        """The other's."""
        return self.inner.keeps_process

    def launch(self, header: str) -> Launch:
        """The other's."""
        return self.inner.launch(header)

    def start(self, session: Session, header: str) -> None:
        """The other's."""
        self.inner.start(session, header)

    def check(self, session: Session, job: Job) -> Check:
        """The other's."""
        self.checking.set()
        return self.inner.check(session, job)

    def recover(self, session: Session) -> None:
        """The other's."""
        self.inner.recover(session)


class Trickled(Observed):
    """The same behind a pipe that hands on one byte at a time."""

    def launch(self, header: str) -> Launch:
        """The program, behind another one. A sandbox would have to know that one, so there is none."""
        launch = self.inner.launch(header)
        args = ("-I", "-S", str(_TRICKLE), str(launch.program), *map(str, launch.args))
        return replace(launch, program=sys.executable, args=args, sandbox=None)


class Marked:
    """Finds every process that was started, directly or not, while it was entered: they inherit a variable."""

    def __init__(self) -> None:
        self._name = "PORISM_CONFORMANCE"
        self._entry = ""

    def __enter__(self) -> Marked:
        value = os.urandom(16).hex()
        os.environ[self._name] = value
        self._entry = f"{self._name}={value}"
        return self

    def __exit__(self, *_: object) -> None:
        os.environ.pop(self._name, None)

    def processes(self) -> list[int]:
        """Those that are there, but for this one."""
        return [number for number in _numbers() if number != os.getpid() and self._is_marked(number)]

    def killed(self) -> bool:
        """Kills all that are there; false, since there may be more in a moment."""
        for number in self.processes():
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return False

    def _is_marked(self, number: int) -> bool:
        try:
            # A zombie has no environment any more, and holds nothing but its number.
            return self._entry.encode() in Path(f"/proc/{number}/environ").read_bytes().split(b"\0")
        except OSError:
            return False


def _numbers() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())


def comes_true(condition: Callable[[], object]) -> bool:
    """Whether something is so within a while; looks again and again."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
