"""What a prover is, and what it says. A claim is not a receipt: somebody else has to confirm it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from porism._verdicts import Check, Trust

if TYPE_CHECKING:
    from pathlib import Path

    from porism._types import Verdict
    from porism.provers._driver import Driver


@dataclass(frozen=True, slots=True)
class Claim:
    """What one prover said about one problem.

    Attributes:
        szs: The word the prover used, or an empty string if it came to none.
        verdict: What that means.
        used: Names of the premises in the proof, without the goal and without quotes, in the order of the proof.
        proof: The proof as printed.
        seconds: Time on the wall clock.
        detail: For everything but an answer, why there is none.
    """

    szs: str
    verdict: Verdict
    used: tuple[str, ...] = ()
    proof: str | None = None
    seconds: float = 0.0
    detail: str = ""

    @property
    def premises_contradict(self) -> bool:
        """Whether the proof needs no goal: these premises prove everything, so this proof says nothing."""
        return self.szs == "ContradictoryAxioms"

    def checked(self, driver: Driver) -> Check:
        """The same as the answer of a pool."""
        return Check(
            verdict=self.verdict,
            trust=Trust.L0,
            prover=driver.name,
            prover_version=driver.version(),
            raw=self.szs,
            proof=self.proof,
            used=self.used,
            detail=self.detail,
            work_s=self.seconds,
        )


class Prover(Protocol):
    """What all provers have in common. How they are asked differs with what they read."""

    @property
    def name(self) -> str:
        """The name under which it is known, such as ``"E"``."""

    def find(self) -> Path:
        """Where it is installed.

        Raises:
            ProverMissingError: It is not; the message holds the command that installs it.
        """

    def version(self) -> str:
        """The version that it reports.

        Raises:
            ProverMissingError: It is not installed.
            ProverError: It is, and does not say.
        """
