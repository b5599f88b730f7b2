"""leanprover-community/repl: a JSON object and a blank line each way.

As in the program: the lines of a request are joined without their ends; a request that begins with ``#`` or ``--`` is
skipped; one that is empty, no JSON or of an unknown shape ends the process; empty lists are left out of an answer.
"""

from __future__ import annotations

import json
import os
import re

from .claims import ACCEPTED, INCOMPLETE, Reading, holds
from .lean import Known, position
from .prover import Prover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SORRY = re.compile(r"\bsorry\b")
_PICKLES = ("pickleTo", "unpickleEnvFrom", "unpickleProofStateFrom")


class Repl(Prover):
    """Environments and proof states are numbers, counted up from 0."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._environments: list[Known] = []
        self._proof_states: list[str] = []

    def serve(self) -> int:
        """Answers until the input ends, or a request makes the REPL give up."""
        while query := self._query():
            if query.startswith(("#", "--")):
                continue
            try:
                request = json.loads(query)
                command = self._command(request)
            except (ValueError, TypeError, RecursionError) as error:
                os.write(2, b"uncaught exception: " + _object({"message": f"Could not parse JSON:\n{error}"}))
                return 1
            text, answer = command
            self.reply(text, lambda reading, answer=answer: _object(answer(reading)) + b"\n")  # type: ignore[misc]
        return 0

    def noise(self, number: int) -> bytes:
        """What an elaborator that traces prints: a line among the answers that is no part of one."""
        return f"Processing incremental state [pos: {number}]\n".encode()

    def out_of_memory(self) -> bytes:
        """Lean dies."""
        os.write(2, b"INTERNAL PANIC: out of memory\n")
        raise SystemExit(1)

    def _query(self) -> str:
        lines: list[bytes] = []
        while line := self.wire.line():
            if not line.strip():
                return b"".join(lines).decode("utf-8", "replace") or "\n"
            lines.append(line.rstrip())
        return b"".join(lines).decode("utf-8", "replace")

    def _command(self, request: dict[str, Any]) -> tuple[str, Any]:
        """The text of a request, and the function from what it says to the answer."""
        if any(key in request for key in _PICKLES):
            return "", lambda _: {"message": "a stand-in cannot pickle"}
        if "tactic" in request and "proofState" in request:
            tactic, state = str(request["tactic"]), int(request["proofState"])
            return tactic, lambda reading: self._tactic(tactic, state, reading)
        text = request.get("cmd")
        if "path" in request:
            try:
                with open(request["path"], encoding="utf-8") as file:  # noqa: PTH123 - pathlib takes long to load
                    text = file.read()
            except OSError as error:
                message = str(error)
                return "", lambda _: {"message": message}
        if not isinstance(text, str):
            raise TypeError("neither cmd nor path nor tactic")
        number = request.get("env")
        command: str = text
        return command, lambda reading: self._elaborate(command, number, reading)

    def _elaborate(self, text: str, number: int | None, reading: Reading) -> dict[str, Any]:
        if number is not None and not (isinstance(number, int) and 0 <= number < len(self._environments)):
            return {"message": "Unknown environment."}
        known = Known(None if number is None else self._environments[number])
        messages = [
            {"severity": one.severity, "pos": _pos(text, one.start), "endPos": _pos(text, one.end), "data": one.words}
            for one in known.elaborate(text, reading)
        ]
        self._environments.append(known)
        answer: dict[str, Any] = {}
        gaps = [claim for claim in reading.claims if claim.outcome == INCOMPLETE]
        if gaps:
            answer["sorries"] = [
                self._gap(text, gap.start(), claim.statement)
                for gap, claim in zip(_SORRY.finditer(text), gaps, strict=False)
            ]
        if messages:
            answer["messages"] = messages
        return answer | {"env": len(self._environments) - 1}

    def _gap(self, text: str, offset: int, statement: str) -> dict[str, Any]:
        return {
            "proofState": self._open(statement),
            "pos": _pos(text, offset),
            "goal": f"⊢ {statement}",
            "endPos": _pos(text, offset + len("sorry")),
        }

    def _open(self, statement: str) -> int:
        self._proof_states.append(statement)
        return len(self._proof_states) - 1

    def _tactic(self, tactic: str, number: int, reading: Reading) -> dict[str, Any]:
        if not 0 <= number < len(self._proof_states):
            return {"message": "Unknown proof state."}
        statement = self._proof_states[number]
        said = [{"severity": "info", "pos": _pos("", 0), "endPos": _pos("", 0), "data": word} for word in reading.words]
        extra: dict[str, Any] = {"messages": said} if said else {}
        if _SORRY.search(tactic):
            return {"proofStatus": "Incomplete: contains sorry", "proofState": self._open(""), "goals": [], **extra}
        if not statement or holds(statement) or reading.outcome != ACCEPTED:
            return {"proofStatus": "Completed", "proofState": self._open(""), "goals": [], **extra}
        return {"message": f"Lean error:\nTactic `{tactic}` failed\n⊢ {statement}"}


def _pos(text: str, offset: int) -> dict[str, int]:
    line, column = position(text, offset)
    return {"line": line + 1, "column": column}


def _object(value: Any) -> bytes:
    # Lean prints an object that is longer than a line over several; none of them is ever blank.
    compact = json.dumps(value, ensure_ascii=False)
    text = compact if len(compact) < 120 else json.dumps(value, ensure_ascii=False, indent=1)
    return text.encode("utf-8", "surrogatepass") + b"\n"
