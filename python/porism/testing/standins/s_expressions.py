"""SerAPI for Coq: a tagged command is an S-expression, and so is each of its answers; ``Completed`` is the last."""

from __future__ import annotations

from .prover import Prover
from .script import FailedSentenceError, Script, first_sentence
from .symbolic import Expressions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .claims import Reading

_PLACE = "(fname ToplevelInput)(line_nb 1)(bol_pos 0)(line_nb_last 1)(bol_pos_last 0)(bp 0)(ep {})"


class SExpressions(Prover):
    """``Add``, ``Exec``, ``Cancel``, ``Query`` of goals and of vernacular, ``Quit``."""

    survives_interrupt = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._script = Script()
        self._tag = "0"

    def serve(self) -> int:
        """Answers until ``Quit`` or the end of the input."""
        self.wire.write(_feedback(1, "Processed"))
        expressions = Expressions(backslash=True)
        number = 0
        while more := self.wire.more():
            for expression, _ in expressions.feed(more.decode("utf-8", "replace")):
                tagged = isinstance(expression, list) and len(expression) == 2 and isinstance(expression[0], str)
                untagged = tagged and expression[0][:1].isupper() and expression[0] not in ("Quit",)
                self._tag = expression[0] if tagged and not untagged else str(number)
                number += 1
                command = expression[1] if tagged and not untagged else expression
                if command in ("Quit", ["Quit"]):
                    return 0
                self.wire.write(self._answer("Ack"))
                self._do(command if isinstance(command, list) else [command])
        return 0

    def noise(self, number: int) -> bytes:
        """Feedback on a message of the lowest level."""
        return _feedback(1, f"(Message(level Debug)(loc())(pp())(str {_quoted(f'progress {number}')}))")

    def interrupted(self) -> bytes:
        """An exception of Coq's."""
        return self._exception("User interrupt.") + self._answer("Completed")

    def out_of_memory(self) -> bytes:
        """An exception too; the process lives on."""
        return self._exception("Out of memory.") + self._answer("Completed")

    def _do(self, command: list[Any]) -> None:
        script = self._script
        name = command[0] if command else ""
        if name == "Add" and len(command) == 3:
            text = str(command[2])
            while text.strip():
                sentence = first_sentence(text)
                text = text[len(sentence) :]
                state = script.add(sentence)
                self.wire.write(self._answer(f"(Added {state}({_PLACE.format(len(sentence))})NewTip)"))
        elif name == "Exec":
            self.reply(script.waiting(), self._execute, script.reading())
            return
        elif name == "Cancel" and len(command) == 2 and command[1]:
            states = sorted(int(state) for state in command[1] if state.isdecimal())
            if states and script.goes_back_to(max(states[0] - 1, 1)):
                self.wire.write(self._answer(f"(Canceled({' '.join(map(str, states))}))"))
        elif name == "Query" and command[-1] == "Goals":
            goal = script.open_proof()
            shown = f"((CoqString {_quoted('⊢ ' + goal.statement)}))" if goal else "()"
            self.wire.write(self._answer(f"(ObjList{shown})"))
        elif name == "Query" and isinstance(command[-1], list) and command[-1][:1] == ["Vernac"]:
            self.wire.write(self._vernacular(str(command[-1][-1])))
        else:
            self.wire.write(self._exception("unknown command"))
        self.wire.write(self._answer("Completed"))

    def _execute(self, reading: Reading) -> bytes:
        said = b"".join(self._notice(word) for word in reading.words)
        try:
            self._script.execute(reading)
        except FailedSentenceError as failure:
            return said + self._exception(failure.words) + self._answer("Completed")
        return said + _feedback(self._script.tip, "Processed") + self._answer("Completed")

    def _vernacular(self, question: str) -> bytes:
        try:
            return self._notice(self._script.answer(question)) + self._answer("(ObjList())")
        except FailedSentenceError as failure:
            return self._exception(failure.words)

    def _notice(self, words: str) -> bytes:
        text = _quoted(words)
        return _feedback(self._script.tip, f"(Message(level Notice)(loc())(pp(Pp_string {text}))(str {text}))")

    def _exception(self, words: str) -> bytes:
        text = _quoted(words)
        ids = "(stm_ids())(backtrace(Backtrace()))"
        return self._answer(f"(CoqExn((loc()){ids}(exn(CErrors.UserError))(pp(Pp_string {text}))(str {text})))")

    def _answer(self, contents: str) -> bytes:
        return f"(Answer {self._tag} {contents})\n".encode()


def _feedback(state: int, contents: str) -> bytes:
    return f"(Feedback((doc_id 0)(span_id {state})(route 0)(contents {contents})))\n".encode()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
