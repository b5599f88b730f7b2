"""The drivers that are put to the conformance suite: what each proves, what it must not prove, what never ends."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from porism.provers import Z3, Cadical, Cvc5, E, Isabelle, Job, Metamath, Rocq, Vampire, find_all
from porism.provers._self_tests import SELF_TESTS
from porism.testing import StandIn
from porism.testing.conformance import Subject

if TYPE_CHECKING:
    from pathlib import Path

    from porism.provers import Driver

INSTALLED = {driver.name for driver in find_all()}
NOWHERE = "/nowhere/prover"


class StandInIsabelle(Isabelle):
    """The driver as it is, before a server that only pretends."""

    def version(self) -> str:
        return "stand-in"

    def server(self) -> tuple[str, ...]:
        return tuple(StandIn("isabelle").command)


class StandInVampire(Vampire):
    """The same for Vampire."""

    def version(self) -> str:
        return "stand-in"


def vampire(folder: Path) -> Vampire:
    """The driver of Vampire with a stand-in for its program."""
    program = folder / "vampire"
    program.write_text(f'#!/bin/sh\nexec {" ".join(StandIn("vampire").command)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return StandInVampire(program)


def pigeons(holes: int) -> list[list[int]]:
    """That one pigeon more than there are holes finds a place: short, false, and beyond resolution when it is large."""
    at = [[pigeon * holes + hole + 1 for hole in range(holes)] for pigeon in range(holes + 1)]
    pairs = [(one, other) for other in range(holes + 1) for one in range(other)]
    return at + [[-at[one][hole], -at[other][hole]] for hole in range(holes) for one, other in pairs]


def pigeons_dimacs(holes: int) -> str:
    clauses = pigeons(holes)
    lines = [" ".join(map(str, [*clause, 0])) for clause in clauses]
    return "\n".join([f"p cnf {holes * (holes + 1)} {len(clauses)}", *lines, ""])


def pigeons_smt2(holes: int) -> str:
    def literal(number: int) -> str:
        return f"v{number}" if number > 0 else f"(not v{-number})"

    declared = "".join(f"(declare-const v{number} Bool)" for number in range(1, holes * (holes + 1) + 1))
    asserted = "".join(f"(assert (or {' '.join(map(literal, clause))}))" for clause in pigeons(holes))
    return f"(set-logic QF_UF){declared}{asserted}(check-sat)"


# Condensed detachment from a single axiom never runs dry, and what is asked has no proof.
ENDLESS_TPTP = """
fof(detachment, axiom, ![X, Y]: ((p(i(X, Y)) & p(X)) => p(Y))).
fof(single, axiom, ![X, Y, Z, U]: p(i(i(i(X, Y), Z), i(i(Z, X), i(U, X))))).
fof(goal, conjecture, p(a)).
"""

METAMATH_PAIRS = "$c term ( ) |- $. $v x y $. tx $f term x $. ty $f term y $. t0 $a term |- $. tp $a term ( x y ) $."


def doubled(times: int) -> str:
    """A short proof of a term that doubles with each step."""
    steps = "".join(f"{_compressed(3 + step)}BZ" for step in range(times))
    return f"( t0 tp ) AABZ{steps}"


def _compressed(number: int) -> str:
    number, low = divmod(number - 1, 20)
    word = chr(ord("A") + low)
    while number:
        number, high = divmod(number - 1, 5)
        word = chr(ord("U") + high) + word
    return word


def subject(name: str, folder: Path) -> Subject:
    """What is known about the driver of this name."""
    endless = {
        "E": Job(candidate=ENDLESS_TPTP, options={"generated": 10**9, "cpu_s": 1000}),
        "Z3": Job(candidate=pigeons_smt2(13)),
        "cvc5": Job(candidate=pigeons_smt2(13), options={"seconds": 1000.0}),
        "CaDiCaL": Job(candidate=pigeons_dimacs(14)),
        "Rocq": Job(candidate="repeat (pose proof I).", statement="True"),
        "Metamath": Job(header=METAMATH_PAIRS, candidate=doubled(20), statement="term |-"),
        "Vampire": Job(candidate="fof(goal, conjecture, $true). % fault:hang"),
        "Isabelle": Job(candidate="by simp (* fault:hang *)", statement="2 + 2 = 4"),
    }[name]
    drivers: dict[str, tuple[Driver, Driver | None]] = {
        "E": (E(), E(NOWHERE)),
        "Z3": (Z3(), Z3(NOWHERE)),
        "cvc5": (Cvc5(), None),
        "CaDiCaL": (Cadical(), Cadical(NOWHERE)),
        "Rocq": (Rocq(), Rocq(NOWHERE)),
        "Metamath": (Metamath(), Metamath(NOWHERE)),
        "Vampire": (vampire(folder), Vampire(NOWHERE)),
        "Isabelle": (StandInIsabelle(), Isabelle(NOWHERE)),
    }
    driver, missing = drivers[name]
    good, bad = {
        "Vampire": tuple(Job(candidate=f"fof(goal, conjecture, {statement}).") for statement in ("$true", "$false")),
        "Isabelle": tuple(Job(candidate="by simp", statement=f"2 + 2 = {total}") for total in (4, 5)),
    }.get(name, SELF_TESTS[name])
    return Subject(driver=driver, good=good, bad=bad, endless=endless, missing=missing)


def is_here(name: str) -> bool:
    """Whether there is something to test: the prover, or a stand-in for one that cannot be had."""
    return name in INSTALLED or (name in {"Vampire", "Isabelle"} and shutil.which("sh") is not None)
