"""Which driver gets a job, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from porism._errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from porism._failover import Outages
    from porism.provers._driver import Driver, Job


@dataclass(frozen=True, slots=True)
class Route:
    """One driver, as a job sees it.

    Attributes:
        prover: Its name.
        suits: Whether it can do the job.
        why: The reason, for people.
        cost: What it costs, relative to others.
        in_trouble: Whether it was missing, or did not start, a moment ago: others that suit go first.
    """

    prover: str
    suits: bool
    why: str
    cost: float
    in_trouble: bool = False


class Router:
    """Chooses among the drivers of one pool, and remembers what it chose: what drivers can do does not change.

    Args:
        drivers: Those of the pool.
        outages: Which of them are in trouble, which does change.
    """

    def __init__(self, drivers: Sequence[Driver], outages: Outages) -> None:
        self._drivers = tuple(drivers)
        self._outages = outages
        self._suiting: dict[object, tuple[Driver, ...]] = {}

    def routes(self, job: Job) -> tuple[Route, ...]:
        """What each driver is to a job: those that suit first, the cheapest of them at the head, trouble behind."""
        found = [_route(driver, job) for driver in self._drivers]
        found = [_with_trouble(route, self._outages.reason(route.prover, job.header)) for route in found]
        return tuple(sorted(found, key=lambda route: (not route.suits, route.in_trouble, route.cost)))

    def order(self, job: Job) -> tuple[Driver, ...]:
        """The drivers for a job, in the order in which they are to be asked.

        Raises:
            InputError: None suits; the message says why, driver by driver.
        """
        # All that suiting depends on.
        options = frozenset((name, type(value)) for name, value in job.options.items()) if job.options else None
        asks = (job.language, job.prover, job.trust, options)
        suiting = self._suiting.get(asks)
        if suiting is None:
            # What suits nobody is not remembered: there is no end of it.
            suiting = self._suiting[asks] = self._cheapest_first(job)
        if len(suiting) > 1 and self._outages:
            return tuple(sorted(suiting, key=lambda driver: self._outages.reason(driver.name, job.header) is not None))
        return suiting

    def choose(self, job: Job) -> Driver:
        """The driver that is to be asked first. Raises as ``order`` does."""
        return self.order(job)[0]

    def _cheapest_first(self, job: Job) -> tuple[Driver, ...]:
        suiting = [driver for driver in self._drivers if _route(driver, job).suits]
        if suiting:
            return tuple(sorted(suiting, key=lambda driver: driver.capabilities().cost))
        reasons = "; ".join(f"{route.prover}: {route.why}" for route in self.routes(job))
        raise InputError(f"no prover of this pool can do the job: {reasons}")


def _with_trouble(route: Route, trouble: str | None) -> Route:
    if trouble is None or not route.suits:
        return route
    return replace(route, in_trouble=True, why=f"{route.why}, but others go first for now: {trouble}")


def _route(driver: Driver, job: Job) -> Route:
    can = driver.capabilities()
    unknown = sorted(job.options.keys() - driver.options.keys())
    mistyped = [name for name, value in job.options.items() if not _fits(value, driver.options.get(name))]
    if job.prover is not None and job.prover != driver.name:
        suits, why = False, f"the job is for {job.prover}"
    elif job.prover is None and job.language is None:
        suits, why = False, "the job names neither a language nor a prover"
    elif job.language is not None and job.language not in can.languages:
        suits, why = False, f"it does not read {job.language}"
    elif job.trust > can.trust:
        suits, why = False, f"it gives {can.trust.name} at most, and {job.trust.name} is asked for"
    elif unknown:
        suits, why = False, f"it has no option {', '.join(unknown)}"
    elif mistyped:
        suits, why = False, f"its options {', '.join(mistyped)} are of another type"
    else:
        read = job.language or "whatever it is asked"
        suits, why = True, f"it reads {read} and gives up to {can.trust.name}"
    return Route(driver.name, suits, why, can.cost)


def _fits(value: object, kind: type | None) -> bool:
    # A bool is an int to Python, and to nobody who sets a limit; an int does for a float.
    if isinstance(value, bool):
        return kind in {bool, None}
    return kind is None or isinstance(value, (int, float) if kind is float else kind)
