"""What came out of a comparison of recalls: who stands where, ratios to each peer, and which targets they meet."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rivals.measures import TARGET_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

REAL, GROWN = "real", "grown"

P50 = "p50 of a query"
TAIL = "p99 over p50"
OPEN = "open and first answer"
BYTES = "resident bytes a row"
FILTERED = "p50 among a tenth, over all"
ONE_BY_ONE = "insert one by one"
AT_ONCE = "insert all at once"

# Opening and memory are compared where most is found.
WHOLE = 0.99


@dataclass
class Standing:
    """One variant at one setting, in every round.

    Attributes:
        variant: Its name.
        peer: What it is a variant of.
        versions: What ran.
        level: The recall that it was to reach.
        knob: What its setting is called.
        setting: The setting.
        rows: How many rows it holds.
        rounds: What each round told, with the recall of its answers.
        filtered: What it told of a search among some rows, if that was asked.
    """

    variant: str
    peer: str
    versions: dict[str, str]
    level: float
    knob: str
    setting: float
    rows: int
    rounds: list[dict[str, Any]] = field(default_factory=list)
    filtered: dict[str, Any] = field(default_factory=dict)

    def each(self, key: str) -> list[float]:
        return [float(one[key]) for one in self.rounds]

    @property
    def recall(self) -> float:
        """The lowest of any round: slow contestants answer another part of the queries in each."""
        return min(self.each("recall"))

    @property
    def p50_us(self) -> list[float]:
        return self.each("p50_us")

    @property
    def p50(self) -> float:
        return statistics.median(self.p50_us)

    @property
    def tails(self) -> list[float]:
        return [p99 / p50 for p99, p50 in zip(self.each("p99_us"), self.p50_us, strict=True)]

    @property
    def openings_ms(self) -> list[float]:
        return [opened + first for opened, first in zip(self.each("open_ms"), self.each("first_ms"), strict=True)]

    @property
    def bytes_a_row(self) -> list[float]:
        """What the index adds to a process that has loaded its library and answered every query."""
        grown = zip(self.each("resident_kib"), self.each("loaded_kib"), strict=True)
        return [1024.0 * (after - before) / self.rows for after, before in grown]

    @property
    def knob_setting(self) -> str:
        return f"{self.knob} {self.setting:g}"

    @property
    def version(self) -> str:
        return " ".join(self.versions.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "variant": self.variant,
            "peer": self.peer,
            "versions": self.versions,
            "level": self.level,
            "knob": self.knob,
            "setting": self.setting,
            "recall": self.recall,
            "p50_us": self.p50,
            "p50_us_low": min(self.p50_us),
            "p50_us_high": max(self.p50_us),
            "p99_us": statistics.median(self.each("p99_us")),
            "p99_over_p50": statistics.median(self.tails),
            "open_and_first_ms": statistics.median(self.openings_ms),
            "bytes_a_row": statistics.median(self.bytes_a_row),
            "filtered": self.filtered,
            "rounds": self.rounds,
        }


def best(standings: Iterable[Standing]) -> dict[tuple[str, float], Standing]:
    """Of each peer at each level, the variant whose median query is the fastest."""
    found: dict[tuple[str, float], Standing] = {}
    for one in standings:
        key = (one.peer, one.level)
        if key not in found or one.p50 < found[key].p50:
            found[key] = one
    return found


@dataclass(frozen=True)
class Target:
    """What a ratio is to reach.

    Attributes:
        measure: Of what.
        peer: Against whom; Porism's own ratios are against itself.
        limit: At most that; for rates, at least.
        set: On which set; "": on each.
        level: At which recall; None: at each.
    """

    measure: str
    peer: str
    limit: float
    set: str = ""
    level: float | None = None


TARGETS = (
    Target(P50, "hnswlib", 0.7, REAL, 0.95),
    Target(P50, "hnswlib", 0.45, REAL, 0.99),
    Target(P50, "hnswlib", 0.8, GROWN, 0.95),
    Target(P50, "hnswlib", 0.9, GROWN, 0.99),
    Target(TAIL, "porism", 1.2),
    Target(FILTERED, "porism", 1.3),
    Target(OPEN, "hnswlib", 0.01, GROWN),
    Target(BYTES, "hnswlib", 0.3),
    Target(ONE_BY_ONE, "hnswlib", 40.0),
    Target(AT_ONCE, "hnswlib", 30.0),
)
_RATES = (ONE_BY_ONE, AT_ONCE)


@dataclass(frozen=True)
class Ratio:
    """Porism over a peer, or over itself: of the medians, and the lowest and highest within one round.

    Attributes:
        measure: Of what.
        set: On which set.
        level: At which recall; None where it plays no part.
        peer: Over whom.
        setting: The peer's variant and setting.
        version: The peer's.
        ours: Porism's value.
        theirs: The peer's, or 1 where the value is a ratio itself.
        unit: Of both.
        low: The lowest ratio of a round.
        high: The highest.
        target: What it is to reach, if that was set.
    """

    measure: str
    set: str
    level: float | None
    peer: str
    setting: str
    version: str
    ours: float
    theirs: float
    unit: str
    low: float
    high: float
    target: float | None

    @property
    def value(self) -> float:
        return self.ours / self.theirs

    @property
    def rate(self) -> bool:
        return self.measure in _RATES

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.rate else self.value <= self.target

    def as_json(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return told | {"ratio": self.value, "met": self.met}


def target(measure: str, peer: str, of_set: str, rows: int, level: float | None) -> float | None:
    """The target that holds; those of the grown set hold at their size only."""
    if of_set == GROWN and rows != TARGET_ROWS:
        return None
    for one in TARGETS:
        if (one.measure, one.peer) == (measure, peer) and one.set in ("", of_set) and one.level in (None, level):
            return one.limit
    return None


def ratios(of_set: str, standings: Sequence[Standing], inserts: Sequence[dict[str, Any]]) -> list[Ratio]:
    """Every ratio of which both sides are there."""
    leading = best(standings)
    found: list[Ratio] = []
    for (peer, level), theirs in leading.items():
        ours = leading.get(("porism", level))
        if ours is None:
            continue
        if peer == "porism":
            found.append(_own(of_set, TAIL, ours, ours.tails))
            if "p50_us" in ours.filtered:
                found.append(_own(of_set, FILTERED, ours, [ours.filtered["p50_us"] / ours.p50]))
            continue
        found.append(_over(of_set, P50, "us", ours, theirs, lambda one: one.p50_us))
        if level == WHOLE:
            found.append(_over(of_set, OPEN, "ms", ours, theirs, lambda one: one.openings_ms))
            found.append(_over(of_set, BYTES, "bytes", ours, theirs, lambda one: one.bytes_a_row))
    return found + _insert_ratios(of_set, inserts)


def _own(of_set: str, measure: str, ours: Standing, values: list[float]) -> Ratio:
    """A ratio that Porism has with itself."""
    limit = target(measure, "porism", of_set, ours.rows, ours.level)
    middle = statistics.median(values)
    place = (measure, of_set, ours.level, "porism", ours.knob_setting, ours.version)
    return Ratio(*place, middle, 1.0, "", min(values), max(values), limit)


def _over(
    of_set: str, measure: str, unit: str, ours: Standing, theirs: Standing, values: Callable[[Standing], list[float]]
) -> Ratio:
    each = [one / other for one, other in zip(values(ours), values(theirs), strict=True)]
    limit = target(measure, theirs.peer, of_set, ours.rows, ours.level)
    place = (measure, of_set, ours.level, theirs.peer, f"{theirs.variant}, {theirs.knob_setting}", theirs.version)
    middles = (statistics.median(values(ours)), statistics.median(values(theirs)))
    return Ratio(*place, *middles, unit, min(each), max(each), limit)


def _insert_ratios(of_set: str, inserts: Sequence[dict[str, Any]]) -> list[Ratio]:
    found = []
    for measure, key in ((ONE_BY_ONE, "one_by_one"), (AT_ONCE, "at_once")):
        told = [one for one in inserts if one[key]]
        ours = next((one for one in told if one["peer"] == "porism"), None)
        for theirs in told:
            if ours is None or theirs is ours:
                continue
            each = [one / other for one, other in zip(ours[key], theirs[key], strict=True)]
            limit = target(measure, theirs["peer"], of_set, ours["rows"], None)
            place = (measure, of_set, None, theirs["peer"], theirs["variant"], theirs["version"])
            middles = (statistics.median(ours[key]), statistics.median(theirs[key]))
            found.append(Ratio(*place, *middles, "rows/s", min(each), max(each), limit))
    return found
