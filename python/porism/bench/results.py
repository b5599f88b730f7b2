"""What a comparison leaves behind: per-problem outcomes, published as JSON lines."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from porism._solve import Attempt
from porism._types import Verdict

__all__ = ["ArmResult", "Attempt", "Outcome", "Run"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one arm made of one problem.

    Attributes:
        stream: Name of the stream.
        arm: Name of the arm.
        index: 1-based number of the theorem in the uncut library.
        name: The theorem.
        article: The section or article it stands in.
        proved: Whether the first prover claims a proof.
        reproved: Whether a second prover confirmed it from the premises used.
        refuted: Whether a prover claims a counter-model of the whole, or contradicts another.
        winner: Label of the try that won.
        used: Names of the premises in the proof.
        by: The prover that confirmed it.
        attempts: Every try that was started.
        rank_seconds: Seconds spent on ranking.
        seconds: Wall seconds for everything.
        error: Why the problem could not be run.
    """

    stream: str
    arm: str
    index: int
    name: str
    article: str | None
    proved: bool
    reproved: bool
    refuted: bool
    winner: str | None
    used: tuple[str, ...]
    by: str | None
    attempts: tuple[Attempt, ...]
    rank_seconds: float
    seconds: float
    error: str | None = None

    @property
    def solved(self) -> bool:
        """Whether it counts: proved, and proved again by another system."""
        return self.proved and self.reproved

    def to_json(self) -> dict[str, Any]:
        """The outcome as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Outcome:
        """The outcome that ``to_json`` wrote.

        Raises:
            TypeError: a field is missing or unknown.
        """
        attempts = (Attempt(**one) for one in values["attempts"])
        return replace(
            cls(**values),
            used=tuple(values["used"]),
            attempts=tuple(replace(one, verdict=Verdict(one.verdict)) for one in attempts),
        )


@dataclass(frozen=True, slots=True)
class ArmResult:
    """All outcomes of one arm, in library order."""

    arm: str
    outcomes: tuple[Outcome, ...]

    @property
    def proved(self) -> int:
        """How many the first prover claims."""
        return sum(outcome.proved for outcome in self.outcomes)

    @property
    def reproved(self) -> int:
        """How many of those a second prover confirmed."""
        return sum(outcome.reproved for outcome in self.outcomes)

    @property
    def solved(self) -> int:
        """How many count."""
        return sum(outcome.solved for outcome in self.outcomes)

    @property
    def seconds(self) -> float:
        """Wall seconds of all problems together."""
        return sum(outcome.seconds for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class Run:
    """Several arms over one stream.

    Attributes:
        stream: Name of the stream.
        title: The stream for people.
        settings: Everything that the numbers depend on: limits, seeds, versions, the command.
        arms: One result an arm.
        started: When, in ISO 8601.
        wall_seconds: How long everything took.
    """

    stream: str
    title: str
    settings: dict[str, object]
    arms: tuple[ArmResult, ...]
    started: str
    wall_seconds: float
