"""One thing that is true and one that is not, for each prover that Porism knows: whether it works at all."""

from __future__ import annotations

from typing import Final, NamedTuple

from porism.provers._driver import Job


class SelfTest(NamedTuple):
    """Two jobs.

    Attributes:
        theorem: Has to be proved.
        no_theorem: Must not be.
    """

    theorem: Job
    no_theorem: Job


_TPTP: Final = SelfTest(
    Job(candidate="fof(all, axiom, ![X]: p(X)). fof(goal, conjecture, p(a))."),
    Job(candidate="fof(some, axiom, p(a)). fof(goal, conjecture, p(b))."),
)

_SIGNATURE_SMT2: Final = "(set-logic UF)(declare-sort U 0)(declare-fun p (U) Bool)(declare-const a U)"
_SMT2: Final = SelfTest(
    Job(candidate=f"{_SIGNATURE_SMT2}(assert (forall ((x U)) (p x)))(assert (not (p a)))(check-sat)"),
    Job(candidate=f"{_SIGNATURE_SMT2}(assert (not (p a)))(check-sat)"),
)

_DIMACS: Final = SelfTest(
    Job(candidate="p cnf 2 4\n1 2 0\n1 -2 0\n-1 2 0\n-1 -2 0\n"), Job(candidate="p cnf 2 2\n1 2 0\n-1 0\n")
)

_ROCQ: Final = SelfTest(
    Job(candidate="exact I.", statement="True"),
    Job(candidate="exact I.", statement="False"),
)

# One axiom, and a rule without premises: enough to instantiate a variable.
_HEADER_METAMATH: Final = "$c |- wff p $. $v x $. wx $f wff x $. wp $a wff p $. ax-all $a |- x $."
_METAMATH: Final = SelfTest(
    Job(header=_HEADER_METAMATH, candidate="wp ax-all", statement="|- p"),
    Job(header=_HEADER_METAMATH, candidate="wp", statement="|- p"),
)

# Neither library nor header is involved: a word of Lean's own is enough.
_LEAN: Final = SelfTest(
    Job(candidate="fun _ h => h", statement="∀ p : Prop, p → p", header="prelude"),
    Job(candidate="fun _ h => h", statement="∀ p q : Prop, p → q", header="prelude"),
)

_ISABELLE: Final = SelfTest(
    Job(candidate="by simp", statement="(2::nat) + 2 = 4"),
    Job(candidate="by simp", statement="(2::nat) + 2 = 5"),
)

SELF_TESTS: Final = {
    "E": _TPTP,
    "Vampire": _TPTP,
    "Z3": _SMT2,
    "cvc5": _SMT2,
    "CaDiCaL": _DIMACS,
    "Rocq": _ROCQ,
    "Lean": _LEAN,
    "Metamath": _METAMATH,
    "Isabelle": _ISABELLE,
}
"""By the name of the driver."""
