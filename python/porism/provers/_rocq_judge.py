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
from porism.provers import _child
from porism.provers._rocq_axioms import axioms_in, tuple_of
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
    driver: Rocq,
    session: Session,
    jobs: Sequence[Job],
    theorems: Sequence[Parts],
    closed: Sequence[bool],
    wanted: Trust,
) -> list[Judgement]:
    """A judgement on each. All are put to the judges at once, and in halves where that does not go well.

    Args:
        driver: Knows the programs.
        session: For how long, and until when.
        jobs: All have the same header.
        theorems: One of each job.
        closed: Which of them are said to rest on no axiom: these are asked about as one.
        wanted: How far to go.
    """
    with tempfile.TemporaryDirectory(prefix="porism-rocq-") as folder:
        found = _at_once(driver, session, jobs[0].header, theorems, closed, wanted, Path(folder).resolve())
    as_expected = all(
        not judgement.trouble and (not expected or not judgement.axioms)
        for judgement, expected in zip(found, closed, strict=True)
    )
    if as_expected or len(theorems) == 1:
        return found
    half = len(theorems) // 2
    return [
        *judged(driver, session, jobs[:half], theorems[:half], closed[:half], wanted),
        *judged(driver, session, jobs[half:], theorems[half:], closed[half:], wanted),
    ]


def _at_once(
    driver: Rocq,
    session: Session,
    header: str,
    theorems: Sequence[Parts],
    closed: Sequence[bool],
    wanted: Trust,
    folder: Path,
) -> list[Judgement]:
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
    trouble = trouble or _hand_over(made / f"{_CANDIDATE}.vo", seen)
    if trouble:
        return [Judgement(Trust.L1, None, trouble)] * len(theorems)

    where = "" if only_loads else f"{_CANDIDATE}."
    found = [
        f"Definition porism_found_{number} : {where}porism_says_{number} := @{_CANDIDATE}.{theorem.name}."
        for number, theorem in enumerate(theorems)
    ]
    # What rests on axioms is asked about one by one, and all the rest together.
    together = [number for number, is_closed in enumerate(closed) if is_closed]
    groups = [
        *([together] if together else []),
        *([number] for number, is_closed in enumerate(closed) if not is_closed),
    ]
    asked = [
        line
        for number, group in enumerate(groups)
        for line in (
            f"Definition porism_group_{number} := {tuple_of([f'porism_found_{one}' for one in group])}.",
            f'Redirect "{seen / str(number)}" Print Assumptions porism_group_{number}.',
        )
    ]
    judge = [*([header, *pinned] if only_loads else []), f"Require {_CANDIDATE}.", *found, *asked]
    if trouble := _compile(driver, session, seen, _JUDGE, judge):
        return [Judgement(Trust.L1, None, trouble)] * len(theorems)
    reached, besides, trouble = _rechecked(driver, session, seen) if wanted >= Trust.L3 else (Trust.L2, (), "")
    judgements = [Judgement(reached, None)] * len(theorems)
    for number, group in enumerate(groups):
        printed = (seen / f"{number}.out").read_text(encoding="utf-8", errors="replace")
        for one in group:
            judgements[one] = Judgement(reached, (*axioms_in(printed), *besides), trouble)
    return judgements


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


def _rechecked(driver: Rocq, session: Session, folder: Path) -> tuple[Trust, tuple[str, ...], str]:
    """Has coqchk go through the files: how far it confirms them, what it lists besides, and what it complains about."""
    args = ("-silent", "-o", *driver.library_flags(), "-Q", str(folder), "", "-norec", _CANDIDATE, "-norec", _JUDGE)
    checked = _run(driver, session, driver.find("coqchk", "rocqchk"), args, folder)
    if checked.ending != "exited" or checked.code != 0:
        return Trust.L2, (), f"coqchk does not confirm it: {_child.how_it_ended(checked)}"
    printed = (checked.stdout + b"\n" + checked.stderr).decode(errors="replace")
    summary = {match["what"].strip(): match["list"].split() for match in _SUMMARY.finditer(printed)}
    if "Axioms" not in summary:
        raise ProverProtocolError(f"coqchk printed no summary: {printed[:200]!r}")
    # It lists the axioms of all that was loaded, used or not: those that were used are known from before.
    besides = tuple(
        f"{name} (coqchk: {what})"
        for what, names in summary.items()
        for name in names
        if name.startswith((f"{_CANDIDATE}.", f"{_JUDGE}."))
        and not (what == "Axioms" and name.rpartition(".")[2] in driver.axioms)
    )
    return Trust.L3, besides, ""


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
