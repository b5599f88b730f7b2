"""What Lean says of a text, for both of its protocols."""

from __future__ import annotations

import re

from .claims import ACCEPTED, FALSE, INCOMPLETE, Claim, Reading

_QUESTION = re.compile(r"""^#(?:(print axioms|check)[ \t]+([\w.']+)|print[ \t]+"([^"\n]*)")""", re.MULTILINE)


class Message:
    """One message: severity, where in the text (offsets of characters), and words."""

    __slots__ = ("end", "severity", "start", "words")

    def __init__(self, severity: str, start: int, end: int, words: str) -> None:
        self.severity = severity
        self.start = start
        self.end = end
        self.words = words


class Known:
    """The theorems of an environment, and what they rest on."""

    def __init__(self, before: Known | None = None) -> None:
        self.claims: dict[str, Claim] = dict(before.claims) if before else {}
        self.axioms: dict[str, list[str]] = dict(before.axioms) if before else {}

    def elaborate(self, text: str, reading: Reading) -> list[Message]:
        """Adds the theorems of a text, and says what Lean says of it."""
        found: list[Message] = []
        for claim in reading.claims:
            start = max(text.find(claim.name), 0)
            end = start + len(claim.name)
            if claim.outcome in (ACCEPTED, INCOMPLETE):
                self.claims[claim.name] = claim
                self.axioms[claim.name] = list(reading.axioms)
            if claim.outcome == FALSE:
                words = f"Tactic `decide` proved that the proposition\n  {claim.statement}\nis false"
                found.append(Message("error", start, end, words))
            elif claim.outcome == INCOMPLETE:
                found.append(Message("warning", start, end, "declaration uses `sorry`"))
            elif claim.outcome != ACCEPTED:
                found.append(Message("error", start, end, f"unsolved goals\n⊢ {claim.statement}"))
        for asked in _QUESTION.finditer(text):
            severity, words = ("info", asked[3]) if asked[1] is None else self._answer(asked[1], asked[2])
            found.append(Message(severity, asked.start(), asked.end(), words))
        return found + [Message("info", 0, 0, word) for word in reading.words]

    def _answer(self, question: str, name: str) -> tuple[str, str]:
        # A theorem that was claimed under another name is known by that name only.
        if name not in self.claims:
            return "error", f"Unknown constant `{name}`"
        if question == "check":
            return "info", f"{name} : {self.claims[name].statement}"
        axioms = self.axioms[name]
        if axioms:
            return "info", f"'{name}' depends on axioms: [{', '.join(axioms)}]"
        return "info", f"'{name}' does not depend on any axioms"


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 0, in characters."""
    return text.count("\n", 0, offset), offset - (text.rfind("\n", 0, offset) + 1)
