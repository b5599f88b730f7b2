"""Derivations are checked step by step: real ones pass, and none passes that does not prove its goal."""

from __future__ import annotations

import re

import pytest

from porism import _core
from porism.provers import Z3, E, Reprover, Verdict, find_all
from porism.provers.derivation import check_steps, read_steps

GROUP = """
fof(associativity, axiom, ! [X, Y, Z] : f(f(X, Y), Z) = f(X, f(Y, Z))).
fof(left_unit, axiom, ! [X] : f(e, X) = X).
fof(left_inverse, axiom, ! [X] : f(i(X), X) = e).
fof(right_unit, conjecture, ! [X] : f(X, e) = X).
"""


pytestmark = pytest.mark.skipif(
    not {"E", "Z3"} <= {prover.name for prover in find_all()},
    reason='E and Z3 are not installed: pip install "porism[provers]"',
)


def check(problem: str, proof: str, *, seconds: float = 1.0) -> list[str]:
    """Checks a proof of the last formula of ``problem`` from all others."""
    library = _core.Library.parse(problem)
    *premises, last = range(len(library))
    assumed = {library.name(at): library.statement(at) for at in premises}
    goal = None
    if library.role(last) == "negated_conjecture":
        assumed[library.name(last)] = library.statement(last)
    else:
        goal = library.name(last), library.statement(last)
    return check_steps([Z3()], proof, premises=assumed, goal=goal, seconds=seconds)


def prove(problem: str) -> str:
    claim = E().prove(problem)
    assert claim.proof is not None
    return claim.proof


@pytest.mark.parametrize(
    "problem",
    [
        GROUP,
        "fof(a, axiom, ! [X] : (p(X) => q(X))). fof(b, axiom, p(c)). fof(g, conjecture, ? [X] : q(X)).",
        "fof(a, axiom, ! [X] : (p(X) => q(X))). fof(g, conjecture, ! [X] : (~ q(X) => ~ p(X))).",
        "cnf(a, axiom, (p(X) | q(X))). cnf(b, axiom, ~ p(X)). cnf(g, negated_conjecture, ~ q(c)).",
        "fof(file, axiom, ! [X] : file(X)). fof(skolemize, axiom, p). fof('a b', conjecture, (file(c) & p)).",
    ],
    ids=["equations", "a witness to be found", "a witness of the goal", "clauses", "names of the format"],
)
def test_real_proofs_pass(problem: str) -> None:
    proof = prove(problem)
    derived = [step for step in read_steps(proof) if not step.given]
    assert check(problem, proof, seconds=60.0) == ["Z3"] * len(derived)


def test_a_proof_that_no_solver_finds_as_a_whole_passes_in_steps() -> None:
    """Z3 and cvc5 did not find the right unit of a left group within ten seconds: E's proof stayed a claim."""
    library = _core.Library.parse(GROUP)
    assumed = {library.name(at): library.statement(at) for at in range(3)}
    confirmation = Reprover().confirm_steps(prove(GROUP), premises=assumed, goal=("right_unit", library.statement(3)))
    assert confirmation.verdict is Verdict.PROVED
    assert "Z3" in confirmation.by
    assert confirmation.steps > 10


def test_a_proof_of_something_else_fails() -> None:
    proof = prove(GROUP)
    assert not check(GROUP.replace("f(X, e) = X", "f(X, X) = X"), proof)
    assert not check(GROUP.replace("i(X), X) = e", "i(X), X) = i(e)"), proof)
    assert not check(re.sub(r"fof\(left_unit.*\n", "", GROUP), proof)


def test_every_step_matters() -> None:
    """One equation of the proof is turned around at a time, into one that does not follow."""
    lines = prove(GROUP).splitlines()
    derived = [at for at, line in enumerate(lines) if "plain" in line and "f(" in line and "spm" in line]
    assert derived
    for at in derived:
        name, formula = re.match(r"cnf\((\w+), plain, \((.*?)\), inference", lines[at]).groups()
        forged = lines.copy()
        forged[at] = lines[at].replace(f"({formula}), inference", f"(~ ({formula})), inference")
        assert not check(GROUP, "\n".join(forged)), name


@pytest.mark.parametrize(
    ("problem", "proof"),
    [
        # The goal itself is no premise.
        ("fof(g, conjecture, p).", "cnf(s, plain, ($false), inference(cn, [], [g]))."),
        ("fof(g, conjecture, p).", "fof(g, axiom, p, file('x', g)).\ncnf(s, plain, ($false), inference(cn, [], [g]))."),
        # An axiom that the problem does not have.
        (
            "fof(g, conjecture, p).",
            "fof(a, axiom, $false, file('x', a)).\ncnf(s, plain, ($false), inference(cn, [], [a])).",
        ),
        # A witness that depends on a variable is not one witness for all.
        (
            "fof(a, axiom, ! [X] : ? [Y] : r(X, Y)). fof(g, conjecture, ? [Y] : ! [X] : r(X, Y)).",
            "fof(a, axiom, ! [X] : ? [Y] : r(X, Y), file('x', a)).\n"
            "fof(s, plain, r(X, esk1_0), inference(skolemize, [], [a])).\n"
            "cnf(t, plain, ($false), inference(cn, [], [s, g])).",
        ),
        # A witness is introduced once: the same name for two things makes them equal.
        (
            "fof(a, axiom, ? [X] : p(X)). fof(b, axiom, ? [X] : q(X)). fof(g, conjecture, ? [X] : (p(X) & q(X))).",
            "fof(a, axiom, ? [X] : p(X), file('x', a)).\nfof(b, axiom, ? [X] : q(X), file('x', b)).\n"
            "fof(s, plain, p(esk1_0), inference(skolemize, [], [a])).\n"
            "fof(t, plain, q(esk1_0), inference(skolemize, [], [b])).\n"
            "cnf(u, plain, ($false), inference(cn, [], [s, t, g])).",
        ),
        # A constant of the problem is no witness.
        (
            "fof(a, axiom, ? [X] : p(X)). fof(g, conjecture, p(esk1_0)).",
            "fof(a, axiom, ? [X] : p(X), file('x', a)).\n"
            "fof(s, plain, p(esk1_0), inference(skolemize, [], [a])).\n"
            "cnf(t, plain, ($false), inference(cn, [], [s, g])).",
        ),
        # What is free in the goal is meant for all values; its negation is not.
        (
            "fof(a, axiom, ? [X] : p(X)). fof(g, conjecture, p(X)).",
            "fof(a, axiom, ? [X] : p(X), file('x', a)).\ncnf(t, plain, ($false), inference(cn, [], [a, g])).",
        ),
        # It does not end in a contradiction, is empty, or is no derivation at all.
        ("fof(a, axiom, p). fof(g, conjecture, p).", "fof(a, axiom, p, file('x', a))."),
        ("fof(g, conjecture, p).", ""),
        ("fof(g, conjecture, p).", "fof(s, plain, (p"),
    ],
)
def test_what_proves_nothing_does_not_pass(problem: str, proof: str) -> None:
    assert not check(problem, proof)
