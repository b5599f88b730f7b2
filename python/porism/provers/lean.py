"""Lean 4, in three ways: a process for each candidate, the language server, and the REPL of the community.

With a ``statement``, a job's candidate is a proof: a term, or ``by`` and tactics. It has to be one term to its end,
without words that run code, so nothing can be redefined. Every variable of the statement has to be bound in it.
Without one, or with the option ``whole``, the candidate is a text, and ``name`` the theorem in it that is asked for;
such a check is worth L0. With ``whole``, that theorem has to state the statement.

===== =================================================================================================
level what was done
===== =================================================================================================
L0    Lean elaborated the whole of it without error and gap, and the axioms that it lists are allowed
L1    the same of a theorem in our words, so that the candidate could not change what is listed
L2    a second process imported the compiled proof, and found the same statement and axioms
L3    leanchecker had Lean's kernel check the compiled proof again
L4    nanoda, another kernel, checked the proof and all that it rests on
===== =================================================================================================

The options ``max_heartbeats`` and ``max_rec_depth`` are Lean's own limits, the same on every machine.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from porism._errors import InputError, ProverError, ProverProtocolError
from porism._sandbox import Sandbox
from porism._types import Verdict
from porism._verdicts import Check, Severity, Trust
from porism.provers import _child, _lean_answer, _lean_rpc, _lean_text
from porism.provers._driver import Capabilities, Driver, Framing, Language, Launch
from porism.provers._lean_answer import STANDARD_AXIOMS
from porism.provers._lean_audit import lines_before, workshop
from porism.provers._lean_text import Text, UnfitError
from porism.provers._lean_toolchain import Toolchain

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    from porism._core import Session
    from porism.provers._driver import Job

_CONFINED: Final = Sandbox()

# True without any library; and false.
_TRUE: Final = "theorem porism_canary (p : Prop) (h : p) : p := h\n"
_FALSE: Final = "theorem porism_canary (p q : Prop) (h : p) : q := h\n"


class _OfLean(Driver):
    """What the three have in common; the head of this file says what they do.

    Args:
        lean: The program, if not the one on the path.
        project: The folder of a built Lake project, whose libraries candidates may import.
        libraries: Further folders of compiled libraries.
        axioms: What a proof may rest on.
        sandbox: How its processes are confined, beside being able to read Lean and the libraries; ``None`` leaves them
            with the caller's rights.
        read: What else they may read.
        memory_mb: Mebibytes that each of them allows itself.
        threads: How many threads each starts.
    """

    options: Mapping[str, type] = MappingProxyType({"max_heartbeats": int, "max_rec_depth": int, "whole": bool})

    def __init__(
        self,
        lean: str | os.PathLike[str] | None = None,
        *,
        project: str | os.PathLike[str] | None = None,
        libraries: Iterable[str | os.PathLike[str]] = (),
        axioms: Iterable[str] = STANDARD_AXIOMS,
        sandbox: Sandbox | None = _CONFINED,
        read: Iterable[str | os.PathLike[str]] = (),
        memory_mb: int = 4096,
        threads: int = 2,
    ) -> None:
        self.axioms = frozenset(axioms)
        self.toolchain = Toolchain(lean, project, libraries, read, sandbox, memory_mb, threads)

    def find(self) -> Path:
        """Where the program is."""
        return self.toolchain.find()

    def version(self) -> str:
        """The version that Lean reports, such as ``"Lean (version 4.35.0, ...)"``."""
        return self.toolchain.version()

    def build(self) -> str:
        """The version, and what tells the project's libraries from others."""
        return self.toolchain.build()

    def _trust(self) -> Trust:
        """The highest level for which the tools are there."""
        try:
            replays = self.toolchain.tool("leanchecker", "lean4checker")
            elsewhere = self.toolchain.tool("lean4export") and self.toolchain.tool("nanoda_bin", "nanoda")
        except ProverError:
            return Trust.L2
        if replays is None:
            return Trust.L2
        return Trust.L3 if elsewhere is None else Trust.L4

    def _capabilities(self, *, interruptible: bool, cost: float) -> Capabilities:
        return Capabilities(
            languages=frozenset({Language.LEAN4}),
            trust=self._trust(),
            interruptible=interruptible,
            runs_code=True,
            cost=cost,
        )

    def _text(self, job: Job) -> Text | Check:
        """What Lean is given, or the check of a candidate that is refused unread."""
        try:
            if job.statement is None or job.options.get("whole", False):
                return _lean_text.whole(job)
            return _lean_text.pinned(job, job.statement)
        except UnfitError as error:
            return Check(verdict=Verdict.REJECTED, trust=Trust.L0, prover=self.name, detail=str(error))

    def _unknown(self) -> Check:
        return Check(verdict=Verdict.UNKNOWN, trust=Trust.L0, prover=self.name, prover_version=self.version())

    def _confirmed(self, session: Session, job: Job, text: Text, check: Check) -> Check:
        """A check of a process that is kept, confirmed by others if more trust is asked for."""
        if check.verdict is not Verdict.PROVED or not text.pinned or job.trust < Trust.L2:
            return check
        with workshop(self.toolchain, session, self.axioms) as shop:
            compiled = shop.checked(job, text, self._unknown(), keep=True)
            if compiled.verdict is not Verdict.PROVED:
                raise ProverProtocolError(f"another process says: {compiled.verdict}, {compiled.detail}")
            return shop.audited(job, text, check)


