"""What the two faces of a pool share: how one is made, who does what, and what it tells of itself."""

from __future__ import annotations

import os
import re
import weakref
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar

from porism import _core
from porism._answers import Answers
from porism._errand import Errand, Nobody
from porism._errors import (
    ClosedError,
    InputError,
)
from porism._failover import Attempts, Outages
from porism._pool_types import PoolMetrics, pool_health, pool_metrics
from porism._proof_session import Lease
from porism._queue import AsyncQueue, Queue
from porism._routing import Route, Router
from porism._upgrade import Audit, Origin, audits
from porism._verdicts import level
from porism.provers._driver import GRACE_S, Job, Language

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from porism._queue_types import Health
    from porism._verdict_cache import VerdictCache
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


class Face(ABC, Generic[Q]):
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
        cache: VerdictCache | str | os.PathLike[str] | None = None,
        name: str = "pool",
    ) -> None:
        """Starts the threads of a pool; processes are started when they are needed.

        Args:
            provers: The drivers. A job goes to the cheapest that can do it.
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
            cache: Where verdicts are kept and looked up: a cache, which stays the caller's, or the path of one.
            name: What metrics call it.

        Raises:
            StoreError: There is no cache to be had at the path; see ``VerdictCache.open``.
            InputError: There is no driver, two have one name, or an option is out of range.
        """
        names = [driver.name for driver in provers]
        if not names or len(set(names)) < len(names):
            raise InputError(f"provers={names}: a pool needs at least one driver, and each its own name")
        self.provers = tuple(provers)
        self._outages = Outages()
        self._router = Router(self.provers, self._outages)
        workers = self.workers = workers or len(os.sched_getaffinity(0))
        self._processes = _core.Processes(
            processes=processes or 2 * workers,
            memory_bytes=None if memory is None else size_bytes(memory),
            uses=uses,
            growth_bytes=None if growth is None else size_bytes(growth),
            grace_s=grace_s,
            canary_every=canary_every,
        )
        self._answers = None if cache is None else Answers(cache)
        self._self: weakref.ref[Any] = weakref.ref(self)
        self._leases: weakref.WeakSet[Lease] = weakref.WeakSet()
        self._queue = self._open_queue(
            worker=self._processes.worker(),
            threads=workers,
            capacity=capacity,
            ageing_s=ageing_s,
            patience_s=patience_s,
            shares=shares,
            name=name,
        )

    @abstractmethod
    def _open_queue(self, **options: Any) -> Q:
        """The queue of this face."""

    @property
    def name(self) -> str:
        """What metrics call it."""
        return self._queue.name

    def routes(self, job: Job) -> tuple[Route, ...]:
        """What each prover is to a job, and why; the first one that suits gets it."""
        return self._router.routes(job)

    def metrics(self) -> PoolMetrics:
        """The numbers of this moment."""
        return pool_metrics(self._queue.metrics(), self._processes)

    def prometheus(self) -> str:
        """The same in the text format of Prometheus, labelled with the pool's name."""
        return self._queue.prometheus() + self._processes.prometheus(self.name)

    def health(self) -> Health:
        """Whether jobs are taken and done, and if not, why."""
        cache = self._answers.problem if self._answers else ""
        return pool_health(self._queue.health(), self._processes, *([f"the verdict cache: {cache}"] if cache else ()))

    def __repr__(self) -> str:
        names = ", ".join(driver.name for driver in self.provers)
        return f"<{type(self).__name__} {self.name!r}: {names}>"

    def _attempts(self, candidate: str | Job, fields: JobFields, deadline_s: float | None) -> Attempts:
        if not isinstance(candidate, Job):
            job = Job(candidate=candidate, **fields)
        else:
            job = replace(candidate, **fields) if fields else candidate
        return Attempts(self._router.order(job), lambda driver: self._errand_for(driver, job, deadline_s), deadline_s)

    def _errand(self, job: Job, deadline_s: float | None) -> Errand:
        return self._errand_for(self._router.choose(job), job, deadline_s)

    def _errand_for(self, driver: Driver, job: Job, deadline_s: float | None) -> Errand:
        return Errand(driver, job, self._answers, deadline_s, Origin(job, self._self), self._outages)

    def _errands(self, jobs: Iterable[Job], deadline_s: float | None) -> Iterator[Errand]:
        """One that nobody can do does not keep the others from being done."""
        for job in jobs:
            try:
                yield self._errand(job, deadline_s)
            except InputError as error:
                yield Errand(Nobody(str(error)), job)

    def _ended(self) -> None:
        self._processes.close()
        if self._answers is not None:
            self._answers.close()

    def _lease(self, prover: str, header: str, idle_s: float) -> Lease:
        job = Job(candidate="", header=header, prover=prover)
        driver = self._router.choose(job)
        if not driver.capabilities().branching:
            raise InputError(f"{driver.name} does not go step by step")
        lease = Lease(driver, job, idle_s)
        self._leases.add(lease)
        return lease

    def _end_leases(self) -> None:
        for lease in list(self._leases):
            lease.end(ClosedError("the pool is closed"))

    def _audits(self, checks: Sequence[Check], trust: Trust | str) -> list[tuple[list[int], Audit]]:
        return list(audits(self._router, checks, level(trust)))


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
