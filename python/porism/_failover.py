"""Who is asked instead, when the prover that was to be asked is missing or does not start."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from porism._types import Verdict
from porism._verdicts import Message, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from porism._errand import Errand
    from porism._verdicts import Check
    from porism.provers._driver import Driver

#: After so many starts in a row that failed, a prover is passed over for a while.
TOLERATED: Final = 2
#: That while, in seconds: then it is tried again.
PAUSE_S: Final = 30.0

_MOST_KEYS: Final = 1024


@dataclass(slots=True)
class _Trouble:
    failures: int
    until_s: float
    reason: str


class Outages:
    """Which provers are missing or do not start, as far as this pool has seen. Threads share it.

    Starts are counted for each header: a prover that does not read one may read another.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # Bounded: whoever sends headers without end forgets the oldest troubles.
        self._troubles: OrderedDict[tuple[str, str], _Trouble] = OrderedDict()

    def __bool__(self) -> bool:
        """Whether there has been any trouble."""
        return bool(self._troubles)

    def missing(self, prover: str, reason: str) -> None:
        """It is not installed. It may be, later."""
        self._note((prover, ""), reason, failures=TOLERATED)

    def not_started(self, prover: str, header: str, reason: str) -> None:
        """A process of it did not start, or did not take its header."""
        self._note((prover, f"header {header}"), reason, failures=1)

    def started(self, prover: str, header: str) -> None:
        """It did."""
        with self._lock:
            self._troubles.pop((prover, ""), None)
            self._troubles.pop((prover, f"header {header}"), None)

    def reason(self, prover: str, header: str) -> str | None:
        """Why it had better not be asked now, or ``None``."""
        now_s = self._clock()
        with self._lock:
            for key in ((prover, ""), (prover, f"header {header}")):
                trouble = self._troubles.get(key)
                if trouble is not None and trouble.failures >= TOLERATED and now_s < trouble.until_s:
                    return trouble.reason
        return None

    def _note(self, key: tuple[str, str], reason: str, *, failures: int) -> None:
        with self._lock:
            trouble = self._troubles.setdefault(key, _Trouble(0, 0.0, reason))
            trouble.failures += failures
            trouble.until_s, trouble.reason = self._clock() + PAUSE_S, reason
            self._troubles.move_to_end(key)
            if len(self._troubles) > _MOST_KEYS:
                self._troubles.popitem(last=False)


class Attempts:
    """One job on its way from prover to prover, until one of them could be asked.

    Iterate, ask each errand, and say what came of it; then take the ``result``.
    """

    def __init__(self, drivers: Sequence[Driver], errand: Callable[[Driver], Errand], deadline_s: float | None) -> None:
        self._drivers = drivers
        self._errand = errand
        self._end_s = None if deadline_s is None else time.monotonic() + deadline_s
        self._given_up: list[tuple[str, Check | Exception]] = []
        self._check: Check | None = None

    def __iter__(self) -> Iterator[Errand]:
        for driver in self._drivers:
            if self._check is None:
                yield self._errand(driver)

    @property
    def left_s(self) -> float | None:
        """How many seconds the answer may still take."""
        return None if self._end_s is None else max(0.0, self._end_s - time.monotonic())

    def answered(self, errand: Errand, check: Check) -> None:
        """There is a check. If the prover could not be asked, the next one is."""
        if check.verdict is Verdict.FAILED:
            self._given_up.append((errand.prover, check))
        else:
            self._check = check

    def failed(self, errand: Errand, error: Exception) -> None:
        """The prover is missing, or cannot be run."""
        self._given_up.append((errand.prover, error))

    def result(self) -> Check:
        """The check, with a message for each prover that was to be asked before.

        Raises:
            ProverError: None could be asked: what the first one said.
        """
        if self._check is not None and not self._given_up:
            return self._check
        if self._check is not None:
            return replace(self._check, messages=(*map(_message, self._given_up), *self._check.messages))
        first = self._given_up[0][1]
        if isinstance(first, Exception):
            raise first
        return first


def _message(given_up: tuple[str, Check | Exception]) -> Message:
    prover, why = given_up
    said = str(why) if isinstance(why, Exception) else why.detail
    return Message(Severity.INFORMATION, f"{prover} was to be asked first, and could not be: {said}")
