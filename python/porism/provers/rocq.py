"""Rocq (Coq): coqidetop checks proofs and keeps what it has loaded; coqc and coqchk audit them on their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from porism._errors import InputError, ProverError, ProverMemoryError, ProverProtocolError
from porism._types import Verdict
from porism._verdicts import Check, Message, Severity, Trust
from porism.provers import _child, _rocq_audit, _rocq_xml
from porism.provers._driver import Capabilities, Driver, Framing, Language, Launch
from porism.provers._rocq_sentences import sentences, statement, unfit_in_proof, unfit_in_text

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from porism._core import Session
    from porism._sandbox import Sandbox
    from porism.provers._driver import Job

_NAME: Final = re.compile(r"[^\W\d][\w']*")


class Rocq(Driver):
    """Proofs in Rocq.

    With a ``statement``, a job's candidate is a proof: what stands between ``Theorem name : statement.`` and the end,
    with or without ``Proof.`` and ``Qed.``. Only tactics are let through, so nothing can be redefined. Without one, the
    candidate is a text, and ``name`` the theorem in it that is asked for: such a check is worth L0.

    ===== =================================================================================================
    level what was done
    ===== =================================================================================================
    L0    Rocq accepted the whole of it, and no axiom came into being
    L1    the statement was ours, and the axioms that the proof rests on are allowed ones
    L2    the same in a new process of coqc, which never ran another candidate
    L3    coqchk, a separate checker, accepted the compiled proof, and lists the same axioms
    ===== =================================================================================================

    Args:
        folder: Where its programs are, if not on the path.
        axioms: Axioms that a proof may rest on, such as ``"functional_extensionality_dep"``; without their module.
        libraries: Folders of compiled libraries by their logical name, as ``-Q`` takes them.
        memory_mb: Mebibytes of address space of each process.
        sandbox: How its processes are confined; ``None`` leaves them with the caller's rights.
    """

    name = "Rocq"

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        axioms: Iterable[str] = (),
        libraries: Iterable[tuple[str | os.PathLike[str], str]] = (),
        memory_mb: int = 4096,
        sandbox: Sandbox | None = None,
    ) -> None:
        self._folder = None if folder is None else Path(folder)
        self.axioms = frozenset(axioms)
        self._libraries = tuple((Path(path), logical) for path, logical in libraries)
        self.memory_mb = memory_mb
        self.sandbox = sandbox

    def find(self, *programs: str) -> Path:
        """Where a program is; coqidetop without a name."""
        programs = programs or ("coqidetop.opt", "coqidetop", "rocqidetop")
        if self._folder is not None:
            return _child.locate(self.name, self._folder / programs[0], programs=())
        return _child.locate(self.name, None, programs=programs, how=INSTALL)

    def version(self) -> str:
        """The version that it reports, such as ``"The Coq Proof Assistant, version 8.16.1"``."""
        return _child.first_line(self.find("coqc", "rocq"), "--version")

    def capabilities(self) -> Capabilities:
        """It reads Rocq, can be interrupted, and keeps proof states."""
        return Capabilities(
            languages=frozenset({Language.ROCQ}),
            trust=Trust.L3,
            interruptible=True,
            branching=True,
            runs_code=True,
            cost=10.0,
        )

    def library_flags(self) -> tuple[str, ...]:
        """The flags that name the libraries."""
        return tuple(flag for path, logical in self._libraries for flag in ("-Q", str(path), logical))

    def launch(self, header: str) -> Launch:
        """One that speaks XML, and works off one thing after the other."""
        return Launch(
            program=self.find(),
            args=("-main-channel", "stdfds", "-async-proofs", "off", "-q", *self.library_flags()),
            framing=Framing.XML_ELEMENT,
            memory_mb=self.memory_mb,
            sandbox=self.sandbox,
        )

    def start(self, session: Session, header: str) -> None:
        """Has it read the header.

        Raises:
            InputError: Rocq does not accept the header.
        """
        script = _Script(session, _rocq_xml.init(session))
        for sentence in sentences(header):
            if not script.add(sentence):
                raise InputError(f"{self.name} does not accept the header: {script.trouble}")
        if not script.execute():
            raise InputError(f"{self.name} does not accept the header: {script.trouble}")
        session.notes["header"] = script.tip

    def check(self, session: Session, job: Job) -> Check:
        """Checks a proof of the statement, or a text that proves it."""
        parts = _parts(job)
        if isinstance(parts, Check):
            return parts
        header: int = session.notes["header"]
        if not _rocq_xml.edit_at(session, header).good:
            raise ProverProtocolError(f"{self.name} does not go back to its header")
        script = _Script(session, header)
        verdict, detail = _run(script, parts)
        check = Check(
            verdict=verdict,
            trust=Trust.L0,
            prover=self.name,
            prover_version=self.version(),
            detail=detail,
            messages=tuple(script.messages),
        )
        if verdict is not Verdict.PROVED or job.statement is None or job.trust < Trust.L1:
            return check
        return _rocq_audit.audited(self, session, script.tip, parts, job, check)

    def recover(self, session: Session) -> None:
        """Goes back to the header, proves something true there, and does not prove something false."""
        header = session.notes.get("header")
        if header is None:
            raise ProverError("it was interrupted while it read its header")
        _rocq_xml.settle(session)
        # An interrupt that came when nothing was to be interrupted may hit the next call.
        _rocq_xml.edit_at(session, header)
        for goal, right in (("True", True), ("False", False)):
            if not _rocq_xml.edit_at(session, header).good:
                raise ProverProtocolError(f"{self.name} does not go back to its header")
            script = _Script(session, header)
            proved = _run(script, Parts("porism_canary", (f"Theorem porism_canary : {goal}.", "exact I.", "Qed.")))[0]
            if (proved is Verdict.PROVED) is not right:
                raise ProverProtocolError(f"{self.name} says {proved} of {goal}: {script.trouble}")


INSTALL: Final = "apt install coq"


@dataclass(frozen=True, slots=True)
class Parts:
    """What is added after the header.

    Attributes:
        name: The theorem.
        sentences: All of it: the theorem, its proof, its end.
    """

    name: str
    sentences: tuple[str, ...]


def _parts(job: Job) -> Parts | Check:
    """The sentences of a job, or the check of one that is refused unread."""
    name = job.name or "porism_goal"
    if _NAME.fullmatch(name) is None:
        raise InputError(f"name={name!r} is no name of Rocq")
    proof = sentences(job.candidate)
    unfit = unfit_in_text if job.statement is None else unfit_in_proof
    for sentence in proof:
        if why := unfit(sentence):
            return _refused(why)
    if job.statement is None:
        return Parts(name, tuple(proof))
    if not proof or _first_word(proof[0]) != "Proof":
        proof.insert(0, "Proof.")
    if _first_word(proof[-1]) not in {"Qed", "Defined"}:
        proof.append("Qed.")
    inner = [sentence for sentence in proof[1:-1] if _first_word(sentence) in {"Proof", "Qed", "Defined"}]
    if inner:
        return _refused(f"the proof goes on after {inner[0]!r}")
    return Parts(name, (f"Theorem {name} : ({statement(job.statement)}).", *proof))


def _refused(why: str) -> Check:
    return Check(verdict=Verdict.REJECTED, trust=Trust.L0, prover=Rocq.name, detail=why)


def _first_word(sentence: str) -> str:
    match = _NAME.match(sentence)
    return match[0] if match else ""


def _run(script: _Script, parts: Parts) -> tuple[Verdict, str]:
    """Has everything executed; what that means."""
    for sentence in parts.sentences:
        if not script.add(sentence):
            return Verdict.REJECTED, script.trouble
    if not script.execute():
        return (Verdict.INCOMPLETE if _is_incomplete(script.trouble) else Verdict.REJECTED), script.trouble
    if script.open_proof:
        return Verdict.INCOMPLETE, f"the proof of {script.open_proof} is not ended"
    if script.axioms_added:
        return Verdict.INCOMPLETE, "an axiom was added, or something was admitted"
    if not _rocq_xml.query(script.session, f"Check {parts.name}.", script.tip).good:
        return Verdict.MISMATCH, f"there is no {parts.name} afterwards"
    return Verdict.PROVED, ""


def _is_incomplete(trouble: str) -> bool:
    return "Attempt to save an incomplete proof" in trouble or "given up" in trouble


class _Script:
    """Sentences on their way into a session."""

    def __init__(self, session: Session, tip: int) -> None:
        self.session = session
        self.tip = tip
        self.trouble = ""
        self.messages: list[Message] = []
        self.axioms_added = 0
        self.open_proof = ""

    def add(self, sentence: str) -> bool:
        """Adds one; whether Rocq could read it."""
        answer = _rocq_xml.add(self.session, sentence, self.tip)
        if answer.good:
            self.tip = answer.state()
        return self._note(answer)

    def execute(self) -> bool:
        """Executes all that was added; whether all of it went well."""
        answer = _rocq_xml.execute(self.session)
        if answer.good:
            name = answer.value.find("status/option/string")
            self.open_proof = "" if name is None else (name.text or "a theorem")
        return self._note(answer)

    def _note(self, answer: _rocq_xml.Answer) -> bool:
        self.axioms_added += answer.axioms_added
        self.messages += [Message(Severity.INFORMATION, notice) for notice in answer.notices]
        if not answer.good:
            self.trouble = answer.message
            self.messages.append(Message(Severity.ERROR, answer.message))
            if "Out of memory" in answer.message:
                raise ProverMemoryError(answer.message)
        return answer.good
