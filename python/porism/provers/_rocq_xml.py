"""The XML protocol of coqidetop, as version 8.16 speaks it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from porism._errors import ProverProtocolError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from porism._core import Session

_UNIT = "<unit/>"


@dataclass(slots=True)
class Answer:
    """What came back for one call.

    Attributes:
        good: Whether the call did what it was to do.
        value: The element with the result.
        message: What went wrong, as text.
        start: Where in the sentence, in bytes; ``None`` if that was not said.
        notices: What was printed.
        axioms_added: How many axioms came into being, ``admit`` included.
    """

    good: bool
    value: Element
    message: str = ""
    start: int | None = None
    notices: list[str] = field(default_factory=list)
    axioms_added: int = 0

    def state(self) -> int:
        """The state that the result begins with."""
        found = self.value.find(".//state_id")
        if found is None:
            raise ProverProtocolError("an answer without a state")
        return int(found.get("val", ""))


def call(session: Session, name: str, argument: str = _UNIT) -> Answer:
    """Makes a call, and waits for its answer.

    Raises:
        ProverProtocolError: What came is no answer.
    """
    session.notes["owed"] = session.notes.get("owed", 0) + 1
    session.send(f'<call val="{name}">{argument}</call>'.encode())
    return _answer(session)


def settle(session: Session) -> None:
    """Reads the answers to calls that were given up: each call has exactly one, an interrupted one too."""
    while session.notes.get("owed", 0):
        _answer(session)


def _answer(session: Session) -> Answer:
    notices: list[str] = []
    axioms_added = 0
    while True:
        element = _parsed(session.receive())
        if element.tag == "value":
            message = "".join(element.itertext()).strip()
            start = element.get("loc_s")
            good = element.get("val") == "good"
            session.notes["owed"] -= 1
            return Answer(good, element, message, None if start is None else int(start), notices, axioms_added)
        if element.tag != "feedback":
            raise ProverProtocolError(f"expected <feedback> or <value>, found <{element.tag}>")
        content = element.find("feedback_content")
        if content is None:
            continue
        if content.get("val") == "addedaxiom":
            axioms_added += 1
        elif content.get("val") == "message":
            level = content.find(".//message_level")
            if level is not None and level.get("val") in {"notice", "warning", "error"}:
                notices.append("".join(content.itertext()))


def _parsed(frame: bytes) -> Element:
    # The one entity that the protocol uses without declaring it, between the words of sentences.
    text = frame.replace(b"&nbsp;", b" ")
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ProverProtocolError(f"an answer that is not XML: {error}") from error


def init(session: Session) -> int:
    """Begins; the first state."""
    return call(session, "Init", '<option val="none"/>').state()


def add(session: Session, sentence: str, tip: int) -> Answer:
    """Adds a sentence after a state, which has to be the tip. It is parsed, and executed later."""
    text = f"<string>{escape(sentence)}</string>"
    edit = f'<pair><pair>{text}<int>-1</int></pair><pair><state_id val="{tip}"/><bool val="false"/></pair></pair>'
    return call(session, "Add", f"<pair><pair>{edit}<int>0</int></pair><pair><int>1</int><int>0</int></pair></pair>")


def edit_at(session: Session, state: int) -> Answer:
    """Goes back to a state."""
    return call(session, "Edit_at", f'<state_id val="{state}"/>')


def execute(session: Session) -> Answer:
    """Executes and joins everything that was added."""
    return call(session, "Status", '<bool val="true"/>')


def query(session: Session, command: str, state: int) -> Answer:
    """Asks something in a state, which it does not change; the answer is among the notices."""
    asked = f'<pair><string>{escape(command)}</string><state_id val="{state}"/></pair>'
    return call(session, "Query", f'<pair><route_id val="1"/>{asked}</pair>')


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


def goals(session: Session) -> Answer:
    """Executes what was added, and asks for the goals; read the answer with ``read_goals``."""
    return call(session, "Goal")


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
