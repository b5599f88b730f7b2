"""Several provers on one goal, on all cores; the losers are ended when one wins."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

from porism import _core

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType


class HasWon(Protocol):
    """What a race needs to know of a result."""

    @property
    def won(self) -> bool:
        """Whether it ends the race."""


ResultT = TypeVar("ResultT", bound=HasWon)


class Race(Generic[ResultT]):
    """A pool of threads, each waiting for one child process.

    The threads live as long as the pool: a child dies with the thread that started it.
    """

    def __init__(self, workers: int | None = None) -> None:
        """Starts nothing yet.

        Args:
            workers: Contestants at once; all cores by default.
        """
        self.workers = workers or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="porism-race")

    def run(
        self,
        contestants: Sequence[Callable[[_core.Cancel], ResultT]],
        *,
        ordered: bool,
        timeout_s: float | None = None,
    ) -> list[ResultT | None]:
        """Runs ``contestants`` until one has won, all are done, or the time is up.

        Args:
            contestants: Each is called with the signal that tells it to stop.
            ordered: Whether the earliest winner in the sequence counts, so that the outcome does not depend on timing;
                the contestants before a winner are then run to their end. Otherwise the first to finish wins.
            timeout_s: Seconds after which all are stopped.

        Returns:
            One result a contestant, ``None`` for those that were stopped or never started.
        """
        signals = [_core.Cancel() for _ in contestants]
        futures = [self._pool.submit(one, signal) for one, signal in zip(contestants, signals, strict=True)]
        try:
            deadline = _Deadline(timeout_s)
            pending = set(futures)
            while pending:
                done, pending = wait(pending, timeout=deadline.left(), return_when=FIRST_COMPLETED)
                if not done:
                    break
                winners = [at for at, future in enumerate(futures) if _has_won(future)]
                if winners:
                    losers = range(min(winners) + 1, len(futures)) if ordered else range(len(futures))
                    _stop([(futures[at], signals[at]) for at in losers])
                    pending = {future for at, future in enumerate(futures) if ordered and at < min(winners)} & pending
        finally:
            _stop(list(zip(futures, signals, strict=True)))
            wait(futures)
        return [future.result() if _finished(future) else None for future in futures]

    def close(self) -> None:
        """Waits for the threads to end."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Deadline:
    """A point in time, or none."""

    def __init__(self, timeout_s: float | None) -> None:
        self._end = None if timeout_s is None else time.monotonic() + timeout_s

    def left(self) -> float | None:
        return None if self._end is None else min(max(0.0, self._end - time.monotonic()), threading.TIMEOUT_MAX)


def _finished(future: Future[ResultT]) -> bool:
    return future.done() and not future.cancelled()


def _has_won(future: Future[ResultT]) -> bool:
    return _finished(future) and future.exception() is None and future.result().won


def _stop(running: Sequence[tuple[Future[ResultT], _core.Cancel]]) -> None:
    """Ends what runs and drops what waits; what is done stays done."""
    for future, signal in running:
        if not future.cancel() and not future.done():
            signal.cancel()
