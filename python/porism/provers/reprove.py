"""A second opinion: what one prover claims, another system proves again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from porism._errors import ProverMissingError
from porism._types import Verdict
from porism.provers import _child
from porism.provers._claim import Claim, Prover
from porism.provers.cvc5 import Cvc5
from porism.provers.z3 import Z3

if TYPE_CHECKING:
    from collections.abc import Sequence

    from porism import _core


class Smt2Prover(Prover, Protocol):
    """A prover that reads SMT-LIB."""

    def prove_smt2(self, text: str, *, seconds: float = ..., cancel: _core.Cancel | None = ...) -> Claim:
        """Asks whether the assertions contradict each other."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the second opinion is.

    Attributes:
        verdict: ``PROVED`` if a prover proved it. ``REFUTED`` if one found a counter-model, which is an alarm, since
            somebody claims a proof. ``CANCELLED``. Else ``UNKNOWN``, also when they contradict each other: then one of
            them is wrong.
        by: The prover that decided, or an empty string.
        version: Its version.
        seconds: Time on the wall clock of all attempts.
        tried: What each prover that was asked said, in order.
    """

    verdict: Verdict
    by: str
    version: str
    seconds: float
    tried: tuple[tuple[str, Claim], ...]


class Reprover:
    """Asks provers in order until one decides.

    Args:
        provers: Those to ask. Ones that are not installed are passed over, as long as one is.
    """

    def __init__(self, provers: Sequence[Smt2Prover] = (Z3(), Cvc5())) -> None:
        self.provers = tuple(provers)

    def confirm(self, smt2: str, *, seconds: float = 10.0, cancel: _core.Cancel | None = None) -> Confirmation:
        """Proves a negated goal contradictory.

        Args:
            smt2: The premises and the negated goal, ending with the only ``(check-sat)``.
            seconds: Time on the wall clock for each prover.
            cancel: Ends the attempts from another thread.

        Raises:
            InputError: The text is not such a problem.
            ProverMissingError: None of the provers is installed.
        """
        tried: list[tuple[str, Claim]] = []
        for prover in self.provers:
            try:
                claim = prover.prove_smt2(smt2, seconds=seconds, cancel=cancel)
            except ProverMissingError:
                continue
            tried.append((prover.name, claim))
            # A counter-model does not end the search: an alarm deserves another opinion.
            if claim.verdict in {Verdict.PROVED, Verdict.CANCELLED}:
                break
        if not tried:
            raise _child.missing(" and ".join(prover.name for prover in self.provers))
        return self._confirmation(tuple(tried))

    def _confirmation(self, tried: tuple[tuple[str, Claim], ...]) -> Confirmation:
        verdict = _joint_verdict({claim.verdict for _, claim in tried})
        decides = verdict in {Verdict.PROVED, Verdict.REFUTED}
        by = next((name for name, claim in tried if claim.verdict is verdict), "") if decides else ""
        version = next((prover.version() for prover in self.provers if prover.name == by), "")
        return Confirmation(verdict, by, version, sum(claim.seconds for _, claim in tried), tried)


def _joint_verdict(verdicts: set[Verdict]) -> Verdict:
    if {Verdict.PROVED, Verdict.REFUTED} <= verdicts:
        return Verdict.UNKNOWN
    for verdict in (Verdict.PROVED, Verdict.REFUTED, Verdict.CANCELLED):
        if verdict in verdicts:
            return verdict
    return Verdict.UNKNOWN
