"""The loop on real problems, and what is left behind when it is ended from outside."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import porism
from porism import _core
from porism._types import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from porism import Memory

BUDGET = porism.Budget(seconds=30)
EASY = "fof(fact, axiom, p). fof(rule, axiom, p => q). fof(other, axiom, r). fof(goal, conjecture, q)."
# Robbins algebras are Boolean: a machine found the first proof, after days. No short try will.
HARD = """
fof(easy, conjecture, ! [X, Y] : (X = Y => Y = X)).
fof(commutative, axiom, ! [X, Y] : j(X, Y) = j(Y, X)).
fof(associative, axiom, ! [X, Y, Z] : j(j(X, Y), Z) = j(X, j(Y, Z))).
fof(robbins, axiom, ! [X, Y] : n(j(n(j(X, Y)), n(j(X, n(Y))))) = X).
fof(first, conjecture, ! [X, Y, Z] : j(X, j(Y, Z)) = j(Y, j(X, Z))).
fof(hard, conjecture, ! [X, Y] : j(n(j(n(X), Y)), n(j(n(X), n(Y)))) = X).
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_a_theorem_is_proved_and_proved_again(examples: Path) -> None:
    result = porism.solve(examples / "group.p", budget=BUDGET)
    assert (result.name, result.verdict) == ("right_unit", Verdict.PROVED)
    assert result.solved
    assert result.proved
    assert result.reproved
    assert not result.disputed
    assert {"left_unit", "associativity"} <= set(result.used)
    assert result.winner in {one.label for one in result.attempts}
    assert result.seconds > 0


def test_a_receipt_names_exactly_what_was_checked(examples: Path) -> None:
    result = porism.solve(examples / "group.p", budget=BUDGET)
    library = _core.Library.read(examples / "group.p")
    positions = {library.name(position): position for position in range(len(library))}
    question = library.smt2(library.goals()[0], [positions[name] for name in result.used])
    assert result.receipt is not None
    assert result.proof is not None
    assert result.receipt.claim_hash == _core.content_hash(question.encode())
    assert result.receipt.certificate_hash == _core.content_hash(result.proof.encode())
    assert result.receipt.checker in {"Z3", "cvc5"}
    assert result.receipt.checker_version


def test_a_non_theorem_is_refuted_only_with_a_second_opinion(tmp_path: Path) -> None:
    path = write(tmp_path / "no.p", "fof(a, axiom, p(a)). fof(g, conjecture, p(b)).")
    result = porism.solve(path, budget=BUDGET)
    assert (result.verdict, result.proved, result.receipt) == (Verdict.REFUTED, False, None)
    library = _core.Library.read(path)
    with porism._solve.Solver(library, budget=BUDGET, reprover=Silent()) as solver:
        result = solver.solve(library.goals()[0])
    assert (result.verdict, result.disputed) == (Verdict.UNKNOWN, False)


def test_a_proof_that_nobody_confirms_is_a_claim(tmp_path: Path) -> None:
    library = _core.Library.parse(EASY)
    with porism.Memory.open(tmp_path / "m.porism") as memory:
        ledger = porism._solve.Ledger(memory, library, source="test")
        with porism._solve.Solver(library, budget=BUDGET, ledger=ledger, reprover=Silent()) as solver:
            result = solver.solve(library.goals()[0])
        assert (result.verdict, result.proved, result.reproved) == (Verdict.UNKNOWN, True, False)
        assert len(solver.experience) == 0, "nothing is learned from a claim"
        assert [one.receipt for one in memory.evidence_for()] == [None]


class Silent(porism.provers.Reprover):
    """A second prover that never has an opinion."""

    def confirm(self, smt2: str, *, seconds: float = 10.0, cancel: object = None) -> porism.provers.Confirmation:
        return porism.provers.Confirmation(Verdict.UNKNOWN, "", "", 0.0, ())

    def confirm_steps(self, proof: str, **_: object) -> porism.provers.Confirmation:
        return self.confirm(proof)


@pytest.mark.parametrize("goal", ["1 != 2", '"a" != "b"', "! [X] : (X = 1 => X != 2)"])
def test_what_provers_are_not_told_refutes_nothing(tmp_path: Path, goal: str) -> None:
    """`1 != 2` was called refuted: numbers are plain constants for the provers, so they found a counter-model."""
    result = porism.solve(write(tmp_path / "number.p", f"fof(g, conjecture, {goal})."), budget=BUDGET)
    assert result.verdict is not Verdict.REFUTED
    assert not result.disputed


def test_a_name_that_the_prover_garbles(tmp_path: Path) -> None:
    """A quote in the name of a premise was a KeyError, because E prints it in another way."""
    path = write(tmp_path / "quote.p", r"fof('it\'s', axiom, p). fof(b, axiom, q). fof(g, conjecture, p).")
    with porism.Memory.open(tmp_path / "m.porism") as memory:
        result = porism.solve(path, memory=memory, budget=BUDGET)
        assert result.reproved
        assert len(memory.evidence_for()) == 1
    assert "it's" in {name.replace("\\", "") for name in result.used}


def test_unknown_when_the_budget_is_spent(tmp_path: Path) -> None:
    path = write(tmp_path / "hard.p", re.sub("(easy|first), conjecture", r"\1, axiom", HARD))
    result = porism.solve(path, budget=porism.Budget(seconds=30, attempts=1), workers=1)
    assert (result.verdict, result.solved, result.winner) == (Verdict.UNKNOWN, False, None)
    assert len(result.attempts) == 1


def test_several_conjectures_are_no_single_problem(examples: Path) -> None:
    with pytest.raises(porism.InputError, match="solve_library"):
        porism.solve(examples / "groups.p")


