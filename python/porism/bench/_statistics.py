"""What the numbers of a run say, and what they do not say."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from porism.bench.results import ArmResult, Outcome, Run

#: Below this, a two-sided p is called significant.
LEVEL = 0.05
RESAMPLES = 10_000
MINUS = "\N{MINUS SIGN}"
SEED = 2078


@dataclass(frozen=True, slots=True)
class Paired:
    """Two arms on the problems that both were given.

    Attributes:
        first: The name of one arm.
        second: The name of the other.
        both: Problems that both solved.
        only_first: Problems that only ``first`` solved.
        only_second: Problems that only ``second`` solved.
        neither: Problems that neither solved.
        p: The exact two-sided McNemar probability.
        low: Lower end of the 95 % bootstrap interval of ``difference``.
        high: Upper end.
    """

    first: str
    second: str
    both: int
    only_first: int
    only_second: int
    neither: int
    p: float
    low: float
    high: float

    @property
    def difference(self) -> int:
        """How many more problems ``first`` solved."""
        return self.only_first - self.only_second

    @property
    def ahead(self) -> bool:
        """Whether ``first`` is better by the test *and* by the interval: on few problems either alone is too kind."""
        return self.p < LEVEL and self.low > 0

    @property
    def behind(self) -> bool:
        """Whether ``first`` is worse by the test and by the interval."""
        return self.p < LEVEL and self.high < 0


def compare(first: ArmResult, second: ArmResult) -> Paired:
    """Compares two arms, problem by problem."""
    others = {outcome.index: outcome for outcome in second.outcomes}
    pairs = [(one, others[one.index]) for one in first.outcomes if one.index in others]
    cells = Counter((one.solved, other.solved) for one, other in pairs)
    only_first, only_second = cells[True, False], cells[False, True]
    low, high = _interval(pairs)
    return Paired(
        first=first.arm,
        second=second.arm,
        both=cells[True, True],
        only_first=only_first,
        only_second=only_second,
        neither=cells[False, False],
        p=mcnemar(only_first, only_second),
        low=low,
        high=high,
    )


def comparisons(run: Run) -> list[Paired]:
    """Every pair of arms, the one that is listed later first: it is the one that claims something."""
    return [compare(later, earlier) for earlier, later in reversed(list(combinations(run.arms, 2)))]


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided McNemar probability: were the discordant problems tosses of a fair coin?"""
    discordant = only_first + only_second
    tail = sum(math.comb(discordant, k) for k in range(min(only_first, only_second) + 1))
    probability: float = 2 * tail / 2**discordant
    return min(1.0, probability)


def _interval(pairs: list[tuple[Outcome, Outcome]]) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the difference; articles, where there are any, are drawn whole."""
    if not pairs:
        return 0.0, 0.0
    differences, sizes = Counter[str | int](), Counter[str | int]()
    for one, other in pairs:
        cluster = one.index if one.article is None else one.article
        differences[cluster] += one.solved - other.solved
        sizes[cluster] += 1
    # Clusters that look alike are drawn together: one multinomial draw over the kinds instead of one draw a cluster.
    kinds, counts = np.unique([(differences[key], sizes[key]) for key in sizes], axis=0, return_counts=True)
    drawn = np.random.default_rng(SEED).multinomial(len(sizes), counts / len(sizes), size=RESAMPLES) @ kinds
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1] * len(pairs), [2.5, 97.5])
    return float(low), float(high)


def only_by(run: Run, arm: ArmResult) -> int:
    """How many problems no other arm solved."""
    others = (other for other in run.arms if other is not arm)
    elsewhere = {outcome.index for other in others for outcome in other.outcomes if outcome.solved}
    return sum(outcome.solved and outcome.index not in elsewhere for outcome in arm.outcomes)


#: The headings of ``summary``.
SUMMARY = ("arm", "problems", "tries", "proved", "re-proved", "only by this arm", "median seconds", "total seconds")


def summary(run: Run) -> list[tuple[str, ...]]:
    """One row an arm, ready to be shown under ``SUMMARY``."""
    return [
        (
            arm.arm,
            f"{len(arm.outcomes):,}",
            f"{sum(len(outcome.attempts) for outcome in arm.outcomes):,}",
            f"{arm.proved:,}",
            f"{arm.reproved:,}",
            f"{only_by(run, arm):,}",
            f"{median([outcome.seconds for outcome in arm.outcomes] or [0.0]):.2f}",
            f"{arm.seconds:,.1f}",
        )
        for arm in run.arms
    ]


def contest(run: Run) -> tuple[ArmResult, ArmResult] | None:
    """The arm that claims something, and the arm that it has to beat; ``None`` when fewer than two arms ran."""
    if len(run.arms) < 2:
        return None
    claimant = _named(run.arms, "full") or run.arms[-1]
    others = [arm for arm in run.arms if arm is not claimant]
    return claimant, _named(others, "similarity") or others[-1]


def headline(run: Run) -> str:
    """One honest sentence: the counts, the difference that matters, and whether it can be told from chance."""
    pair = contest(run)
    if pair is None:
        return f"{_counts(run.arms)}." if run.arms else "No arm was run."
    claimant, baseline = pair
    ranked = [claimant, *sorted((arm for arm in run.arms if arm is not claimant), key=lambda arm: -arm.solved)]
    found = compare(claimant, baseline)
    against = [compare(claimant, arm) for arm in ranked[1:]]
    return (
        f"{_counts(ranked)}; difference {found.first} {MINUS} {found.second}: {signed(found.difference)} "
        f"(95 % interval {signed(found.low)} to {signed(found.high)}), "
        f"exact McNemar {probability(found.p)}: {_verdict(found, against)}."
    )


def _verdict(found: Paired, against: list[Paired]) -> str:
    if len(against) > 1 and all(pair.ahead for pair in against):
        return f"{found.first} improves on every other arm"
    if found.ahead:
        return "a significant difference"
    if found.behind:
        return f"{found.first} solved significantly fewer"
    if found.p < LEVEL:
        return "told from chance problem by problem, but not section by section"
    return "not a significant difference"


def _counts(arms: Iterable[ArmResult]) -> str:
    """``full solved 70 of 150, similarity 66, none 25``; the number of problems is repeated when it changes."""
    parts: list[str] = []
    total = None
    for arm in arms:
        verb = "" if parts else "solved "
        of = "" if len(arm.outcomes) == total else f" of {len(arm.outcomes):,}"
        parts.append(f"{arm.arm} {verb}{arm.solved:,}{of}")
        total = len(arm.outcomes)
    return ", ".join(parts)


def _named(arms: Iterable[ArmResult], name: str) -> ArmResult | None:
    return next((arm for arm in arms if arm.arm == name), None)


def signed(number: float) -> str:
    """``+4``, ``-2.5`` or ``0``, with a minus sign that is as wide as the plus."""
    rounded = round(number, 1)
    return f"{rounded:+g}".replace("-", MINUS) if rounded else "0"


def probability(p: float) -> str:
    """``p = 0.39`` or ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
