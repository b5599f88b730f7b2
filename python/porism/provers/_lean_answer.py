"""What Lean's messages about a text mean."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from porism._errors import InputError, ProverProtocolError
from porism._types import Verdict
from porism._verdicts import Check, Message, Severity, Trust

if TYPE_CHECKING:
    from collections.abc import Iterable

    from porism.provers._lean_text import Text

#: What a proof may rest on without being asked: the axioms of Lean's own library.
STANDARD_AXIOMS: Final = ("propext", "Classical.choice", "Quot.sound")

#: What Lean prints, before it ends, at its own limit and when there is no more to be had.
OUT_OF_MEMORY: Final = (b"excessive memory consumption", b"out of memory")

_AXIOMS: Final = re.compile(
    r"'.+' (?:does not depend on any axioms|depends on axioms: \[(?P<list>[^\]]*)\])", re.DOTALL
)

# The kinds of messages about limits, such as ``runtime.maxHeartbeats``.
_LIMIT: Final = "runtime."

_SEVERITIES: Final = {
    "error": Severity.ERROR,
    "warning": Severity.WARNING,
    "information": Severity.INFORMATION,
    "info": Severity.INFORMATION,
}


@dataclass(frozen=True, slots=True)
class Said:
    """One message.

    Attributes:
        severity: How grave.
        text: In Lean's words.
        line: The line of the body that it is about, counted from 1; 0 or less before it.
        column: The column, counted from 0 in characters.
        kind: Lean's name for such messages, where it gives one.
    """

    severity: Severity
    text: str
    line: int
    column: int
    kind: str = ""


def said(message: Any, header_lines: int) -> Said | None:
    """A message as ``lean --json`` and the REPL print it; ``None`` if it is none."""
    try:
        severity = _SEVERITIES.get(message["severity"], Severity.INFORMATION)
        line, column = int(message["pos"]["line"]) - header_lines, int(message["pos"]["column"])
        return Said(severity, str(message["data"]), line, column, str(message.get("kind", "")))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def read_lines(printed: bytes, header_lines: int) -> list[Said]:
    """The messages that ``lean --json`` printed. What else was printed is nothing that Lean says."""
    found = []
    for line in printed.splitlines():
        try:
            message = said(json.loads(line), header_lines)
        except (ValueError, RecursionError):
            continue
        if message is not None:
            found.append(message)
    return found


def judge(text: Text, answer: Iterable[Said], check: Check, allowed: frozenset[str], *, gaps: bool = False) -> Check:
    """What the messages about a text mean.

    Args:
        text: What Lean was given.
        answer: What it said.
        check: What is known already: who was asked.
        allowed: The axioms that a proof may rest on.
        gaps: Whether Lean said, in another way than by messages, that something is not proved.

    Raises:
        InputError: Lean does not accept the statement.
        ProverProtocolError: It is no answer to this.
    """
    answer = list(answer)
    if not any(one.text == text.begin for one in answer):
        raise ProverProtocolError("Lean answers something else")
    shown = (one for one in answer if one.text not in {text.begin, text.end} and one.line != text.audit)
    check = replace(check, messages=tuple(_message(text, one) for one in shown))
    errors = [one for one in answer if one.severity is Severity.ERROR and one.kind != "hasSorry"]
    for one in errors:
        if one.line in text.statement and not one.kind.startswith(_LIMIT):
            raise InputError(f"Lean does not accept the statement: {one.text}")
    if errors:
        return _failed(text, errors, check)
    if gaps or any(one.kind == "hasSorry" for one in answer):
        return replace(check, verdict=Verdict.INCOMPLETE, detail="the proof leaves a gap")
    if not any(one.text == text.end for one in answer):
        return replace(check, verdict=Verdict.REJECTED, detail="Lean was made to stop before the end of the text")
    return _with_axioms(text, answer, check, allowed)


def _message(text: Text, one: Said) -> Message:
    if text.first <= one.line <= text.last:
        return Message(one.severity, one.text, one.line - text.first + 1, one.column + 1)
    return Message(one.severity, one.text)


def _failed(text: Text, errors: list[Said], check: Check) -> Check:
    detail = errors[0].text.partition("\n")[0][:500]
    if all(one.line == text.audit for one in errors):
        return replace(check, verdict=Verdict.MISMATCH, detail=f"there is no {text.name} afterwards: {detail}")
    if all(one.line in {text.asked, text.audit} for one in errors):
        return replace(check, verdict=Verdict.MISMATCH, detail=f"{text.name} states something else: {detail}")
    if any(one.kind.startswith(_LIMIT) for one in errors):
        return replace(check, verdict=Verdict.UNKNOWN, detail=detail)
    return replace(check, verdict=Verdict.REJECTED, detail=detail)


def _with_axioms(text: Text, answer: list[Said], check: Check, allowed: frozenset[str]) -> Check:
    printed = [one.text for one in answer if one.line == text.audit and one.severity is Severity.INFORMATION]
    match = _AXIOMS.fullmatch(printed[0].strip()) if len(printed) == 1 else None
    if match is None:
        raise ProverProtocolError(f"Lean printed no axioms: {' '.join(printed)[:200]!r}")
    axioms = tuple(name.strip() for name in (match["list"] or "").split(",") if name.strip())
    check = replace(check, axioms=axioms)
    if "sorryAx" in axioms:
        return replace(check, verdict=Verdict.INCOMPLETE, detail="the proof leaves a gap")
    if forbidden := [name for name in axioms if name not in allowed]:
        return replace(check, verdict=Verdict.INCOMPLETE, detail=f"the proof rests on {', '.join(forbidden)}")
    return replace(check, verdict=Verdict.PROVED, trust=Trust.L1 if text.pinned else Trust.L0)
