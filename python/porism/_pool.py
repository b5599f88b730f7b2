"""A pool of provers behind one queue, for threads and for asyncio."""

from __future__ import annotations

import os
import re
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypedDict, TypeVar, Unpack

from porism import _core
from porism._errand import Errand, Nobody, no_answer
from porism._errors import CancelledError, DeadlineError, InputError, OverloadedError, ProverError, WorkerError
from porism._failover import Attempts, Outages
from porism._pool_types import PoolMetrics, pool_health, pool_metrics
from porism._queue import AsyncQueue, Queue
from porism._queue_types import Completed, Health, Race
from porism._routing import Route, choose, routes
from porism._types import Verdict
from porism.provers._driver import GRACE_S, Job, Language

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from porism._arrivals import AsyncTicket
    from porism._verdicts import Check, Trust
    from porism.provers._driver import Driver

Q = TypeVar("Q", Queue["Errand", "Check"], AsyncQueue["Errand", "Check"])


class JobFields(TypedDict, total=False):
    """What a job may say beside its candidate; see ``Job``."""

    statement: str | None
    header: str
    name: str | None
    language: Language | None
    prover: str | None
    trust: Trust
    options: Mapping[str, Any]


class _Face(Generic[Q]):
    """What the two faces share: how a pool is made, who does what, and what it tells of itself."""

    _queue: Q

    def __init__(
        self,
        provers: Sequence[Driver],
        *,
        workers: int = 0,
        processes: int = 0,
        memory: int | str | None = None,
        uses: int | None = 10_000,
        growth: int | str | None = "2GiB",
        grace_s: float = GRACE_S,
        canary_every: int | None = None,
        capacity: int = 1 << 20,
        ageing_s: float = 10.0,
        patience_s: float = 60.0,
        shares: Mapping[str, float] | None = None,
        name: str = "pool",
    ) -> None:
        """Starts the threads of a pool; processes are started when they are needed.

        Args:
            provers: The drivers. A job goes to the cheapest that can do it; where that is missing or does not start,
                ``check`` asks the next one, and later jobs go there for a while.
            workers: How many checks run at once; 0: one for each processor that this process may use.
            processes: How many processes are kept at most, idle ones included; 0: twice the workers.
            memory: Bytes that all processes together may use, or text such as ``"8GiB"``; ``None``: no bound.
            uses: After how many checks a process is replaced; ``None``: never for that reason.
            growth: A process that is so much larger than after its start is replaced; ``None``: never for that reason.
            grace_s: How long a process that was interrupted may take to be fit again.
            canary_every: After how many checks a process has to pass its canary; ``None``: only after interrupts.
            capacity: How many jobs may wait.
            ageing_s: How many seconds of waiting a level of priority is worth.
            patience_s: A job without a deadline stands where one would that is due in so many seconds.
            shares: The weights of tenants' shares of the working time; 1 for those not named.
            name: What metrics call it.

        Raises:
            InputError: There is no driver, two have one name, or an option is out of range.
        """
        names = [driver.name for driver in provers]
        if not names or len(set(names)) < len(names):
            raise InputError(f"provers={names}: a pool needs at least one driver, and each its own name")
        self.provers = tuple(provers)
        self._outages = Outages()
        workers = workers or len(os.sched_getaffinity(0))
        self._processes = _core.Processes(
            processes=processes or 2 * workers,
            memory_bytes=None if memory is None else size_bytes(memory),
            uses=uses,
            growth_bytes=None if growth is None else size_bytes(growth),
            grace_s=grace_s,
            canary_every=canary_every,
        )
        self._queue = self._open_queue(
            worker=self._processes.worker(),
            threads=workers,
            capacity=capacity,
            ageing_s=ageing_s,
            patience_s=patience_s,
            shares=shares,
            name=name,
        )

    def _open_queue(self, **options: Any) -> Q:
        raise NotImplementedError

    @property
    def name(self) -> str:
        """What metrics call it."""
        return self._queue.name

    def routes(self, job: Job) -> tuple[Route, ...]:
        """What each prover is to a job, and why; the first one that suits gets it."""
        return routes(self.provers, job, self._outages)

    def metrics(self) -> PoolMetrics:
        """The numbers of this moment."""
        return pool_metrics(self._queue.metrics(), self._processes)

    def prometheus(self) -> str:
        """The same in the text format of Prometheus, labelled with the pool's name."""
        return self._queue.prometheus() + self._processes.prometheus(self.name)

    def health(self) -> Health:
        """Whether jobs are taken and done, and if not, why."""
        return pool_health(self._queue.health(), self._processes)

    def __repr__(self) -> str:
        names = ", ".join(driver.name for driver in self.provers)
        return f"<{type(self).__name__} {self.name!r}: {names}>"

    def _attempts(self, candidate: str | Job, fields: JobFields, deadline_s: float | None) -> Attempts:
        job = replace(candidate, **fields) if isinstance(candidate, Job) else Job(candidate=candidate, **fields)
        drivers = choose(self.provers, job, self._outages)
        return Attempts([Errand(driver, job, self._outages) for driver in drivers], deadline_s)

    def _errand(self, job: Job) -> Errand:
        return Errand(choose(self.provers, job, self._outages)[0], job, self._outages)

    def _errands(self, jobs: Iterable[Job]) -> Iterator[Errand]:
        """One that nobody can do does not keep the others from being done."""
        for job in jobs:
            try:
                yield self._errand(job)
            except InputError as error:
                yield Errand(Nobody(str(error)), job)


