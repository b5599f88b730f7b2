"""SMT-LIB text on its way to a solver: whole, asking once, and unable to speak in the solver's name."""

from __future__ import annotations

import re
from typing import Final

from porism._errors import InputError

_ALLOWED: Final = frozenset(
    {
        "assert",
        "check-sat",
        "declare-const",
        "declare-datatype",
        "declare-datatypes",
        "declare-fun",
        "declare-sort",
        "define-const",
        "define-fun",
        "define-fun-rec",
        "define-funs-rec",
        "define-sort",
        "set-info",
        "set-logic",
    }
)

_TOKEN: Final = re.compile(r'\s+|;[^\n]*|"(?:[^"]|"")*"|\|[^|]*\||[()]|[^\s()";|]+|(?P<open_end>.)', re.DOTALL)


def checked(text: str) -> str:
    """The text, if it is a problem and nothing else.

    A missing parenthesis makes a solver wait for ever. Commands that print or redirect could forge the answer. And of
    several questions it would be unclear which one was answered.

    Raises:
        InputError: It is not.
    """
    commands = _allowed_commands(text, _ALLOWED)
    if commands.count("check-sat") != 1 or commands[-1] != "check-sat":
        raise InputError("an SMT-LIB problem asks (check-sat) once, at its end")
    return text


def checked_header(text: str) -> str:
    """The text, if it declares, defines and asserts, and asks nothing.

    Raises:
        InputError: It does something else.
    """
    _allowed_commands(text, _ALLOWED - {"check-sat"})
    return text


def _allowed_commands(text: str, allowed: frozenset[str]) -> list[str]:
    commands = _commands(text)
    for command in commands:
        if command not in allowed:
            accepted = ", ".join(sorted(allowed))
            raise InputError(f"SMT-LIB command {command!r} is not accepted here; accepted are {accepted}")
    return commands


def _commands(text: str) -> list[str]:
    """The names of the commands, in order."""
    names: list[str] = []
    depth = 0
    name_is_next = False
    for match in _TOKEN.finditer(text):
        token = match[0]
        if match["open_end"] is not None:
            raise InputError(f"line {_line(text, match)}: {token} is not closed")
        if token[0] in " \t\r\n\f\v;":
            continue
        if name_is_next or (depth == 0 and token != "("):
            if not name_is_next or token in "()":
                raise InputError(f"line {_line(text, match)}: expected a command, found {token!r}")
            names.append(token)
        name_is_next = depth == 0
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0:
            name_is_next = False
    if depth:
        raise InputError(f"{depth} parentheses are not closed at the end of the SMT-LIB text")
    return names


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start()) + 1
