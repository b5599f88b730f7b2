"""What all stand-ins share: a request is read, its faults happen, an answer goes out. A protocol adds its shapes."""

from __future__ import annotations

import os
import signal
import sys
import time

from .claims import ACCEPTED, FALSE, Reading, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from .faults import Plan
    from .wire import Wire

_IDLE, _BUSY, _WORKING = range(3)
_BLOCK = b"\1" * (1 << 20)


class WorkInterruptedError(Exception):
    """The work was interrupted, and the prover lives on."""


class History:
    """What a process remembers of its requests: how many there were, its last answer, and what it did not give back."""

    __slots__ = ("before", "kept", "number", "poisoned")

    def __init__(self) -> None:
        self.number = 0
        self.before = b""
        self.kept: list[bytes] = []
        self.poisoned = False


class Prover:
    """A stand-in; a subclass speaks one protocol.

    Attributes:
        survives_interrupt: Whether SIGINT ends only the work, as with coqidetop and Z3, or the process, as with most.
        arguments: What stood after the options on the command line, such as the name of a problem.
    """

    survives_interrupt = False

    def __init__(self, wire: Wire, plan: Plan, arguments: list[str]) -> None:
        self.wire = wire
        self.plan = plan
        self.arguments = arguments
        self.history = History()
        self._state = _IDLE
        self._interrupt_waits = False

    def obey_signals(self) -> None:
        """Takes signals as the prover does, whatever whoever started it does with them."""
        # Whoever reads no more ends us, as it would end a program in C.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, self._on_interrupt if self.survives_interrupt else signal.SIG_DFL)

    # --- what a protocol says -----------------------------------------------------------------------------------------

    def serve(self) -> int:
        """Answers requests until they end; returns the exit code."""
        raise NotImplementedError

    def noise(self, number: int) -> bytes:
        """A piece of progress, in the shape of the protocol."""
        return b""

    def interrupted(self) -> bytes:
        """The answer of a prover that was interrupted."""
        return b""

    def out_of_memory(self) -> bytes:
        """The answer of a prover that ran out of memory; one that has none dies."""
        raise SystemExit(1)

    def pause(self, seconds: float) -> None:
        """Works for so long; raises ``WorkInterruptedError`` when the protocol has a way to stop it."""
        time.sleep(seconds)

    # --- one request --------------------------------------------------------------------------------------------------

    def reply(self, text: str, compose: Callable[[Reading], bytes], reading: Reading | None = None) -> None:
        """Answers the candidate ``text`` by what ``compose`` makes of it, with all that is to go wrong."""
        history = self.history
        history.number += 1
        self._state, self._interrupt_waits = _BUSY, False
        faults = self.plan.of(text, history.number)
        reading = read(text) if reading is None else reading
        _falsify(reading, faults)
        self._prelude(faults)
        answer = self._work(faults, reading, compose)
        if "garbage" in faults:
            answer = (b"\xff\x00)} ]]>" * (int(faults["garbage"]) // 8 + 1))[: int(faults["garbage"])] + b"\n\n"
        elif "stale" in faults and history.before:
            answer = history.before
        else:
            history.before = answer
        if "half" in faults:
            self.wire.write(answer[: int(len(answer) * faults["half"])])
            self.leave(1)
        self.wire.write(answer, int(faults.get("trickle", 0)))
        if "twice" in faults:
            self.wire.write(answer)
        if "last" in faults:
            self.leave(int(faults["last"]))

    def leave(self, code: int) -> None:
        """Exits at once, from whatever thread."""
        os._exit(code)

    def _prelude(self, faults: dict[str, float]) -> None:
        """What happens before the work."""
        for number in range(int(faults.get("chatty", 0))):
            self.wire.write(self.noise(number))
        flood = int(faults.get("stderr", 0))
        while flood > 0:
            flood -= os.write(2, b"warning: more of the same\n" * min(64, flood // 26 + 1))
        if "fork" in faults or "escape" in faults:
            _leave_child(max(faults.get("fork", 0), faults.get("escape", 0)), "escape" in faults)
        if "exit" in faults:
            self.leave(int(faults["exit"]))
        if "signal" in faults:
            os.kill(os.getpid(), int(faults["signal"]))
        if "close" in faults:
            self.wire.close()
            time.sleep(faults["close"])
            self.leave(0)

    def _work(self, faults: dict[str, float], reading: Reading, compose: Callable[[Reading], bytes]) -> bytes:
        """The answer, after the time and the memory that it takes."""
        try:
            self._state = _WORKING
            if self._interrupt_waits:
                raise WorkInterruptedError
            self.history.kept.extend(_take(faults.get("leak", 0)))
            taken = _take(faults.get("memory", 0))
            if "deaf" in faults:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(faults["deaf"])
            seconds = faults.get("slow", 0) + faults.get("hang", 0)
            if seconds:
                self.pause(seconds)
            self._state = _IDLE
            del taken
        except WorkInterruptedError:
            self._state = _IDLE
            return self.interrupted()
        except MemoryError:
            self._state = _IDLE
            # As with coqidetop: it answers, and from then on what needs memory fails and what is trivial passes.
            self.history.poisoned = True
            return self.out_of_memory()
        if self.history.poisoned and reading.claims:
            return self.out_of_memory()
        return compose(reading)

    def _on_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        # Between reading a request and working on it an interrupt waits; when there is no request, it is ignored.
        self._interrupt_waits = self._state == _BUSY
        if self._state == _WORKING:
            self._state = _IDLE
            raise WorkInterruptedError


def _falsify(reading: Reading, faults: dict[str, float]) -> None:
    """Makes a reading say what is not so."""
    for claim in reading.claims:
        if "other" in faults:
            name = claim.name if faults["other"] else f"{claim.name}_other"
            claim.name, claim.statement, claim.outcome = name, "1 + 1 = 2", ACCEPTED
        if "lie" in faults:
            claim.outcome = ACCEPTED
        if "deny" in faults:
            claim.outcome = FALSE
    if "lie" in faults:
        reading.axioms.clear()
    if "huge" in faults:
        reading.padding = "x" * int(faults["huge"])


def _take(megabytes: float) -> list[bytes]:
    """Memory that is really used. What a failed attempt has taken is free again before the error is seen."""
    return [bytes(bytearray(_BLOCK)) for _ in range(int(megabytes))]


def _leave_child(seconds: float, escape: bool) -> None:
    sys.stdout.flush()
    if os.fork() == 0:
        if escape:
            os.setsid()
        time.sleep(seconds)
        os._exit(0)
