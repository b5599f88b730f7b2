"""What to try next: the policy of the loop, which users may replace.

A *schedule* is a tuple of tries. Each try names a ranking and how many of its best premises a prover is given; many
short tries beat one long one, because a proof that will be found is mostly found within milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from porism import _core

if TYPE_CHECKING:
    from collections.abc import Sequence

    from porism._experience import Experience

#: How many proved goals vote in the ranking by nearest proofs.
NEIGHBOURS = 40
#: The constant of reciprocal rank fusion; small, because the first few ranks decide what a short slice holds.
FUSION_CONSTANT = 10.0


class Ranking(StrEnum):
    """Where the premises of a try come from."""

    OWN_PROOF = "own proof"
    """The premises of a proof of the same goal that the memory holds."""
    AXIOMS = "axioms"
    """Axioms and definitions only."""
    SIMILARITY = "similarity"
    """Statements like the goal."""
    MEMORY = "memory"
    """Premises of proofs of similar goals, fused with similarity."""
    RECENT = "recent"
    """What stands last before the goal."""
    ALL = "all"
    """Everything that the goal may use."""


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt, not yet made.

    Attributes:
        ranking: Where its premises come from.
        size: How many of the best; ``None`` for all.
        generated: The prover's limit, in generated clauses: the same on every machine.
        auto_schedule: Whether the prover may run its whole strategy schedule.
    """

    ranking: Ranking
    size: int | None = None
    generated: int = 10_000
    auto_schedule: bool = False

    @property
    def label(self) -> str:
        """How reports call it."""
        return str(self.ranking) if self.size is None else f"{self.ranking} {self.size}"


Schedule = tuple[Try, ...]


def slices(ranking: Ranking, *sizes: int, generated: int = 10_000) -> Schedule:
    """One try for each size of slice."""
    return tuple(Try(ranking, size, generated) for size in sizes)


#: What ``solve`` does: short slices first, memory for the wide ones, then more effort, then everything with all
#: strategies.
DEFAULT_SCHEDULE: Schedule = (
    Try(Ranking.OWN_PROOF),
    *slices(Ranking.SIMILARITY, 16, 32, 64),
    *slices(Ranking.MEMORY, 64, 128),
    *slices(Ranking.SIMILARITY, 128),
    *slices(Ranking.MEMORY, 32, 256, generated=100_000),
    *slices(Ranking.SIMILARITY, 64, 256, generated=100_000),
    Try(Ranking.ALL, generated=1_000_000),
    Try(Ranking.ALL, generated=10_000_000, auto_schedule=True),
)


class Rankings:
    """The rankings of one goal, each computed when a try first asks for it."""

    def __init__(
        self,
        library: _core.Library,
        goal: _core.Goal,
        *,
        experience: Experience,
        usable: Sequence[bool] = (),
    ) -> None:
        self._library = library
        self._goal = goal
        self._experience = experience
        self._usable = list(usable)

    @cached_property
    def premises(self) -> list[int]:
        """Every position that the goal may use, in order."""
        return self._library.premises(self._goal, usable=self._usable)

    @cached_property
    def similarity(self) -> _core.Ranking:
        """By similarity of statements."""
        return self._library.similarity(self._goal, usable=self._usable)

    @cached_property
    def fused(self) -> _core.Ranking:
        """By the nearest proofs and by similarity, joined."""
        nearest = self._library.nearest_proofs(self._goal, self._experience.proofs, k=NEIGHBOURS, usable=self._usable)
        return _core.fuse([(self.similarity, 1.0), (nearest, 1.0)], constant=FUSION_CONSTANT)

    @property
    def memory(self) -> _core.Ranking:
        """The fused ranking; similarity alone while the memory has no skill to show."""
        return self.fused if self._experience.trusted else self.similarity

    def judge(self, used: Sequence[int]) -> None:
        """Lets a proof of this goal judge the rankings that were made before it was known."""
        if len(self._experience):
            self._experience.judge(used, memory=self.fused, similarity=self.similarity)

    def select(self, attempt: Try) -> list[int]:
        """The premises of ``attempt`` in library order; empty when its ranking has nothing to offer."""
        size = len(self.premises) if attempt.size is None else attempt.size
        match attempt.ranking:
            case Ranking.OWN_PROOF:
                known = self._experience.own_proof(self._goal) or []
                chosen = known if set(known) <= set(self.premises) else []
            case Ranking.AXIOMS:
                chosen = [at for at in self.premises if self._library.role(at) in ("axiom", "definition")][:size]
            case Ranking.SIMILARITY:
                chosen = self.similarity.top(size)
            case Ranking.MEMORY:
                chosen = self.memory.top(size)
            case Ranking.RECENT:
                chosen = self.premises[-size:]
            case Ranking.ALL:
                chosen = self.premises
        return sorted(chosen)


@dataclass(frozen=True, slots=True)
class Planned:
    """A try with its premises chosen."""

    attempt: Try
    premises: tuple[int, ...]


def plan(schedule: Schedule, rankings: Rankings) -> list[Planned]:
    """Chooses the premises of every try, and leaves out those that repeat an earlier one with no more effort."""
    planned: list[Planned] = []
    effort: dict[tuple[int, ...], tuple[int, bool]] = {}
    for attempt in schedule:
        premises = tuple(rankings.select(attempt))
        if attempt.ranking is Ranking.OWN_PROOF and not premises:
            continue
        wanted = (attempt.generated, attempt.auto_schedule)
        if effort.get(premises, (0, False)) >= wanted:
            continue
        effort[premises] = wanted
        planned.append(Planned(attempt, premises))
    return planned
