"""Proofs that go tactic by tactic: a process is leased for as long as the session lasts.

A session is one errand of a pool: a thread of it holds the process and waits for commands. So a session takes the place
of one check that runs, and gives it back when it is closed, or when nothing was asked of it for a while.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from porism._errand import Errand, no_answer
from porism._errors import ClosedError, InputError, PorismError
from porism._types import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from porism._core import Session
    from porism._verdicts import Check
    from porism.provers._driver import Driver, Job, Launch, ProofState

T = TypeVar("T")

#: How long a session may lie idle, and how long a step may take, in seconds.
IDLE_S: Final = 300.0
STEP_S: Final = 10.0


class Lease(Errand):
    """The errand: holds a process, and does with it what it is told."""

    __slots__ = ("_commands", "_ended", "_idle_s", "_lock")

    def __init__(self, driver: Driver, job: Job, idle_s: float) -> None:
        super().__init__(driver, job)
        self._commands: queue.SimpleQueue[tuple[Callable[[Session], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._ended: Exception | None = None

    def key(self) -> bytes:
        """No two sessions share their work."""
        return f"lease {id(self)}".encode()

    def ask(self, command: Callable[[Session], Any]) -> Future[Any]:
        """Has something done with the process; the future brings what came of it."""
        answer: Future[Any] = Future()
        with self._lock:
            if self._ended is not None:
                raise self._ended
            self._commands.put((command, answer))
        return answer

    def end(self, why: Exception) -> None:
        """Takes no more commands; those that wait hear why. The process is given back after the one that runs."""
        with self._lock:
            if self._ended is not None:
                return
            self._ended = why
        while True:
            try:
                waiting = self._commands.get_nowait()
            except queue.Empty:
                break
            if waiting is not None:
                _fail(waiting[1], why)
        self._commands.put(None)

    def launch(self) -> Launch:
        """How to start a process for it."""
        return self._or_end(super().launch)

    def start(self, session: Session) -> None:
        """Makes a new process ready for it."""
        self._or_end(lambda: super(Lease, self).start(session))

    def check(self, session: Session) -> Check:
        """Serves commands until the end."""
        while True:
            try:
                waiting = self._commands.get(timeout=self._idle_s)
            except queue.Empty:
                self.end(ClosedError(f"nothing was asked of the session for {self._idle_s} s"))
                continue
            if waiting is None:
                return no_answer(self.driver.name, Verdict.UNKNOWN, "the session was closed")
            command, answer = waiting
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                found = command(session)
            except InputError as error:
                answer.set_exception(error)
            except BaseException as error:
                _fail(answer, error)
                self.end(ClosedError(f"the session ended: {error}"))
                raise
            else:
                answer.set_result(found)

    def failed(self, verdict: str, detail: str) -> Check:
        """Nobody holds the process any more."""
        self.end(ClosedError(f"the session ended: {detail}"))
        return super().failed(verdict, detail)

    def _or_end(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except PorismError as error:
            self.end(error)
            raise


def _fail(answer: Future[Any], error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)


class _Steps:
    """What the two faces share: the state that a session is in."""

    def __init__(self, lease: Lease, cancel: Callable[[], object]) -> None:
        self._lease = lease
        self._cancel = cancel
        self._state: ProofState | None = None

    @property
    def state(self) -> ProofState:
        """Where the proof stands: the last state that was reached, or gone back to.

        Raises:
            InputError: No proof has begun.
        """
        if self._state is None:
            raise InputError("no proof has begun: call start(statement) first")
        return self._state

    @property
    def goals(self) -> tuple[str, ...]:
        """The goals in focus."""
        return self.state.goals

    def back(self, state: ProofState) -> ProofState:
        """Goes back to a state, or over to another branch; the process follows with the next step."""
        self._state = state
        return state

    def _start(self, statement: str) -> Future[ProofState]:
        return self._lease.ask(lambda session: self._lease.driver.begin(session, statement))

    def _apply(self, tactic: str, timeout_s: float) -> Future[ProofState]:
        path = self.state.path
        return self._lease.ask(lambda session: self._lease.driver.step(session, path, tactic, timeout_s))

    def _keep(self, reached: ProofState) -> ProofState:
        if reached.verdict not in {Verdict.REJECTED, Verdict.TIMEOUT}:
            self._state = reached
        return reached

    def _end(self, *, cancel: bool) -> None:
        self._lease.end(ClosedError("the session is closed"))
        if cancel:
            self._cancel()


class ProofSession(_Steps):
    """A proof, tactic by tactic, in a process that is leased meanwhile; see ``Pool.session``.

    One thread at a time. States can be kept, and gone back to with ``back``, also across branches.
    """

    def start(self, statement: str) -> ProofState:
        """Begins a proof, and forgets the one before.

        Raises:
            InputError: The statement is none.
            ClosedError: The session has ended.
        """
        self._state = self._start(statement).result()
        return self._state

    def apply(self, tactic: str, *, timeout_s: float = STEP_S) -> ProofState:
        """Goes one step further from the present state.

        Args:
            tactic: One sentence or several, the last one with or without its period.
            timeout_s: How long it may take, in seconds; then it is interrupted, and the session goes on.

        Returns:
            The new state. When the verdict is ``REJECTED`` or ``TIMEOUT``, the present state has not changed.

        Raises:
            InputError: The tactic is none.
            ClosedError: The session has ended.
        """
        return self._keep(self._apply(tactic, timeout_s).result())

    def close(self, *, cancel: bool = False) -> None:
        """Gives the process back, after the step that runs or at once."""
        self._end(cancel=cancel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(cancel=error is not None)


class AsyncProofSession(_Steps):
    """The same for asyncio. To cancel a task that awaits a step ends the session, and stops the prover."""

    async def start(self, statement: str) -> ProofState:
        """Begins a proof. See ``ProofSession.start``."""
        self._state = await self._awaited(self._start(statement))
        return self._state

    async def apply(self, tactic: str, *, timeout_s: float = STEP_S) -> ProofState:
        """Goes one step further. See ``ProofSession.apply``."""
        return self._keep(await self._awaited(self._apply(tactic, timeout_s)))

    async def _awaited(self, answer: Future[ProofState]) -> ProofState:
        try:
            return await asyncio.wrap_future(answer)
        except (asyncio.CancelledError, FutureCancelledError):
            self._end(cancel=True)
            raise

    async def close(self, *, cancel: bool = False) -> None:
        """Gives the process back. See ``ProofSession.close``."""
        self._end(cancel=cancel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close(cancel=error is not None)