def test_a_goal_without_wall_limit(tmp_path: Path) -> None:
    """An infinite number of seconds was an OverflowError."""
    path = write(tmp_path / "easy.p", EASY)
    assert porism.solve(path, budget=porism.Budget(seconds=float("inf"))).reproved


# --- libraries and memory ---------------------------------------------------------------------------------------------


def test_a_library_is_solved_in_order_and_later_goals_use_earlier_ones(examples: Path) -> None:
    library = _core.Library.read(examples / "groups.p")
    order = {library.name(position): position for position in range(len(library))}
    results = list(porism.solve_library(examples / "groups.p", budget=BUDGET))
    assert [result.name for result in results] == [library.name(goal.members[0]) for goal in library.goals()]
    assert all(result.reproved for result in results)
    assert all(order[name] < order[result.name] for result in results for name in result.used)
    theorems = {result.name for result in results}
    assert any(theorems & set(result.used) for result in results)


def test_a_memory_keeps_what_happened_and_the_second_run_starts_from_it(tmp_path: Path, examples: Path) -> None:
    with porism.Memory.open(tmp_path / "m.porism") as memory:
        first = list(porism.solve_library(examples / "groups.p", memory=memory, budget=BUDGET, workers=1))
        assert all(result.reproved for result in first)
        assert_settled(memory, first)
        second = list(porism.solve_library(examples / "groups.p", memory=memory, budget=BUDGET, workers=1))
        assert all(result.reproved for result in second)
        # A goal that follows from nothing has no premises to try again.
        assert {one.winner for one, other in zip(second, first, strict=True) if other.used} == {"own proof"}
        assert_settled(memory, first + second)


def assert_settled(memory: Memory, results: list[porism.Result]) -> None:
    assert memory.verify().clean
    events, evidence = memory.events(), memory.evidence_for()
    assert [event.settlement.verdict for event in events if event.settlement] == [one.verdict for one in results]
    assert [memory.get(one.goal).name for one in evidence] == [one.name for one in results]
    assert [one.receipt for one in evidence] == [one.receipt for one in results]
    used = [{memory.get(record).name for record in one.used} for one in evidence]
    assert used == [set(one.used) for one in results]
    assert {memory.get(one.goal).status for one in evidence} == {porism.Status.VERIFIED}
    assert all(event.candidates for event in events)


def test_refuting_clauses_proves_none_of_them(tmp_path: Path) -> None:
    """The first clause of a refuted set was recorded as verified, though its negation was what had been proved."""
    path = write(tmp_path / "clauses.p", "cnf(a, axiom, p(X)). cnf(g, negated_conjecture, ~ p(a)).")
    with porism.Memory.open(tmp_path / "m.porism") as memory:
        assert porism.solve(path, memory=memory, budget=BUDGET).reproved
        assert {record.status for record in memory.find()} == {porism.Status.CONJECTURAL}


# --- the end from outside ---------------------------------------------------------------------------------------------


@dataclass
class Run:
    """A command in a session of its own, whose descendants are known by a mark in their environment."""

    process: subprocess.Popen[str]
    mark: str

    def provers(self) -> list[int]:
        return [pid for pid in self.alive() if b"eprover" in read(pid, "cmdline").split(b"\0")[0]]

    def alive(self) -> list[int]:
        pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return [pid for pid in pids if self.mark.encode() in read(pid, "environ")]


def read(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""


@contextmanager
def running(*arguments: object) -> Iterator[Run]:
    mark = f"run-{uuid.uuid4()}"
    with subprocess.Popen(
        [sys.executable, "-m", "porism", *map(str, arguments)],
        env={**os.environ, "PORISM_TEST_MARK": mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as process:
        try:
            yield Run(process, mark)
        finally:
            process.kill()


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def settled(path: Path) -> list[str | None]:
    """The names of the goals that were decided so far."""
    try:
        with porism.Memory.open(path, read_only=True) as memory:
            events = [event for event in memory.events() if event.settlement and event.settlement.evidence]
            return [memory.get(event.goal).name for event in events]
    except porism.StoreError:
        return []


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("how", ["Ctrl-C", "interrupt", "kill"])
def test_what_was_settled_survives_the_end_of_the_run(tmp_path: Path, cli: Callable[..., object], how: str) -> None:
    path, memory = write(tmp_path / "library.p", HARD), tmp_path / "m.porism"
    with running("solve", path, "--memory", memory, "--workers", 1, "--seconds", 120) as run:
        wait_until(lambda: settled(memory) == ["easy", "first"])
        wait_until(lambda: bool(run.provers()))
        if how == "Ctrl-C":
            os.killpg(run.process.pid, signal.SIGINT)
        else:
            run.process.send_signal(signal.SIGINT if how == "interrupt" else signal.SIGKILL)
        code = run.process.wait(timeout=60)
        assert run.process.stderr is not None
        complaint = run.process.stderr.read()
    assert code == (-signal.SIGKILL if how == "kill" else 130)
    assert "Traceback" not in complaint
    wait_until(lambda: run.alive() == [], 10.0)
    with porism.Memory.open(memory) as store:
        assert store.verify().clean
        assert [event.settlement is None for event in store.events()] == [False, False, True]
    again = cli("solve", path, "--memory", memory, "--workers", 1, "--seconds", 3, "--json")
    assert again.returncode == 1, again.stderr  # type: ignore[attr-defined]
    results = [json.loads(line) for line in again.stdout.splitlines()]  # type: ignore[attr-defined]
    assert [one["verdict"] for one in results] == ["proved", "proved", "unknown"]
    assert results[1]["winner"] == "own proof"
