"""cvc5: proves again, from the premises that were used, what another prover claims."""

from __future__ import annotations

import json
import math
import sys
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from porism._types import Verdict
from porism.provers import _child, _smt2
from porism.provers._claim import Claim
from porism.provers._driver import Capabilities, Driver, Language

if TYPE_CHECKING:
    from porism import _core
    from porism._verdicts import Check
    from porism.provers._driver import Job

_VERDICTS: Final = {"unsat": Verdict.PROVED, "sat": Verdict.REFUTED, "unknown": Verdict.UNKNOWN}
_REASONS: Final = {"(TIMEOUT)": Verdict.TIMEOUT, "(RESOURCEOUT)": Verdict.TIMEOUT, "(MEMOUT)": Verdict.MEMORY}

_CHILD: Final = Path(__file__).with_name("_cvc5_child.py")

# Starting an interpreter and loading the library comes on top of the time that the solver gets.
_START_S: Final = 3.0


class Cvc5(Driver):
    """The solver cvc5, in a new interpreter for each problem: its wheel is a library, and a library cannot be killed.

    A job's candidate is SMT-LIB 2 that ends with its only ``(check-sat)``, after what its header declares. Its options
    are those of ``prove_smt2``.

    Args:
        python: The interpreter, if not the running one.
    """

    name = "cvc5"
    options = MappingProxyType({"seconds": float, "memory_mb": int})

    def __init__(self, python: str | None = None) -> None:
        self._python = Path(python or sys.executable)

    def find(self) -> Path:
        """The folder of the package."""
        spec = find_spec("cvc5")
        if spec is None or spec.origin is None:
            raise _child.missing(self.name)
        return Path(spec.origin).parent

    def version(self) -> str:
        """The version that it reports, such as ``"cvc5 1.3.0"``."""
        return _child.first_line(self._python, *self._args("--version"))

    def prove_smt2(
        self, text: str, *, seconds: float = 10.0, memory_mb: int = 2048, cancel: _core.Cancel | None = None
    ) -> Claim:
        """Asks whether the assertions contradict each other.

        Args:
            text: SMT-LIB 2 that ends with its only ``(check-sat)``, and sets a logic.
            seconds: Time on the wall clock, after which cvc5 answers "unknown"; it is killed a little later.
            memory_mb: Mebibytes of address space.
            cancel: Ends the attempt from another thread.

        Raises:
            InputError: The text is not such a problem.
        """
        outcome = _child.run(
            self._python,
            self._args(str(math.ceil(seconds * 1000))),
            _smt2.checked(text),
            wall_s=seconds + _START_S,
            memory_mb=memory_mb,
            cancel=cancel,
        )
        return _child.unanswered(outcome) or _read(outcome)

    def capabilities(self) -> Capabilities:
        """It reads SMT-LIB, and says so itself when there is no model. Starting it costs more than keeping Z3."""
        return Capabilities(languages=frozenset({Language.SMT2}), cost=5.0)

    def check(self, session: _core.Session, job: Job) -> Check:
        """Asks whether the assertions contradict each other, as ``prove_smt2`` does."""
        claim = self.prove_smt2(job.header + job.candidate, cancel=session.cancel, **job.options)
        return claim.checked(self)

    def _args(self, request: str) -> tuple[str, ...]:
        # Isolated and without site: neither the environment nor the working folder decides what is imported.
        return ("-I", "-S", str(_CHILD), str(self.find().parent), request)


def _read(outcome: _core.ProcessOutcome) -> Claim:
    """What a run that ended by itself says."""
    answer = _answer(outcome)
    if answer is None:
        return Claim("", Verdict.CRASHED, seconds=outcome.wall_s, detail=_child.how_it_ended(outcome))
    if error := answer.get("error"):
        out_of_memory = "out of memory" in error or "bad_alloc" in error
        verdict = Verdict.MEMORY if out_of_memory else Verdict.UNSUPPORTED
        return Claim("", verdict, seconds=outcome.wall_s, detail=error[:500])
    word, reason = answer.get("word", ""), answer.get("reason", "")
    verdict = _VERDICTS.get(word, Verdict.CRASHED)
    if verdict is Verdict.UNKNOWN:
        verdict = _REASONS.get(reason, verdict)
    return Claim(word, verdict, seconds=outcome.wall_s, detail=reason)


def _answer(outcome: _core.ProcessOutcome) -> dict[str, str] | None:
    """The object that the child printed, or ``None`` if it printed no such thing."""
    if outcome.code != 0:
        return None
    try:
        answer = json.loads(outcome.stdout)
    except ValueError:
        return None
    return {str(key): str(value) for key, value in answer.items()} if isinstance(answer, dict) else None
