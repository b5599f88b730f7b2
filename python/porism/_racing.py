"""Several requests race: the first answer that is good enough wins, and the others are cancelled."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from porism._errors import CancelledError
from porism._queue_types import Completed, Race

if TYPE_CHECKING:
    from collections.abc import Callable

    from porism._arrivals import Feed

T = TypeVar("T")
R = TypeVar("R")


class Timer:
    """What is left of a deadline."""

    def __init__(self, deadline_s: float | None) -> None:
        # Infinity is no deadline, too.
        self._until_s = math.inf if deadline_s is None else time.monotonic() + deadline_s

    def left_s(self) -> float | None:
        """Seconds; ``None`` without a deadline."""
        return None if math.isinf(self._until_s) else max(0.0, self._until_s - time.monotonic())


class Referee(Generic[T, R]):
    """Watches a batch on its way, and stops those who cannot win any more."""

    def __init__(
        self,
        feed: Feed[T, R],
        *,
        accept: Callable[[Completed[T, R]], bool],
        ordered: bool,
        left_s: Callable[[], float | None],
    ) -> None:
        self._feed = feed
        self._left_s = left_s
        self._accept = accept
        self._ordered = ordered
        self._winner: Completed[T, R] | None = None
        self._ended: list[Completed[T, R]] = []

    def saw(self, completed: Completed[T, R]) -> None:
        """One has ended."""
        if isinstance(completed.error, CancelledError):
            return
        self._ended.append(completed)
        if self._left_s() == 0.0:
            self._feed.cancel()
        if completed.error is not None or not self._accept(completed):
            return
        if self._winner is None or (self._ordered and completed.position < self._winner.position):
            self._winner = completed
            self._feed.cancel(after=completed.position if self._ordered else -1)

    def result(self) -> Race[T, R]:
        """How it went."""
        return Race(self._winner, tuple(sorted(self._ended, key=lambda one: one.position)))
