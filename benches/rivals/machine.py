"""What the run stood on: processor, pinning, memory, file system, and how long one sync takes."""

from __future__ import annotations

import os
import platform
import statistics
import time
from contextlib import suppress
from pathlib import Path

_SYNCS = 100
_SYNC_BYTES = 1_536


def pin(cores: list[int]) -> None:
    """Keeps this process and its threads on those cores; also what its libraries then see as the machine's size."""
    os.sched_setaffinity(0, cores)


def all_cores() -> list[int]:
    return list(range(os.cpu_count() or 1))


def resident_kib() -> dict[str, int]:
    """Resident memory of this process, whole and without the pages of files, which others share."""
    wanted = {"VmRSS": "total", "RssAnon": "anonymous", "RssFile": "file"}
    found = {}
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name in wanted:
            found[wanted[name]] = int(value.split()[0])
    return found


def proportional_kib() -> int:
    """Resident memory of this process, where a page that others have too counts by its share."""
    for line in Path("/proc/self/smaps_rollup").read_text(encoding="utf-8").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise OSError("the kernel does not tell proportional memory")


def hurry() -> None:
    """Raises the priority of this process and of those that it starts, where that is allowed."""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)


def file_system(folder: Path) -> str:
    """The type of the file system that ``folder`` lies on."""
    best = ("", "unknown")
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, point, kind, *_ = line.split()
        if folder.resolve().is_relative_to(point) and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def sync_ms(folder: Path) -> float:
    """The median milliseconds to append the bytes of one vector and sync them: the floor of power-safe inserts."""
    path = folder / "sync"
    took = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            start = time.perf_counter()
            file.write(bytes(_SYNC_BYTES))
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - start) * 1e3)
    path.unlink()
    return statistics.median(took)


def describe(folder: Path, core: int) -> dict[str, str | int | float]:
    """What a reader has to know to compare two results; nothing that tells whose machine it is."""
    processor = "unknown"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": processor,
        "cores": os.cpu_count() or 1,
        "pinned_core": core,
        "nice": os.nice(0),
        "load_before": round(os.getloadavg()[0], 2),
        "memory_gib": round(pages / 2**30, 1),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "file_system": file_system(folder),
        "sync_ms": round(sync_ms(folder), 4),
    }
