"""Certificates from Python: the cases that the engine's own tests read, from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from porism._certificates import check_certificate
from porism._errors import InputError

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[1] / "conformance/lrat/cases.json").read_text(encoding="utf-8")
)


# The engine's budget is smaller than the one of files: what exhausts it does not exhaust this.
@pytest.mark.parametrize(
    "case",
    [case for case in CASES if "cnf" in case and "proof" in case and case.get("code") != "budget"],
    ids=lambda case: case["name"],
)
def test_an_lrat_case_is_decided_as_in_the_engine(case: dict[str, Any], tmp_path: Path) -> None:
    problem, proof = tmp_path / "case.cnf", tmp_path / "case.lrat"
    problem.write_text(case["cnf"], encoding="utf-8")
    proof.write_text(case["proof"], encoding="utf-8")
    for threads in (1, 2):
        certified = check_certificate(proof, problem=problem, threads=threads)
        assert certified.checked.decision == case["verdict"]
        assert certified.accepted is (case["verdict"] == "accepted")


def test_a_drat_proof_is_accepted_and_a_wrong_one_is_not(tmp_path: Path) -> None:
    problem = tmp_path / "four.cnf"
    problem.write_text("p cnf 2 4\n1 2 0\n1 -2 0\n-1 2 0\n-1 -2 0\n")
    satisfiable = tmp_path / "one.cnf"
    satisfiable.write_text("p cnf 2 1\n1 2 0\n")
    proof = tmp_path / "proof.drat"
    proof.write_text("1 0\n0\n")
    assert check_certificate(proof, problem=problem).accepted
    assert not check_certificate(proof, problem=satisfiable).accepted


def test_an_unknown_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the formats are lrat, drat, model, rewrite"):
        check_certificate(tmp_path / "proof.unknown", problem=tmp_path / "problem.cnf")
