"""coqidetop 8.16 on a pipe: XML elements one after another, with nothing between them and no root.

A call gets feedback and exactly one ``value``. A call of the wrong shape gets no answer, only a line on stderr.
"""

from __future__ import annotations

import os
from xml.parsers.expat import ExpatError, ParserCreate

from .claims import INCOMPLETE, Reading
from .prover import Prover
from .script import FailedSentenceError, Script, first_sentence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PROLOGUE = b'<!DOCTYPE calls [<!ENTITY nbsp "&#160;">]><calls>'
DEEPEST = 200


class Element:
    """An element, with the text directly inside of it."""

    __slots__ = ("children", "name", "text", "val")

    def __init__(self, name: str, val: str) -> None:
        self.name = name
        self.val = val
        self.children: list[Element] = []
        self.text = ""

    def find(self, name: str) -> list[Element]:
        """All elements of this name inside, in order."""
        found = [self] if self.name == name else []
        for child in self.children:
            found += child.find(name)
        return found


class XmlElements(Prover):
    """``Init``, ``About``, ``Add``, ``Edit_at``, ``Status``, ``Goal``, ``Query``, ``Quit``; SIGINT ends the work."""

    survives_interrupt = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._script = Script()
        self._open: list[Element] = []
        self._calls: list[Element] = []

    def serve(self) -> int:
        """Answers until ``Quit`` or the end of the input."""
        parser = ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.Parse(_PROLOGUE, False)
        while more := self.wire.more():
            try:
                parser.Parse(more, False)
            except ExpatError as error:
                _complain(f"Syntax error in the XML: {error}")
                return 1
            calls, self._calls = self._calls, []
            for call in calls:
                if call.val == "Quit":
                    self.wire.write(_good("<unit/>"))
                    return 0
                self._call(call)
        return 0

    def noise(self, number: int) -> bytes:
        """A message of the lowest level."""
        return self._message("debug", f"progress {number}")

    def interrupted(self) -> bytes:
        """As an error at the state that was reached."""
        return _fail(self._script.tip, "User interrupt.")

    def out_of_memory(self) -> bytes:
        """The same; the process lives on."""
        return _fail(self._script.tip, "Out of memory.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        element = Element(name, attributes.get("val", ""))
        if len(self._open) > DEEPEST:
            raise SystemExit("elements are nested too deep")
        if len(self._open) > 1:
            self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        if len(self._open) == 1:
            self._calls.append(element)

    def _text(self, text: str) -> None:
        self._open[-1].text += text

    def _call(self, call: Element) -> None:
        handlers: dict[str, Callable[[Element], bytes | None]] = {
            "Init": lambda _: _good('<state_id val="1"/>'),
            "About": lambda _: _good(f"<coq_info>{_strings('8.16.1', '20220205', 'n/a', 'n/a')}</coq_info>"),
            "Add": self._add,
            "Edit_at": self._edit_at,
            "Goal": self._goal,
            "Query": self._query,
        }
        if call.name == "call" and call.val == "Status":
            self.reply(self._script.waiting(), self._status, self._script.reading())
            return
        handler = handlers.get(call.val) if call.name == "call" else None
        answer = handler(call) if handler else None
        if answer is None:
            _complain("Unexpected XML message")
        else:
            self.wire.write(answer)

    def _add(self, call: Element) -> bytes | None:
        # The shape of 8.16: sentence and edit id, state and verbosity, byte offset, line and beginning of the line.
        sentence, state = call.find("string"), call.find("state_id")
        if len(sentence) != 1 or len(state) != 1 or len(call.find("int")) != 4:
            return None
        if state[0].val != str(self._script.tip):
            return _fail(0, "Stm.add called for a different state")
        if not first_sentence(sentence[0].text).strip():
            return _fail(0, "Syntax error: illegal begin of toplevel:vernac_toplevel.")
        added = self._script.add(sentence[0].text)
        return _good(f'<pair><state_id val="{added}"/><union val="in_l"><unit/></union></pair>')

    def _edit_at(self, call: Element) -> bytes | None:
        state = call.find("state_id")
        if len(state) != 1:
            return None
        if not state[0].val.isdecimal() or not self._script.goes_back_to(int(state[0].val)):
            return _fail(0, "Stm.edit_at: no such state")
        return _good('<union val="in_l"><unit/></union>')

    def _status(self, reading: Reading) -> bytes:
        tip, states = self._script.tip, self._script.unexecuted()
        said = b"".join(_feedback(state, "processingin", "<string>master</string>") for state in reversed(states))
        said += b"".join(self._message("notice", word) for word in reading.words)
        try:
            self._script.execute(reading)
        except FailedSentenceError as failure:
            return said + self._message("error", failure.words) + _fail(failure.last_good, failure.words, failure.size)
        said += b"".join(_feedback(state, "processed") for state in states)
        if any(claim.outcome == INCOMPLETE for claim in reading.claims):
            said += _feedback(tip, "addedaxiom")
        open_proof = self._script.open_proof()
        name = f'<option val="some"><string>{_escaped(open_proof.name)}</string></option>' if open_proof else ""
        names = f"<list><string>{_escaped(open_proof.name)}</string></list>" if open_proof else "<list/>"
        path = "<list><string>Top</string></list>"
        option = name or '<option val="none"/>'
        processed = _feedback(tip, "processed")
        return said + processed + _good(f"<status>{path}{option}{names}<int>0</int></status>")

    def _goal(self, _call: Element) -> bytes:
        claim = self._script.open_proof()
        if claim is None:
            return _good('<option val="none"/>')
        statement = _rich(claim.statement)
        goal = f'<goal><string>1</string><list/>{statement}<option val="none"/></goal>'
        lists = f"<list>{goal}</list><list/><list/><list/>"
        return _good(f'<option val="some"><goals>{lists}</goals></option>')

    def _query(self, call: Element) -> bytes | None:
        text, route = call.find("string"), call.find("route_id")
        if len(text) != 1 or len(route) != 1:
            return None
        try:
            words = self._script.answer(text[0].text)
        except FailedSentenceError as failure:
            return _fail(0, failure.words)
        processed = _feedback(self._script.tip, "processed", route=route[0].val)
        return processed + self._message("notice", words, route[0].val) + _good("<unit/>")

    def _message(self, level: str, words: str, route: str = "0") -> bytes:
        text = _rich(words)
        message = f'<message><message_level val="{level}"/><option val="none"/>{text}</message>'
        return _feedback(self._script.tip, "message", message, route)


def _feedback(state: int, kind: str, inside: str = "", route: str = "0") -> bytes:
    content = f'<feedback_content val="{kind}"' + (f">{inside}</feedback_content>" if inside else "/>")
    route = _escaped(route)
    return f'<feedback object="state" route="{route}"><state_id val="{state}"/>{content}</feedback>'.encode()


def _good(inside: str) -> bytes:
    return f'<value val="good">{inside}</value>'.encode()


def _fail(state: int, words: str, size: int = 0) -> bytes:
    text = _rich(words)
    place = f' loc_s="0" loc_e="{size}"' if size else ""
    return f'<value val="fail"{place}><state_id val="{state}"/>{text}</value>'.encode()


def _rich(words: str) -> str:
    return f"<richpp><_><pp>{_escaped(words)}</pp></_></richpp>"


def _strings(*texts: str) -> str:
    return "".join(f"<string>{_escaped(text)}</string>" for text in texts)


def _escaped(text: str) -> str:
    for character, entity in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;"), (" ", "&nbsp;")):
        text = text.replace(character, entity)
    return text


def _complain(words: str) -> None:
    os.write(2, f"[pid {os.getpid()}] {words}\n".encode())
