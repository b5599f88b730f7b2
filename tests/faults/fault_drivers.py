"""Drivers for stand-ins that go wrong, written as drivers for real provers should be.

Every request carries a word of its own that nobody could guess, so that the answer to another request is told apart
by the driver; the candidate asks for a second one, which ends in ``Check.raw``, so that a test can tell what the pool
hands to whom. A driver takes nothing for an answer that does not say both.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from porism import Check, InputError, ProverEndedError, ProverMemoryError, ProverProtocolError, Trust, Verdict
from porism.provers import Capabilities, Driver, Framing, Job, Language, Launch
from porism.testing import StandIn

if TYPE_CHECKING:
    from porism import Sandbox, _core

_WORDS = {
    "accepted": Verdict.PROVED,
    "false": Verdict.REFUTED,
    "incomplete": Verdict.INCOMPLETE,
    "unclear": Verdict.UNKNOWN,
    "unsat": Verdict.PROVED,
    "sat": Verdict.REFUTED,
    "unknown": Verdict.UNKNOWN,
}

_TRACED = re.compile(r"\A(?:Processing .*\n)*")

#: Mebibytes of one answer.
MAX_FRAME_MB = 1


class Faulty(Driver):
    """What the drivers share: how a stand-in is started, and how often each job was begun.

    Args:
        mark: A variable in the environment of every process, by which a test finds what was left of them.
        memory_mb: Mebibytes of address space of each.
        sandbox: How they are confined.
    """

    protocol: str
    framing: Framing
    language: Language

    def __init__(self, mark: str, *, memory_mb: int | None = 128, sandbox: Sandbox | None = None) -> None:
        self._mark = mark
        self._memory_mb = memory_mb
        self._sandbox = sandbox
        self.begun: Counter[str | None] = Counter()

    def capabilities(self) -> Capabilities:
        return Capabilities(languages=frozenset({self.language}), interruptible=True)

    def version(self) -> str:
        return f"stand-in for {self.protocol}"

    def launch(self, header: str) -> Launch:
        program = StandIn(self.protocol)
        return Launch(
            program=program.program,
            args=program.args,
            framing=self.framing,
            env={"PORISM_MARK": self._mark},
            memory_mb=self._memory_mb,
            max_frame_mb=MAX_FRAME_MB,
            sandbox=self._sandbox,
        )

    def _check(self, job: Job, verdict: Verdict, word: str, detail: str = "") -> Check:
        return Check(verdict=verdict, trust=Trust.L0, prover=self.name, raw=word, detail=detail)


class Lines(Faulty):
    """Lines: it survives an interrupt, and is put to two canaries then."""

    name = "lines"
    protocol = "lines"
    framing = Framing.LINES
    language = Language.ISABELLE

    def start(self, session: _core.Session, header: str) -> None:
        self._ask(session, "theorem ready : 1 + 1 = 2 := by decide")

    def check(self, session: _core.Session, job: Job) -> Check:
        self.begun[job.name] += 1
        outcome, claim, *echoes = self._ask(session, job.candidate).split("; ")
        word = echoes[0].removeprefix("echo ") if echoes else ""
        verdict = _WORDS.get(outcome)
        if verdict is None:
            raise ProverProtocolError(f"{outcome[:50]!r} is no word of this prover")
        if verdict is Verdict.PROVED and claim != f"{job.name} : {job.statement}":
            return self._check(job, Verdict.MISMATCH, word, claim)
        return self._check(job, verdict, word)

    def recover(self, session: _core.Session) -> None:
        # What the interrupted work has said, or says yet, comes before the answer to the canary.
        session.discard()
        for statement, expected in (("2 + 2 = 4", b"accepted"), ("2 + 2 = 5", b"false")):
            nonce = session.nonce()
            said = session.ask(f"theorem canary : {statement} := by decide -- echo {nonce}\n".encode())
            while nonce.encode() not in said:
                said = session.receive()
            if not said.startswith(expected):
                raise ProverProtocolError(f"{said[:50]!r} in place of {expected!r}")

    def _ask(self, session: _core.Session, text: str) -> str:
        nonce = session.nonce()
        said = session.ask(f"{text} -- echo {nonce}\n".encode()).decode(errors="replace")
        while said.startswith("# "):
            said = session.receive().decode(errors="replace")
        if said == "out of memory":
            raise ProverMemoryError(said)
        if f"; echo {nonce}" not in said:
            raise ProverProtocolError(f"{said[:50]!r} is no answer to what was asked")
        return said.replace(f"; echo {nonce}", "")


class Repl(Faulty):
    """JSON and blank lines: an interrupt ends it."""

    name = "repl"
    protocol = "repl"
    framing = Framing.BLANK_LINE
    language = Language.LEAN4

    def start(self, session: _core.Session, header: str) -> None:
        self._ask(session, {"cmd": header})

    def check(self, session: _core.Session, job: Job) -> Check:
        self.begun[job.name] += 1
        answer = self._ask(session, {"cmd": job.candidate, "env": 0})
        messages = answer.get("messages", ())
        said = [one["data"] for one in messages if one["severity"] == "info"]
        wrong = [one["data"] for one in messages if one["severity"] == "error"]
        word = said[0] if said else ""
        if "sorries" in answer:
            return self._check(job, Verdict.INCOMPLETE, word)
        return self._check(job, Verdict.REJECTED if wrong else Verdict.PROVED, word, "; ".join(wrong))

    def _ask(self, session: _core.Session, request: dict[str, Any]) -> dict[str, Any]:
        nonce = session.nonce()
        request = request | {"cmd": f"{request['cmd']}\n-- echo {nonce}"}
        try:
            said = session.ask(json.dumps(request).encode() + b"\n\n").decode(errors="replace")
        except ProverEndedError as error:
            if "out of memory" in str(error):
                raise ProverMemoryError(str(error)) from error
            raise
        try:
            # What is traced stands in lines of its own before the object.
            answer = json.loads(_TRACED.sub("", said))
        except ValueError as error:
            raise ProverProtocolError(f"{said[:50]!r} is no JSON") from error
        if not isinstance(answer, dict) or nonce not in [one["data"] for one in answer.get("messages", ())]:
            raise ProverProtocolError(f"{said[:50]!r} is no answer to what was asked")
        return answer


class Smt(Faulty):
    """Expressions and a marker."""

    name = "smt"
    protocol = "smt"
    framing = Framing.MARKER
    language = Language.SMT2

    def check(self, session: _core.Session, job: Job) -> Check:
        self.begun[job.name] += 1
        if "(reset)" in job.candidate:
            raise InputError("a problem does not reset")
        # A solver that dies of its memory says so, and prints no marker.
        try:
            lines = self._ask(session, f"(reset){job.candidate}")
        except ProverEndedError as error:
            if error.code == 101:
                raise ProverMemoryError(str(error)) from error
            raise
        lines = [line for line in lines if not line.startswith("WARNING")]
        # The word, what pads the answer, and the answer.
        if not 2 <= len(lines) <= 3 or lines[-1] not in _WORDS:
            raise ProverProtocolError(f"{str(lines)[:50]} is no answer")
        return self._check(job, _WORDS[lines[-1]], lines[0])

    def recover(self, session: _core.Session) -> None:
        self._ask(session, "")
        if self._ask(session, "(reset)(assert (= 1 2))(check-sat)") != ["unsat"]:
            raise ProverProtocolError("it does not see a contradiction")

    def _ask(self, session: _core.Session, text: str) -> list[str]:
        marker = session.nonce()
        said = session.ask(f'{text}\n(echo "{marker}")\n'.encode(), marker=marker)
        return said.decode(errors="replace").splitlines()
