"""``porism`` as a shell sees it: exit codes, and JSON that parses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import porism

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Cli = Callable[..., subprocess.CompletedProcess[str]]


def test_version(cli: Cli) -> None:
    assert cli("--version").stdout == f"porism {porism.__version__}\n"


def test_a_wrong_option_is_exit_code_2(cli: Cli) -> None:
    assert cli("solve", "--colour").returncode == 2


def test_a_problem_with_its_proof(cli: Cli, examples: Path) -> None:
    result = cli("solve", examples / "group.p", "--proof")
    assert result.returncode == 0, result.stderr
    assert "proved right_unit" in result.stdout
    assert "re-proved by" in result.stdout
    assert "inference(" in result.stdout


def test_a_refuted_problem_is_solved_too(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "no.p").write_text("fof(a, axiom, p(a)). fof(g, conjecture, p(b)).")
    result = cli("solve", tmp_path / "no.p")
    assert result.returncode == 0, result.stderr
    assert "refuted g" in result.stdout


def test_a_library_as_json_then_its_memory_as_json(cli: Cli, examples: Path, tmp_path: Path) -> None:
    memory = tmp_path / "groups.porism"
    result = cli("solve", examples / "groups.p", "--memory", memory, "--json")
    assert result.returncode == 0, result.stderr
    goals = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(goals) == 10
    assert {goal["verdict"] for goal in goals} == {"proved"}
    assert all(goal["receipt"]["checker"] and goal["attempts"] for goal in goals)
    stats = json.loads(cli("memory", "stats", memory, "--json").stdout)
    assert (stats["records"], stats["evidence"], stats["events_settled"]) == (14, 10, 10)
    hits = cli("memory", "recall", memory, "! [X] : f(X, e) = X", "--json").stdout.splitlines()
    assert {json.loads(hit)["name"] for hit in hits[:2]} == {"left_unit", "right_unit"}


def test_a_library_ends_with_a_table(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "two.p").write_text("fof(a, axiom, p). fof(g, conjecture, p). fof(h, conjecture, p | q).")
    result = cli("solve", tmp_path / "two.p")
    assert result.returncode == 0, result.stderr
    assert "2 goals" in result.stdout


def test_doctor_as_json(cli: Cli) -> None:
    facts = json.loads(cli("doctor", "--json").stdout)
    assert facts["porism"] == porism.__version__
    assert [prover["name"] for prover in facts["provers"]] == [prover.name for prover in porism.provers.known()]
