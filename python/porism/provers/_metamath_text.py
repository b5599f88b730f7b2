"""Metamath source as far as a driver has to understand it: its tokens, its labels, what stays open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from porism._errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

LABEL: Final = re.compile(r"[A-Za-z0-9._-]{1,200}")
_PRINTABLE: Final = re.compile(r"[!-~\s]*")
_KEYWORDS_WITH_LABEL: Final = frozenset({"$a", "$p", "$e", "$f"})


@dataclass(frozen=True, slots=True)
class Source:
    """What stands in a piece of source.

    Attributes:
        axioms: The labels of its ``$a`` statements, in order.
        theorems: The labels of its ``$p`` statements, in order.
        open_scopes: How many ``${`` are not closed.
    """

    axioms: tuple[str, ...]
    theorems: tuple[str, ...]
    open_scopes: int


def read(text: str) -> Source:
    """Reads a piece of source.

    Raises:
        InputError: It has other characters than Metamath's, or a comment or a scope that is not right.
    """
    labels: dict[str, list[str]] = {"$a": [], "$p": [], "$e": [], "$f": []}
    scopes = 0
    found = tokens(text)
    for at, token in enumerate(found):
        if token in _KEYWORDS_WITH_LABEL:
            label = found[at - 1] if at else ""
            if LABEL.fullmatch(label) is None:
                raise InputError(f"{label!r} before {token} is no label of Metamath")
            labels[token].append(label)
        elif token in {"${", "$}"}:
            scopes += 1 if token == "${" else -1
            if scopes < 0:
                raise InputError("a scope is closed that was not opened")
    return Source(tuple(labels["$a"]), tuple(labels["$p"]), scopes)


def tokens(text: str) -> Sequence[str]:
    """The tokens outside comments.

    Raises:
        InputError: It has other characters than Metamath's, or a comment that is not right.
    """
    if _PRINTABLE.fullmatch(text) is None or not text.isascii():
        raise InputError("Metamath is written in printable ASCII")
    found: list[str] = []
    in_comment = False
    for token in text.split():
        if token == "$(":
            if in_comment:
                raise InputError("a comment stands in a comment")
            in_comment = True
        elif token == "$)":
            if not in_comment:
                raise InputError("a comment is closed that was not opened")
            in_comment = False
        elif not in_comment:
            found.append(token)
    if in_comment:
        raise InputError("a comment is not closed")
    return found


def plain(text: str, what: str) -> str:
    """A statement or a proof: tokens without any keyword, so that it cannot end and go on as something else.

    Raises:
        InputError: It has a keyword.
    """
    found = tokens(text)
    if keyword := next((token for token in found if "$" in token), None):
        raise InputError(f"{what} has no {keyword!r}")
    return " ".join(found)
