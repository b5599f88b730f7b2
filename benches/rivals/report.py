"""What came out: samples of every round, their medians and ranges, ratios, as tables and as JSON."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from rivals.contestants import ENTRIES
from rivals.measures import COMPARISONS, OPEN, TARGET_ROWS, Comparison

RATE = "rows/s"
TIME = "ms"
WIDTH = 150


@dataclass
class Samples:
    """What one contestant did in one measure.

    Attributes:
        measure: Which measure.
        contestant: Who.
        rows: On how many rows.
        asked: How many rows others had.
        unit: Of the values.
        values: One a round.
        details: Whatever else the worker told, one a round.
    """

    measure: str
    contestant: str
    rows: int
    asked: int
    unit: str
    values: list[float] = field(default_factory=list)
    details: list[dict[str, Any]] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def middle(self, *keys: str) -> float:
        """The median of one of the details."""
        found = []
        for detail in self.details:
            value: Any = detail
            for key in keys:
                value = value[key]
            found.append(float(value))
        return statistics.median(found)

    def as_json(self) -> dict[str, Any]:
        return {
            "measure": self.measure,
            "contestant": self.contestant,
            "rows": self.rows,
            "fewer_rows": self.rows < self.asked,
            "survives": ENTRIES[self.contestant].survives,
            "unit": self.unit,
            "median": self.median,
            "low": min(self.values),
            "high": max(self.values),
            "rounds": self.values,
            "details": self.details,
        }


@dataclass
class Ratio:
    """Porism over a peer: of the medians, and the lowest and highest within one round.

    Attributes:
        comparison: What is compared.
        ours: What Porism did.
        peer: What the peer did.
        comparable: Whether both did the same work; otherwise no target is held against the ratio.
    """

    comparison: Comparison
    ours: Samples
    peer: Samples
    comparable: bool

    @property
    def value(self) -> float:
        return self.ours.median / self.peer.median

    @property
    def rounds(self) -> list[float]:
        return [ours / peer for ours, peer in zip(self.ours.values, self.peer.values, strict=True)]

    @property
    def target(self) -> float | None:
        """The target, where it holds: opening has one at a single size."""
        if not self.comparable:
            return None
        if self.comparison.measure == OPEN and self.ours.rows != TARGET_ROWS:
            return None
        return self.comparison.target

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.ours.unit == RATE else self.value <= self.target

    def as_json(self, versions: dict[str, dict[str, str]]) -> dict[str, Any]:
        peer = self.comparison.peer
        return {
            "measure": self.comparison.measure,
            "rows": self.ours.rows,
            "peer_rows": self.peer.rows,
            "ours": self.comparison.ours,
            "ours_value": self.ours.median,
            "peer": peer,
            "peer_value": self.peer.median,
            "peer_version": versions[peer],
            "unit": self.ours.unit,
            "ratio": self.value,
            "ratio_low": min(self.rounds),
            "ratio_high": max(self.rounds),
            "comparable": self.comparable,
            "target": self.target,
            "met": self.met,
        }


def ratios(samples: list[Samples], own_vectors: dict[str, bool]) -> list[Ratio]:
    """Every comparison of which both sides ran, at every size."""
    found = []
    for comparison in COMPARISONS:
        of_measure = [one for one in samples if one.measure == comparison.measure]
        for ours in of_measure:
            for peer in of_measure:
                names = (ours.contestant, peer.contestant)
                if names == (comparison.ours, comparison.peer) and ours.asked == peer.asked:
                    found.append(Ratio(comparison, ours, peer, own_vectors[ours.contestant]))
    return found


def show(result: dict[str, Any], samples: list[Samples], found: list[Ratio]) -> None:
    """Prints the tables."""
    console = Console()
    # Into a file, too, a row is one line.
    console.width = max(console.width, WIDTH)
    console.print(_writes(samples))
    console.print(_opens(samples))
    console.print(_ratios(found))
    machine = result["machine"]
    console.print(
        f"One sync of a vector's bytes takes {machine['sync_ms']:.3f} ms here ({machine['file_system']}). "
        "* on fewer rows, to end in time; that favours it."
    )
    for warning in result["warnings"]:
        console.print(f"[bold]{warning}[/bold]")


def _writes(samples: list[Samples]) -> Table:
    table = Table(title=f"Writes: rows/s, median of {_rounds(samples)} rounds [lowest, highest]")
    for name in ("measure", "contestant", "a returned insert survives"):
        table.add_column(name)
    for name in ("rows", RATE, "range"):
        table.add_column(name, justify="right")
    last = ""
    for one in samples:
        if one.unit != RATE:
            continue
        rows = f"{one.rows:,}" + ("*" if one.rows < one.asked else "")
        span = f"[{min(one.values):,.0f}, {max(one.values):,.0f}]"
        measure = one.measure if one.measure != last else ""
        last = one.measure
        survives = ENTRIES[one.contestant].survives
        table.add_row(measure, one.contestant, survives, rows, f"{one.median:,.0f}", span)
    return table


def _opens(samples: list[Samples]) -> Table:
    table = Table(title="Open in a new process, ask for 10: ms and resident MiB (before opening, and what is added)")
    table.add_column("contestant")
    heads = ("rows", "open", "first answer", "both", "range", "second answer", "before", "+ open", "+ answer")
    for name in (*heads, "of it private"):
        table.add_column(name, justify="right")
    for one in samples:
        if one.measure != OPEN:
            continue
        before = one.middle("before_kib", "total") / 1024
        opened = one.middle("after_open_kib", "total") / 1024
        answered = one.middle("after_answer_kib", "total") / 1024
        private = (one.middle("after_answer_kib", "anonymous") - one.middle("before_kib", "anonymous")) / 1024
        times = [one.middle("open_ms"), one.middle("first_ms"), one.median]
        table.add_row(
            one.contestant,
            f"{one.rows:,}",
            *(f"{value:,.2f}" for value in times),
            f"[{min(one.values):,.2f}, {max(one.values):,.2f}]",
            f"{one.middle('second_ms'):,.2f}",
            *(f"{value:,.1f}" for value in (before, opened - before, answered - before, private)),
        )
    return table


def _ratios(found: list[Ratio]) -> Table:
    table = Table(title="Porism, or the floor, over each peer (rates: more is better; times: less)")
    for name in ("measure", "ours", "peer"):
        table.add_column(name)
    for name in ("rows", "ratio", "range", "target", "met"):
        table.add_column(name, justify="right")
    for one in found:
        rate = one.ours.unit == RATE
        target = "" if one.target is None else f"{'>=' if rate else '<='} {one.target:g}x"
        table.add_row(
            one.comparison.measure,
            one.comparison.ours,
            one.comparison.peer,
            f"{one.ours.asked:,}",
            f"{one.value:.3g}x",
            f"[{min(one.rounds):.3g}, {max(one.rounds):.3g}]",
            target,
            "" if one.met is None else "yes" if one.met else "no",
        )
    return table


def _rounds(samples: list[Samples]) -> int:
    return max((len(one.values) for one in samples), default=0)
