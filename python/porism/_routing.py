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


def routes(drivers: Sequence[Driver], job: Job, outages: Outages | None = None) -> tuple[Route, ...]:
    """What each driver is to a job: those that suit first, the cheapest at the head, those in trouble behind them."""
    found = [_route(driver, job) for driver in drivers]
    if outages is not None:
        found = [_with_trouble(route, outages.reason(route.prover, job.header)) for route in found]
    return tuple(sorted(found, key=lambda route: (not route.suits, route.in_trouble, route.cost)))


def choose(drivers: Sequence[Driver], job: Job, outages: Outages | None = None) -> tuple[Driver, ...]:
    """The drivers for a job, in the order in which they are to be asked.

    Raises:
        InputError: None suits; the message says why, driver by driver.
    """
    found = routes(drivers, job, outages)
    by_name = {driver.name: driver for driver in drivers}
    if suiting := tuple(by_name[route.prover] for route in found if route.suits):
        return suiting
    reasons = "; ".join(f"{route.prover}: {route.why}" for route in found)
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
