"""What a queue hands out besides answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Completed(NamedTuple, Generic[T, R]):
    """One item of a batch that has ended.

    Attributes:
        position: Where it stood in the batch.
        item: What was asked.
        value: The answer; ``None`` if there is an error.
        error: Why there is no answer: what the worker raised, or a ``QueueError``.
    """

    position: int
    item: T
    value: R | None
    error: BaseException | None

    def result(self) -> R:
        """The answer; raises the error if there is none."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Race(Generic[T, R]):
    """How a race went.

    Attributes:
        winner: The item whose answer was accepted; ``None`` if there was no such answer.
        ended: The items that ended by themselves, with an answer or an error, in the order of the race.
    """

    winner: Completed[T, R] | None
    ended: tuple[Completed[T, R], ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Durations in buckets.

    Attributes:
        count: How many durations.
        sum_s: Their sum in seconds.
        buckets: Upper bound in seconds, and how many were not above it but above the one before.
    """

    count: int
    sum_s: float
    buckets: tuple[tuple[float, int], ...]

    @property
    def mean_s(self) -> float:
        """The mean in seconds; 0 when there are none."""
        return self.sum_s / self.count if self.count else 0.0


@dataclass(frozen=True, slots=True)
class QueueMetrics:
    """The numbers of a queue at one moment. They are read while work goes on: sums may be off by what is under way.

    Attributes:
        waiting: Pieces of work that wait for a worker.
        running: Pieces of work under way.
        capacity: How many may wait.
        workers: Threads that take work.
        expected_wait_s: How long a newcomer of the lowest rank would wait, in seconds.
        counts: How often what has happened: ``submitted``, ``coalesced``, ``started``, ``answered``, ``timed_out``,
            ``cancelled``, ``crashed``, ``closed``, ``stopped``, ``refused_full``, ``refused_late``.
        wait: From submission until a worker began.
        run: From there until it ended.
    """

    waiting: int
    running: int
    capacity: int
    workers: int
    expected_wait_s: float
    counts: dict[str, int]
    wait: Histogram
    run: Histogram


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a queue does its work.

    Attributes:
        ok: Whether new requests are taken and worked on.
        problems: What is wrong, for people; empty when ``ok``.
        waiting: Pieces of work that wait for a worker.
        running: Pieces of work under way.
        workers: Threads that take work.
        longest_run_s: How long the oldest piece of work under way has been running, in seconds.
        ignored_stops: Pieces of work that go on although nobody wants them any more.
    """

    ok: bool
    problems: tuple[str, ...]
    waiting: int
    running: int
    workers: int
    longest_run_s: float
    ignored_stops: int
