"""What a pool tells of itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from porism._queue_types import Health, Histogram, QueueMetrics

if TYPE_CHECKING:
    from porism import _core


@dataclass(frozen=True, slots=True)
class ProcessMetrics:
    """The numbers of a pool's processes at one moment.

    Attributes:
        idle: Processes that wait to be used.
        busy: Processes at work, those that are being recovered too.
        starting: Processes that are being started.
        ending: Processes that are being ended.
        capacity: How many there may be.
        waiting: Jobs that wait for a process.
        memory_bytes: Bytes in use, as far as they were read.
        memory_cap_bytes: How many bytes there may be; ``None``: no end.
        counts: How often what has happened: ``starts``, ``reuses``, ``interrupts``, ``recoveries`` (kills avoided),
            and, by cause, ``ended_gone``, ``ended_out_of_memory``, ``ended_monster``, ``ended_broken``, and so on.
        wait: From the wish for a process until one was there, or could be started.
        start: What starts took that went well, headers included.
        recover: From an interrupt until the process was well again, or was given up.
    """

    idle: int
    busy: int
    starting: int
    ending: int
    capacity: int
    waiting: int
    memory_bytes: int
    memory_cap_bytes: int | None
    counts: dict[str, int]
    wait: Histogram
    start: Histogram
    recover: Histogram


@dataclass(frozen=True, slots=True)
class PoolMetrics:
    """The numbers of a pool at one moment.

    Attributes:
        queue: Of the jobs.
        processes: Of the processes that do them.
    """

    queue: QueueMetrics
    processes: ProcessMetrics


def pool_metrics(queue: QueueMetrics, processes: _core.Processes) -> PoolMetrics:
    """Both together."""
    gauges, counts, *histograms = processes.metrics()
    wait, start, recover = (Histogram(count, sum_s, tuple(buckets)) for count, sum_s, buckets in histograms)
    return PoolMetrics(queue, ProcessMetrics(*gauges, counts, wait, start, recover))


def pool_health(queue: Health, processes: _core.Processes, *others: str) -> Health:
    """The queue's health, with what is wrong with the processes, and with others."""
    problems = (*queue.problems, *processes.problems(), *others)
    return replace(queue, ok=not problems, problems=problems)
