"""What provers that read TPTP print: the SZS words, and derivations in TSTP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from porism._types import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

PROVED: Final = frozenset({"Theorem", "Unsatisfiable", "ContradictoryAxioms"})
REFUTED: Final = frozenset({"CounterSatisfiable", "Satisfiable", "CounterTheorem"})

WITHOUT_ANSWER: Final = {
    "Timeout": Verdict.TIMEOUT,
    "MemoryOut": Verdict.MEMORY,
    "GaveUp": Verdict.UNKNOWN,
    "Incomplete": Verdict.UNKNOWN,
    "Unknown": Verdict.UNKNOWN,
    "ResourceOut": Verdict.UNKNOWN,
    "Inappropriate": Verdict.UNSUPPORTED,
    "InputError": Verdict.UNSUPPORTED,
    "SyntaxError": Verdict.UNSUPPORTED,
    "SemanticError": Verdict.UNSUPPORTED,
    "TypeError": Verdict.UNSUPPORTED,
    "UsageError": Verdict.UNSUPPORTED,
}

_STATUS: Final = re.compile(r"^[#%] SZS status (\w+)", re.MULTILINE)

_NAME: Final = r"(?:'(?:[^'\\]|\\.)*'|\w+)"
_BEGIN: Final = re.compile(r"^(?:cnf|fof|tcf|tff|thf)\(", re.MULTILINE)
# A statement's source stands last: the greedy ".*" steps over a "file(...)" within a quoted name.
_INPUT: Final = re.compile(
    rf"\w+\({_NAME},\s*(?P<role>\w+),.*,\s*file\({_NAME},\s*(?P<name>{_NAME})\)\)\.[ \t]*$", re.DOTALL | re.MULTILINE
)
_GOAL_ROLES: Final = frozenset({"conjecture", "negated_conjecture", "question"})


def last_word(text: str) -> str:
    """The last SZS word, or an empty string: a schedule may print one for each strategy."""
    words: list[str] = _STATUS.findall(text)
    return words[-1] if words else ""


def used_premises(proof_tstp: str) -> tuple[str, ...]:
    """Names of the input formulas in a TSTP proof, without the goal, each once, in the order of the proof."""
    inputs = filter(None, map(_INPUT.match, _statements(proof_tstp)))
    names = (_plain(match["name"]) for match in inputs if match["role"] not in _GOAL_ROLES)
    return tuple(dict.fromkeys(names))


def _statements(proof_tstp: str) -> Iterator[str]:
    """Each begins on a line of its own, and may have several."""
    begins = [match.start() for match in _BEGIN.finditer(proof_tstp)]
    return (proof_tstp[start:end] for start, end in zip(begins, [*begins[1:], len(proof_tstp)], strict=True))


def _plain(name: str) -> str:
    """A TPTP name without quotes; ``'a b'`` is the name ``a b``."""
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith("'") else name
