"""What comes back for one candidate: how it ended, who vouches for that, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

from porism._errors import InputError

if TYPE_CHECKING:
    from porism._types import Receipt, Verdict
    from porism._upgrade import Origin


class Trust(IntEnum):
    """Who vouches for a verdict: each level is stronger than the one before."""

    L0 = 0
    """The prover said so, in the same process that ran the candidate."""
    L1 = 1
    """The same, with the statement pinned and the axioms audited."""
    L2 = 2
    """The same again, by a second process in which the candidate never ran."""
    L3 = 3
    """A separate checker of the prover's own kernel, such as coqchk."""
    L4 = 4
    """An independent kernel."""


def level(trust: Trust | str) -> Trust:
    """The level of trust of that name.

    Raises:
        InputError: There is none.
    """
    try:
        return Trust[trust] if isinstance(trust, str) else Trust(trust)
    except (KeyError, ValueError):
        raise InputError(f"trust={trust!r} is none of {', '.join(Trust.__members__)}") from None


class Severity(StrEnum):
    """How grave a message of a prover is."""

    INFORMATION = "information"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Message:
    """What a prover said about a place in the candidate.

    Attributes:
        severity: How grave it is.
        text: In the prover's words.
        line: The line, counted from 1; 0 where the prover names none.
        column: The column, counted from 1 in characters; 0 where the prover names none.
    """

    severity: Severity
    text: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """What came back for one candidate.

    Attributes:
        verdict: How it ended.
        trust: Who vouches for that.
        prover: Who was asked.
        prover_version: In which version.
        axioms: What the proof rests on, by name.
        messages: What the prover said.
        detail: One line for people.
        wait_s: Seconds that the candidate waited.
        work_s: Seconds of work on it.
        cached: Whether it comes from a cache; the seconds are then those of the original.
        coalesced: Whether it is the answer to an equal request that was under way.
        raw: The prover's own word for the verdict.
        proof: The proof that it printed, where it finds them.
        used: The names of the premises in that proof, in its order.
        receipt: The signature of whoever checked it.
        origin: The job and the pool that it came from, for ``upgraded``; no part of what it says.
    """

    verdict: Verdict
    trust: Trust
    prover: str
    prover_version: str = ""
    axioms: tuple[str, ...] = ()
    messages: tuple[Message, ...] = ()
    detail: str = ""
    wait_s: float = 0.0
    work_s: float = 0.0
    cached: bool = False
    coalesced: bool = False
    raw: str = ""
    proof: str | None = None
    used: tuple[str, ...] = ()
    receipt: Receipt | None = None
    origin: Origin | None = field(default=None, compare=False, repr=False)

    def upgraded(self, trust: Trust | str) -> Any:
        """Has the same checked at a higher level of trust, by the pool that it came from.

        Args:
            trust: The level, or its name, such as ``"L2"``.

        Returns:
            From a ``Pool`` a ticket, whose ``result()`` waits for the new check; from an ``AsyncPool`` something to
            await for it.

        Raises:
            InputError: It did not come from a pool, the pool is gone, or no prover of it gives so much trust.
        """
        if self.origin is None:
            raise InputError("this check did not come from a pool")
        return self.origin.upgrade(self, level(trust))
