"""``porism bench``: lines that can be read back, and the same outcomes however many provers run at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from porism.bench.results import Outcome

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Cli = Callable[..., subprocess.CompletedProcess[str]]

RANGE = ("bench", "ql", "--first", 361, "--last", 366, "--raw", "--json")


@pytest.fixture(scope="module")
def runs(cli: Cli) -> list[list[str]]:
    """The lines of two runs over the same theorems, with one prover at once and with two."""
    found = []
    for workers in (1, 2):
        result = cli(*RANGE, "--arm", "similarity", "--arm", "full", "--workers", workers)
        assert result.returncode == 0, result.stderr
        found.append(result.stdout.splitlines())
    return found


def test_lines_can_be_read_back_and_the_summary_is_last(runs: list[list[str]]) -> None:
    for *lines, last in runs:
        outcomes = [Outcome.from_json(json.loads(line)) for line in lines]
        assert [json.dumps(outcome.to_json()) for outcome in outcomes] == lines
        assert [outcome.index for outcome in outcomes] == 2 * list(range(361, 367))
        found = json.loads(last)
        assert {arm: values["problems"] for arm, values in found["summary"].items()} == {"similarity": 6, "full": 6}
        for arm, values in found["summary"].items():
            assert values["reproved"] == sum(one.solved for one in outcomes if one.arm == arm)
        assert found["settings"]["command"].startswith("porism bench ql --first 361")


def test_the_number_of_provers_at_once_changes_no_outcome(runs: list[list[str]]) -> None:
    one, two = ([decided(line) for line in lines[:-1]] for lines in runs)
    assert one == two
    assert any(winner for _, _, _, winner, _ in one)


def decided(line: str) -> tuple[str, str, bool, str | None, tuple[str, ...]]:
    outcome = Outcome.from_json(json.loads(line))
    return outcome.arm, outcome.name, outcome.solved, outcome.winner, outcome.used


def test_every_proof_that_counts_was_proved_again(runs: list[list[str]]) -> None:
    outcomes = [Outcome.from_json(json.loads(line)) for lines in runs for line in lines[:-1]]
    solved = [outcome for outcome in outcomes if outcome.solved]
    assert solved
    assert all(outcome.reproved and outcome.by in {"Z3", "cvc5"} and not outcome.refuted for outcome in solved)
