"""Lean source on its way to Lean: a candidate that can only be one term, between lines of ours that say where we are.

Whoever can add commands can redefine what is asked afterwards. So a proof of a pinned statement is read before Lean
reads it: it has to be one term, which ends where we end it, and it holds none of the words that run code, read files or
switch checks off. What is read here in another way than by Lean would be a way out: what could be, is refused.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from porism._errors import InputError

if TYPE_CHECKING:
    from porism.provers._driver import Job

# Reading takes about a second for so many characters.
_LONGEST: Final = 1_000_000

_PART: Final = r"[^\W\d][\w'!?]*"
_NAME: Final = re.compile(rf"{_PART}(?:\.{_PART})*")
_DEFAULT_NAME: Final = "porism_goal"

_TOKEN: Final = re.compile(
    rf"""(?P<blank>\s+)
    |(?P<remark>--[^\n]*)
    |(?P<open_remark>/-)
    |(?P<string>"(?:[^"\\{{]|\\.)*")
    |(?P<quoted>«[^»\n"'`()\[\]{{}}⟨⟩/-]*»)
    |(?P<word>{_PART})
    |(?P<number>\d[\w.]*)
    |(?P<open>[(\[{{⟨])
    |(?P<close>[)\]}}⟩])
    |(?P<unread>["«])
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_CLOSES: Final = {"(": ")", "[": "]", "{": "}", "⟨": "⟩"}

# A character in quotes that would close, open or quote something if it were read as anything else.
_AMBIGUOUS: Final = re.compile(r"""'(?:\\|["()\[\]{}⟨⟩«»]')""")

# Words that run code, read files, leave the kernel out, or begin commands; ``unsafe...`` too. What comes of a name such
# as ``Lean.ofReduceBool`` is an axiom, which the audit shows.
_FORBIDDEN: Final = frozenset(
    {
        *("axiom", "opaque", "partial", "attribute", "native_decide", "implemented_by"),
        *("syntax", "declare_syntax_cat", "notation", "macro", "macro_rules", "elab", "elab_rules"),
        *("initialize", "builtin_initialize", "by_elab", "include_str", "include_bytes"),
        *("run_cmd", "run_conv", "run_elab", "run_meta", "run_tac"),
    }
)
_HARMLESS_OPTION: Final = re.compile(
    r"set_option\s+(?:maxHeartbeats|maxRecDepth|synthInstance\.maxHeartbeats|synthInstance\.maxSize|linter\.[\w.]+)"
    r"\s+(?:\d+|true|false)\s+in\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What Lean gets after the header. Lines are counted from 1, as those of the body.

    Attributes:
        body: All of it.
        nonce: A word that only this request knows.
        name: The theorem.
        pinned: Whether the statement is ours and the candidate nothing but its proof.
        first: The first line of the candidate.
        last: Its last line.
        statement: The lines of the statement.
        asked: The line that compares the statement with that of the candidate's theorem; 0 if there is none.
        audit: The line that asks for the axioms.
    """

    body: str
    nonce: str
    name: str
    pinned: bool
    first: int
    last: int
    statement: range
    asked: int
    audit: int

    @property
    def begin(self) -> str:
        """What Lean says when it begins with this."""
        return f"{self.nonce} begin"

    @property
    def end(self) -> str:
        """What Lean says when it has come to the end of it."""
        return f"{self.nonce} end"


def pinned(job: Job, statement: str) -> Text:
    """The theorem in our words, with the candidate as its proof.

    Raises:
        InputError: The statement or the name cannot be used.
        UnfitError: The candidate is refused.
    """
    candidate = proof_of(job.candidate)
    try:
        check_term(statement)
    except UnfitError as error:
        raise InputError(f"statement={statement!r}: {error}") from None
    lines = _Lines(job)
    # What Lean says of the whole theorem it says of its name: that is no word about the statement.
    first = lines.add("set_option autoImplicit false", f"theorem {lines.name}", f": ({_closed(statement)}) :=")
    said = range(first, lines.count + 1)
    lines.add("(")
    start = lines.add(candidate)
    last = lines.count
    lines.add(")")
    return lines.text(pinned=True, first=start, last=last, statement=said)


def whole(job: Job) -> Text:
    """The candidate as it is; if there is a statement, its theorem is compared with it.

    Raises:
        InputError: The statement or the name cannot be used.
    """
    lines = _Lines(job)
    said = range(0)
    goal = f"{lines.nonce.replace('-', '_')}_goal"
    if job.statement is not None:
        try:
            check_term(job.statement)
        except UnfitError as error:
            raise InputError(f"statement={job.statement!r}: {error}") from None
        # Before the candidate, which may change what words mean.
        abbreviation = (f"abbrev {goal} : Prop :=", f"({_closed(job.statement)})")
        first = lines.add("set_option autoImplicit false in", *abbreviation)
        said = range(first, lines.count + 1)
    start = lines.add(job.candidate)
    last = lines.count
    asked = 0 if job.statement is None else lines.add(f"example : {goal} := @{lines.name}")
    return lines.text(pinned=False, first=start, last=last, statement=said, asked=asked)


def imported(job: Job, text: Text, statement: str) -> Text:
    """Asks a process that has imported the proof, compiled, whether it proves the statement."""
    lines = _Lines(job)
    first = lines.add("set_option autoImplicit false", "example", f": ({_closed(statement)}) :=")
    said = range(first, lines.count + 1)
    asked = lines.add(f"@{text.name}")
    return lines.text(pinned=True, first=0, last=0, statement=said, asked=asked)


def _closed(statement: str) -> str:
    """A statement after which a parenthesis is no part of a remark."""
    return f"{statement}\n" if "--" in statement else statement


class _Lines:
    """A body that grows."""

    def __init__(self, job: Job) -> None:
        self.name = job.name or _DEFAULT_NAME
        if _NAME.fullmatch(self.name) is None:
            raise InputError(f"name={self.name!r} is no name of Lean")
        self.nonce = f"porism-{secrets.token_hex(8)}"
        self.count = 0
        self._pieces: list[str] = []
        self.add(f'#print "{self.nonce} begin"')
        for option, name in (("max_heartbeats", "maxHeartbeats"), ("max_rec_depth", "maxRecDepth")):
            if option in job.options:
                self.add(f"set_option {name} {int(job.options[option])}")

    def add(self, *pieces: str) -> int:
        """Adds pieces, each on lines of its own; the first line of the last of them."""
        first = 0
        for piece in pieces:
            first = self.count + 1
            self.count += piece.count("\n") + 1
            self._pieces.append(piece)
        return first

    def text(self, *, pinned: bool, first: int, last: int, statement: range, asked: int = 0) -> Text:
        """All of it, with our questions at its end."""
        audit = self.add(f"#print axioms {self.name}")
        self.add(f'#print "{self.nonce} end"')
        body = "\n".join([*self._pieces, ""])
        if not body.isascii() and any("\ud800" <= character <= "\udfff" for character in body):
            raise InputError("the text holds half of a character, which cannot be written as UTF-8")
        return Text(
            body=body,
            nonce=self.nonce,
            name=self.name,
            pinned=pinned,
            first=first,
            last=last,
            statement=statement,
            asked=asked,
            audit=audit,
        )


class UnfitError(Exception):
    """A candidate is refused unread."""


def proof_of(candidate: str) -> str:
    """A proof without the sign before it.

    Raises:
        UnfitError: It is not one term, or a term that does more than prove.
    """
    proof = candidate.strip()
    if proof.startswith(":="):
        # As many characters as before, so that columns stay.
        proof = f"  {proof[2:]}"
    if not proof.strip():
        raise UnfitError("there is no proof")
    check_term(proof)
    return proof


def check_term(text: str) -> None:
    """Refuses what is not one term, or one that does more than say or prove something.

    Raises:
        UnfitError: It is.
    """
    if len(text) > _LONGEST:
        raise UnfitError(f"a proof has at most {_LONGEST:,} characters, and this has {len(text):,}")
    if found := _AMBIGUOUS.search(text):
        raise UnfitError(f"{_place(text, found.start())}: the character after a quote mark could be read in two ways")
    if (at := text.find("@[")) >= 0:
        raise UnfitError(f"{_place(text, at)}: attributes are not accepted in a proof")
    expected: list[str] = []
    at = 0
    while match := _TOKEN.match(text, at):
        at = match.end()
        match match.lastgroup:
            case "remark" | "open_remark":
                at = _after_remark(text, match)
            case "word" | "quoted":
                _check_word(text, match)
            case "open":
                expected.append(_CLOSES[match[0]])
            case "close":
                if not expected or expected.pop() != match[0]:
                    raise UnfitError(f"{_place(text, match.start())}: {match[0]} closes nothing")
            case "unread":
                raise UnfitError(f"{_place(text, match.start())}: {match[0]} is not closed, or holds a brace or sign")
            case _:
                pass
    if expected:
        raise UnfitError(f"there is no {expected[-1]} at the end")


def _after_remark(text: str, match: re.Match[str]) -> int:
    """Where a remark ends. Lean reads a longer sign first, so one that clings to anything may be none."""
    start = match.start()
    if start and text[start - 1] not in " \n":
        raise UnfitError(f"{_place(text, start)}: put a space before the remark")
    if match.lastgroup == "remark":
        return match.end()
    end = text.find("-/", match.end())
    if end < 0 or text.startswith(("/--", "/-!"), start) or "/-" in text[match.end() : end]:
        raise UnfitError(f"{_place(text, start)}: the remark is not closed, holds another, or is a doc comment")
    return end + len("-/")


def _check_word(text: str, match: re.Match[str]) -> None:
    word = match[0].strip("«»")
    if word in _FORBIDDEN or word.startswith("unsafe"):
        raise UnfitError(f"{_place(text, match.start())}: {word!r} is not accepted in a proof")
    if word == "r" and text[match.end() : match.end() + 1] in {'"', "#"}:
        raise UnfitError(f"{_place(text, match.start())}: raw strings are not accepted in a proof")
    if word == "set_option" and _HARMLESS_OPTION.match(text, match.start()) is None:
        raise UnfitError(f"{_place(text, match.start())}: only limits may be set in a proof")


def _place(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}"
