"""What proofs in Rocq rest on, asked once for many: a tuple of theorems rests on what any of them rests on.

To ask costs a hundred times the proof, since Rocq reads the proofs of its library from disk each time it is asked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from porism._errors import InputError, ProverProtocolError
from porism._types import Verdict
from porism._verdicts import Check, Trust
from porism.provers import _rocq_judge, _rocq_xml
from porism.provers._rocq_axioms import axioms_in, tuple_of
from porism.provers._rocq_script import Script, parts_of, run
from porism.provers._rocq_sentences import ASSUMES_QUIETLY, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from porism._core import Session
    from porism.provers._driver import Job
    from porism.provers._rocq_script import Parts
    from porism.provers.rocq import Rocq

    Proved: TypeAlias = tuple[Job, Parts, Check]


def together(driver: Rocq, session: Session, jobs: Sequence[Job]) -> list[Check]:
    """Checks all after one another in one session, and audits those that are proved as one."""
    tip: int = session.notes["header"]
    proved: dict[int, Proved] = {}
    for number, job in enumerate(jobs):
        try:
            parts = parts_of(job)
        except InputError:
            continue
        if parts.statement is None or parts.refused:
            continue
        # A name that nobody can guess: no proof may lean on another one of its batch.
        parts = parts.named(f"{session.nonce().replace('-', '_')}")
        script, verdict, _ = run(session, tip, parts)
        if verdict is Verdict.PROVED:
            check = Check(
                verdict=verdict,
                trust=Trust.L0,
                prover=driver.name,
                prover_version=driver.version(),
                messages=tuple(script.messages),
            )
            proved[number] = (job, parts, check)
            tip = script.tip
    _rocq_xml.go_back(session, tip)
    checks = dict(zip(proved, audited(driver, session, tip, list(proved.values())), strict=True))
    # Whatever is the matter with the others, they say it alone.
    return [checks[number] if number in checks else _alone(driver, session, job) for number, job in enumerate(jobs)]


def _alone(driver: Rocq, session: Session, job: Job) -> Check:
    try:
        return driver.check(session, job)
    except InputError as error:
        return Check(verdict=Verdict.UNSUPPORTED, trust=Trust.L0, prover=driver.name, detail=str(error))


def looked_at(driver: Rocq, session: Session, tip: int, parts: Parts, check: Check) -> Check:
    """The check of a text; incomplete if it assumes something in a way that Rocq does not report by itself."""
    quietly = next((one for one in parts.sentences if one.word in ASSUMES_QUIETLY), None)
    if quietly is None:
        return check
    if not parts.name:
        detail = f"it may assume something with {quietly.text[:60]!r}, and no theorem is named to ask about"
        return replace(check, verdict=Verdict.INCOMPLETE, detail=detail)
    return with_axioms(driver, check, axioms_of(session, tip, [parts.name])[0], Trust.L0)


def audited(driver: Rocq, session: Session, tip: int, proved: Sequence[Proved]) -> list[Check]:
    """Proved checks with as much trust as was asked for, or the reason why they deserve less."""
    axioms = axioms_of(session, tip, [parts.name for _, parts, _ in proved])
    checks = [with_axioms(driver, check, found, Trust.L1) for (_, _, check), found in zip(proved, axioms, strict=True)]
    further = [
        number
        for number, ((job, _, _), check) in enumerate(zip(proved, checks, strict=True))
        if check.verdict is Verdict.PROVED and job.trust > Trust.L1
    ]
    if further:
        jobs, parts = zip(*(proved[number][:2] for number in further), strict=True)
        wanted = max(job.trust for job in jobs)
        closed = [not checks[number].axioms for number in further]
        judgements = _rocq_judge.judged(driver, session, jobs, parts, closed, wanted)
        for number, judgement in zip(further, judgements, strict=True):
            checks[number] = (
                replace(checks[number], trust=max(checks[number].trust, judgement.trust), detail=judgement.trouble)
                if judgement.axioms is None
                else with_axioms(
                    driver, replace(checks[number], detail=judgement.trouble), judgement.axioms, judgement.trust
                )
            )
    return checks


def axioms_of(session: Session, tip: int, names: Sequence[str]) -> list[tuple[str, ...]]:
    """What each theorem rests on: all are asked about at once, and halves where the answer is not "nothing"."""
    if not names:
        return []
    found = _asked(session, tip, names)
    if len(names) == 1 or not found:
        return [found] * len(names)
    middle = len(names) // 2
    return [*axioms_of(session, tip, names[:middle]), *axioms_of(session, tip, names[middle:])]


def _asked(session: Session, tip: int, names: Sequence[str]) -> tuple[str, ...]:
    name = names[0]
    script = Script(session, tip)
    if len(names) > 1:
        name = "porism_all_of_them"
        if not script.add(sentence(f"Definition {name} := {tuple_of(names)}.")) or not script.execute():
            raise ProverProtocolError(f"Rocq makes no tuple of theorems: {script.trouble}")
    answer = _rocq_xml.query(session, f"Print Assumptions {name}.", script.tip)
    if not answer.good:
        raise ProverProtocolError(f"Rocq does not print assumptions: {answer.message}")
    if script.tip != tip:
        _rocq_xml.go_back(session, tip)
    return axioms_in("\n".join(answer.answers))


def with_axioms(driver: Rocq, check: Check, axioms: Sequence[str], trust: Trust) -> Check:
    """The check with its axioms and a level of trust; incomplete if one is not allowed."""
    check = replace(check, axioms=tuple(axioms), trust=trust)
    forbidden = [name for name in axioms if name.rpartition(".")[2] not in driver.axioms]
    if forbidden:
        detail = f"the proof rests on {', '.join(forbidden)}"
        return replace(check, verdict=Verdict.INCOMPLETE, trust=Trust.L0, detail=detail)
    return check
