"""Metamath: the program of the same name verifies a database, or a proof that is appended to one."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from porism._errors import InputError
from porism._types import Verdict
from porism._verdicts import Check, Message, Severity, Trust
from porism.provers import _child, _metamath_text
from porism.provers._driver import Capabilities, Driver, Language

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from porism import _core
    from porism.provers._driver import Job

INSTALL: Final = "apt install metamath"

_PROMPT: Final = "MM> "
_ALL_VERIFIED: Final = "All proofs in the database were verified"
_NOT_PROVED: Final = "The following $p statement(s) were not proved:"
_WITHOUT_FAULT: Final = "No errors were found."
_AXIOMS: Final = re.compile(r"assumes the following axioms[^\n]*\n(.*)", re.DOTALL)
_FAULT: Final = re.compile(r"^\?.*(?:\n(?!\n).*)*", re.MULTILINE)
_LINE: Final = re.compile(r"^\?Error on line (\d+) of file \"check\.mm\"")
_OUT_OF_MEMORY: Final = "?FATAL ERROR"
_FILE: Final = "check.mm"


class Metamath(Driver):
    """Proofs in Metamath, verified by the program ``metamath``: a new process for each, which reads all that it needs.

    With a ``statement`` such as ``"|- t = t"``, a job's candidate is a proof, normal or compressed: what stands between
    ``$=`` and ``$.``. What the header declares and assumes holds for it; scopes that the header leaves open are
    closed behind the proof. Without one, the candidate is source: every ``$p`` in it is verified. Behind a database
    or a header, source that states axioms of its own is ``INCOMPLETE``.

    It is one verifier, whose exit code says nothing and whose words are read: it is worth L0, and never more. With a
    ``name``, ``Check.axioms`` lists what the theorem rests on; the option ``trace`` turns that off.

    Args:
        executable: The program, if it is not on the path.
        database: A file that all jobs stand on; each check reads it again.
        memory_mb: Mebibytes of address space.
    """

    name = "Metamath"
    options = MappingProxyType({"trace": bool})

    def __init__(
        self,
        executable: str | os.PathLike[str] | None = None,
        *,
        database: str | os.PathLike[str] | None = None,
        memory_mb: int = 4096,
    ) -> None:
        self._explicit = None if executable is None else Path(executable)
        self._database = None if database is None else Path(database).resolve()
        self._memory_mb = memory_mb

    def find(self) -> Path:
        """Where the program is."""
        return _child.locate(self.name, self._explicit, programs=("metamath",), how=INSTALL)

    def version(self) -> str:
        """The version that it reports, such as ``"Metamath - Version 0.195 30-Dec-2020"``."""
        return re.sub(r"\s{2,}.*", "", _child.first_line(self.find(), "exit"))

    def build(self) -> str:
        """The version, and which state of the database."""
        if self._database is None:
            return self.version()
        state = self._database.stat()
        return f"{self.version()} {self._database} {state.st_size} {state.st_mtime_ns}"

    def capabilities(self) -> Capabilities:
        """It reads Metamath."""
        return Capabilities(languages=frozenset({Language.METAMATH}))

    def check(self, session: _core.Session, job: Job) -> Check:
        """Verifies a proof of the statement, or source."""
        text, labels, own_axioms = self._composed(job)
        with tempfile.TemporaryDirectory(prefix="porism-metamath-") as name:
            folder = Path(name)
            if self._database is not None:
                # A name in an include has neither blanks nor a dollar sign; a link's does not either.
                (folder / "database.mm").symlink_to(self._database)
            (folder / _FILE).write_text(text, encoding="ascii")
            left_s = session.time_left_s
            outcome = _child.run(
                self.find(),
                (),
                "\n".join(_commands(labels, job.name if job.options.get("trace", True) else None)),
                wall_s=_child.FOREVER_S if left_s is None else left_s + 1.0,
                memory_mb=self._memory_mb,
                dir=folder,
                cancel=session.cancel,
            )
        if unanswered := _child.unanswered(outcome):
            return unanswered.checked(self)
        verdict, detail, messages, axioms = _read(outcome.stdout.decode(errors="replace"), labels)
        if verdict is Verdict.PROVED and own_axioms:
            verdict, detail = Verdict.INCOMPLETE, f"it states axioms of its own: {', '.join(own_axioms[:20])}"
        return Check(
            verdict=verdict,
            trust=Trust.L0,
            prover=self.name,
            prover_version=self.version(),
            axioms=axioms,
            messages=messages,
            detail=detail,
        )

    def _composed(self, job: Job) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """The source to verify, which labels (none: all), and what the candidate assumes without proof.

        Raises:
            InputError: The job does not make such a source.
        """
        name = job.name or "porism_goal"
        if _metamath_text.LABEL.fullmatch(name) is None:
            raise InputError(f"name={name!r} is no label of Metamath")
        before = "" if self._database is None else "$[ database.mm $]\n"
        header = _metamath_text.read(job.header)
        if job.statement is not None:
            statement = _metamath_text.plain(job.statement, "a statement")
            proof = _metamath_text.plain(job.candidate, "a proof")
            theorem = f"{name} $p {statement}\n$= {proof}\n$.\n"
            return f"{before}{job.header}\n{theorem}{'$} ' * header.open_scopes}\n", (name,), ()
        found = _metamath_text.read(job.candidate)
        if "$[" in job.candidate:
            # In a comment too: older versions follow it there.
            raise InputError("a candidate includes no file")
        if header.open_scopes or found.open_scopes:
            raise InputError("a scope is not closed")
        if not found.theorems or (job.name is not None and job.name not in found.theorems):
            raise InputError(f"the candidate has no theorem {job.name or 'at all'}")
        whole = not before and not job.header
        labels = () if whole else found.theorems
        return f"{before}{job.header}\n{job.candidate}\n", labels, () if whole else found.axioms


def _commands(labels: Sequence[str], name: str | None) -> list[str]:
    """What it is told, line by line."""
    verify = [f"verify proof {label}" for label in labels] or ["verify proof *"]
    trace = [] if name is None else [f"show trace_back {name} /axioms"]
    return ["set scroll continuous", f"read {_FILE}", *verify, *trace, "exit", ""]


def _read(said: str, labels: Sequence[str]) -> tuple[Verdict, str, tuple[Message, ...], tuple[str, ...]]:
    """The verdict, a line for people, the messages, and the axioms.

    Nothing but what it prints when all is well is taken for a proof: neither silence nor an unknown word is.
    """
    if _OUT_OF_MEMORY in said:
        return Verdict.MEMORY, "it ran out of memory", (), ()
    messages = tuple(_message(fault[0]) for fault in _FAULT.finditer(said.replace(_PROMPT, "")))
    if messages:
        return Verdict.REJECTED, messages[0].text.partition("\n")[0], messages, ()
    answers = said.split(_PROMPT)
    # The greeting, the scrolling, the reading; then an answer for each label.
    reading, verified = "".join(answers[2:3]), answers[3:]
    if _NOT_PROVED in said:
        return Verdict.INCOMPLETE, f"not proved: {said.partition(_NOT_PROVED)[2].split(_PROMPT)[0].strip()}", (), ()
    # Behind the last answer stands a prompt, to which it was told to leave.
    right = (_WITHOUT_FAULT in reading and len(verified) > max(len(labels), 1)) and (
        [" ".join(answer.split()) for answer in verified[: len(labels)]] == list(labels)
        if labels
        else _ALL_VERIFIED in "".join(verified[:1])
    )
    if not right:
        return Verdict.CRASHED, f"it does not say that it verified anything: {said[-300:]!r}", (), ()
    traced = _AXIOMS.search("".join(verified[len(labels) or 1 :][:1]))
    return Verdict.PROVED, "", (), tuple(traced[1].split()) if traced else ()


def _message(fault: str) -> Message:
    found = _LINE.match(fault)
    return Message(Severity.ERROR, fault.strip()[:2000], int(found[1]) if found else 0)
