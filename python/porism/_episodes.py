"""The half of a memory that remembers what happened: evidence, and recalls with what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from porism import _fields
from porism._errors import InputError
from porism._fields import evidence_fields, numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from porism import _core
    from porism._types import Candidate, Event, Evidence, Receipt, Settlement, Verdict


class Episodes:
    """Evidence for records, and events: what ``Memory`` has of them."""

    __slots__ = ("_core",)

    _core: _core.Memory

    def evidence(
        self,
        goal: int,
        *,
        verdict: Verdict,
        prover: str,
        used: Iterable[int] = (),
        prover_version: str = "",
        label: str = "",
        seconds: float = 0.0,
        reprover: str | None = None,
        reprover_version: str | None = None,
        receipt: Receipt | None = None,
    ) -> int:
        """Records how a goal was proved, refuted or attempted.

        A proof makes the goal ``checked``; a proof with a receipt makes it ``verified``. A status never falls.

        Args:
            goal: The number of the record that was to be proved.
            verdict: What came out.
            prover: Who found it.
            used: The numbers of the records that the proof uses.
            prover_version: In which version.
            label: Which slice or strategy it was given.
            seconds: Wall seconds.
            reprover: Who proved it again.
            reprover_version: In which version.
            receipt: The checker's signature.

        Returns:
            The number of the evidence.

        Raises:
            InputError: a record does not exist, a hash is none, or the seconds are negative.
        """
        return self._core.add_evidence(
            evidence_fields(
                goal,
                verdict=verdict,
                used=used,
                prover=prover,
                prover_version=prover_version,
                label=label,
                seconds=seconds,
                reprover=reprover,
                reprover_version=reprover_version,
                receipt=receipt,
            )
        )

    def evidence_for(self, goal: int | None = None) -> list[Evidence]:
        """The evidence for a goal and what was merged into it, or all of it, in the order in which it was recorded."""
        return [_fields.evidence(fields) for fields in self._core.evidence(goal)]

    def log_event(
        self, goal: int, *, candidates: Iterable[Candidate], snapshot: int, policy: str, seed: int = 0
    ) -> int:
        """Writes a recall down before its outcome is known: its propensities cannot be found out afterwards.

        Args:
            goal: The number of the record that the recall was for.
            candidates: What was considered, best first.
            snapshot: The generation that was searched, as the hits say it.
            policy: Which rule chose what to show.
            seed: The seed of its random choices, below 2**63.

        Returns:
            The number of the event, for ``settle``.

        Raises:
            InputError: a propensity is not over 0 and at most 1, a record does not exist, or one is listed twice.
        """
        rows = [(one.record, one.score, one.slot, one.propensity) for one in candidates]
        return self._core.log_event(goal, snapshot=snapshot, candidates=rows, policy=policy, seed=seed)

    def events(self) -> list[Event]:
        """Every event, in the order in which they were written down."""
        return [_fields.event(fields) for fields in self._core.events(None)]

    def event(self, event_id: int) -> Event:
        """The event of that number.

        Raises:
            InputError: there is none.
        """
        found = self._core.events(event_id)
        if not found:
            raise InputError(f"there is no event {event_id}")
        return _fields.event(found[0])

    def settle(
        self,
        event: int,
        *,
        verdict: Verdict,
        attempts: int,
        seconds: float,
        used: Iterable[int] = (),
        evidence: int | None = None,
    ) -> Settlement:
        """Says what became of an event, from any process and at any time. To say the same again changes nothing.

        Args:
            event: The number of the event.
            verdict: What came out.
            attempts: How many tries it took.
            seconds: Wall seconds of all of them.
            used: The numbers of the records that the proof uses.
            evidence: The number of the evidence for it.

        Returns:
            The settlement that is stored.

        Raises:
            InputError: the event was settled otherwise; the message names both verdicts.
        """
        fields = (str(verdict), attempts, seconds, numbers(used), evidence)
        return _fields.settlement(self._core.settle(event, fields))
