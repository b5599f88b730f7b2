"""The metamath program: a command loop whose prompt is ``MM> ``. It exits with 0 whatever was wrong."""

from __future__ import annotations

import re

from .claims import ACCEPTED, FALSE, INCOMPLETE, UNCLEAR, Claim, Reading, echoes, holds
from .prover import Prover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STATEMENT = re.compile(r"(\S+)\s+\$([ap])\s+\|-\s(.*?)(?:\$=(.*?))?\$\.", re.DOTALL)
_SCALE = "0 10%  20%  30%  40%  50%  60%  70%  80%  90% 100%"
_SCROLL = b"Press <return> for more, Q <return> to quit, S <return> to scroll to end... "


class Metamath(Prover):
    """``set scroll``, ``read``, ``verify proof``, ``show trace_back``, ``exit``; arguments are the first commands."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._claims: dict[str, Claim] = {}
        self._axioms: list[str] = []
        self._text = ""
        self._scrolls = True

    def serve(self) -> int:
        """Answers until ``exit`` or the end of the input."""
        self.wire.write(b"Metamath - Version 0.195 30-Dec-2020          Type HELP for help, EXIT to exit.\nMM> ")
        for command in self.arguments:
            self.wire.write(command.encode() + b"\n")
            if not self._does(command):
                return 0
        while line := self.wire.line():
            if not self._does(line.decode("utf-8", "replace").strip()):
                return 0
        return 0

    def noise(self, number: int) -> bytes:
        """A piece of the bar that grows while a database is verified."""
        return b"." if number % 50 else b".\n"

    def _does(self, command: str) -> bool:
        words = command.lower().split()
        if words[:1] in (["exit"], ["quit"]):
            return False
        if words[:2] == ["set", "scroll"]:
            self._scrolls = words[2:] != ["continuous"]
            self.wire.write(b"Continuous scrolling is now in effect.\nMM> ")
        elif words[:1] == ["read"] and len(words) == 2:
            path = command.split()[1]
            if "/" in path and path[0] not in "'\"":
                # An unquoted slash begins an option.
                self._prompt("?Expected VERIFY.")
            else:
                self._read(path.strip("'\""))
        elif words[:2] == ["verify", "proof"] and len(words) >= 3:
            self._verify(command.split()[2])
        elif words[:2] == ["show", "trace_back"] and len(words) >= 3:
            assumed = f'Statement "{command.split()[2]}" assumes the following axioms ($a statements):'
            self._prompt(f"{assumed}\n  {' '.join(self._axioms)}")
        elif not words:
            self.wire.write(b"MM> ")
        else:
            self._prompt("?Expected READ, VERIFY, SHOW, SET, EXIT or QUIT.")
        return True

    def _read(self, path: str) -> None:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib takes long to load
                self._text = file.read()
        except OSError:
            self._prompt(f'?Sorry, couldn\'t open the file "{path}".')
            return
        found = _STATEMENT.findall(self._text)
        self._axioms = [label for label, kind, _, _ in found if kind == "a"]
        self._claims = {
            label: _judge(label, statement, proof) for label, kind, statement, proof in found if kind == "p"
        }
        size = f"{len(self._text.encode())} bytes"
        counts = f"{len(found)} statements; {len(self._axioms)} are $a and {len(self._claims)} are $p"
        self._prompt(
            f'Reading source file "{path}"... {size}\n{size} were read into the source buffer.\n'
            f"The source has {counts}.\n"
            "No errors were found.  However, proofs were not checked.  Type VERIFY PROOF *\nif you want to check them."
        )

    def _verify(self, label: str) -> None:
        chosen = self._claims.values() if label == "*" else filter(None, [self._claims.get(label)])
        # Copies: a fault may falsify them.
        claims = [Claim(one.name, one.statement, one.outcome) for one in chosen]
        reading = Reading(claims, [], echoes(self._text))
        self.reply(self._text, lambda reading: self._verified(label, reading), reading)

    def _verified(self, label: str, reading: Reading) -> bytes:
        every = label == "*"
        lines = [_SCALE, "." * 50] if every else [f"{reading.claims[0].name} " if reading.claims else ""]
        lines += [line for one in reading.claims if one.outcome in (FALSE, UNCLEAR) for line in _error(one)]
        gaps = [one.name for one in reading.claims if one.outcome == INCOMPLETE]
        if gaps:
            lines.append(f"Warning: The following $p statement(s) were not proved:  {' '.join(gaps)}")
        elif every and reading.outcome == ACCEPTED:
            lines.append("All proofs in the database were verified in 0.00 s.")
        lines += [f"echo {word}" for word in reading.words]
        if self._scrolls and len(lines) > 20:
            return "\n".join(lines[:20]).encode() + b"\n" + _SCROLL
        return "\n".join(lines).encode() + b"\nMM> "

    def _prompt(self, text: str) -> None:
        self.wire.write(text.encode() + b"\nMM> ")


def _error(claim: Claim) -> list[str]:
    return [
        f'?Error at statement "{claim.name}", type "$p":',
        f'The result of the proof does not match the statement "|- {claim.statement}".',
    ]


def _judge(label: str, statement: str, proof: str) -> Claim:
    statement = " ".join(statement.split())
    truth = holds(statement)
    if "?" in proof.split():
        return Claim(label, statement, INCOMPLETE)
    return Claim(label, statement, UNCLEAR if truth is None else ACCEPTED if truth else FALSE)
