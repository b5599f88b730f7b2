"""A second opinion: what one prover claims, another system proves again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from porism._errors import ProverMissingError
from porism._types import Verdict
from porism.provers import _child
from porism.provers._claim import Claim, Prover
from porism.provers.cvc5 import Cvc5
from porism.provers.derivation import check_steps
from porism.provers.z3 import Z3

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        by: The prover that decided, or those that proved the steps, or an empty string.
        version: Its version.
        seconds: Time on the wall clock of all attempts.
        tried: What each prover that was asked said, in order.
        steps: How many steps of the claimed proof were proved one by one; 0 when the goal was proved as a whole.
    """

    verdict: Verdict
    by: str
    version: str
    seconds: float
    tried: tuple[tuple[str, Claim], ...]
    steps: int = 0


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

    def confirm_steps(
        self, proof: str, *, premises: Mapping[str, str], goal: tuple[str, str] | None, seconds: float = 10.0
    ) -> Confirmation:
        """Proves every step of a derivation from the steps that it follows from.

        Args:
            proof: A refutation in TSTP, one formula a line.
            premises: What may be assumed, by name.
            goal: The name and the statement of what was to be proved; ``None`` when the premises are to be refuted.
            seconds: Time on the wall clock for all steps together.

        Returns:
            ``PROVED``, or ``UNKNOWN``: a step that cannot be checked refutes nothing.

        Raises:
            ProverMissingError: None of the provers is installed.
        """
        started = time.monotonic()
        provers = tuple(filter(_child.is_installed, self.provers))
        if not provers:
            raise _child.missing(" and ".join(prover.name for prover in self.provers))
        judges = check_steps(provers, proof, premises=premises, goal=goal, seconds=seconds)
        asked = [prover for prover in provers if prover.name in judges]
        return Confirmation(
            verdict=Verdict.PROVED if judges else Verdict.UNKNOWN,
            by=" and ".join(prover.name for prover in asked),
            version=", ".join(prover.version() for prover in asked),
            seconds=time.monotonic() - started,
            tried=(),
            steps=len(judges),
        )

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
