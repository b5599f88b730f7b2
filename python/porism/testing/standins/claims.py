"""What a candidate says, and whether it is so: decided from the text alone, so that a wrong answer can be told.

A statement is an equation of numbers, such as ``2 + 2 = 4``, or ``True`` or ``False``. ``echo WORD`` anywhere asks
for WORD.
"""

from __future__ import annotations

import re

ACCEPTED = "accepted"
FALSE = "false"
INCOMPLETE = "incomplete"
UNCLEAR = "unclear"

_NUMBER = r"(\d{1,15})"
_INFIX = re.compile(rf"[(\s]*{_NUMBER}\s*([-+*])\s*{_NUMBER}[)\s]*=\s*{_NUMBER}[)\s]*")
_PREFIX = re.compile(rf"[(\s]*\$(sum|difference|product)\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\)\s*=\s*{_NUMBER}[)\s]*")
_DECLARATION = re.compile(r"\b(theorem|lemma|example|corollary|goal|axiom)\b[ \t]*([\w.']*)", re.IGNORECASE)
_END_OF_STATEMENT = re.compile(r":=|\.(?=\s|$)|\bby\b|\bproof\b|\n", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]*)"')
_ECHO = re.compile(r"\becho\s+([\w-]{1,100})")
_GAP = re.compile(r"\b(sorry|admit|admitted|oops)\b", re.IGNORECASE)
_NO_PROOF = re.compile(r"\bfail\b")

_PREFIX_SIGN = {"sum": "+", "difference": "-", "product": "*"}


def holds(statement: str) -> bool | None:
    """Whether a statement is true; ``None`` when it says nothing that a stand-in understands."""
    statement = statement.strip()
    if statement in ("True", "$true"):
        return True
    if statement in ("False", "$false"):
        return False
    found = _INFIX.fullmatch(statement)
    if found:
        left, sign, right, total = found.groups()
    else:
        found = _PREFIX.fullmatch(statement)
        if not found:
            return None
        word, left, right, total = found.groups()
        sign = _PREFIX_SIGN[word]
    first, second = int(left), int(right)
    return {"+": first + second, "-": first - second, "*": first * second}[sign] == int(total)


class Claim:
    """One theorem of a candidate: its name, its statement, and what a checker has to say of it."""

    __slots__ = ("name", "outcome", "statement")

    def __init__(self, name: str, statement: str, outcome: str) -> None:
        self.name = name
        self.statement = statement
        self.outcome = outcome


class Reading:
    """A candidate as a checker sees it.

    Attributes:
        claims: Its theorems, in order.
        axioms: What they rest on without proof.
        echoes: The words that the answer must carry.
        padding: A long word that the answer carries too; empty unless a fault asks for it.
    """

    __slots__ = ("axioms", "claims", "echoes", "padding")

    def __init__(self, claims: list[Claim], axioms: list[str], echoes: list[str]) -> None:
        self.claims = claims
        self.axioms = axioms
        self.echoes = echoes
        self.padding = ""

    @property
    def outcome(self) -> str:
        """The worst of the claims' outcomes; a text without claims is accepted."""
        outcomes = {claim.outcome for claim in self.claims}
        return next((one for one in (FALSE, UNCLEAR, INCOMPLETE) if one in outcomes), ACCEPTED)

    @property
    def words(self) -> list[str]:
        """What the answer must carry, the padding last."""
        return [*self.echoes, self.padding] if self.padding else list(self.echoes)


def read(text: str) -> Reading:
    """Finds theorems, axioms and ``echo`` in a text of any of the languages that stand-ins hear."""
    claims: list[Claim] = []
    axioms: list[str] = []
    declarations = list(_DECLARATION.finditer(text))
    ends = [*(declaration.start() for declaration in declarations[1:]), len(text)]
    for declaration, end in zip(declarations, ends, strict=False):
        word, name = declaration.groups()
        body = text[declaration.end() : end]
        rest = body.partition(":")[2].strip()
        quoted = _QUOTED.match(rest)
        statement = quoted[1] if quoted else _END_OF_STATEMENT.split(rest, maxsplit=1)[0].strip()
        if word.lower() == "axiom":
            axioms.append(name)
        else:
            claims.append(judge(name, statement, body))
    if any(claim.outcome == INCOMPLETE for claim in claims):
        axioms.append("sorryAx")
    if "native_decide" in text:
        axioms.append("Lean.ofReduceBool")
    return Reading(claims, axioms, echoes(text))


def judge(name: str, statement: str, proof: str) -> Claim:
    """Decides one theorem. A proof with ``sorry`` proves nothing; one with ``fail`` does not go through."""
    truth = holds(statement)
    if truth is None or _NO_PROOF.search(proof):
        return Claim(name, statement, UNCLEAR)
    if _GAP.search(proof):
        return Claim(name, statement, INCOMPLETE)
    return Claim(name, statement, ACCEPTED if truth else FALSE)


def echoes(text: str) -> list[str]:
    """The words that a text asks to have repeated."""
    return _ECHO.findall(text)


def complaint(claim: Claim) -> str:
    """What a checker says of a claim that it does not accept."""
    if claim.outcome == FALSE:
        return f"{claim.name}: {claim.statement} is false"
    return f"{claim.name}: no proof of {claim.statement}"
