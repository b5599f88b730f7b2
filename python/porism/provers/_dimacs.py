"""DIMACS CNF: what a SAT solver reads, and whether a model satisfies it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from porism._errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_COMMENT: Final = re.compile(r"^[ \t]*c(?:[ \t].*)?$", re.MULTILINE)
_HEADER: Final = re.compile(r"\s*p[ \t]+cnf[ \t]+(\d{1,9})[ \t]+(\d{1,9})[ \t\r]*(?:\n|$)")
_BODY: Final = re.compile(r"[-\d\s]*")

# A solver has some arrays with an entry for each variable, whatever the clauses are.
_MOST_VARIABLES: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class Cnf:
    """A conjunction of clauses.

    Attributes:
        variables: How many there are; they are 1, 2, and so on.
        literals: Those of all clauses, one after the other, each clause ended by 0; shape ``(n,)``.
    """

    variables: int
    literals: NDArray[np.int64]

    def text(self) -> str:
        """The same in DIMACS, without comments."""
        clauses = int(np.count_nonzero(self.literals == 0))
        return f"p cnf {self.variables} {clauses}\n{' '.join(map(str, self.literals.tolist()))}\n"

    def satisfied_by(self, model: Sequence[int]) -> bool:
        """Whether every clause has a literal of the model. A model says each variable at most once."""
        chosen = np.asarray(model, dtype=np.int64)
        if np.any(chosen == 0) or np.any(np.abs(chosen) > self.variables):
            return False
        if len(np.unique(np.abs(chosen))) != len(chosen):
            return False
        # Literal n stands at n + variables; 0, which ends a clause, stands for nothing.
        true = np.zeros(2 * self.variables + 1, dtype=np.bool_)
        true[chosen + self.variables] = True
        ends = np.flatnonzero(self.literals == 0)
        if not len(ends):
            return True
        starts = np.concatenate(([0], ends[:-1] + 1))
        return bool(np.all(np.logical_or.reduceat(true[self.literals + self.variables], starts)))


def parse(text: str) -> Cnf:
    """Reads DIMACS CNF.

    Raises:
        InputError: It is none; the message says why.
    """
    text = _COMMENT.sub("", text)
    header = _HEADER.match(text)
    if header is None:
        raise InputError("a DIMACS problem begins with 'p cnf VARIABLES CLAUSES'")
    variables, clauses = int(header[1]), int(header[2])
    if variables > _MOST_VARIABLES:
        raise InputError(f"a DIMACS problem has at most {_MOST_VARIABLES} variables, and this one {variables}")
    if _BODY.fullmatch(text, header.end()) is None:
        raise InputError("the clauses of a DIMACS problem are numbers")
    try:
        literals = np.array(text[header.end() :].split(), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise InputError(f"the clauses of a DIMACS problem are numbers: {error}") from None
    if len(literals) and literals[-1] != 0:
        raise InputError("the last clause of a DIMACS problem is not ended by 0")
    if np.any(literals > variables) or np.any(literals < -variables):
        raise InputError(f"a DIMACS problem has {variables} variables, and a clause another one")
    if (found := int(np.count_nonzero(literals == 0))) != clauses:
        raise InputError(f"a DIMACS problem says that it has {clauses} clauses, and has {found}")
    return Cnf(variables, literals)
