"""What a pool could leave behind: processes, descriptors, threads. Linux only."""

from __future__ import annotations

import gc
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class Traces(NamedTuple):
    """What this process has at one moment, and what bears the mark.

    Attributes:
        descriptors: What is open, by what it is: ``pipe``, ``anon_inode``, a path.
        threads: By name.
        children: The processes that this one started and has not reaped.
        marked: The processes with the mark in their environment, whoever their parent is by now.
    """

    descriptors: Counter[str]
    threads: Counter[str]
    children: frozenset[int]
    marked: frozenset[int]


def traces(mark: str) -> Traces:
    """As they are now."""
    return Traces(_descriptors(), _threads(), children(), marked(mark))


def left_behind(before: Traces, mark: str, *, patience_s: float = 20.0) -> list[str]:
    """What is there and was not before; looks until patience ends, since a thread that ended takes a moment to go."""
    # A pool that is closed keeps two descriptors as long as there is its object.
    gc.collect()
    end = time.monotonic() + patience_s
    while True:
        now = traces(mark)
        more = [f"{count} x {what}" for what, count in (now.descriptors - before.descriptors).items()]
        more += [f"{count} x thread {name}" for name, count in (now.threads - before.threads).items()]
        more += [f"child {pid}" for pid in now.children - before.children]
        more += [f"process {pid}" for pid in now.marked - before.marked]
        if not more or time.monotonic() > end:
            return more
        time.sleep(0.02)


def children() -> frozenset[int]:
    """The processes that threads of this one started and that are not reaped."""
    found: set[int] = set()
    for task in (_PROC / "self/task").iterdir():
        with suppress(OSError):
            found.update(map(int, (task / "children").read_text().split()))
    return frozenset(found)


def marked(mark: str) -> frozenset[int]:
    """The processes that were started with the mark and live."""
    wanted = f"PORISM_MARK={mark}".encode()
    found: set[int] = set()
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.add(int(entry.name))
    return frozenset(found)


def _threads() -> Counter[str]:
    found: Counter[str] = Counter()
    for task in (_PROC / "self/task").iterdir():
        with suppress(OSError):
            found[(task / "comm").read_text().strip()] += 1
    return found


def _descriptors() -> Counter[str]:
    found: Counter[str] = Counter()
    for entry in (_PROC / "self/fd").iterdir():
        # The one that lists them is gone by now.
        with suppress(OSError):
            found[str(entry.readlink()).partition(":[")[0]] += 1
    return found
