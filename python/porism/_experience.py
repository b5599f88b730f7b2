"""What the loop has learned about one library, by position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from porism import _core

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

#: The memory has no say before this many proofs.
WARM_UP = 30
#: What a judged proof of yesterday counts today, one proof later: the skill is that of the last hundred or so.
DECAY = 0.99
#: The slices at which the two rankings are compared.
JUDGED_SIZES = (32, 64, 128)


class Experience:
    """Proofs found so far, and whether ranking by them has shown skill.

    A young memory does harm: it ranks by a handful of proofs. So each new proof first judges the two rankings that were
    made before it was known (which slice would have held all its premises?), and the memory is trusted while it is not
    the worse.
    """

    def __init__(self) -> None:
        self.proofs = _core.Proofs()
        self._own: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._memory_skill = 0.0
        self._similarity_skill = 0.0

    def __len__(self) -> int:
        return len(self.proofs)

    @property
    def trusted(self) -> bool:
        """Whether the ranking by proofs may be used."""
        return len(self.proofs) >= WARM_UP and self._memory_skill >= self._similarity_skill

    def own_proof(self, goal: _core.Goal) -> list[int] | None:
        """The premises of the known proof of ``goal``, if there is one."""
        known = self._own.get(tuple(goal.members))
        return None if known is None else list(known)

    def judge(self, used: Collection[int], *, memory: _core.Ranking, similarity: _core.Ranking) -> None:
        """Compares two rankings of a goal by a proof that neither knew."""
        self._memory_skill = DECAY * self._memory_skill + _coverage(used, memory)
        self._similarity_skill = DECAY * self._similarity_skill + _coverage(used, similarity)

    def learn(self, goal: _core.Goal, used: Sequence[int]) -> None:
        """Takes in a checked proof of ``goal``."""
        self._own[tuple(goal.members)] = tuple(used)
        if len(goal.members) == 1:
            self.proofs.add(goal.members[0], list(used))


def _coverage(used: Collection[int], ranking: _core.Ranking) -> float:
    """At how many of the judged sizes the slice holds everything that the proof used."""
    wanted = set(used)
    return sum(wanted <= set(ranking.top(size)) for size in JUDGED_SIZES) / len(JUDGED_SIZES)
