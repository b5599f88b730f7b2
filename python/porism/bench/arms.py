"""The arms of a comparison: who may use what, at equal numbers of tries."""

from __future__ import annotations

from dataclasses import dataclass, replace

from porism._errors import InputError
from porism._policy import Ranking, Schedule, Try, slices


@dataclass(frozen=True, slots=True)
class Arm:
    """One contestant.

    Attributes:
        name: How reports call it.
        schedule: Its tries for each goal; every arm of a stream has the same number, each with the same limit.
        learns: Whether its proofs change its later rankings.
        what: One sentence for people.
    """

    name: str
    schedule: Schedule
    learns: bool
    what: str

    def with_limit(self, generated: int) -> Arm:
        """The same arm with another limit, in generated clauses, for each try."""
        return replace(self, schedule=tuple(replace(one, generated=generated) for one in self.schedule))


_WIDE = Try(Ranking.ALL)
_AXIOMS = Try(Ranking.AXIOMS)

#: Streams whose theory is small: the axioms alone, and everything, are tries worth making.
_SMALL_THEORY = (
    Arm("none", (_AXIOMS, *slices(Ranking.RECENT, 32, 64), _WIDE), False, "no ranking: axioms, the latest, everything"),
    Arm("similarity", (_AXIOMS, *slices(Ranking.SIMILARITY, 32, 64), _WIDE), False, "the most similar statements"),
    Arm(
        "full",
        (_AXIOMS, *slices(Ranking.SIMILARITY, 32), *slices(Ranking.MEMORY, 64), _WIDE),
        True,
        "similarity first, then what proved similar goals",
    ),
)

#: Streams of thousands of formulas: only slices fit into a try.
_LARGE_THEORY = (
    Arm("none", (_WIDE, *slices(Ranking.RECENT, 32, 64, 128)), False, "no ranking: everything, and the latest"),
    Arm("similarity", slices(Ranking.SIMILARITY, 16, 32, 64, 128), False, "the most similar statements"),
    Arm(
        "full",
        (*slices(Ranking.SIMILARITY, 16, 32), *slices(Ranking.MEMORY, 64, 128)),
        True,
        "similarity first, then what proved similar goals",
    ),
)

_BY_STREAM = {"ql": _SMALL_THEORY, "mptp2078": _LARGE_THEORY}


def arm(stream: str, name: str) -> Arm:
    """The arm called ``name`` of ``stream``.

    Raises:
        InputError: there is none of that name.
    """
    known = {one.name: one for one in _BY_STREAM[stream]}
    if name not in known:
        raise InputError(f"no arm {name!r}: expected one of {', '.join(known)}")
    return known[name]
