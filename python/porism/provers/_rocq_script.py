"""Sentences on their way into coqidetop, and what becomes of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from porism._errors import InputError, ProverMemoryError
from porism._types import Verdict
from porism._verdicts import Message, Severity
from porism.provers import _rocq_xml
from porism.provers._rocq_sentences import (
    Sentence,
    place,
    sentence,
    sentences,
    statement,
    unfit_in_proof,
    unfit_in_text,
)

if TYPE_CHECKING:
    from porism._core import Session
    from porism.provers._driver import Job

_NAME: Final = re.compile(r"[^\W\d][\w']*")
_SEVERITIES: Final = {"info": Severity.INFORMATION, "notice": Severity.INFORMATION, "warning": Severity.WARNING}
_ENDS: Final = frozenset({"Qed", "Defined"})


@dataclass(frozen=True, slots=True)
class Parts:
    """What is added after the header.

    Attributes:
        sentences: All of it: the theorem, its proof, its end.
        name: The theorem that has to be there afterwards; empty: any will do.
        statement: What it says, if that is pinned.
        refused: Why the candidate is not put to Rocq at all.
        candidate: The text, for the places of messages.
    """

    sentences: tuple[Sentence, ...] = ()
    name: str = ""
    statement: str | None = None
    refused: str = ""
    candidate: str = ""

    def named(self, name: str) -> Parts:
        """The same theorem under another name."""
        return replace(self, name=name, sentences=(_theorem(name, self.statement or ""), *self.sentences[1:]))


def parts_of(job: Job) -> Parts:
    """What a job has added.

    Raises:
        InputError: It cannot be read, or the name is none.
    """
    name = job.name or ("" if job.statement is None else "porism_goal")
    if name and _NAME.fullmatch(name) is None:
        raise InputError(f"name={name!r} is no name of Rocq")
    found = sentences(job.candidate)
    unfit = unfit_in_text if job.statement is None else unfit_in_proof
    for one in found:
        if why := unfit(one):
            return Parts(refused=why, candidate=job.candidate)
    if job.statement is None:
        return Parts(tuple(found), name=name, candidate=job.candidate)
    text = statement(job.statement)
    proof, refused = _framed(found)
    return Parts((_theorem(name, text), *proof), name, text, refused, job.candidate)


def _theorem(name: str, text: str) -> Sentence:
    # On lines of its own: the statement may end with a comment that ends with the line, in the eyes of a reader.
    return sentence(f"Theorem {name} : (\n{text}\n).")


def _framed(proof: list[Sentence]) -> tuple[list[Sentence], str]:
    """A proof with its beginning and its end, and why it is none."""
    if proof and proof[0].word == "Proof" and proof[0].head[1] not in {".", "...", "using", "with"}:
        # "Proof term." is a whole proof.
        return proof, f"the proof goes on after {proof[0].text[:60]!r}" if len(proof) > 1 else ""
    if not proof or proof[0].word != "Proof":
        proof = [sentence("Proof."), *proof]
    if proof[-1].word not in _ENDS:
        proof = [*proof, sentence("Qed.")]
    inner = next((one for one in proof[1:-1] if one.word in _ENDS or one.word == "Proof"), None)
    return proof, "" if inner is None else f"the proof goes on after {inner.text[:60]!r}"


@dataclass(slots=True)
class Script:
    """Sentences that are added to a session after a state."""

    session: Session
    tip: int
    candidate: str = ""
    trouble: str = ""
    messages: list[Message] = field(default_factory=list)
    axioms_added: int = 0
    open_proof: str = ""
    # Which sentence made which state.
    states: dict[int, Sentence] = field(default_factory=dict)

    def add(self, one: Sentence) -> bool:
        """Adds one; whether Rocq could read it."""
        answer = _rocq_xml.add(self.session, one.text, self.tip)
        if answer.good:
            self.tip = answer.state()
            self.states[self.tip] = one
        return self.note(answer, one)

    def execute(self) -> bool:
        """Executes all that was added; whether all of it went well."""
        answer = _rocq_xml.execute(self.session)
        if answer.good:
            name = answer.value.find("status/option/string")
            self.open_proof = "" if name is None else (name.text or "a theorem")
        return self.note(answer, self.states.get(answer.failed_at or -1))

    def note(self, answer: _rocq_xml.Answer, culprit: Sentence | None = None) -> bool:
        """Keeps what an answer said; whether it is a good one."""
        self.axioms_added += answer.axioms_added
        for level, text in answer.notices:
            if len(self.messages) < _rocq_xml.MOST_NOTICES:
                self.messages.append(Message(_SEVERITIES[level], text))
        if not answer.good:
            if answer.message.startswith("Out of memory"):
                raise ProverMemoryError(answer.message)
            self.trouble = answer.message[: _rocq_xml.LONGEST_NOTICE]
            line, column = self._place(culprit, answer.start)
            self.messages.append(Message(Severity.ERROR, self.trouble, line, column))
        return answer.good

    def _place(self, culprit: Sentence | None, start_bytes: int | None) -> tuple[int, int]:
        """Where in the candidate that is; zeros where it is in no sentence of its."""
        if culprit is None or culprit.start < 0:
            return 0, 0
        before = culprit.text.encode()[: start_bytes or 0].decode(errors="ignore")
        return place(self.candidate, culprit.start + len(before))


def run(session: Session, state: int, parts: Parts) -> tuple[Script, Verdict, str]:
    """Goes to a state, and has everything executed there; what that means, in a word and in a sentence."""
    _rocq_xml.go_back(session, state)
    script = Script(session, state, parts.candidate)
    return script, *_outcome(script, parts)


def _outcome(script: Script, parts: Parts) -> tuple[Verdict, str]:
    for one in parts.sentences:
        if not script.add(one):
            return Verdict.REJECTED, script.trouble
    if not script.execute():
        return (Verdict.INCOMPLETE if _is_incomplete(script.trouble) else Verdict.REJECTED), script.trouble
    if script.open_proof:
        return Verdict.INCOMPLETE, f"the proof of {script.open_proof} is not ended"
    if script.axioms_added:
        return Verdict.INCOMPLETE, "an axiom was added, or something was admitted"
    if parts.name and not _rocq_xml.query(script.session, f"Check {parts.name}.", script.tip).good:
        return Verdict.MISMATCH, f"there is no {parts.name} afterwards"
    return Verdict.PROVED, ""


def _is_incomplete(trouble: str) -> bool:
    return "Attempt to save an incomplete proof" in trouble or "given up goals" in trouble
