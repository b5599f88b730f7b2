"""A pool of provers behind one queue, for threads and for asyncio."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, Self, Unpack

from porism._errand import Errand, no_answer
from porism._errors import (
    CancelledError,
    DeadlineError,
    OverloadedError,
    ProverEndedError,
    ProverError,
    ProverMemoryError,
    ProverProtocolError,
    ProverStoppedError,
    WorkerError,
)
from porism._pool_face import Face, JobFields
from porism._proof_session import IDLE_S, AsyncProofSession, ProofSession
from porism._queue import AsyncQueue, Queue
from porism._queue_types import Completed, Race
from porism._types import Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
    from types import TracebackType

    from porism import _core
    from porism._arrivals import AsyncTicket
    from porism._upgrade import Audit
    from porism._verdicts import Check, Trust
    from porism.provers._driver import Job


class Pool(Face[Queue["Errand", "Check"]]):
    """Provers behind one queue. Every job gets one ``Check``: what the prover said, or why it said nothing.

    Use it as a context manager: it ends when what was submitted has ended, or, on an exception, at once. No process
    is left.
    """

    def _open_queue(self, **options: Any) -> Queue[Errand, Check]:
        return Queue(**options)

    def check(
        self,
        candidate: str | Job,
        *,
        deadline_s: float | None = None,
        priority: int = 0,
        tenant: str | None = None,
        **fields: Unpack[JobFields],
    ) -> Check:
        """Has a candidate checked, and waits for it.

        Args:
            candidate: The proof or the problem, or a whole job.
            deadline_s: How many seconds the answer may take, from now on.
            priority: Higher is sooner, from -128 to 127.
            tenant: Whose share of the working time it comes out of.
            fields: What else the job says.

        Raises:
            InputError: No prover can do the job.
            ProverMissingError: None that can is installed.
            ProverError: None that can does start.
            ClosedError: The pool is closed.
        """
        attempts = self._attempts(candidate, fields, deadline_s)
        for errand in attempts:
            if (found := errand.found_at_once()) is not None:
                return found
            try:
                ticket = self._queue.submit(
                    errand, key=errand.key(), priority=priority, tenant=tenant, deadline_s=attempts.left_s
                )
                attempts.answered(errand, errand.received(ticket.result()))
            except _NO_ANSWER as error:
                attempts.answered(errand, _said_instead(errand, error))
            except ProverError as error:
                attempts.failed(errand, error)
        return attempts.result()

    def submit(
        self,
        job: Job,
        *,
        deadline_s: float | None = None,
        priority: int = 0,
        tenant: str | None = None,
    ) -> _core.Ticket[Check]:
        """Queues a job; never waits. Its ticket raises as a queue's does; see ``Queue.submit``."""
        errand = self._errand(job, deadline_s)
        return self._queue.submit(errand, key=errand.key(), priority=priority, tenant=tenant, deadline_s=deadline_s)

    def map(
        self,
        jobs: Iterable[Job],
        *,
        deadline_s: float | None = None,
        priority: int = 0,
        tenant: str | None = None,
        ahead: int = 1024,
    ) -> Iterator[Completed[Job, Check]]:
        """Has all jobs done; yields each as it completes, a failure as a check that says so. See ``Queue.map``."""
        done = self._queue.map(
            self._errands(jobs, deadline_s),
            key=Errand.key,
            priority=priority,
            tenant=tenant,
            deadline_s=deadline_s,
            ahead=ahead,
        )
        return map(_completed, done)

    def race(
        self,
        jobs: Iterable[Job],
        *,
        accept: Callable[[Completed[Job, Check]], bool] | None = None,
        ordered: bool = False,
        deadline_s: float | None = None,
        priority: int = 0,
        tenant: str | None = None,
        ahead: int = 1024,
    ) -> Race[Job, Check]:
        """Has jobs race, a portfolio for one goal; the first check that decides wins, and the others are stopped.

        Args:
            jobs: Who runs.
            accept: Whether a job wins that has been checked; if not given, whether its check proves or refutes.
            ordered: Whether the earliest of the jobs wins and not the first to end; see ``Queue.race``.
            deadline_s: How many seconds the race may take.
            priority: Of each.
            tenant: Of each.
            ahead: How many run at once at most.
        """
        race = self._queue.race(
            self._errands(jobs, deadline_s),
            accept=_accepting(accept),
            ordered=ordered,
            key=Errand.key,
            priority=priority,
            tenant=tenant,
            deadline_s=deadline_s,
            ahead=ahead,
        )
        return _race(race)

    def upgrade(
        self,
        checks: Iterable[Check],
        trust: Trust | str,
        *,
        deadline_s: float | None = None,
        priority: int = 0,
        tenant: str | None = None,
    ) -> list[Check]:
        """Has checks of this pool made again at a higher level of trust, many as one where the prover allows it.

        Args:
            checks: What came back before. Those that prove nothing, or are trusted as much, come back as they are.
            trust: The level, or its name.
            deadline_s: How many seconds each batch may take, from now on.
            priority: As for ``check``.
            tenant: As for ``check``.

        Returns:
            The checks in the same order. One that came to no answer says so, and takes nothing from the one before.

        Raises:
            InputError: A check did not come from a pool, or its prover does not give so much trust.
        """
        done = list(checks)
        submitted = [
            (positions, audit, self._submit_audit(audit, deadline_s, priority, tenant))
            for positions, audit in self._audits(done, trust)
        ]
        for positions, audit, ticket in submitted:
            try:
                found = ticket if isinstance(ticket, Exception) else ticket.result()
            except _NO_ANSWER as error:
                found = error
            _put(done, positions, audit, found)
        return done

    def session(
        self,
        *,
        prover: str,
        header: str = "",
        idle_s: float = IDLE_S,
        priority: int = 0,
        tenant: str | None = None,
    ) -> ProofSession:
        """Leases a process, for a proof that goes tactic by tactic; a context manager.

        A session takes the place of one check that runs. With as many sessions as ``workers``, nothing else is done.

        Args:
            prover: Whose process; one that can branch.
            header: What comes first: imports, definitions.
            idle_s: When nothing was asked for so many seconds, the process is given back, and the session has ended.
            priority: As for ``check``.
            tenant: As for ``check``.

        Raises:
            InputError: There is no such prover, or it does not go step by step.
            OverloadedError: Too much waits already.
        """
        lease = self._lease(prover, header, idle_s)
        ticket = self._queue.submit(lease, key=lease.key(), priority=priority, tenant=tenant)
        return ProofSession(lease, ticket.cancel)

    def _submit_audit(self, audit: Audit, deadline_s: float | None, priority: int, tenant: str | None) -> Any:
        try:
            return self._queue.submit(audit, key=audit.key(), priority=priority, tenant=tenant, deadline_s=deadline_s)
        except _NO_ANSWER as error:
            return error

    def close(self, *, cancel: bool = False) -> None:
        """Takes no more jobs, waits until the last has ended, and ends every process.

        Args:
            cancel: Whether to stop everything that waits or runs at once.
        """
        self._end_leases()
        self._queue.close(cancel=cancel)
        self._ended()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(cancel=error is not None)


