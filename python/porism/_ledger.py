"""Between a library, which knows positions, and a memory, which knows records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from porism._policy import Ranking
from porism._types import Candidate, Kind, Record, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from porism import _core
    from porism._experience import Experience
    from porism._memory import Memory
    from porism._policy import Planned, Rankings
    from porism._solve import Result

#: What a formula is remembered as, by its TPTP role.
_KINDS = {
    "axiom": Kind.AXIOM,
    "hypothesis": Kind.AXIOM,
    "assumption": Kind.AXIOM,
    "definition": Kind.DEFINITION,
    "lemma": Kind.LEMMA,
    "theorem": Kind.THEOREM,
    "corollary": Kind.THEOREM,
}
#: Tries that take what a ranking offers; what the others are given was not chosen, so it says nothing about the choice.
_CHOOSING = (Ranking.SIMILARITY, Ranking.MEMORY, Ranking.RECENT)


class Ledger:
    """Writes what happens to a library's goals into a memory, and reads it back."""

    def __init__(self, memory: Memory, library: _core.Library, *, source: str, policy: str = "default") -> None:
        """Inserts the formulas of ``library``; those that are known already are found again.

        Args:
            memory: Where to write.
            library: Whose positions are meant.
            source: What the records say of their origin.
            policy: Which rule chooses what to try.

        Raises:
            StoreError: the memory cannot be written.
        """
        self._memory = memory
        self._library = library
        self._policy = policy
        inserted = memory.insert_many(
            Record(
                library.statement(position),
                kind=_KINDS.get(library.role(position), Kind.CONJECTURE),
                name=library.name(position),
                source=source,
            )
            for position in range(len(library))
        )
        self._ids = [one.id for one in inserted]
        # Of formulas that share a record, the first stands for it.
        self._positions = {record: position for position, record in reversed(list(enumerate(self._ids)))}

    def replay(self, experience: Experience) -> None:
        """Teaches ``experience`` the proofs of this library's goals that the memory holds with a receipt."""
        for evidence in self._memory.evidence_for():
            known = {evidence.goal, *evidence.used} <= self._positions.keys()
            if known and evidence.verdict is Verdict.PROVED and evidence.receipt is not None:
                goal = self._library.goal(self._positions[evidence.goal])
                experience.learn(goal, [self._positions[record] for record in evidence.used])

    def recalled(self, goal: _core.Goal, planned: Sequence[Planned], rankings: Rankings) -> int | None:
        """Writes down what will be tried, before the outcome is known.

        Returns:
            The number of the event; ``None`` for a goal that is no formula of its own.
        """
        # To refute clauses is no proof of any of them: what is proved then is no formula of the library.
        if not goal.members or self._library.role(goal.members[0]) == "negated_conjecture":
            return None
        shown: dict[int, None] = {}
        for one in planned:
            if one.attempt.ranking in _CHOOSING:
                shown.update(dict.fromkeys(one.premises))
        scores = _scores(rankings.similarity)
        return self._memory.log_event(
            self._ids[goal.members[0]],
            # Every candidate is shown: the policy has no chance in it yet.
            candidates=(
                Candidate(self._ids[position], scores.get(position, 0.0), slot=slot, propensity=1.0)
                for slot, position in enumerate(shown)
            ),
            snapshot=self._memory.generation,
            policy=self._policy,
        )

    def settle(self, event: int, goal: _core.Goal, result: Result, positions: Sequence[int]) -> None:
        """Writes down what became of an event, with the evidence for it: the ``positions`` that the proof uses."""
        used = [self._ids[position] for position in positions]
        record = self._ids[goal.members[0]]
        evidence = None
        if result.proved:
            evidence = self._memory.evidence(
                record,
                verdict=Verdict.PROVED,
                prover=result.prover,
                prover_version=result.prover_version,
                used=used,
                label=result.winner or "",
                seconds=result.seconds,
                reprover=result.receipt.checker if result.receipt else None,
                reprover_version=result.receipt.checker_version if result.receipt else None,
                receipt=result.receipt,
            )
        self._memory.settle(
            event,
            verdict=result.verdict,
            attempts=len(result.attempts),
            seconds=result.seconds,
            used=used,
            evidence=evidence,
        )


def _scores(ranking: _core.Ranking) -> dict[int, float]:
    positions = np.frombuffer(ranking.positions, dtype="<u4").tolist()
    return dict(zip(positions, np.frombuffer(ranking.scores, dtype="<f4").tolist(), strict=True))
