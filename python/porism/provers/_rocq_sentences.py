"""Rocq scripts, cut into sentences, and what a sentence may do.

``Add`` of coqidetop reads the first sentence of what it is given and drops the rest without a word, so where a sentence
ends has to be known before.
"""

from __future__ import annotations

import re
from typing import Final

from porism._errors import InputError

_TOKEN: Final = re.compile(
    r"""(?P<blank>\s+)
      | (?P<comment>\(\*)
      | "(?:[^"]|"")*"
      | (?P<end>\.(?:\.\.)?(?=\s|\Z))
      | \.\.\.?
      | (?P<bullet>-+|\++|\*+)
      | (?P<brace>[{}])
      | (?P<word>[^\W\d][\w']*(?:\.[^\W\d][\w']*)*)
      | (?P<open_end>")
      | .""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT: Final = re.compile(r'\(\*|\*\)|"(?:[^"]|"")*"')
# "1:" and "[goal]:" choose the goal that a brace focuses on.
_SELECTOR: Final = re.compile(r"\s*(?:\d+|\[\s*[\w']+\s*\]|all|!|par)\s*:\s*")


def sentences(script: str) -> list[str]:
    """The sentences of a script, without blanks and comments before and after them.

    Raises:
        InputError: A comment or a string is not closed, or the last sentence has no end.
    """
    found: list[str] = []
    at = start = 0
    words = False
    while at < len(script):
        match = _TOKEN.match(script, at)
        if match is None:  # a string that is not closed does not match its own rule
            raise InputError(f"line {script.count(chr(10), 0, at) + 1}: a token is not closed")
        at = match.end()
        if match["comment"]:
            at = _comment_end(script, match.start())
            start = start if words else at
        elif match["open_end"]:
            raise InputError(f'line {script.count(chr(10), 0, match.start()) + 1}: a string is not closed with "')
        elif match["blank"]:
            start = start if words else at
        elif match["end"] or (not words and match["bullet"]) or (match["brace"] and _stands_alone(script, start, at)):
            found.append(script[start:at])
            start, words = at, False
        else:
            words = True
    if words:
        raise InputError(f"the last sentence does not end with a period: {script[start:].strip()[:60]!r}")
    return found


def _stands_alone(script: str, start: int, at: int) -> bool:
    """Whether a brace is a sentence: it opens or closes a goal, and is not within a term."""
    before = script[start : at - 1]
    return not before.strip() or (script[at - 1] == "{" and _SELECTOR.fullmatch(before) is not None)


def _comment_end(script: str, start: int) -> int:
    depth = 0
    for match in _COMMENT.finditer(script, start):
        depth += {"(*": 1, "*)": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    raise InputError(f"line {script.count(chr(10), 0, start) + 1}: a comment is not closed with *)")


def statement(text: str) -> str:
    """The text, if it can stand for one type and nothing more.

    Raises:
        InputError: It ends a sentence, or closes more than it opens.
    """
    depth = 0
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match["open_end"]:
            raise InputError(f"the statement is not closed: {text[at : at + 60]!r}")
        at = match.end()
        if match["comment"]:
            at = _comment_end(text, match.start())
        elif match["end"]:
            raise InputError(f"the statement ends a sentence at {text[match.start() : match.start() + 20]!r}")
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth < 0:
            break
    if depth:
        raise InputError("the parentheses of the statement do not match")
    if not text.strip():
        raise InputError("the statement is empty")
    return text


#: What a proof may say besides tactics, which begin with a small letter.
_OF_PROOFS: Final = frozenset({"Proof", "Qed", "Defined", "Unshelve", "Optimize"})

_FIRST_WORD: Final = re.compile(r"(?:\(\*.*?\*\)|\s)*([^\W\d][\w']*)", re.DOTALL)


def unfit_in_proof(sentence: str) -> str | None:
    """Why a sentence may not stand in a proof of a statement that is pinned; ``None`` if it may.

    Commands of Rocq begin with a capital letter, tactics with a small one. Few commands belong into a proof; others
    declare axioms, switch checks off, redefine what words mean, or write files.
    """
    stripped = _SELECTOR.sub("", sentence, count=1).lstrip() if _SELECTOR.match(sentence) else sentence.lstrip()
    if stripped[:1] in {"#", "`"}:
        return f"attributes are not allowed in a proof: {sentence[:60]!r}"
    match = _FIRST_WORD.match(stripped)
    if match is None or not match[1][0].isupper() or match[1] in _OF_PROOFS:
        return None
    return f"{match[1]} is not allowed in a proof of a pinned statement"


#: Commands that read or write files, load code, or leave the session.
_REACHES_OUT: Final = re.compile(
    r"\b(?:Redirect|Load|Cd|Pwd|Drop|Quit|Declare\s+ML\s+Module|Add\s+(?:Rec\s+)?(?:LoadPath|ML\s+Path)|Remove\s+LoadPath"
    r"|(?:Recursive\s+|Separate\s+)?Extraction|Extract\s+\w+|Require|From|Import|Export|Fail|Time|Timeout|BackTo|Back|Reset"
    r"|Restart|Undo|Abort\s+All|Compute\s+native)\b"
)


def unfit_in_text(sentence: str) -> str | None:
    """Why a sentence may not stand in a text that nothing is pinned of; ``None`` if it may."""
    match = _FIRST_WORD.match(sentence)
    if match is None or not match[1][0].isupper():
        return None
    found = _REACHES_OUT.match(sentence, match.start(1))
    return None if found is None else f"{found[0]} is not allowed in a candidate"