class Lean(_OfLean):
    """Lean as a program: a new process for each candidate, which reads the header anew.

    Args:
        lean: The program, if not the one on the path.
        project: The folder of a built Lake project, whose libraries candidates may import.
        libraries: Further folders of compiled libraries.
        axioms: What a proof may rest on.
        sandbox: How its processes are confined, beside being able to read Lean and the libraries; ``None`` leaves them
            with the caller's rights.
        read: What else they may read.
        memory_mb: Mebibytes that each of them allows itself.
        threads: How many threads each starts.
    """

    name = "Lean"

    def capabilities(self) -> Capabilities:
        """It reads Lean 4. No process is kept, so each check costs the imports."""
        return self._capabilities(interruptible=False, cost=20.0)

    def check(self, session: Session, job: Job) -> Check:
        """Checks a proof of the statement, or a text that proves it."""
        text = self._text(job)
        if isinstance(text, Check):
            return text
        more = text.pinned and job.trust >= Trust.L2
        with workshop(self.toolchain, session, self.axioms) as shop:
            check = shop.checked(job, text, self._unknown(), keep=more)
            return shop.audited(job, text, check) if more and check.verdict is Verdict.PROVED else check


class LeanServer(_OfLean):
    """Lean's language server, which keeps what the header imported. A check that is stopped costs no import.

    Its arguments are those of `Lean`.
    """

    name = "Lean server"

    def capabilities(self) -> Capabilities:
        """It reads Lean 4, and gives a check up when it is given something else to read."""
        return self._capabilities(interruptible=True, cost=2.0)

    def launch(self, header: str) -> Launch:
        """One that does not end at an interrupt: a document that changed is what makes it give up."""
        lean = (str(self.toolchain.program()), "--server", "-Dserver.reportDelayMs=0")
        return Launch(
            program="/bin/sh",
            args=("-c", 'trap "" INT; exec "$@"', "sh", *lean, "-M", str(self.toolchain.memory_mb)),
            framing=Framing.CONTENT_LENGTH,
            env=self.toolchain.environment(),
            dir=self.toolchain.prefix(),
            sandbox=self.toolchain.confinement(),
        )

    def start(self, session: Session, header: str) -> None:
        """Has it read the header.

        Raises:
            InputError: Lean does not accept the header.
        """
        session.notes["header"] = header
        _lean_rpc.initialize(session)
        _bare(session)

    def check(self, session: Session, job: Job) -> Check:
        """Checks a proof of the statement, or a text that proves it."""
        text = self._text(job)
        if isinstance(text, Check):
            return text
        answer = _elaborated(session, job.header, text.body)
        check = _lean_answer.judge(text, answer, self._unknown(), self.axioms)
        return self._confirmed(session, job, text, check)

    def recover(self, session: Session) -> None:
        """Goes back to the header, proves something there, and does not prove something else."""
        _bare(session)
        _canary(lambda body: _errors(_elaborated(session, session.notes["header"], body)))


