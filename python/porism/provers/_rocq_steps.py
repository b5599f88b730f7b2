"""Proofs in Rocq that go tactic by tactic, with branches.

coqidetop keeps one line of states: to go back to one forgets what came after it. A branch is therefore a path of
tactics: to go on from it, the process goes back to where the path leaves the line, and runs the rest again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from porism._errors import InputError, ProverProtocolError, ProverStoppedError
from porism._types import Verdict
from porism.provers import _rocq_xml
from porism.provers._driver import ProofState
from porism.provers._rocq_script import Parts, Script, run
from porism.provers._rocq_sentences import Sentence, sentence, sentences, statement, unfit_in_proof

if TYPE_CHECKING:
    from porism._core import Session

_ENDS_BY_ITSELF: Final = frozenset("{}-+*.")
_OF_THE_FRAME: Final = frozenset({"Proof", "Qed", "Defined"})
# How long a step that was interrupted may take to stop.
_GRACE_S: Final = 1.0


@dataclass(slots=True)
class _Line:
    """The states that the process has, one a step; the first is that of the statement."""

    states: list[int]
    path: list[str] = field(default_factory=list)


def begin(session: Session, text: str) -> ProofState:
    """Begins a proof of a statement."""
    parts = Parts((sentence(f"Theorem porism_goal : (\n{statement(text)}\n)."),))
    script, verdict, trouble = run(session, session.notes["header"], parts)
    if verdict is not Verdict.INCOMPLETE:
        raise InputError(f"Rocq does not accept the statement: {trouble}")
    session.notes["line"] = _Line([script.tip])
    return _read(session, script, (), _rocq_xml.goals(session))


def step(session: Session, path: tuple[str, ...], tactic: str, timeout_s: float) -> ProofState:
    """Goes one step further from where a path has led."""
    line = session.notes.get("line")
    if not isinstance(line, _Line):
        raise InputError("a proof begins with its statement")
    added = _sentences(tactic)
    script = _go_to(session, line, path)
    here = script.tip
    try:
        for one in added:
            if not script.add(one):
                return _failed(session, script, here, path)
        answer = _rocq_xml.goals(session, timeout_s=timeout_s)
    except ProverStoppedError:
        if session.cancel.cancelled or session.time_left_s == 0:
            raise
        session.interrupt()
        _rocq_xml.drain(session, _GRACE_S)
        _rocq_xml.go_back(session, here)
        return ProofState(verdict=Verdict.TIMEOUT, path=path, trouble=f"the step took longer than {timeout_s} s")
    if not script.note(answer):
        return _failed(session, script, here, path)
    line.states.append(script.tip)
    line.path.append(tactic)
    return _read(session, script, (*path, tactic), answer)


def _sentences(tactic: str) -> list[Sentence]:
    text = tactic.strip()
    if text and text[-1] not in _ENDS_BY_ITSELF:
        text += "."
    found = sentences(text)
    if not found:
        raise InputError("the tactic is empty")
    for one in found:
        why = f"{one.word} is no step" if one.word in _OF_THE_FRAME else unfit_in_proof(one)
        if why:
            raise InputError(why)
    return found


def _go_to(session: Session, line: _Line, path: tuple[str, ...]) -> Script:
    """Makes the last state of a path the tip, and forgets what is not on it."""
    shared = 0
    while shared < min(len(path), len(line.path)) and path[shared] == line.path[shared]:
        shared += 1
    del line.path[shared:], line.states[shared + 1 :]
    _rocq_xml.go_back(session, line.states[-1])
    script = Script(session, line.states[-1])
    for tactic in path[shared:]:
        if not all(script.add(one) for one in _sentences(tactic)):
            raise ProverProtocolError(f"Rocq does not read {tactic[:60]!r} again: {script.trouble}")
        line.path.append(tactic)
        line.states.append(script.tip)
    script.messages.clear()
    return script


def _failed(session: Session, script: Script, here: int, path: tuple[str, ...]) -> ProofState:
    _rocq_xml.go_back(session, here)
    return ProofState(verdict=Verdict.REJECTED, path=path, trouble=script.trouble, messages=tuple(script.messages))


def _read(session: Session, script: Script, path: tuple[str, ...], answer: _rocq_xml.Answer) -> ProofState:
    """The state that was reached; a proof without goals is ended, to hear whether Rocq accepts it."""
    goals = _rocq_xml.read_goals(answer)
    if goals is None:
        raise ProverProtocolError("Rocq has no proof open after a step")
    verdict, trouble = Verdict.UNKNOWN, ""
    if goals.given_up or script.axioms_added:
        verdict = Verdict.INCOMPLETE
    elif goals.none_left:
        here = script.tip
        proved = script.add(sentence("Qed.")) and script.execute()
        verdict, trouble = (Verdict.PROVED, "") if proved else (Verdict.REJECTED, script.trouble)
        _rocq_xml.go_back(session, here)
    return ProofState(
        verdict=verdict,
        path=path,
        goals=goals.open,
        background=goals.background,
        shelved=goals.shelved,
        given_up=goals.given_up,
        trouble=trouble,
        messages=tuple(script.messages),
    )
