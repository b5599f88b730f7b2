"""Read a Metamath database as far as a conversion needs it: statements, their hypotheses, and what their proofs cite.

Nothing is verified here (the kernel in ``porism.check`` does that). A compressed proof is read up to the closing
parenthesis of its label list, because that list names every earlier statement which the human proof uses.

Distinct-variable conditions (``$d``) and file inclusion (``$[``) are refused: a statement under ``$d`` has no direct
first-order reading, and dropping the condition silently would make it false.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from porism._errors import ParseError

if TYPE_CHECKING:
    from collections.abc import Iterator

# A heading is a comment that frames its title with one of these two rulers.
_HEADING = re.compile(r"^\s*(?:(?:=-)+=?|(?:#\*)+#?)\s*\n(?P<title>.*?)\n\s*(?:(?:=-)+|(?:#\*)+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Assertion:
    """One ``$a`` or ``$p`` statement.

    Attributes:
        label: Its name, unique in the database.
        line: 1-based line on which its label stands.
        section: The title of the nearest heading above it, or the empty string.
        hypotheses: The ``$e`` statements in scope, in order, each a tuple of symbols that begins with its typecode.
        conclusion: What is asserted, beginning with its typecode.
        cited: Labels of the earlier assertions that the proof uses, in the order of the proof; empty for ``$a``.
        proved: Whether it is a ``$p`` statement.
    """

    label: str
    line: int
    section: str
    hypotheses: tuple[tuple[str, ...], ...]
    conclusion: tuple[str, ...]
    cited: tuple[str, ...]
    proved: bool

    @property
    def typecode(self) -> str:
        """The first symbol: ``|-`` for what is provable, ``term`` or ``wff`` for syntax."""
        return self.conclusion[0]


@dataclass(frozen=True, slots=True)
class Database:
    """All assertions of a Metamath file in order, and every symbol that was declared a variable."""

    assertions: tuple[Assertion, ...]
    variables: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    line: int
    column: int


def read_database(text: str, *, path: str | None = None) -> Database:
    """Read a whole database.

    Args:
        text: The content of the file.
        path: Where it came from, for messages only.

    Raises:
        ParseError: The text is not a Metamath database, or it uses ``$d`` or ``$[``.
    """
    return _Reader(text, path).read()


@dataclass(slots=True)
class _Reader:
    text: str
    path: str | None
    section: str = ""
    constants: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    hypothesis_labels: set[str] = field(default_factory=set)
    assertions: dict[str, Assertion] = field(default_factory=dict)
    # The innermost scope is the last; each holds the `$e` statements that it opened.
    scopes: list[list[tuple[str, ...]]] = field(default_factory=lambda: [[]])

    def read(self) -> Database:
        tokens = self._outside_comments()
        for token in tokens:
            match token.text:
                case "${":
                    self.scopes.append([])
                case "$}":
                    self._close_scope(token)
                case "$c":
                    self.constants.update(word.text for word in self._until(tokens, token, "$."))
                case "$v":
                    self.variables.update(word.text for word in self._until(tokens, token, "$."))
                case "$d" | "$[":
                    self._fail(f"`{token.text}` is not supported by this reader", token, "a statement")
                case word if word.startswith("$"):
                    self._fail(f"`{word}` needs a label before it", token, "a label")
                case _:
                    self._labelled(token, tokens)
        if len(self.scopes) > 1:
            end = _Token("end of file", self.text.count("\n") + 1, 1)
            self._fail("a scope is still open at the end of the file", end, "$}")
        return Database(tuple(self.assertions.values()), frozenset(self.variables))

    def _labelled(self, label: _Token, tokens: Iterator[_Token]) -> None:
        if label.text in self.assertions or label.text in self.hypothesis_labels:
            self._fail(f"the label {label.text} is used twice", label, "a new label")
        keyword = next(tokens, _Token("end of file", label.line, label.column))
        match keyword.text:
            case "$f":
                self._statement(tokens, keyword, "$.")
                self.hypothesis_labels.add(label.text)
            case "$e":
                self.scopes[-1].append(self._statement(tokens, keyword, "$."))
                self.hypothesis_labels.add(label.text)
            case "$a":
                self._assert(label, self._statement(tokens, keyword, "$."), cited=(), proved=False)
            case "$p":
                conclusion = self._statement(tokens, keyword, "$=")
                self._assert(label, conclusion, cited=self._citations(tokens, keyword), proved=True)
            case _:
                self._fail(f"the label {label.text} is not followed by a statement", keyword, "$f, $e, $a or $p")

    def _assert(self, label: _Token, conclusion: tuple[str, ...], *, cited: tuple[str, ...], proved: bool) -> None:
        # Metamath makes every active `$e` a hypothesis, whether or not the conclusion shares a variable with it.
        hypotheses = tuple(hypothesis for scope in self.scopes for hypothesis in scope)
        self.assertions[label.text] = Assertion(
            label.text, label.line, self.section, hypotheses, conclusion, cited, proved
        )

    def _statement(self, tokens: Iterator[_Token], start: _Token, end: str) -> tuple[str, ...]:
        words = self._until(tokens, start, end)
        if not words:
            self._fail("a statement needs a typecode", start, "a constant")
        for word in words:
            if word.text not in self.constants and word.text not in self.variables:
                self._fail(f"the symbol {word.text} was never declared", word, "a declared constant or variable")
        return tuple(word.text for word in words)

    def _citations(self, tokens: Iterator[_Token], start: _Token) -> tuple[str, ...]:
        proof = self._until(tokens, start, "$.")
        if proof and proof[0].text == "(":
            proof = self._label_list(proof)
        cited = dict.fromkeys(word.text for word in proof if self._is_assertion(word))
        return tuple(cited)

    def _label_list(self, proof: list[_Token]) -> list[_Token]:
        end = next((index for index, word in enumerate(proof) if word.text == ")"), None)
        if end is None:
            self._fail("the label list of a compressed proof is not closed", proof[-1], ")")
        return proof[1:end]

    def _is_assertion(self, word: _Token) -> bool:
        if word.text in self.assertions:
            return True
        if word.text not in self.hypothesis_labels:
            message = f"the proof cites {word.text}, which is not stated before it"
            self._fail(message, word, "the label of an earlier statement")
        return False

    def _close_scope(self, token: _Token) -> None:
        if len(self.scopes) == 1:
            self._fail("`$}` closes a scope that was never opened", token, "a statement")
        self.scopes.pop()

    def _until(self, tokens: Iterator[_Token], start: _Token, end: str) -> list[_Token]:
        words = []
        token = next(tokens, None)
        while token is not None and token.text != end:
            words.append(token)
            token = next(tokens, None)
        if token is None:
            self._fail(f"`{start.text}` has no end", start, end)
        return words

    def _outside_comments(self) -> Iterator[_Token]:
        comment: _Token | None = None
        comment_start = 0
        for token, offset in self._tokens():
            if comment is None and token.text == "$(":
                comment, comment_start = token, offset + len("$(")
            elif comment is None:
                yield token
            elif token.text == "$)":
                self._note_heading(self.text[comment_start:offset])
                comment = None
        if comment is not None:
            self._fail("a comment has no end", comment, "$)")

    def _tokens(self) -> Iterator[tuple[_Token, int]]:
        line_start = 0
        for number, line in enumerate(self.text.splitlines(keepends=True), start=1):
            for match in re.finditer(r"\S+", line):
                yield _Token(match[0], number, match.start() + 1), line_start + match.start()
            line_start += len(line)

    def _note_heading(self, comment: str) -> None:
        heading = _HEADING.match(comment)
        if heading:
            self.section = " ".join(heading["title"].split())

    def _fail(self, message: str, token: _Token, expected: str) -> NoReturn:
        place = f"{self.path or 'Metamath text'}, line {token.line}"
        raise ParseError(
            f"{place}: {message}",
            path=self.path,
            line=token.line,
            column=token.column,
            expected=expected,
            found=token.text,
        )