class AsyncPool(Face[AsyncQueue["Errand", "Check"]]):
    """The same for asyncio, with the same names. To cancel a task that awaits a check stops the prover."""

    def _open_queue(self, **options: Any) -> AsyncQueue[Errand, Check]:
        return AsyncQueue(**options)

    async def check(
        self,
        candidate: str | Job,
        *,
        deadline_s: float | None = None,
        priority: int = 0,
        tenant: str | None = None,
        **fields: Unpack[JobFields],
    ) -> Check:
        """Has a candidate checked. See ``Pool.check``."""
        attempts = self._attempts(candidate, fields, deadline_s)
        for errand in attempts:
            if (found := errand.found_at_once()) is not None:
                return found
            try:
                check = await self._queue.submit(
                    errand, key=errand.key(), priority=priority, tenant=tenant, deadline_s=attempts.left_s
                )
                attempts.answered(errand, errand.received(check))
            except _NO_ANSWER as error:
                attempts.answered(errand, _said_instead(errand, error))
            except ProverError as error:
                attempts.failed(errand, error)
        return attempts.result()

    def submit(
        self,
        job: Job,
        *,
        deadline_s: float | None = None,
        priority: int = 0,
        tenant: str | None = None,
    ) -> AsyncTicket[Check]:
        """Queues a job: await what this returns. See ``Pool.submit``."""
        errand = self._errand(job, deadline_s)
        return self._queue.submit(errand, key=errand.key(), priority=priority, tenant=tenant, deadline_s=deadline_s)

    async def map(
        self,
        jobs: Iterable[Job],
        *,
        deadline_s: float | None = None,
        priority: int = 0,
        tenant: str | None = None,
        ahead: int = 1024,
    ) -> AsyncIterator[Completed[Job, Check]]:
        """``async for`` over the jobs as they complete. See ``Pool.map``."""
        done = self._queue.map(
            self._errands(jobs, deadline_s),
            key=Errand.key,
            priority=priority,
            tenant=tenant,
            deadline_s=deadline_s,
            ahead=ahead,
        )
        async with aclosing(done):
            async for one in done:
                yield _completed(one)

    async def race(
        self,
        jobs: Iterable[Job],
        *,
        accept: Callable[[Completed[Job, Check]], bool] | None = None,
        ordered: bool = False,
        deadline_s: float | None = None,
        priority: int = 0,
        tenant: str | None = None,
        ahead: int = 1024,
    ) -> Race[Job, Check]:
        """Has jobs race. See ``Pool.race``."""
        race = await self._queue.race(
            self._errands(jobs, deadline_s),
            accept=_accepting(accept),
            ordered=ordered,
            key=Errand.key,
            priority=priority,
            tenant=tenant,
            deadline_s=deadline_s,
            ahead=ahead,
        )
        return _race(race)

    async def upgrade(
        self,
        checks: Iterable[Check],
        trust: Trust | str,
        *,
        deadline_s: float | None = None,
        priority: int = 0,
        tenant: str | None = None,
    ) -> list[Check]:
        """Has checks of this pool made again at a higher level of trust. See ``Pool.upgrade``."""
        done = list(checks)
        batches = self._audits(done, trust)
        found = await asyncio.gather(*(self._audited(audit, deadline_s, priority, tenant) for _, audit in batches))
        for (positions, audit), checked in zip(batches, found, strict=True):
            _put(done, positions, audit, checked)
        return done

    def session(
        self,
        *,
        prover: str,
        header: str = "",
        idle_s: float = IDLE_S,
        priority: int = 0,
        tenant: str | None = None,
    ) -> AsyncProofSession:
        """Leases a process, for a proof that goes tactic by tactic. See ``Pool.session``."""
        lease = self._lease(prover, header, idle_s)
        ticket = self._queue.submit(lease, key=lease.key(), priority=priority, tenant=tenant)
        # How it ended is told to whoever waits for a step.
        ticket.add_done_callback(lambda done: done.cancelled() or done.exception())
        return AsyncProofSession(lease, ticket.cancel)

    async def _audited(self, audit: Audit, deadline_s: float | None, priority: int, tenant: str | None) -> Any:
        try:
            return await self._queue.submit(
                audit, key=audit.key(), priority=priority, tenant=tenant, deadline_s=deadline_s
            )
        except _NO_ANSWER as error:
            return error

    async def close(self, *, cancel: bool = False) -> None:
        """Takes no more jobs, waits until the last has ended, and ends every process. See ``Pool.close``."""
        self._end_leases()
        await self._queue.close(cancel=cancel)
        self._ended()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close(cancel=error is not None)


