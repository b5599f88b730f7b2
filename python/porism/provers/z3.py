"""Z3: proves again, from the premises that were used, what another prover claims."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from porism._errors import ProverEndedError, ProverError, ProverMemoryError, ProverProtocolError
from porism._types import Verdict
from porism.provers import _child, _smt2
from porism.provers._claim import Claim
from porism.provers._driver import Capabilities, Driver, Framing, Language, Launch

if TYPE_CHECKING:
    import os

    from porism import _core
    from porism._verdicts import Check
    from porism.provers._driver import Job

# Goals are sent negated: "unsat" is a proof, "sat" a counter-model. "timeout" is the word of the hard limit.
_VERDICTS: Final = {
    "unsat": Verdict.PROVED,
    "sat": Verdict.REFUTED,
    "unknown": Verdict.UNKNOWN,
    "timeout": Verdict.TIMEOUT,
}

_ASK_WHY: Final = "\n(get-info :reason-unknown)\n"

# Z3 takes an unsigned number of 32 bits, and the largest for none.
_NO_LIMIT_MS: Final = (1 << 32) - 1

# The exit code after "-memory:" was reached.
_OUT_OF_MEMORY: Final = 101


class Z3(Driver):
    """The solver Z3 as a program: a new process for each problem, or, in a pool, one that stays.

    A job's candidate is SMT-LIB 2 that ends with its only ``(check-sat)``; its header declares, defines and asserts.
    The option ``seconds`` bounds the solver's own time, ``rlimit`` its work, which is the same on every machine.

    Args:
        executable: The program, if it is neither the one of the wheel nor on the path.
        memory_mb: Mebibytes that a process of a pool may use.
    """

    name = "Z3"
    options = MappingProxyType({"seconds": float, "rlimit": int})

    def __init__(self, executable: str | os.PathLike[str] | None = None, *, memory_mb: int = 2048) -> None:
        self._explicit = None if executable is None else Path(executable)
        self._memory_mb = memory_mb

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

    def capabilities(self) -> Capabilities:
        """It reads SMT-LIB, and says so itself when there is no model."""
        return Capabilities(languages=frozenset({Language.SMT2}), interruptible=True)

    def launch(self, header: str) -> Launch:
        """One that reads commands for as long as there are any."""
        return Launch(
            program=self.find(),
            args=("-smt2", "-in", f"-memory:{self._memory_mb}"),
            framing=Framing.MARKER,
            memory_mb=4 * self._memory_mb,
        )

    def start(self, session: _core.Session, header: str) -> None:
        """Has it read the header.

        Raises:
            InputError: The header asks, or does what a problem may not do.
            ProverError: Z3 does not understand it.
        """
        if header and (said := _ask(session, _smt2.checked_header(header))):
            raise ProverError(f"{self.name} does not understand the header: {said[:500]}")

    def check(self, session: _core.Session, job: Job) -> Check:
        """Asks whether the assertions contradict each other, on top of those of the header."""
        limits = _limits(job, session.time_left_s)
        question = _smt2.checked(job.candidate) + _ASK_WHY
        # What a problem declares is forgotten with it. Without a header everything is, the logic too.
        text = f"(push 1){limits}{question}(pop 1)" if job.header else f"(reset){limits}{question}"
        try:
            claim = _judge(_ask(session, text))
        except ProverEndedError as error:
            if error.code == _OUT_OF_MEMORY:
                raise ProverMemoryError(f"{self.name} used more than {self._memory_mb} MiB") from error
            raise
        if claim.verdict is Verdict.MEMORY:
            raise ProverMemoryError(claim.detail)
        return claim.checked(self)

    def recover(self, session: _core.Session) -> None:
        """Waits until it listens again, and has it find what contradicts itself."""
        _ask(session, "")
        said = _ask(session, "(push 1)(assert false)(check-sat)(pop 1)")
        if said != "unsat":
            raise ProverProtocolError(f"{self.name} says {said[:100]!r} where nothing but 'unsat' is right")


def _ask(session: _core.Session, text: str) -> str:
    """What it says to commands. Nobody knows the word that ends the answer before: a problem cannot print it."""
    marker = session.nonce()
    return session.ask(f'{text}\n(echo "{marker}")\n'.encode(), marker=marker).decode(errors="replace").strip()


def _limits(job: Job, left_s: float | None) -> str:
    """Its own limits stand before ours, so that it is there to answer when they are reached."""
    seconds = min(float(job.options.get("seconds", math.inf)), math.inf if left_s is None else left_s)
    timeout_ms = _NO_LIMIT_MS if math.isinf(seconds) else max(1, math.ceil(seconds * 1000))
    return f"(set-option :timeout {timeout_ms})(set-option :rlimit {int(job.options.get('rlimit', 0))})"


def _read(outcome: _core.ProcessOutcome) -> Claim:
    """What the output and the exit code of a run that ended by itself say together."""
    claim = _judge(outcome.stdout.decode(errors="replace").strip())
    verdict = claim.verdict
    if outcome.code != 0 and verdict not in {Verdict.MEMORY, Verdict.UNSUPPORTED}:
        verdict = Verdict.CRASHED
    if verdict in {Verdict.PROVED, Verdict.REFUTED}:
        return replace(claim, seconds=outcome.wall_s)
    detail = f"{claim.detail} {_child.how_it_ended(outcome)}".strip()
    return Claim(claim.szs, verdict, seconds=outcome.wall_s, detail=detail)


def _judge(said: str) -> Claim:
    """What Z3 said to a question and to why it does not know."""
    word, _, rest = said.partition("\n")
    verdict = _VERDICTS.get(word, Verdict.CRASHED)
    # After an error Z3 goes on without the command that it did not understand, and answers another question.
    if "(error" in said:
        verdict = Verdict.MEMORY if "out of memory" in said else Verdict.UNSUPPORTED
    elif verdict is Verdict.UNKNOWN:
        verdict = _why(rest)
    if verdict in {Verdict.PROVED, Verdict.REFUTED}:
        return Claim(word, verdict)
    return Claim(word if word in _VERDICTS else "", verdict, detail=said[:500])


def _why(reason: str) -> Verdict:
    if "timeout" in reason or "canceled" in reason:
        return Verdict.TIMEOUT
    if "interrupted" in reason:
        return Verdict.CANCELLED
    return Verdict.MEMORY if "memout" in reason else Verdict.UNKNOWN