class LeanRepl(_OfLean):
    """The REPL of leanprover-community, which keeps what the header imported.

    It has to be built for the version of Lean that it runs with. It keeps the environment after each check for good:
    the pool replaces it when it has grown. A check that is stopped ends it.

    Args:
        repl: The program, if not the one called ``repl`` on the path.
        args: With what it is started.
        lean: The Lean of its version, which says that version, and gives more than L1.
        others: As for `Lean`.
    """

    name = "Lean REPL"

    def __init__(
        self,
        repl: str | os.PathLike[str] | None = None,
        *,
        args: Iterable[str] = (),
        lean: str | os.PathLike[str] | None = None,
        **others: Any,
    ) -> None:
        super().__init__(lean, **others)
        self._repl = None if repl is None else Path(repl)
        self._args = tuple(args)

    def find(self) -> Path:
        """Where the REPL is."""
        return _child.locate(self.name, self._repl, programs=("repl",), how=INSTALL_REPL)

    def capabilities(self) -> Capabilities:
        """It reads Lean 4, and cannot be interrupted."""
        return self._capabilities(interruptible=False, cost=1.0)

    def launch(self, header: str) -> Launch:
        """One that reads commands for as long as there are any."""
        program = self.find()
        return Launch(
            program=program,
            args=self._args,
            framing=Framing.BLANK_LINE,
            env=self.toolchain.environment(),
            dir=self.toolchain.prefix(),
            sandbox=self.toolchain.confinement(read=(program,)),
        )

    def start(self, session: Session, header: str) -> None:
        """Has it read the header.

        Raises:
            InputError: Lean does not accept the header.
        """
        answer = _asked(session, {"cmd": header})
        if errors := _errors(_messages(answer)):
            raise InputError(f"{self.name} does not accept the header: {errors[0]}")
        session.notes["env"] = _environment(answer)

    def check(self, session: Session, job: Job) -> Check:
        """Checks a proof of the statement, or a text that proves it."""
        text = self._text(job)
        if isinstance(text, Check):
            return text
        answer = _asked(session, {"cmd": text.body, "env": session.notes["env"]})
        _environment(answer)
        gaps = bool(answer.get("sorries"))
        check = _lean_answer.judge(text, _messages(answer), self._unknown(), self.axioms, gaps=gaps)
        return self._confirmed(session, job, text, check)


INSTALL_REPL: Final = "git clone https://github.com/leanprover-community/repl && cd repl && lake build"


# --- the language server ----------------------------------------------------------------------------------------------


def _elaborated(session: Session, header: str, body: str) -> list[_lean_answer.Said]:
    text = f"{header}\n{body}"
    return [_lean_rpc.said(one, text, lines_before(header)) for one in _lean_rpc.elaborate(session, text)]


def _bare(session: Session) -> None:
    header: str | None = session.notes.get("header")
    if header is None:
        raise ProverError("it was interrupted before it had a header")
    if errors := _errors(_elaborated(session, header, "")):
        raise InputError(f"Lean does not accept the header: {errors[0]}")


def _canary(errors_in: Callable[[str], list[str]]) -> None:
    if errors := errors_in(_TRUE):
        raise ProverProtocolError(f"Lean does not prove what is trivial: {errors[0]}")
    if not errors_in(_FALSE):
        raise ProverProtocolError("Lean proves what is false")


def _errors(answer: Iterable[_lean_answer.Said]) -> list[str]:
    return [one.text for one in answer if one.severity is Severity.ERROR]


# --- the REPL ---------------------------------------------------------------------------------------------------------


def _asked(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    # Its reader of JSON does not join pairs of escapes, so what is not ASCII goes as it is.
    frame = session.ask(json.dumps(request, ensure_ascii=False).encode() + b"\n\n")
    try:
        answer = json.loads(frame)
    except (ValueError, RecursionError):
        raise ProverProtocolError(f"the REPL prints no JSON: {frame[:200]!r}") from None
    if not isinstance(answer, dict):
        raise ProverProtocolError("the REPL prints no object")
    if set(answer) == {"message"}:
        raise ProverProtocolError(f"the REPL says: {str(answer['message'])[:500]}")
    return answer


def _messages(answer: dict[str, Any]) -> list[_lean_answer.Said]:
    listed = answer.get("messages", [])
    if not isinstance(listed, list):
        raise ProverProtocolError("the REPL lists no messages")
    found = [_lean_answer.said(message, 0) for message in listed]
    if None in found:
        raise ProverProtocolError("the REPL sent a message of an unknown shape")
    return [one for one in found if one is not None]


def _environment(answer: dict[str, Any]) -> int:
    number = answer.get("env")
    if not isinstance(number, int):
        raise ProverProtocolError("the REPL names no environment")
    return number
