"""Writers in processes of their own, with the recorder of ``recorder.c`` if it is wanted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from types import TracebackType

RECORDER = Path(__file__).with_name("recorder.c")
WRITER = Path(__file__).with_name("writer.py")
DURABILITIES = ("process", "power", "none")
MARKS = 800


@dataclass(frozen=True)
class Order:
    """What a writer is to do.

    Attributes:
        path: The memory.
        marks: The file in which it says what it does.
        ledger: What the memory holds, from ``Ledger.to_json``.
        seed: The seed of what it writes; different for different writers of one memory.
        durability: How it opens the memory.
        operations: How many operations it does before it closes the memory.
        environment: Settings of the recorder.
    """

    path: str
    marks: str
    ledger: str
    seed: int
    durability: str
    operations: int = 1_000_000
    environment: dict[str, str] = field(default_factory=dict)


class Children:
    """Starts writers, one at a time."""

    def __init__(self, recorder: Path | None = None) -> None:
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        if recorder is not None:
            environment["LD_PRELOAD"] = str(recorder)
        self._parent = subprocess.Popen(
            [sys.executable, str(WRITER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(self, order: Order, *, kill_after_s: float | None = None) -> int:
        """Runs a writer to its end, or for a while; returns its wait status."""
        parent = self._parent
        assert parent.stdin is not None
        assert parent.stdout is not None
        print(json.dumps(asdict(order)), file=parent.stdin, flush=True)
        child = int(parent.stdout.readline())
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            # The parent does not wait for it before it is killed, or has ended of itself a moment ago.
            os.kill(child, 9)
        return int(parent.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._parent:
            assert self._parent.stdin is not None
            self._parent.stdin.close()


def marks_in(path: Path) -> list[bytes]:
    """What a writer has said; nothing if it was killed before it began.

    A kill can come between two pages of one write: a last line without its end was not said.
    """
    whole, _, _cut = path.read_bytes().rpartition(b"\n") if path.exists() else (b"", b"", b"")
    return whole.splitlines()


def compiled_recorder(folder: Path) -> Path:
    """The recorder, compiled into ``folder``; the test is skipped where that is not possible."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the recorder knows Linux only")
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler to build the recorder with")
    library = folder / "recorder.so"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", str(library), str(RECORDER), "-ldl"], check=True, timeout=60)
    return library


def recorded(directory: Path, log: Path, *, marks: int = MARKS, kill: str = "") -> dict[str, str]:
    """The settings that record what happens under ``directory`` in ``log``; ``recorder.c`` explains ``kill``."""
    settings = {
        "PORISM_RECORD_DIRECTORY": str(directory.resolve()),
        "PORISM_RECORD_LOG": str(log),
        "PORISM_RECORD_MARKS": str(marks),
    }
    return {**settings, "PORISM_RECORD_KILL": kill} if kill else settings
