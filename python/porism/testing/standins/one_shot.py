"""A TPTP prover that reads one problem to its end, prints an SZS status and a proof, and exits as E does."""

from __future__ import annotations

import re

from .claims import ACCEPTED, FALSE, Claim, Reading, echoes, judge
from .prover import Prover

_FORMULA = re.compile(
    r"\b(?:fof|tff|cnf)\(\s*([\w']+)\s*,\s*(conjecture|negated_conjecture)\s*,(.*?)\)\s*\.", re.DOTALL
)
_STATUS = {ACCEPTED: "Theorem", FALSE: "CounterSatisfiable"}
_PROVED, _SATURATED, _NO_PROBLEM, _GAVE_UP = 0, 1, 3, 8


class OneShot(Prover):
    """The problem is the file that is named last, or the input when that is ``-`` or missing."""

    def serve(self) -> int:
        """Answers the one problem."""
        path = self.arguments[-1] if self.arguments else "-"
        try:
            if path == "-":
                text = self.wire.rest().decode("utf-8", "replace")
            else:
                with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib takes long to load
                    text = file.read()
        except OSError:
            self.wire.write(b"# SZS status OSError\n")
            return 2
        claims = [judge(name, formula, formula) for name, role, formula in _FORMULA.findall(text)]
        if not claims:
            self.wire.write(b"# SZS status SyntaxError\n")
            return _NO_PROBLEM
        reading = Reading(claims, [], echoes(text))
        self.reply(text, _compose, reading)
        return {ACCEPTED: _PROVED, FALSE: _SATURATED}.get(reading.outcome, _GAVE_UP)

    def noise(self, number: int) -> bytes:
        """A comment, as provers print them while they search."""
        return f"# progress {number}\n".encode()

    def out_of_memory(self) -> bytes:
        """A status of its own."""
        return b"# SZS status MemoryOut\n"


def _compose(reading: Reading) -> bytes:
    status = _STATUS.get(reading.outcome, "GaveUp")
    lines = [f"# echo {word}" for word in reading.words] + [f"# SZS status {status}"]
    if status == "Theorem":
        lines += ["# SZS output start CNFRefutation", *map(_step, reading.claims), "# SZS output end CNFRefutation"]
    return ("\n".join(lines) + "\n").encode()


def _step(claim: Claim) -> str:
    return f"fof({claim.name}, conjecture, {claim.statement.strip()}, file('problem.p', {claim.name}))."
