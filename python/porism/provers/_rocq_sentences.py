"""Rocq scripts, cut into sentences, and what a sentence may do.

``Add`` of coqidetop reads the first sentence of what it is given and drops the rest without a word, so where a sentence
ends has to be known before. The rules are those of Rocq's own lexer: a period ends a sentence when a blank or the end
follows; bullets and braces are sentences where one may begin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from porism._errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN: Final = re.compile(
    r"""(?P<blank>[ \t\r\n]+)
      | (?P<comment>\(\*)
      | "(?:[^"]|"")*+"
      | (?P<open_end>")
      | (?P<end>\.(?:\.\.)?(?=[ \t\r\n]|\Z))
      | \.\.\.?
      | (?P<bullet>-+|\++|\*+)
      | (?P<brace>[{}])
      | [^\W\d][\w']*(?:\.[^\W\d][\w']*)*
      | \d+
      | .""",
    re.VERBOSE | re.DOTALL,
)
_IN_COMMENT: Final = re.compile(r'\(\*|\*\)|"(?:[^"]|"")*+"|"')
_UNREADABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

#: How many tokens at the head of a sentence are looked at.
_HEAD: Final = 32


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a script.

    Attributes:
        text: All of it, without the blanks and comments around it.
        start: Where it begins in the script, in characters; negative if it is ours.
        head: Its first tokens, without blanks and comments.
    """

    text: str
    start: int = -1
    head: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The first token."""
        return self.head[0] if self.head else ""


def sentence(text: str) -> Sentence:
    """The sentence that a text of ours is."""
    (only,) = sentences(text)
    return replace(only, start=-1)


def sentences(script: str) -> list[Sentence]:
    """The sentences of a script.

    Raises:
        InputError: A comment or a string is not closed, the last sentence has no end, or a character cannot be read.
    """
    found: list[Sentence] = []
    head: list[str] = []
    start = end = 0
    for kind, start_of_token, end_of_token in _tokens(script):
        token = script[start_of_token:end_of_token]
        if not head:
            start = start_of_token
        end = end_of_token
        fresh = not head
        if len(head) < _HEAD:
            head.append(token)
        if kind == "end" or (fresh and kind in {"bullet", "brace"}) or (token == "{" and _focuses(head)):
            found.append(Sentence(script[start:end], start, tuple(head)))
            head = []
    if head:
        line, column = place(script, start)
        raise InputError(
            f"line {line}, column {column}: no period ends the last sentence, {script[start : start + 60]!r}"
        )
    return found


def place(script: str, at: int) -> tuple[int, int]:
    """The line and the column of a character, both counted from 1."""
    return script.count("\n", 0, at) + 1, at - script.rfind("\n", 0, at)


def _tokens(script: str) -> Iterator[tuple[str | None, int, int]]:
    """Kind, start and end of each token; blanks and comments are left out."""
    if unreadable := _UNREADABLE.search(script):
        line, column = place(script, unreadable.start())
        raise InputError(f"line {line}, column {column}: Rocq cannot read the character {unreadable[0]!r}")
    at = 0
    while at < len(script):
        match = _TOKEN.match(script, at)
        assert match is not None  # the last of the rules takes any character
        kind, start, at = match.lastgroup, at, match.end()
        if kind == "open_end":
            line, column = place(script, start)
            raise InputError(f"line {line}, column {column}: a string is not closed")
        if kind == "comment":
            at = _comment_end(script, start)
        elif kind != "blank":
            yield kind, start, at


def _comment_end(script: str, start: int) -> int:
    depth = 0
    for match in _IN_COMMENT.finditer(script, start):
        if match[0] == '"':
            break
        depth += {"(*": 1, "*)": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    line, column = place(script, start)
    raise InputError(f"line {line}, column {column}: a comment is not closed")


def _focuses(head: list[str]) -> bool:
    """Whether the tokens choose a goal for the brace that ends them: ``1: {`` and ``[goal]: {``."""
    match head:
        case [number, ":", "{"]:
            return number.isdigit()
        case ["[", _, "]", ":", "{"]:
            return True
    return False


def statement(text: str) -> str:
    """The text, if it can stand for one type and nothing more.

    Raises:
        InputError: It is empty, ends a sentence, or closes what it has not opened.
    """
    depth = tokens = 0
    for kind, start, end in _tokens(text):
        tokens += 1
        if kind == "end":
            raise InputError(f"the statement ends a sentence at {text[start : start + 20]!r}")
        depth += {"(": 1, ")": -1}.get(text[start:end], 0)
        if depth < 0:
            break
    if depth:
        raise InputError("the parentheses of the statement do not match")
    if not tokens:
        raise InputError("the statement is empty")
    return text


#: What a proof may say besides tactics: its frame, and what only shows something.
_OF_PROOFS: Final = frozenset(
    {"Proof", "Qed", "Defined", "Unshelve", "Optimize", "Show", "Guarded", "Focus", "Unfocus"}
)
_SELECTS: Final = frozenset({"all", "par", "!", ",", "-", "[", "]"})


def unfit_in_proof(sentence: Sentence) -> str | None:
    """Why a sentence may not stand in a proof of a statement that is pinned; ``None`` if it may.

    Commands of Rocq begin with a capital letter, tactics with a small one or a bracket; a name with a module before it
    is a tactic. Few commands belong into a proof: others declare axioms, switch checks off, redefine what words mean,
    or write files.
    """
    head = _after_selector(sentence.head)
    word = head[0] if head else ""
    first = word[:1]
    if word in _OF_PROOFS:
        return "Proof Mode is not allowed in a proof" if head[:2] == ("Proof", "Mode") else None
    if first.islower() or first == "_" or "." in word.strip(".") or first in set("([{}-+*"):
        return None
    if first.isalpha() and not first.isupper():  # a script without capitals
        return None
    return f"{word or sentence.text[:60]!r} is not allowed in a proof of a pinned statement"


def _after_selector(head: tuple[str, ...]) -> tuple[str, ...]:
    """What follows ``1:``, ``1-3, 5:``, ``all:`` or ``[goal]:``."""
    if ":" not in head:
        return head
    before = head[: head.index(":")]
    named = len(before) == 3 and before[0] == "[" and before[2] == "]"
    if named or (before and all(token.isdigit() or token in _SELECTS for token in before)):
        return head[len(before) + 1 :]
    return head


#: Commands that read or write files, load code, or leave the session.
_REACHES_OUT: Final = frozenset({
    *("Redirect", "Load", "Cd", "Pwd", "Drop", "Quit", "LoadPath", "ML", "Extraction", "Extract"),
    *("BackTo", "Back", "Reset", "Restart", "Undo", "Backtrack"),
})  # fmt: skip
#: Commands with which a text can assume something, or have less checked, and Rocq reports no axiom.
ASSUMES_QUIETLY: Final = frozenset(
    {"Declare", "Include", "Module", "Set", "Unset", "#", "Section", "Context", "Local", "Global"}
)
#: The word that tells stands among the first three of these: "Declare ML Module", "Add Rec LoadPath".
_SEVERAL_WORDS: Final = frozenset(["Declare", "Add", "Remove", "Recursive", "Separate"])
#: What may stand before a command.
_BEFORE_COMMANDS: Final = frozenset({
    *("Local", "Global", "Polymorphic", "Monomorphic", "Cumulative", "NonCumulative", "Program", "Private"),
    *("Time", "Fail", "Succeed", "Instructions"),
})  # fmt: skip


def unfit_in_text(sentence: Sentence) -> str | None:
    """Why a sentence may not stand in a text that nothing is pinned of; ``None`` if it may.

    This keeps honest texts from side effects; what keeps dishonest ones from them is the sandbox.
    """
    head = list(sentence.head)
    while head:
        if head[0] == "#":
            head = head[head.index("]") + 1 :] if "]" in head else []
        elif head[0] in _BEFORE_COMMANDS:
            head = head[1:]
        elif head[0] == "Timeout":
            head = head[2:]
        else:
            break
    if not head:
        return f"too much stands before the command of {sentence.text[:60]!r}"
    for word in head[:3] if head[0] in _SEVERAL_WORDS else head[:1]:
        if word in _REACHES_OUT:
            return f"{word} is not allowed in a candidate"
    return None
