"""Vampire: first-order proofs by superposition, several strategies in turn.

This has been tried against a stand-in only: no registry that we know has the program. It follows the options and exit
codes of Vampire 4.8 and later as its own documentation and sources give them.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from porism._types import Verdict
from porism.provers import _child, _szs
from porism.provers._claim import Claim
from porism.provers._driver import Capabilities, Driver, Language

if TYPE_CHECKING:
    import os

    from porism import _core
    from porism._verdicts import Check
    from porism.provers._driver import Job

INSTALL: Final = "a release from https://github.com/vprover/vampire, put on the path as 'vampire'"

_PROOF: Final = re.compile(
    r"^% SZS output start \w+[^\n]*\n(?P<proof>.*?)^% SZS output end \w+", re.MULTILINE | re.DOTALL
)
_SOLVED, _NOT_SOLVED = 0, 1


class Vampire(Driver):
    """The prover Vampire, a new process for each problem, whose children end with it.

    A job's candidate is the problem in TPTP. The option ``seconds`` bounds its time, ``memory_mb`` its memory,
    ``cores`` says how many strategies run at once, and ``schedule`` which: ``"casc"``, or ``"casc_sat"`` for models.

    Args:
        executable: The program, if it is not on the path.
    """

    name = "Vampire"
    options = MappingProxyType({"seconds": float, "memory_mb": int, "cores": int, "schedule": str})

    def __init__(self, executable: str | os.PathLike[str] | None = None) -> None:
        self._explicit = None if executable is None else Path(executable)

    def find(self) -> Path:
        """Where the program is."""
        return _child.locate(self.name, self._explicit, programs=("vampire",), how=INSTALL)

    def version(self) -> str:
        """The version that it reports, such as ``"Vampire 4.9"``."""
        return _child.first_line(self.find(), "--version").partition(" (")[0]

    def capabilities(self) -> Capabilities:
        """It reads TPTP, and says so itself when it has a proof. A schedule costs more than E's one strategy."""
        return Capabilities(languages=frozenset({Language.TPTP}), cost=2.0)

    def check(self, session: _core.Session, job: Job) -> Check:
        """Looks for a proof."""
        return self.prove(job.header + job.candidate, cancel=session.cancel, **job.options).checked(self)

    def prove(
        self,
        problem_tptp: str,
        *,
        seconds: float = 10.0,
        memory_mb: int = 2048,
        cores: int = 1,
        schedule: str = "casc",
        cancel: _core.Cancel | None = None,
    ) -> Claim:
        """Looks for a proof of the conjecture in a TPTP problem.

        Args:
            problem_tptp: The problem.
            seconds: Time on the wall clock, in tenths.
            memory_mb: Mebibytes, all strategies together.
            cores: How many strategies run at once.
            schedule: Which strategies.
            cancel: Ends the attempt from another thread.
        """
        flags = (
            *("--mode", "portfolio", "--schedule", schedule, "--cores", str(cores)),
            *("--proof", "tptp", "--output_axiom_names", "on", "--output_mode", "szs"),
            *("-t", f"{math.ceil(seconds * 10)}d", "-m", str(memory_mb)),
        )
        # Without a file it reads its input.
        outcome = _child.run(self.find(), flags, problem_tptp, wall_s=seconds + 5.0, cancel=cancel)
        return _child.unanswered(outcome) or _read(outcome)


def _read(outcome: _core.ProcessOutcome) -> Claim:
    """What the output and the exit code of a run that ended by itself say together."""
    text = outcome.stdout.decode(errors="replace")
    szs, ended = _szs.last_word(text), _child.how_it_ended(outcome)
    answer = szs in _szs.PROVED | _szs.REFUTED
    if answer and outcome.code != _SOLVED:
        return Claim(szs, Verdict.CRASHED, seconds=outcome.wall_s, detail=f"{szs}, but {ended}")
    if szs in _szs.PROVED:
        # It may fail to print a proof that it has; the word stands before, and is as good as without.
        found = _PROOF.search(text)
        used = _szs.used_premises(found["proof"]) if found else ()
        return Claim(szs, Verdict.PROVED, used, found["proof"] if found else None, outcome.wall_s)
    if szs in _szs.REFUTED:
        return Claim(szs, Verdict.REFUTED, seconds=outcome.wall_s)
    verdict = _szs.WITHOUT_ANSWER.get(szs, Verdict.UNKNOWN if outcome.code == _NOT_SOLVED else Verdict.CRASHED)
    return Claim(szs, verdict, seconds=outcome.wall_s, detail=ended)
