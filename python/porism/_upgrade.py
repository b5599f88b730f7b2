"""More trust for checks that are there already: where a check came from, and how many are audited as one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from porism._errand import Errand, no_answer
from porism._errors import InputError
from porism._types import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Protocol
    from weakref import ReferenceType

    from porism._core import Session
    from porism._routing import Router
    from porism._verdicts import Check, Trust
    from porism.provers._driver import Driver, Job

    class Submits(Protocol):
        """What of a pool is needed: a ticket from ``Pool``, something to await from ``AsyncPool``."""

        def submit(self, job: Job) -> Any: ...


class Origin:
    """The job that a check is of, and the pool that did it, as long as that lives. A copy elsewhere has neither."""

    __slots__ = ("job", "pool")

    def __init__(self, job: Job, pool: ReferenceType[Any]) -> None:
        self.job = job
        self.pool = pool

    def upgrade(self, check: Check, trust: Trust) -> Any:
        """Submits the job again, for more."""
        pool: Submits | None = self.pool()
        if pool is None:
            raise InputError("the pool that this check came from is gone")
        return pool.submit(wanted(self.job, check, trust))

    def __reduce__(self) -> tuple[Any, ...]:
        return _nowhere, ()


def _nowhere() -> None:
    return None


def wanted(job: Job, check: Check, trust: Trust) -> Job:
    """The job that would give a check more trust: by the same prover."""
    return replace(job, trust=trust, prover=check.prover)


class Audit(Errand):
    """Several jobs with one header, done by one driver at once."""

    __slots__ = ("origins",)

    def __init__(self, driver: Driver, origins: Sequence[Origin]) -> None:
        super().__init__(driver, origins[0].job)
        self.origins = tuple(origins)

    def key(self) -> bytes:
        """The same for the same jobs in the same order."""
        digest = hashlib.blake2b(digest_size=32)
        for origin in self.origins:
            digest.update(Errand(self.driver, origin.job).key())
        return digest.digest()

    def check(self, session: Session) -> Any:
        """Does them: a list of checks."""
        checks = self.driver.audit(session, [origin.job for origin in self.origins])
        return [replace(check, origin=origin) for check, origin in zip(checks, self.origins, strict=True)]

    def failed(self, verdict: str, detail: str) -> Any:
        """What is said of each when there is no answer."""
        return [no_answer(self.driver.name, Verdict(verdict), detail) for _ in self.origins]


def audits(router: Router, checks: Sequence[Check], trust: Trust) -> Iterator[tuple[list[int], Audit]]:
    """The errands that give checks more trust, each with the positions of its checks.

    Checks that are trusted as much already, or prove nothing, are in none of them.

    Raises:
        InputError: A check did not come from a pool, or its prover does not give so much trust.
    """
    groups: dict[tuple[str, str], list[tuple[int, Origin]]] = {}
    for position, check in enumerate(checks):
        if check.verdict is not Verdict.PROVED or check.trust >= trust:
            continue
        if check.origin is None:
            raise InputError(f"check {position} did not come from a pool")
        job = wanted(check.origin.job, check, trust)
        groups.setdefault((check.prover, job.header), []).append((position, Origin(job, check.origin.pool)))
    for group in groups.values():
        driver = router.choose(group[0][1].job)
        for start in range(0, len(group), driver.batch):
            batch = group[start : start + driver.batch]
            yield [position for position, _ in batch], Audit(driver, [origin for _, origin in batch])
