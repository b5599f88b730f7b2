"""The features of TPTP formulas once more, in plain Python: what the ranking of the engine is compared with.

A small parser of its own, so that the comparison is one of two programs and not of a program with itself. It reads the
first-order formulas of the two libraries that are timed, no more.
"""

from __future__ import annotations

import re
from collections import Counter

_TOKEN = re.compile(
    r"""
    %[^\n]* | \s+                                    # nothing
    | (?P<quoted>'(?:[^'\\]|\\.)*')
    | (?P<word>\$?\w+)
    | (?P<mark><=>|<~>|=>|<=|!=|~\||~&|[()\[\],:.=!?&|~])
    """,
    re.VERBOSE,
)
_VARIABLE = "*"

Feature = tuple[str, ...]


def read_features(text: str) -> list[Counter[Feature]]:
    """The counts of every formula of a library, in order."""
    tokens = [match[0] for match in _TOKEN.finditer(text) if match.lastgroup]
    reader = _Reader(tokens)
    found = []
    while not reader.at_end:
        found.append(reader.annotated())
    return found


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._counts: Counter[Feature] = Counter()

    @property
    def at_end(self) -> bool:
        return self._at == len(self._tokens)

    def annotated(self) -> Counter[Feature]:
        """``fof(name, role, formula, ...).``"""
        self._counts = Counter()
        self._at += len(["fof", "(", "name", ",", "role", ","])
        depth = 1
        # Connectives give no feature, so the shape of the formula above its atoms does not matter.
        while depth:
            token = self._next()
            if token == "[":
                self._skip_to("]")
            elif token in "()":
                depth += 1 if token == "(" else -1
            elif token == "," and depth == 1:
                depth = self._skip_annotations()
            elif token[0] == "'" or token[0].isalnum() or token[0] == "_":
                self._atom(token)
        assert self._next() == "."
        return self._counts

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip_to(self, wanted: str) -> None:
        while self._next() != wanted:
            pass

    def _skip_annotations(self) -> int:
        depth = 1
        while depth:
            token = self._next()
            depth += (token == "(") - (token == ")")
        return depth

    def _atom(self, first: str) -> None:
        tree = self._term(first)
        if self._tokens[self._at] in ("=", "!="):
            self._at += 1
            tree = ("=", [tree, self._term(self._next())])
        self._count(tree, ())

    def _term(self, first: str) -> tuple[str, list]:
        if first[0].isupper():
            return _VARIABLE, []
        arguments = []
        if self._tokens[self._at] == "(":
            while self._next() != ")":
                arguments.append(self._term(self._next()))
        return first.strip("'"), arguments

    def _count(self, tree: tuple[str, list], above: Feature) -> None:
        """Counts the walks that end at the root of ``tree``: alone unless a variable, from parent, grandparent."""
        symbol, arguments = tree
        if symbol != _VARIABLE:
            self._counts[symbol,] += 1
        for length in range(1, len(above) + 1):
            self._counts[(*above[-length:], symbol)] += 1
        for argument in arguments:
            self._count(argument, (*above[-1:], symbol))
