"""Plain lines: one line a request, one line an answer. Pieces of progress begin with ``#``."""

from __future__ import annotations

from .claims import ACCEPTED, Reading, complaint
from .prover import Prover


class Lines(Prover):
    """Answers ``accepted``, ``false``, ``incomplete`` or ``unclear``, what was proved, and the echoes."""

    survives_interrupt = True

    def serve(self) -> int:
        """Answers until the input ends."""
        while line := self.wire.line():
            if line.strip():
                self.reply(line.decode("utf-8", "replace"), compose)
        return 0

    def noise(self, number: int) -> bytes:
        """A remark."""
        return f"# progress {number}\n".encode()

    def interrupted(self) -> bytes:
        """One word."""
        return b"interrupted\n"

    def out_of_memory(self) -> bytes:
        """Three words."""
        return b"out of memory\n"


def compose(reading: Reading) -> bytes:
    """The line that answers."""
    parts = [reading.outcome]
    parts += [
        f"{claim.name} : {claim.statement}" if claim.outcome == ACCEPTED else complaint(claim)
        for claim in reading.claims
    ]
    parts += [f"echo {word}" for word in reading.words]
    return ("; ".join(parts) + "\n").encode()
