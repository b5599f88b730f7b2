"""The verdict cache of a pool: what its jobs are kept under, and what their limits mean for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from porism._errors import InputError, StoreError
from porism._verdict_cache import VerdictCache

if TYPE_CHECKING:
    import os

    from porism._errand import Errand
    from porism._verdicts import Check
    from porism.provers._driver import Driver

# A timeout that had this part of the time that there is now answers as well. Nobody gets exactly the time that somebody
# else got: a moment of it passes before the work begins.
_AS_GOOD_AS: Final = 0.95

# A cache that its owner has closed raises the first.
_FAILURES: Final = (InputError, StoreError)


class Answers:
    """Asks a verdict cache for jobs of a pool, and fills it. A cache that fails is a cache that knows nothing.

    Args:
        cache: The cache, which its owner closes; or the path of one that is opened here and closed with the pool.
    """

    def __init__(self, cache: VerdictCache | str | os.PathLike[str]) -> None:
        self._owned = not isinstance(cache, VerdictCache)
        self.cache = cache if isinstance(cache, VerdictCache) else VerdictCache.open(cache)
        #: What went wrong last; empty when nothing has since the last success.
        self.problem = ""
        self._builds: dict[Driver, str] = {}

    def peek(self, errand: Errand, time_left_s: float | None) -> Check | None:
        """What memory knows. Never waits, so that an event loop may ask."""
        # To ask for a build can mean to run the prover.
        build = self._builds.get(errand.driver)
        if build is None:
            return None
        try:
            job = errand.job
            return self.cache.peek(_key(errand, build), trust=job.trust, budget_s=_asked_s(errand, time_left_s))
        except _FAILURES as error:
            self.problem = str(error)
            return None

    def find(self, errand: Errand, time_left_s: float | None) -> Check | None:
        """What is known. May read the disk, and run the prover for its version, once.

        Raises:
            ProverError: The prover does not say what it is; it could not do the job either.
        """
        key = _key(errand, self._build(errand.driver))
        try:
            found = self.cache.get(key, trust=errand.job.trust, budget_s=_asked_s(errand, time_left_s))
        except _FAILURES as error:
            self.problem = str(error)
            return None
        self.problem = ""
        return found

    def keep(self, errand: Errand, check: Check, time_left_s: float | None) -> None:
        """Hands over what a job came to, and the time that it had from its beginning. The cache decides what stays."""
        key = _key(errand, self._build(errand.driver))
        try:
            self.cache.put(key, check, trust=errand.job.trust, budget_s=_limit_s(errand, time_left_s))
        except _FAILURES as error:
            self.problem = str(error)
        else:
            self.problem = ""

    def close(self) -> None:
        """Closes the cache, if it was opened here."""
        if self._owned:
            self.cache.close()

    def _build(self, driver: Driver) -> str:
        build = self._builds.get(driver)
        if build is None:
            build = self._builds[driver] = driver.build()
        return build


def _key(errand: Errand, build: str) -> bytes:
    """What the verdict depends on, but for who has to vouch for it and the time that it may take."""
    job = errand.job
    options = repr(sorted((name, value) for name, value in job.options.items() if name != "seconds"))
    return VerdictCache.key(
        prover_build=f"{errand.prover} {build}",
        candidate=_bytes(job.candidate),
        statement=b"" if job.statement is None else b"=" + _bytes(job.statement),
        prefix=_bytes(job.header),
        options=_bytes(f"{job.name!r} {options}"),
    )


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _limit_s(errand: Errand, time_left_s: float | None) -> float | None:
    """The seconds of work that a job is allowed: what its option says, and its deadline."""
    seconds = min(float(errand.job.options.get("seconds", math.inf)), math.inf if time_left_s is None else time_left_s)
    return None if math.isinf(seconds) else max(0.0, seconds)


def _asked_s(errand: Errand, time_left_s: float | None) -> float | None:
    limit_s = _limit_s(errand, time_left_s)
    return None if limit_s is None else _AS_GOOD_AS * limit_s
