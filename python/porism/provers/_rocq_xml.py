"""The XML protocol of coqidetop, as version 8.16 speaks it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from porism._errors import ProverError, ProverProtocolError, ProverStoppedError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from porism._core import Session

_UNIT: Final = "<unit/>"


#: How much of what a prover prints is kept for one call; candidates can print without an end.
MOST_NOTICES: Final = 100
LONGEST_NOTICE: Final = 16_384

#: What is said of a call that was interrupted. A signal that comes when the work is over hits what is asked next.
INTERRUPTED: Final = "User interrupt"
STRAY_SIGNALS: Final = 4

# The route of our questions, which tells their answers from what a candidate prints.
_ROUTE: Final = "1"
# How long an interrupted call may go on before it is interrupted again: the first signal may have come before its work.
_AGAIN_S: Final = 0.05
# What no XML may hold, and what a candidate can have printed all the same.
_CONTROLS: Final = {code: "\N{REPLACEMENT CHARACTER}" for code in range(32) if code not in {9, 10, 13}}


@dataclass(slots=True)
class Answer:
    """What came back for one call.

    Attributes:
        good: Whether the call did what it was to do.
        value: The element with the result.
        message: What went wrong, as text.
        start: Where in the sentence, in bytes; ``None`` if that was not said.
        failed_at: The state whose sentence went wrong; ``None`` if it made no state.
        notices: What was printed, the level before the text.
        answers: What was printed in answer to a question of ours.
        axioms_added: How many axioms came into being, ``admit`` included.
    """

    good: bool
    value: Element
    message: str = ""
    start: int | None = None
    failed_at: int | None = None
    notices: list[tuple[str, str]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    axioms_added: int = 0

    def state(self) -> int:
        """The state that the result begins with."""
        found = self.value.find(".//state_id")
        if found is None:
            raise ProverProtocolError("an answer without a state")
        return _number(found)


def call(session: Session, name: str, argument: str = _UNIT, *, timeout_s: float | None = None) -> Answer:
    """Makes a call, and waits for its answer.

    Args:
        session: The process.
        name: The call.
        argument: Its argument, as XML.
        timeout_s: How long it may take, before it is interrupted.

    Raises:
        ProverProtocolError: What came is no answer.
        ProverStoppedError: The deadline of the job, or that of the call, has passed.
    """
    notes = session.notes
    notes["sending"] = True
    session.send(f'<call val="{name}">{argument}</call>'.encode())
    notes["sending"] = False
    notes["unanswered"] = notes.get("unanswered", 0) + 1
    until = None if timeout_s is None else time.monotonic() + timeout_s
    answer = Answer(good=False, value=_NOTHING)
    while True:
        frame = session.receive(None if until is None else max(0.0, until - time.monotonic())).lstrip()
        if frame.startswith(b"<feedback") and not any(content in frame for content in _OF_INTEREST):
            continue
        element = _parsed(frame)
        if element.tag == "value":
            notes["unanswered"] -= 1
            return _with_value(answer, element)
        if element.tag != "feedback":
            raise ProverProtocolError(f"expected <feedback> or <value>, found <{element.tag}>")
        _hear(answer, element)


_OF_INTEREST: Final = (b'val="addedaxiom"', b'val="message"')
_NOTHING: Final = ElementTree.Element("value")


def _with_value(answer: Answer, value: Element) -> Answer:
    start = value.get("loc_s")
    answer.good = value.get("val") == "good"
    answer.value = value
    answer.start = int(start) if start is not None and start.isdecimal() else None
    if not answer.good:
        answer.message = "".join(value.itertext()).strip()
    return answer


def _hear(answer: Answer, feedback: Element) -> None:
    content = feedback.find("feedback_content")
    if content is None:
        return
    if content.get("val") == "addedaxiom":
        answer.axioms_added += 1
        return
    level = content.find(".//message_level")
    if content.get("val") != "message" or level is None:
        return
    grade = level.get("val") or ""
    if grade == "error":
        # The value repeats its text, and does not say which sentence it was.
        state = feedback.find("state_id")
        answer.failed_at = None if state is None else _number(state)
    elif feedback.get("route") == _ROUTE:
        if grade == "notice":
            answer.answers.append("".join(content.itertext()))
    elif grade in {"info", "notice", "warning"} and len(answer.notices) < MOST_NOTICES:
        answer.notices.append((grade, "".join(content.itertext()).strip()[:LONGEST_NOTICE]))


def _number(state: Element) -> int:
    value = state.get("val", "")
    if not value.isdecimal():
        raise ProverProtocolError(f"expected the number of a state, found {value[:20]!r}")
    return int(value)


def _parsed(frame: bytes) -> Element:
    # The one entity that the protocol uses without declaring it, between the words of sentences.
    text = frame.decode(errors="replace").replace("&nbsp;", " ").translate(_CONTROLS)
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise ProverProtocolError(f"an answer that is not XML: {error}") from error


def drain(session: Session, within_s: float | None = None) -> None:
    """Takes the answers that are still to come after an interrupt, and interrupts again while there is none.

    Raises:
        ProverError: It was interrupted in the middle of a call, and cannot be spoken to any more.
        ProverProtocolError: It did not obey within the given time.
        ProverStoppedError: It did not before the deadline of the job.
    """
    notes = session.notes
    until = None if within_s is None else time.monotonic() + within_s
    if notes.get("sending"):
        raise ProverError("it was interrupted while it was spoken to")
    while notes.get("unanswered", 0) > 0:
        try:
            frame = session.receive(_AGAIN_S).lstrip()
        except ProverStoppedError:
            if session.cancel.cancelled or session.time_left_s == 0:
                raise
            if until is not None and time.monotonic() > until:
                raise ProverProtocolError("it does not react to interrupts") from None
            session.interrupt()
            continue
        if frame.startswith(b"<value"):
            notes["unanswered"] -= 1


def init(session: Session) -> int:
    """Begins; the first state."""
    return call(session, "Init", '<option val="none"/>').state()


def add(session: Session, sentence: str, tip: int) -> Answer:
    """Adds a sentence after a state, which has to be the tip. It is parsed, and executed later."""
    text = f"<string>{escape(sentence)}</string>"
    edit = f'<pair><pair>{text}<int>-1</int></pair><pair><state_id val="{tip}"/><bool val="false"/></pair></pair>'
    return call(session, "Add", f"<pair><pair>{edit}<int>0</int></pair><pair><int>1</int><int>0</int></pair></pair>")


def go_back(session: Session, state: int) -> None:
    """Goes back to a state, and forgets what came after it.

    Raises:
        ProverProtocolError: It does not.
    """
    for _ in range(STRAY_SIGNALS):
        answer = call(session, "Edit_at", f'<state_id val="{state}"/>')
        if answer.good:
            return
        if INTERRUPTED not in answer.message:
            break
    raise ProverProtocolError(f"Rocq does not go back to a state: {answer.message[:200]}")


def execute(session: Session, *, timeout_s: float | None = None) -> Answer:
    """Executes and joins everything that was added."""
    return call(session, "Status", '<bool val="true"/>', timeout_s=timeout_s)


def query(session: Session, command: str, state: int) -> Answer:
    """Asks something in a state, which it does not change; see ``Answer.answers``."""
    asked = f'<pair><string>{escape(command)}</string><state_id val="{state}"/></pair>'
    return call(session, "Query", f'<pair><route_id val="{_ROUTE}"/>{asked}</pair>')


@dataclass(frozen=True, slots=True)
class Goals:
    """The goals of a proof state.

    Attributes:
        open: Those in focus, as text: hypotheses, a line, the conclusion.
        background: How many wait behind them.
        shelved: How many are shelved.
        given_up: How many were given up, by ``admit``.
    """

    open: tuple[str, ...]
    background: int
    shelved: int
    given_up: int

    @property
    def none_left(self) -> bool:
        """Whether there is nothing left to prove."""
        return not (self.open or self.background or self.shelved or self.given_up)


def goals(session: Session, *, timeout_s: float | None = None) -> Answer:
    """Executes what was added, and asks for the goals; read the answer with ``read_goals``."""
    return call(session, "Goal", timeout_s=timeout_s)


def read_goals(answer: Answer) -> Goals | None:
    """The goals, or ``None`` when there is no proof."""
    found = answer.value.find("option/goals")
    if found is None:
        return None
    lists = list(found)
    if len(lists) != 4:
        raise ProverProtocolError(f"expected four lists of goals, found {len(lists)}")
    return Goals(
        open=tuple(_goal(goal) for goal in lists[0]),
        background=len(lists[1].findall(".//goal")),
        shelved=len(lists[2]),
        given_up=len(lists[3]),
    )


def _goal(goal: Element) -> str:
    parts = list(goal)
    hypotheses = ["".join(part.itertext()) for part in parts[1]] if len(parts) > 2 else []
    conclusion = "".join(parts[2].itertext()) if len(parts) > 2 else ""
    return "\n".join([*hypotheses, "=" * 28, conclusion])
