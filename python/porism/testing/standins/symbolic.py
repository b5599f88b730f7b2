"""S-expressions that arrive in pieces, and the little arithmetic that a stand-in for an SMT solver can do."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

DEEPEST = 500


class Atom(str):
    """A symbol, a number, a keyword without its colon, or the text of a string."""

    __slots__ = ()


class Expressions:
    """Cuts a stream of characters into expressions; a ``;`` comment reaches to the end of its line.

    A string ends at a quote, but not at a doubled one (SMT-LIB), or one after a backslash (OCaml, with ``backslash``).
    """

    def __init__(self, backslash: bool = False) -> None:
        self._backslash = backslash
        self._text = ""

    def feed(self, more: str) -> Iterator[tuple[Any, str]]:
        """Yields each expression that is complete, with the text up to its end."""
        self._text += more
        while (found := self._first()) is not None:
            expression, end = found
            text, self._text = self._text[:end], self._text[end:]
            yield expression, text

    def _first(self) -> tuple[Any, int] | None:
        stack: list[list[Any]] = []
        text, at = self._text, 0
        while at < len(text):
            one = text[at]
            if one.isspace():
                at += 1
                continue
            if one == ";":
                at = text.find("\n", at)
                if at < 0:
                    return None
                continue
            value: Any = None
            if one == "(":
                if len(stack) > DEEPEST:
                    raise SystemExit("an expression is too deep")
                stack.append([])
                at += 1
                continue
            if one == ")":
                value, at = (stack.pop() if stack else []), at + 1
            else:
                end = self._string(at) if one == '"' else _word(text, at)
                if end is None:
                    return None
                value, at = (
                    Atom(self._unquote(text[at:end]) if one == '"' else text[at:end].strip("|").lstrip(":")),
                    end,
                )
            if not stack:
                return value, at
            stack[-1].append(value)
        return None

    def _string(self, start: int) -> int | None:
        at = start + 1
        while (end := self._text.find('"', at)) >= 0:
            if self._backslash and (end - len(self._text[:end].rstrip("\\"))) % 2:
                at = end + 1
            elif not self._backslash and self._text[end + 1 : end + 2] == '"':
                at = end + 2
            else:
                return end + 1
        return None

    def _unquote(self, text: str) -> str:
        if not self._backslash:
            return text[1:-1].replace('""', '"')
        return text[1:-1].replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")


def _word(text: str, at: int) -> int | None:
    if text[at] == "|":
        end = text.find("|", at + 1)
        return end + 1 if end >= 0 else None
    while at < len(text) and not text[at].isspace() and text[at] not in '();"':
        at += 1
    # A word that reaches the end of what has come may go on.
    return at if at < len(text) else None


def evaluate(expression: Any) -> Any:
    """The number or the truth that a term without variables stands for; ``None`` when it cannot be told."""
    if isinstance(expression, Atom):
        if expression in ("true", "false"):
            return expression == "true"
        return int(expression) if expression.isdecimal() and len(expression) < 16 else None
    if not isinstance(expression, list) or len(expression) < 2:
        return None
    values = [evaluate(one) for one in expression[1:]]
    if None in values:
        return None
    first = values[0]
    if expression[0] == "not":
        return not first
    if expression[0] == "=":
        return all(one == first for one in values)
    if expression[0] == "distinct":
        return len(set(values)) == len(values)
    if expression[0] == "+":
        return sum(values)
    if expression[0] == "*":
        product = 1
        for value in values:
            product = product * value if abs(product) < 1 << 200 else 0
        return product
    if expression[0] == "-":
        return first - sum(values[1:]) if len(values) > 1 else -first
    return None
