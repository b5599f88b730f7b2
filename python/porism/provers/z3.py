"""Z3: proves again, from the premises that were used, what another prover claims."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

from porism._types import Verdict
from porism.provers import _child, _smt2
from porism.provers._claim import Claim

if TYPE_CHECKING:
    import os

    from porism import _core

# Goals are sent negated: "unsat" is a proof, "sat" a counter-model. "timeout" is the word of the hard limit.
_VERDICTS: Final = {
    "unsat": Verdict.PROVED,
    "sat": Verdict.REFUTED,
    "unknown": Verdict.UNKNOWN,
    "timeout": Verdict.TIMEOUT,
}

_ASK_WHY: Final = "\n(get-info :reason-unknown)\n"


class Z3:
    """The solver Z3 as a program, a new process for each problem.

    Args:
        executable: The program, if it is neither the one of the wheel nor on the path.
    """

    name = "Z3"

    def __init__(self, executable: str | os.PathLike[str] | None = None) -> None:
        self._explicit = None if executable is None else Path(executable)

    def find(self) -> Path:
        """Where the program is."""
        return _child.locate(self.name, self._explicit, wheel="z3-solver", programs=("z3",))

    def version(self) -> str:
        """The version that it reports, such as ``"Z3 version 4.13.0"``."""
        return _child.first_line(self.find(), "--version").partition(" - ")[0]

    def prove_smt2(
        self, text: str, *, seconds: float = 10.0, memory_mb: int = 2048, cancel: _core.Cancel | None = None
    ) -> Claim:
        """Asks whether the assertions contradict each other.

        Args:
            text: SMT-LIB 2 that ends with its only ``(check-sat)``.
            seconds: Time on the wall clock, after which Z3 answers "unknown"; it is killed a little later.
            memory_mb: Mebibytes.
            cancel: Ends the attempt from another thread.

        Raises:
            InputError: The text is not such a problem.
        """
        flags = (
            "-smt2",
            "-in",
            f"-t:{math.ceil(seconds * 1000)}",
            f"-T:{math.ceil(seconds) + 1}",
            f"-memory:{memory_mb}",
        )
        outcome = _child.run(
            self.find(),
            flags,
            _smt2.checked(text) + _ASK_WHY,
            wall_s=seconds + 3.0,
            memory_mb=4 * memory_mb,
            cancel=cancel,
        )
        return _child.unanswered(outcome) or _read(outcome)


def _read(outcome: _core.ProcessOutcome) -> Claim:
    """What the output and the exit code of a run that ended by itself say together."""
    said = outcome.stdout.decode(errors="replace").strip()
    word, _, rest = said.partition("\n")
    verdict = _VERDICTS.get(word, Verdict.CRASHED)
    # After an error Z3 goes on without the command that it did not understand, and answers another question.
    if "(error" in said:
        verdict = Verdict.MEMORY if "out of memory" in said else Verdict.UNSUPPORTED
    elif outcome.code != 0:
        verdict = Verdict.CRASHED
    elif verdict is Verdict.UNKNOWN:
        verdict = _why(rest)
    if verdict in {Verdict.PROVED, Verdict.REFUTED}:
        return Claim(word, verdict, seconds=outcome.wall_s)
    detail = f"{said[:500]} {_child.how_it_ended(outcome)}".strip()
    return Claim(word if word in _VERDICTS else "", verdict, seconds=outcome.wall_s, detail=detail)


def _why(reason: str) -> Verdict:
    if "timeout" in reason or "canceled" in reason:
        return Verdict.TIMEOUT
    return Verdict.MEMORY if "memout" in reason else Verdict.UNKNOWN
