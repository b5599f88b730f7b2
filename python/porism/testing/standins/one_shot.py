"""A TPTP prover that reads one problem to its end, prints an SZS status and a proof, and exits as E does."""

from __future__ import annotations

import re

from .claims import ACCEPTED, FALSE, Claim, Reading, echoes, judge
from .prover import Prover

_FORMULA = re.compile(
    r"\b(?:fof|tff|cnf)\(\s*([\w']+)\s*,\s*(conjecture|negated_conjecture)\s*,(.*?)\)\s*\.", re.DOTALL
)
_STATUS = {ACCEPTED: "Theorem", FALSE: "CounterSatisfiable"}
_NO_PROBLEM = 3


class OneShot(Prover):
    """The problem is the file that is named last, or the input when that is ``-`` or missing."""

    mark, proof = "#", "CNFRefutation"
    codes = {ACCEPTED: 0, FALSE: 1}  # noqa: RUF012 - typing takes long to load
    gave_up = 8

    def serve(self) -> int:
        """Answers the one problem."""
        path = self.problem()
        try:
            if path == "-":
                text = self.wire.rest().decode("utf-8", "replace")
            else:
                with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib takes long to load
                    text = file.read()
        except OSError:
            self.wire.write(f"{self.mark} SZS status OSError\n".encode())
            return 2
        claims = [judge(name, formula, formula) for name, role, formula in _FORMULA.findall(text)]
        if not claims:
            self.wire.write(f"{self.mark} SZS status SyntaxError\n".encode())
            return _NO_PROBLEM
        reading = Reading(claims, [], echoes(text))
        self.reply(text, self._compose, reading)
        return self.codes.get(reading.outcome, self.gave_up)

    def problem(self) -> str:
        """The file with the problem; ``-`` is the input."""
        return self.arguments[-1] if self.arguments else "-"

    def noise(self, number: int) -> bytes:
        """A comment, as provers print them while they search."""
        return f"{self.mark} progress {number}\n".encode()

    def out_of_memory(self) -> bytes:
        """A status of its own."""
        return f"{self.mark} SZS status MemoryOut\n".encode()

    def _compose(self, reading: Reading) -> bytes:
        status = _STATUS.get(reading.outcome, "GaveUp")
        lines = [f"echo {word}" for word in reading.words] + [f"SZS status {status}"]
        if status == "Theorem":
            steps = "\n".join(map(_step, reading.claims))
            lines += [f"SZS output start {self.proof}\n{steps}", f"SZS output end {self.proof}"]
        return "".join(f"{self.mark} {line}\n" for line in lines).encode()


class Vampire(OneShot):
    """Vampire in its mode of output ``szs``: other marks and other exit codes, options with values, and no ``-``."""

    mark, proof = "%", "Proof for problem"
    codes = {ACCEPTED: 0, FALSE: 0}  # noqa: RUF012 - typing takes long to load
    gave_up = 1

    def problem(self) -> str:
        """What neither is an option nor the value of one, which is never a path; the input without it."""
        return next((argument for argument in self.arguments if "/" in argument), "-")


def _step(claim: Claim) -> str:
    return f"fof({claim.name}, conjecture, {claim.statement.strip()}, file('problem.p', {claim.name}))."
