"""Lists of axioms, as Rocq prints them, and terms that rest on what several theorems rest on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from porism._errors import ProverProtocolError

if TYPE_CHECKING:
    from collections.abc import Sequence

_CLOSED: Final = "Closed under the global context"
_HEADINGS: Final = frozenset(
    {"Axioms:", "Theory:", "Section Variables:", "Transparent constants:", "Opaque constants:"}
)

# "name : type"; or "name is assumed to be guarded.", "name relies on ...". What goes on is indented.
_ENTRY: Final = re.compile(r"^(?P<name>[^\W\d][\w'.]*)(?P<how>\s+(?!:)\S.*)?", re.MULTILINE)


def tuple_of(names: Sequence[str]) -> str:
    """A term that rests on what any of these rests on."""
    term = f"@{names[-1]}"
    for name in reversed(names[:-1]):
        term = f"@pair _ _ (@{name}) ({term})"
    return term


def axioms_in(printed: str) -> tuple[str, ...]:
    """The names of what ``Print Assumptions`` lists; what is not an axiom is followed by what it is instead.

    Raises:
        ProverProtocolError: It printed neither a list nor that there is nothing to list.
    """
    if printed.strip() == _CLOSED:
        return ()
    lines = [line for line in printed.splitlines() if line.strip() not in _HEADINGS]
    entries = list(_ENTRY.finditer("\n".join(lines)))
    names = [match["name"] + ("" if match["how"] is None else f" {match['how'].strip()}") for match in entries]
    if not names:
        raise ProverProtocolError(f"Rocq printed no assumptions: {printed[:200]!r}")
    return tuple(dict.fromkeys(names))
