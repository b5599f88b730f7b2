"""Provers as child processes: one thin codec a file, over the runner of the Rust core.

Importing this starts nothing and looks for nothing; a prover is located when it is first asked.
"""

from __future__ import annotations

from porism._errors import ProverMissingError
from porism._types import Verdict
from porism.provers._claim import Claim, Prover
from porism.provers.cvc5 import Cvc5
from porism.provers.eprover import E
from porism.provers.reprove import Confirmation, Reprover
from porism.provers.z3 import Z3

__all__ = ["Z3", "Claim", "Confirmation", "Cvc5", "E", "Prover", "Reprover", "Verdict", "find_all"]


def find_all() -> tuple[Prover, ...]:
    """The provers that are installed here, in the order in which they are tried."""
    return tuple(prover for prover in (E(), Z3(), Cvc5()) if _is_installed(prover))


def _is_installed(prover: Prover) -> bool:
    try:
        prover.find()
    except ProverMissingError:
        return False
    return True
