"""How far a proof in Lean can be trusted: compiled, imported where it never ran, replayed, checked elsewhere.

What holds at L2: the compiled proof, read by a second process, has the statement and rests on allowed axioms. To import
a compiled module runs its initialisers and obeys its notations; that of a proof has none, since a proof is one term
without attributes. The second process believes the kernel of the first: only from L3 on is anything checked again.
"""

from __future__ import annotations

import json
import re
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from porism._errors import InputError, ProverProtocolError
from porism._types import Verdict
from porism._verdicts import Check, Severity, Trust
from porism.provers import _child, _lean_answer, _lean_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from porism import _core
    from porism._core import Session
    from porism.provers._driver import Job
    from porism.provers._lean_text import Text
    from porism.provers._lean_toolchain import Toolchain

_MODULE: Final = "PorismCandidate"
_CHECKER: Final = ("leanchecker", "lean4checker")
_EXPORTER: Final = ("lean4export",)
_OTHER_KERNEL: Final = ("nanoda_bin", "nanoda")

_REMARK: Final = re.compile(r"/-.*?-/|--[^\n]*", re.DOTALL)
_IMPORT: Final = re.compile(r"(?:public\s+)?(?:meta\s+)?import\b")
_SCOPING: Final = re.compile(
    r"(?:open|namespace|section|noncomputable\s+section|end|universe|variable|set_option|local|include|omit)\b"
)


class Workshop:
    """A folder in which one candidate is compiled and audited.

    Attributes:
        folder: Where our sources are.
        out: Where what is compiled is put; the only place that a candidate may change.
    """

    def __init__(self, toolchain: Toolchain, session: Session, allowed: frozenset[str], folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.out.mkdir()
        self._toolchain = toolchain
        self._session = session
        self._allowed = allowed

    def checked(self, job: Job, text: Text, check: Check, *, keep: bool) -> Check:
        """The verdict of a process of its own about a text; ``keep`` leaves the compiled proof in the workshop."""
        return self._lean(_MODULE, job.header, text, check, ("-o", str(self.out / f"{_MODULE}.olean")) if keep else ())

    def audited(self, job: Job, text: Text, check: Check) -> Check:
        """A proved check with as much trust as was asked for, or as can be had; the detail says what is missing."""
        second = self._imported(job, text, check)
        if second.verdict is not Verdict.PROVED:
            if second.axioms != check.axioms or second.verdict is Verdict.MISMATCH:
                raise ProverProtocolError(f"a second process finds something else: {second.verdict}, {second.detail}")
            return replace(check, detail=f"a second process does not confirm it: {second.detail}")
        check = replace(check, trust=Trust.L2, axioms=second.axioms)
        for level, step in ((Trust.L3, self._replayed), (Trust.L4, self._checked_elsewhere)):
            if job.trust < level:
                break
            if missing := step(text):
                return replace(check, detail=missing)
            check = replace(check, trust=level)
        return check

    def _imported(self, job: Job, text: Text, check: Check) -> Check:
        statement = job.statement or ""
        asked = _lean_text.imported(job, text, statement)
        unknown = replace(check, verdict=Verdict.UNKNOWN)
        try:
            return self._lean("PorismAudit", judging_header(job.header), asked, unknown, ())
        except InputError as error:
            return replace(unknown, detail=str(error))

    def _replayed(self, _text: Text) -> str:
        """Has every declaration of the compiled proof checked again by Lean's kernel; what is missing, if anything."""
        return self._ran(_CHECKER, (_MODULE,))[0]

    def _checked_elsewhere(self, text: Text) -> str:
        """Has the proof and all that it rests on checked by another kernel."""
        missing, exported = self._ran(_EXPORTER, (_MODULE, "--", text.name))
        if missing:
            return missing
        (self.folder / "export.ndjson").write_bytes(exported)
        config = {
            "export_file_path": str(self.folder / "export.ndjson"),
            "permitted_axioms": sorted(self._allowed),
            "unpermitted_axiom_hard_error": True,
            "nat_extension": True,
            "string_extension": True,
        }
        (self.folder / "nanoda.json").write_text(json.dumps(config), encoding="utf-8")
        return self._ran(_OTHER_KERNEL, (str(self.folder / "nanoda.json"),))[0]

    def _ran(self, names: tuple[str, ...], args: tuple[str, ...]) -> tuple[str, bytes]:
        program = self._toolchain.tool(*names)
        if program is None:
            return f"{names[0]} is not installed", b""
        outcome = self._toolchain.run(program, args, self._session, self.folder, self.out)
        if outcome.ending != "exited" or outcome.code != 0:
            return f"{names[0]} does not confirm it: {_child.how_it_ended(outcome)}", b""
        return "", outcome.stdout

    def _lean(self, module: str, header: str, text: Text, check: Check, args: tuple[str, ...]) -> Check:
        (self.folder / f"{module}.lean").write_text(f"{header}\n{text.body}", encoding="utf-8")
        flags = ("--json", "-E", "hasSorry", "-M", str(self._toolchain.memory_mb), "-j", str(self._toolchain.threads))
        outcome = self._toolchain.run(
            self._toolchain.program(), (*flags, *args, f"{module}.lean"), self._session, self.folder, self.out
        )
        return read(outcome, text, header, check, self._allowed)


@contextmanager
def workshop(toolchain: Toolchain, session: Session, allowed: frozenset[str]) -> Iterator[Workshop]:
    """A workshop that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="porism-lean-") as folder:
        yield Workshop(toolchain, session, allowed, Path(folder).resolve())


def read(outcome: _core.ProcessOutcome, text: Text, header: str, check: Check, allowed: frozenset[str]) -> Check:
    """What a run of ``lean --json`` means."""
    check = replace(check, work_s=outcome.wall_s)
    if outcome.code != 0 and any(words in outcome.stderr for words in _lean_answer.OUT_OF_MEMORY):
        return replace(check, verdict=Verdict.MEMORY, detail=_child.how_it_ended(outcome))
    if unanswered := _child.unanswered(outcome):
        return replace(check, verdict=unanswered.verdict, detail=unanswered.detail)
    answer = _lean_answer.read_lines(outcome.stdout, lines_before(header))
    for one in answer:
        if one.line <= 0 and one.severity is Severity.ERROR:
            raise InputError(f"Lean does not accept the header: {one.text}")
    if not any(one.text == text.begin for one in answer):
        return replace(check, verdict=Verdict.CRASHED, detail=_child.how_it_ended(outcome))
    check = _lean_answer.judge(text, answer, check, allowed)
    # Lean ends with 0 if there is no error, and with 1 otherwise.
    if check.verdict is Verdict.PROVED and outcome.code != 0:
        return replace(check, verdict=Verdict.CRASHED, trust=Trust.L0, detail=_child.how_it_ended(outcome))
    return check


def lines_before(header: str) -> int:
    """How many lines stand before the body."""
    return header.count("\n") + 1


def judging_header(header: str) -> str:
    """The header for a process that imports the compiled proof: the declarations are in there, the scopes are not.

    The header is trusted, and what this gets wrong Lean does not accept, so that nothing is confirmed.
    """
    commands: list[list[str]] = []
    for line in _REMARK.sub("", header).splitlines():
        if line[:1].strip() or not commands:
            commands.append([])
        commands[-1].append(line)
    texts = ["\n".join(command).rstrip() for command in commands]
    first = [text for text in texts if text.strip() in {"prelude", "module"}]
    imports = [text for text in texts if _IMPORT.match(text)]
    scopes = [text for text in texts if _SCOPING.match(text)]
    return "\n".join([*first, *imports, f"import {_MODULE}", *scopes])