class Pool(_Face[Queue["Errand", "Check"]]):
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
            try:
                ticket = self._queue.submit(
                    errand, key=errand.key(), priority=priority, tenant=tenant, deadline_s=attempts.left_s
                )
                attempts.answered(errand, ticket.result())
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
        errand = self._errand(job)
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
            self._errands(jobs), key=Errand.key, priority=priority, tenant=tenant, deadline_s=deadline_s, ahead=ahead
        )
        return map(_completed, done)

    def race(
        self,
        jobs: Iterable[Job],
        *,
        accept: Callable[[Check], bool] | None = None,
        ordered: bool = False,
        deadline_s: float | None = None,
        priority: int = 0,
        tenant: str | None = None,
        ahead: int = 1024,
    ) -> Race[Job, Check]:
        """Has jobs race, a portfolio for one goal; the first check that decides wins, and the others are stopped.

        Args:
            jobs: Who runs.
            accept: Which checks decide; those that prove or refute, if not given.
            ordered: Whether the earliest of the jobs wins and not the first to end; see ``Queue.race``.
            deadline_s: How many seconds each may take.
            priority: Of each.
            tenant: Of each.
            ahead: How many run at once at most.
        """
        race = self._queue.race(
            self._errands(jobs),
            accept=accept or decides,
            ordered=ordered,
            key=Errand.key,
            priority=priority,
            tenant=tenant,
            deadline_s=deadline_s,
            ahead=ahead,
        )
        return _race(race)

    def close(self, *, cancel: bool = False) -> None:
        """Takes no more jobs, waits until the last has ended, and ends every process.

        Args:
            cancel: Whether to stop everything that waits or runs at once.
        """
        self._queue.close(cancel=cancel)
        self._processes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(cancel=error is not None)


class AsyncPool(_Face[AsyncQueue["Errand", "Check"]]):
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
            try:
                check = await self._queue.submit(
                    errand, key=errand.key(), priority=priority, tenant=tenant, deadline_s=attempts.left_s
                )
                attempts.answered(errand, check)
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
        errand = self._errand(job)
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
            self._errands(jobs), key=Errand.key, priority=priority, tenant=tenant, deadline_s=deadline_s, ahead=ahead
        )
        async with aclosing(done):
            async for one in done:
                yield _completed(one)

    async def race(
        self,
        jobs: Iterable[Job],
        *,
        accept: Callable[[Check], bool] | None = None,
        ordered: bool = False,
        deadline_s: float | None = None,
        priority: int = 0,
        tenant: str | None = None,
        ahead: int = 1024,
    ) -> Race[Job, Check]:
        """Has jobs race. See ``Pool.race``."""
        race = await self._queue.race(
            self._errands(jobs),
            accept=accept or decides,
            ordered=ordered,
            key=Errand.key,
            priority=priority,
            tenant=tenant,
            deadline_s=deadline_s,
            ahead=ahead,
        )
        return _race(race)

    async def close(self, *, cancel: bool = False) -> None:
        """Takes no more jobs, waits until the last has ended, and ends every process. See ``Pool.close``."""
        await self._queue.close(cancel=cancel)
        self._processes.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close(cancel=error is not None)


def decides(check: Check) -> bool:
    """Whether a check is an answer about the goal."""
    return check.verdict in {Verdict.PROVED, Verdict.REFUTED}


# --- how a request that came to no answer reads as a check ------------------------------------------------------------

_VERDICTS: Final[dict[type[BaseException], Verdict]] = {
    OverloadedError: Verdict.OVERLOADED,
    DeadlineError: Verdict.TIMEOUT,
    WorkerError: Verdict.CRASHED,
    CancelledError: Verdict.CANCELLED,
}
_NO_ANSWER = (OverloadedError, DeadlineError, WorkerError, CancelledError)


def _said_instead(errand: Errand, error: BaseException) -> Check:
    return no_answer(errand.prover, _VERDICTS[type(error)], str(error))


def _completed(done: Completed[Errand, Check]) -> Completed[Job, Check]:
    if done.error is not None and isinstance(done.error, _NO_ANSWER):
        return Completed(done.position, done.item.job, _said_instead(done.item, done.error), None)
    return Completed(done.position, done.item.job, done.value, done.error)


def _race(race: Race[Errand, Check]) -> Race[Job, Check]:
    return Race(race.winner and _completed(race.winner), tuple(map(_completed, race.ended)))


# --- sizes ------------------------------------------------------------------------------------------------------------

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)


def size_bytes(size: int | str) -> int:
    """Bytes of a size such as ``"8GiB"``, ``"500 MB"`` or a number.

    Raises:
        InputError: It is no such thing, or not positive.
    """
    if isinstance(size, str):
        match = _SIZE.fullmatch(size.strip())
        if match is None:
            raise InputError(f"memory={size!r}: expected a size such as '8GiB' or '500MB'")
        number, unit, binary = match.groups()
        size = int(float(number) * (1024 if binary else 1000) ** " KMGT".index(unit.upper() or " "))
    if size <= 0:
        raise InputError(f"memory={size}: it has to be positive")
    return size