def decides(done: Completed[Job, Check]) -> bool:
    """Whether its check is an answer about the goal."""
    return done.value is not None and done.value.verdict in {Verdict.PROVED, Verdict.REFUTED}


def _accepting(accept: Callable[[Completed[Job, Check]], bool] | None) -> Callable[[Completed[Errand, Check]], bool]:
    judge = accept or decides
    return lambda done: judge(_completed(done))


# --- how a request that came to no answer reads as a check ------------------------------------------------------------

_VERDICTS: Final[dict[type[BaseException], Verdict]] = {
    OverloadedError: Verdict.OVERLOADED,
    DeadlineError: Verdict.TIMEOUT,
    WorkerError: Verdict.CRASHED,
    CancelledError: Verdict.CANCELLED,
    # A process that did not come to its first job. That there is no such program, or that the header cannot be
    # used, is for the caller to hear.
    ProverEndedError: Verdict.CRASHED,
    ProverProtocolError: Verdict.CRASHED,
    ProverMemoryError: Verdict.MEMORY,
    ProverStoppedError: Verdict.FAILED,
}
_NO_ANSWER = tuple(_VERDICTS)


def _said_instead(errand: Errand, error: BaseException) -> Check:
    return no_answer(errand.prover, _verdict_of(error), str(error))


def _verdict_of(error: BaseException) -> Verdict:
    return next(verdict for kind, verdict in _VERDICTS.items() if isinstance(error, kind))


def _put(checks: list[Check], positions: Sequence[int], audit: Audit, found: Sequence[Check] | Exception) -> None:
    """Puts what came of a batch where its checks are."""
    if isinstance(found, Exception):
        checked: Sequence[Check] = audit.failed(_verdict_of(found), str(found))
    else:
        checked = found
    for position, check in zip(positions, checked, strict=True):
        checks[position] = check


def _completed(done: Completed[Errand, Check]) -> Completed[Job, Check]:
    if done.error is not None and isinstance(done.error, _NO_ANSWER):
        return Completed(done.position, done.item.job, _said_instead(done.item, done.error), None)
    check = None if done.value is None else done.item.received(done.value)
    return Completed(done.position, done.item.job, check, done.error)


def _race(race: Race[Errand, Check]) -> Race[Job, Check]:
    return Race(race.winner and _completed(race.winner), tuple(map(_completed, race.ended)))
