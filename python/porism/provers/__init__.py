"""Provers as child processes: one thin codec a file, over the runner of the Rust core.

Importing this starts nothing and looks for nothing; a prover is located when it is first asked.
"""

from __future__ import annotations

from porism._types import Verdict
from porism.provers import _child
from porism.provers._claim import Claim, Prover
from porism.provers._driver import Capabilities, Driver, Framing, Job, Language, Launch
from porism.provers.cvc5 import Cvc5
from porism.provers.eprover import E
from porism.provers.lean import Lean, LeanRepl, LeanServer
from porism.provers.reprove import Confirmation, Reprover
from porism.provers.rocq import Rocq
from porism.provers.z3 import Z3

__all__ = [
    "Z3",
    "Capabilities",
    "Claim",
    "Confirmation",
    "Cvc5",
    "Driver",
    "E",
    "Framing",
    "Job",
    "Language",
    "Launch",
    "Lean",
    "LeanRepl",
    "LeanServer",
    "Prover",
    "Reprover",
    "Rocq",
    "Verdict",
    "find_all",
]


def find_all() -> tuple[Prover, ...]:
    """The provers that are installed here, in the order in which they are tried."""
    return tuple(filter(_child.is_installed, (E(), Z3(), Cvc5())))
