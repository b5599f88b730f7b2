"""How far a proof in Rocq can be trusted: its axioms, a second process, a second checker."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from porism._errors import ProverProtocolError
from porism._types import Verdict
from porism._verdicts import Trust
from porism.provers import _child, _rocq_xml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from porism import _core
    from porism._core import Session
    from porism._verdicts import Check
    from porism.provers._driver import Job
    from porism.provers.rocq import Parts, Rocq

_CLOSED: Final = "Closed under the global context"

# "name : type", or "name is assumed to be guarded." and the like; what goes on is indented.
_ENTRY: Final = re.compile(r"^(?P<name>[^\W\d][\w'.]*)(?: :|\s+(?P<how>is|relies|assumed)\b.*)?", re.MULTILINE)

# What coqchk says of a module, by heading.
_SUMMARY: Final = re.compile(r"^\* (?P<what>[^:\n]+):(?P<list>(?:\s*<none>|(?:\n  .*)*))", re.MULTILINE)
_OF_OUR_OWN: Final = "porism_candidate"


def audited(driver: Rocq, session: Session, tip: int, parts: Parts, job: Job, check: Check) -> Check:
    """A proved check with as much trust as was asked for, or the reason why it deserves less."""
    axioms = axioms_in(_printed(_rocq_xml.query(session, f"Print Assumptions {parts.name}.", tip)))
    check = _with_axioms(driver, check, axioms)
    if check.verdict is not Verdict.PROVED:
        return check
    check = replace(check, trust=Trust.L1)
    if job.trust < Trust.L2:
        return check
    with tempfile.TemporaryDirectory(prefix="porism-rocq-") as folder:
        return _in_other_processes(driver, session, parts, job, check, Path(folder))


def _printed(answer: _rocq_xml.Answer) -> str:
    if not answer.good:
        raise ProverProtocolError(f"Rocq does not print assumptions: {answer.message}")
    return "\n".join(answer.notices)


def axioms_in(printed: str) -> tuple[str, ...]:
    """The names of what ``Print Assumptions`` lists.

    Raises:
        ProverProtocolError: It printed neither a list nor that there is nothing to list.
    """
    if _CLOSED in printed:
        return ()
    _, found, listed = printed.partition("Axioms:")
    if not found:
        _, found, listed = printed.partition("Theory:")
    names = tuple(dict.fromkeys(match["name"] for match in _ENTRY.finditer(listed)))
    if not names:
        raise ProverProtocolError(f"Rocq printed no assumptions: {printed[:200]!r}")
    return names


def _with_axioms(driver: Rocq, check: Check, axioms: Sequence[str]) -> Check:
    """The check with its axioms; incomplete if there is one that is not allowed."""
    check = replace(check, axioms=tuple(axioms))
    forbidden = [name for name in axioms if _last(name) not in driver.axioms]
    if forbidden:
        detail = f"the proof rests on {', '.join(forbidden)}"
        return replace(check, verdict=Verdict.INCOMPLETE, trust=Trust.L0, detail=detail)
    return check


def _in_other_processes(driver: Rocq, session: Session, parts: Parts, job: Job, check: Check, folder: Path) -> Check:
    source = folder / f"{_OF_OUR_OWN}.v"
    source.write_text(
        "\n".join([job.header, *parts.sentences, f"Print Assumptions {parts.name}.", ""]), encoding="utf-8"
    )
    compiled = _run(driver, session, driver.find("coqc", "rocq"), ("-q", *driver.library_flags(), str(source)))
    if compiled.ending != "exited" or compiled.code != 0:
        return replace(check, detail=f"coqc does not confirm it: {_child.how_it_ended(compiled)}")
    second = _with_axioms(driver, check, axioms_in(compiled.stdout.decode(errors="replace")))
    if second.verdict is not Verdict.PROVED:
        return second
    check = replace(check, trust=Trust.L2)
    if job.trust < Trust.L3:
        return check
    flags = ("-silent", "-o", *driver.library_flags(), "-Q", str(folder), "", "-norec", _OF_OUR_OWN)
    rechecked = _run(driver, session, driver.find("coqchk", "rocqchk"), flags)
    if rechecked.ending != "exited" or rechecked.code != 0:
        return replace(check, detail=f"coqchk does not confirm it: {_child.how_it_ended(rechecked)}")
    return _with_summary(driver, check, rechecked.stderr.decode(errors="replace"))


def _run(driver: Rocq, session: Session, program: Path, args: Sequence[str]) -> _core.ProcessOutcome:
    left_s = session.time_left_s
    return _child.run(
        program,
        args,
        "",
        wall_s=600.0 if left_s is None else left_s,
        memory_mb=driver.memory_mb,
        cancel=session.cancel,
    )


def _with_summary(driver: Rocq, check: Check, summary: str) -> Check:
    """Compares what coqchk lists with what is allowed: of ours alone, since it lists all that was loaded."""
    found = {match["what"].strip(): match["list"].split() for match in _SUMMARY.finditer(summary)}
    if "Axioms" not in found:
        raise ProverProtocolError(f"coqchk printed no summary: {summary[:200]!r}")
    for what, listed in found.items():
        ours = [
            name
            for name in listed
            if name.startswith(f"{_OF_OUR_OWN}.")
            and not (what == "Axioms" and name.rpartition(".")[2] in driver.axioms)
        ]
        if ours and what != "Theory":
            detail = f"coqchk lists under {what!r}: {', '.join(ours)}"
            return replace(check, verdict=Verdict.INCOMPLETE, trust=Trust.L0, detail=detail)
    return replace(check, trust=Trust.L3)


def _last(name: str) -> str:
    return name.rpartition(".")[2]
