"""A second opinion on proofs in Rocq, from processes in which no candidate ran.

One coqc compiles the candidates. Another one, with the compiled file and without the candidates' text, finds that it
holds theorems of the pinned statements, and what they rest on. Then coqchk, which shares only the kernel's rules with
coqc, goes through both compiled files.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from porism import _core
from porism._errors import ProverProtocolError
from porism._verdicts import Trust
from porism.provers import _child, _rocq_audit
from porism.provers._rocq_sentences import sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from porism._core import Session
    from porism.provers._driver import Job
    from porism.provers._rocq_script import Parts
    from porism.provers.rocq import Rocq

_CANDIDATE: Final = "porism_candidate"
_JUDGE: Final = "porism_judge"
_LONGEST_OBJECT: Final = 256 * _child.MIB
# A header of these means the same in every file that it stands in; with definitions, each file has its own.
_ONLY_LOADS: Final = frozenset(
    {"Require", "From", "Import", "Export", "Open", "Close", "Set", "Unset", "Local", "Global"}
)
# What coqchk says of the files, by heading.
_SUMMARY: Final = re.compile(r"^\* (?P<what>[^:\n]+):(?P<list>(?:\s*<none>|(?:\n  .*)*))", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one theorem.

    Attributes:
        trust: As far as it was confirmed.
        axioms: What it rests on; ``None`` if nobody got so far.
        trouble: Why it was not confirmed further.
    """

    trust: Trust
    axioms: tuple[str, ...] | None
    trouble: str = ""


def judged(
    driver: Rocq, session: Session, jobs: Sequence[Job], theorems: Sequence[Parts], wanted: Trust
) -> list[Judgement]:
    """A judgement on each; all have the same header. All are put to the judges at once, and halves where that fails."""
    with tempfile.TemporaryDirectory(prefix="porism-rocq-") as folder:
        judgement = _at_once(driver, session, jobs[0].header, theorems, wanted, Path(folder).resolve())
    if len(theorems) == 1 or (judgement.trust >= min(wanted, Trust.L3) and not judgement.axioms):
        return [judgement] * len(theorems)
    middle = len(theorems) // 2
    return [
        *judged(driver, session, jobs[:middle], theorems[:middle], wanted),
        *judged(driver, session, jobs[middle:], theorems[middle:], wanted),
    ]


def _at_once(
    driver: Rocq, session: Session, header: str, theorems: Sequence[Parts], wanted: Trust, folder: Path
) -> Judgement:
    pinned = [
        f"Definition porism_says_{number} : Type := (\n{one.statement}\n)." for number, one in enumerate(theorems)
    ]
    only_loads = all(one.word in _ONLY_LOADS for one in sentences(header))
    made, seen = folder / "made", folder / "seen"
    made.mkdir()
    seen.mkdir()

    script = [one.text for theorem in theorems for one in theorem.sentences]
    # The statements stand before the first candidate, so that nothing of it can touch their meaning.
    trouble = _compile(driver, session, made, _CANDIDATE, [header, *([] if only_loads else pinned), *script])
    if trouble:
        return Judgement(Trust.L1, None, trouble)
    if trouble := _hand_over(made / f"{_CANDIDATE}.vo", seen):
        return Judgement(Trust.L1, None, trouble)

    where = "" if only_loads else f"{_CANDIDATE}."
    found = [
        f"Definition porism_found_{number} : {where}porism_says_{number} := @{_CANDIDATE}.{theorem.name}."
        for number, theorem in enumerate(theorems)
    ]
    everything = _rocq_audit.tuple_of([f"porism_found_{number}" for number in range(len(theorems))])
    judge = [*([header, *pinned] if only_loads else []), f"Require {_CANDIDATE}.", *found]
    judge += [
        f"Definition porism_found := {everything}.",
        f'Redirect "{seen / "rests"}" Print Assumptions porism_found.',
    ]
    if trouble := _compile(driver, session, seen, _JUDGE, judge):
        return Judgement(Trust.L1, None, trouble)
    axioms = _rocq_audit.axioms_in((seen / "rests.out").read_text(encoding="utf-8", errors="replace"))
    if wanted < Trust.L3:
        return Judgement(Trust.L2, axioms)
    return _rechecked(driver, session, seen, axioms)


def _compile(driver: Rocq, session: Session, folder: Path, module: str, lines: Sequence[str]) -> str:
    """Compiles a file of the folder; why that did not work."""
    source = folder / f"{module}.v"
    source.write_text("\n".join([*lines, ""]), encoding="utf-8")
    args = (*driver.flags(), "-noglob", "-Q", str(folder), "", str(source))
    compiled = _run(driver, session, driver.find("coqc", "rocq"), args, folder)
    if compiled.ending == "exited" and compiled.code == 0:
        return ""
    return f"coqc does not confirm it: {_child.how_it_ended(compiled)}"


def _hand_over(compiled: Path, folder: Path) -> str:
    """Copies the compiled file, and nothing else that may lie beside it; why that did not work."""
    if compiled.is_symlink() or not compiled.is_file() or compiled.stat().st_size > _LONGEST_OBJECT:
        return "coqc left no file, or none that can be read"
    (folder / compiled.name).write_bytes(compiled.read_bytes())
    return ""


def _rechecked(driver: Rocq, session: Session, folder: Path, axioms: tuple[str, ...]) -> Judgement:
    """Has coqchk go through the files."""
    args = ("-silent", "-o", *driver.library_flags(), "-Q", str(folder), "", "-norec", _CANDIDATE, "-norec", _JUDGE)
    checked = _run(driver, session, driver.find("coqchk", "rocqchk"), args, folder)
    if checked.ending != "exited" or checked.code != 0:
        return Judgement(Trust.L2, axioms, f"coqchk does not confirm it: {_child.how_it_ended(checked)}")
    printed = (checked.stdout + b"\n" + checked.stderr).decode(errors="replace")
    summary = {match["what"].strip(): match["list"].split() for match in _SUMMARY.finditer(printed)}
    if "Axioms" not in summary:
        raise ProverProtocolError(f"coqchk printed no summary: {printed[:200]!r}")
    # It lists the axioms of all that was loaded, used or not: those that were used are known from before.
    besides = [
        f"{name} (coqchk: {what})"
        for what, names in summary.items()
        for name in names
        if name.startswith((f"{_CANDIDATE}.", f"{_JUDGE}."))
        and not (what == "Axioms" and name.rpartition(".")[2] in driver.axioms)
    ]
    return Judgement(Trust.L3, (*axioms, *besides))


def _run(driver: Rocq, session: Session, program: Path, args: Sequence[str], folder: Path) -> _core.ProcessOutcome:
    left_s = session.time_left_s
    return _core.run_process(
        program,
        args,
        wall_s=600.0 if left_s is None else left_s,
        memory_bytes=driver.memory_mb * _child.MIB,
        cancel=session.cancel,
        env=driver.environment(),
        sandbox=driver.confined(write=(folder,)),
    )
