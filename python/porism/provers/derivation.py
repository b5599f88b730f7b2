"""Checks a derivation step by step: every inference of a TSTP proof is put to a second prover on its own.

A solver that cannot find a proof as a whole can mostly see that one step follows from its parents. The steps are
independent questions, so they are asked side by side. What is believed is only what was asked: a premise is the
library's own text, a step counts when its parents do, and the proof when it ends in a contradiction with the negated
goal (the scheme of GDV: Sutcliffe, Semantic Derivation Verification, IJAIT 15(6), 2006, section 3).
"""

from __future__ import annotations

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from porism import _core
from porism._errors import InputError
from porism._types import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from porism.provers.reprove import Smt2Prover

#: A proof of more steps is not looked into.
MAX_STEPS: Final = 500
#: Wall seconds that one prover has for one step: an easy question that it misses is for the next one.
STEP_S: Final = 2.0

_TOKEN: Final = re.compile(r"'(?:[^'\\]|\\.)*'|\w+")
#: What E calls the witnesses that it introduces. Only constants are followed: a function would need its scope.
_WITNESS: Final = re.compile(r"\besk(\d+)_0\b")
_INTRODUCED: Final = re.compile(r"\be(?:sk|pred)\d+_\d+\b")
#: Where a line says that it stands in the problem; its source stands last.
_GIVEN: Final = re.compile(r",\s*file\([^()]*\)\)\.$")
_VARIABLE: Final = re.compile(r"\b[A-Z]\w*")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a derivation.

    Attributes:
        name: What later lines call it.
        statement: What it says.
        parents: What it is said to follow from; every token that names an earlier line.
        given: Whether it is said to stand in the problem.
        opens: Whether it names witnesses.
    """

    name: str
    statement: str
    parents: tuple[str, ...]
    given: bool
    opens: bool


def check_steps(
    provers: Sequence[Smt2Prover],
    proof: str,
    *,
    premises: Mapping[str, str],
    goal: tuple[str, str] | None,
    seconds: float,
) -> list[str]:
    """Puts every step of a derivation to ``provers``, in order, until one proves it.

    Args:
        provers: Who judges the steps.
        proof: A derivation in TSTP that ends in a contradiction, one formula a line.
        premises: What may be assumed, by name.
        goal: The name and the statement of what was to be proved; ``None`` when the premises are to be refuted.
        seconds: Wall seconds for all steps together.

    Returns:
        Who proved each step; empty unless every step was proved.
    """
    steps = read_steps(proof)
    if not 0 < len(steps) <= MAX_STEPS or steps[-1].statement.strip("() ") != "$false":
        return []
    # What looks like the prover's own symbols must be new: a witness that the problem knows is none.
    if any(map(_INTRODUCED.search, (*premises.values(), *(goal or ())))):
        return []
    questions = _questions(steps, premises, goal)
    if questions is None:
        return []
    deadline = time.monotonic() + seconds
    stop = _core.Cancel()

    def judge(question: str) -> str | None:
        for prover in provers:
            left = deadline - time.monotonic()
            if left <= 0 or stop.cancelled:
                return None
            if prover.prove_smt2(question, seconds=min(left, STEP_S), cancel=stop).verdict is Verdict.PROVED:
                return prover.name
        stop.cancel()
        return None

    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="porism-steps") as pool:
        judges = [judge for judge in pool.map(judge, questions) if judge is not None]
    return judges if len(judges) == len(questions) else []


def read_steps(proof: str) -> list[Step]:
    """The lines of a derivation; none if it cannot be read."""
    lines = [line for line in proof.splitlines() if line.startswith(("fof(", "cnf("))]
    try:
        formulas = _core.Library.parse("\n".join(lines), label="derivation")
    except InputError:
        return []
    if len(formulas) != len(lines):
        return []
    steps: list[Step] = []
    for at, line in enumerate(lines):
        # A token that is no parent but is called like one only adds a parent, which has to hold as well.
        tokens = {_plain(token) for token in _TOKEN.findall(line)}
        parents = tuple(step.name for step in steps if step.name in tokens)
        name, statement = formulas.name(at), formulas.statement(at)
        steps.append(Step(name, statement, parents, _GIVEN.search(line) is not None, "skolemize" in line))
    return steps


def _questions(steps: Sequence[Step], premises: Mapping[str, str], goal: tuple[str, str] | None) -> list[str] | None:
    """One problem in SMT-LIB a step, or ``None`` if a step cannot be asked about."""
    ladder = _Ladder()
    for name, statement in premises.items():
        ladder.assume(name, statement)
    if goal is not None:
        # A step that cites the goal means its negation.
        ladder.assume(goal[0], f"~ ({_closed(goal[1])})")
    witnesses: set[str] = set()
    for step in steps:
        if step.given:
            if step.name not in ladder.position:
                return None
            continue
        claimed = step.statement
        if new := set(_INTRODUCED.findall(claimed)) - witnesses:
            if not step.opens or "Witness" in claimed or any(_WITNESS.fullmatch(name) is None for name in new):
                return None
            claimed = _some(new, claimed)
            witnesses |= new
        ladder.ask(claimed, step.parents)
        ladder.assume(step.name, step.statement)
    return ladder.questions()


class _Ladder:
    """A library in which every step stands twice: as what is to be proved, and as what later steps may assume."""

    def __init__(self) -> None:
        #: Where what was assumed under a name stands.
        self.position: dict[str, int] = {}
        self._lines: list[str] = []
        self._asked: list[tuple[int, list[int]]] = []

    def assume(self, name: str, statement: str) -> None:
        self.position[name] = len(self._lines)
        self._lines.append(f"fof(line{len(self._lines)}, axiom, {statement}).")

    def ask(self, statement: str, parents: Sequence[str]) -> None:
        self._asked.append((len(self._lines), [self.position[parent] for parent in parents]))
        self._lines.append(f"fof(line{len(self._lines)}, conjecture, {statement}).")

    def questions(self) -> list[str]:
        library = _core.Library.parse("\n".join(self._lines), label="steps of a derivation")
        return [library.smt2(library.goal(at), known) for at, known in self._asked]


def _closed(statement: str) -> str:
    """The statement with a quantifier over whatever may be free in it; over what is bound it says nothing."""
    variables = sorted(set(_VARIABLE.findall(statement)))
    return f"! [{', '.join(variables)}] : ({statement})" if variables else statement


def _some(witnesses: set[str], statement: str) -> str:
    """That there are such witnesses, the same ones for all values of the variables."""
    body = _INTRODUCED.sub(
        lambda match: _variable(match[0]) if match[0] in witnesses else match[0], f"({_closed(statement)})"
    )
    return f"? [{', '.join(map(_variable, sorted(witnesses)))}] : {body}"


def _variable(witness: str) -> str:
    return witness.replace("esk", "Witness")


def _plain(name: str) -> str:
    """A TPTP name without quotes; ``'a b'`` is the name ``a b``."""
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith("'") else name
