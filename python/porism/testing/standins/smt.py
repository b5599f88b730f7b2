"""An SMT-LIB solver on a pipe, in the manner of ``z3 -in``: ``(echo "NONCE")`` is the marker that ends an answer."""

from __future__ import annotations

from .claims import ACCEPTED, FALSE, UNCLEAR, Claim, Reading
from .prover import Prover
from .symbolic import Atom, Expressions, evaluate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SILENT = {"set-option", "set-logic", "set-info", "declare-const", "declare-fun", "declare-sort", "define-fun"}


class Smt(Prover):
    """Assertions of numbers are evaluated; one that cannot be makes the answer ``unknown``."""

    survives_interrupt = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._levels: list[list[Any]] = [[]]
        self._reason = "state of the most recent check-sat command is not known"
        self._said = ""

    def serve(self) -> int:
        """Answers until ``(exit)`` or the end of the input."""
        expressions = Expressions()
        while more := self.wire.more():
            for expression, text in expressions.feed(more.decode("utf-8", "replace")):
                self._said += text
                if expression == [Atom("exit")]:
                    return 0
                self._do(expression)
        return 0

    def noise(self, number: int) -> bytes:
        """What Z3 says about options that it does not like."""
        return f"WARNING: progress {number}\n".encode()

    def interrupted(self) -> bytes:
        """No answer, and a reason."""
        self._reason = "interrupted from keyboard"
        return b"unknown\n"

    def out_of_memory(self) -> bytes:
        """Z3 says so, and dies."""
        self.wire.write(b'(error "out of memory")\n')
        self.leave(101)
        return b""

    def _do(self, expression: Any) -> None:
        command, *operands = expression if isinstance(expression, list) and expression else [expression]
        if command in _SILENT:
            return
        if command == "echo" and len(operands) == 1:
            self.wire.write(str(operands[0]).encode() + b"\n")
        elif command == "assert" and len(operands) == 1:
            self._levels[-1].append(operands[0])
        elif command == "push":
            self._levels += [[] for _ in range(_count(operands))]
        elif command == "pop":
            if _count(operands) >= len(self._levels):
                self._complain("invalid pop command, argument is greater than the current stack depth")
            else:
                del self._levels[len(self._levels) - _count(operands) :]
        elif command in ("reset", "reset-assertions"):
            self._levels = [[]]
        elif command == "check-sat":
            said, self._said = self._said, ""
            self.reply(said, self._answer, Reading([self._claim()], [], []))
        elif command == "get-info" and operands == ["reason-unknown"]:
            self.wire.write(f'(:reason-unknown "{self._reason}")\n'.encode())
        else:
            self.wire.write(b"unsupported\n")
            self.wire.write(f"; {command} line: 1 position: 1\n".encode())

    def _claim(self) -> Claim:
        """What is claimed is that the assertions contradict each other."""
        values = [evaluate(one) for level in self._levels for one in level]
        return Claim("assertions", "", ACCEPTED if False in values else UNCLEAR if None in values else FALSE)

    def _answer(self, reading: Reading) -> bytes:
        answer = {ACCEPTED: "unsat", FALSE: "sat"}.get(reading.outcome, "unknown")
        if answer == "unknown":
            self._reason = "incomplete"
        return "".join(f"{line}\n" for line in [*reading.words, answer]).encode()

    def _complain(self, words: str) -> None:
        self.wire.write(f'(error "line 1 column 1: {words}")\n'.encode())


def _count(operands: list[Any]) -> int:
    text = str(operands[0]) if operands else "1"
    return min(int(text), 10_000) if text.isdecimal() and len(text) < 10 else 1
