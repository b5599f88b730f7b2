"""Provers as child processes: one thin codec a file, over the runner of the Rust core.

Importing this starts nothing and looks for nothing; a prover is located when it is first asked.
"""

from __future__ import annotations

from porism._core import Session
from porism._types import Verdict
from porism.provers import _child
from porism.provers._claim import Claim, Prover
from porism.provers._driver import Capabilities, Driver, Framing, Job, Language, Launch, ProofState
from porism.provers.cadical import Cadical
from porism.provers.cvc5 import Cvc5
from porism.provers.eprover import E
from porism.provers.isabelle import Isabelle
from porism.provers.lean import Lean, LeanRepl, LeanServer
from porism.provers.metamath import Metamath
from porism.provers.metamath_kernel import MetamathKernel
from porism.provers.reprove import Confirmation, Reprover
from porism.provers.rocq import Rocq
from porism.provers.vampire import Vampire
from porism.provers.z3 import Z3

__all__ = [
    "Z3",
    "Cadical",
    "Capabilities",
    "Claim",
    "Confirmation",
    "Cvc5",
    "Driver",
    "E",
    "Framing",
    "Isabelle",
    "Job",
    "Language",
    "Launch",
    "Lean",
    "LeanRepl",
    "LeanServer",
    "Metamath",
    "MetamathKernel",
    "ProofState",
    "Prover",
    "Reprover",
    "Rocq",
    "Session",
    "Vampire",
    "Verdict",
    "find_all",
    "known",
]


def known() -> tuple[Driver, ...]:
    """A driver for each prover that Porism knows, installed or not."""
    return (E(), Z3(), Cvc5(), Cadical(), Rocq(), Lean(), Metamath(), Vampire(), Isabelle())


def find_all() -> tuple[Driver, ...]:
    """Drivers for the provers that are installed here: ``Pool(find_all())`` has them all."""
    return tuple(filter(_child.is_installed, known()))
