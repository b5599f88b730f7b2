"""CaDiCaL: its words, its exit codes and its models are compared; DIMACS is read before it reaches a solver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from subjects import INSTALLED, pigeons_dimacs

from porism import InputError, Pool, Verdict
from porism.provers import Cadical, Language
from porism.provers._dimacs import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

needs_cadical = pytest.mark.skipif("CaDiCaL" not in INSTALLED, reason="CaDiCaL is not installed")

UNSATISFIABLE = "c a comment\np cnf 2 4\n1 2 0\n1 -2 0\n-1 2 0 -1 -2 0\n"
SATISFIABLE = "p cnf 3 2\n1 -2\n0 2 3 0\n"


@pytest.fixture
def pool() -> Iterator[Pool]:
    with Pool([Cadical()], workers=1) as pool:
        yield pool


@needs_cadical
def test_a_small_proof_comes_along(pool: Pool) -> None:
    check = pool.check(UNSATISFIABLE, language=Language.DIMACS)
    assert (check.verdict, check.raw) == (Verdict.PROVED, "UNSATISFIABLE")
    assert check.proof is not None
    assert check.proof.split()[-1] == "0"


@needs_cadical
def test_a_large_proof_goes_to_a_file(pool: Pool, tmp_path: Path) -> None:
    path = tmp_path / "proof.drat"
    problem = pigeons_dimacs(8)
    assert pool.check(problem, language=Language.DIMACS).proof is None
    check = pool.check(problem, language=Language.DIMACS, options={"proof_path": str(path)})
    assert (check.verdict, check.proof) == (Verdict.PROVED, None)
    assert path.stat().st_size > 1 << 20


@needs_cadical
def test_a_model_is_evaluated_and_comes_along(pool: Pool) -> None:
    check = pool.check(SATISFIABLE, language=Language.DIMACS)
    assert (check.verdict, check.detail) == (Verdict.REFUTED, "the model was evaluated")
    assert check.proof is not None
    assert parse(SATISFIABLE).satisfied_by([int(word) for word in check.proof.split()[:-1]])


@needs_cadical
def test_its_limit_is_no_answer(pool: Pool) -> None:
    check = pool.check(pigeons_dimacs(12), language=Language.DIMACS, options={"conflicts": 10})
    assert check.verdict is Verdict.UNKNOWN


@needs_cadical
def test_headers_come_first(pool: Pool) -> None:
    head, _, rest = UNSATISFIABLE.partition("1 2 0")
    assert pool.check("1 2 0" + rest, header=head, language=Language.DIMACS).verdict is Verdict.PROVED


@pytest.fixture
def saying(tmp_path: Path) -> Callable[[str, int], Cadical]:
    """A driver whose program says what it is told to."""

    def make(said: str, code: int) -> Cadical:
        program = tmp_path / "cadical"
        program.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && echo 0.0 && exit\ncat >/dev/null\necho "{said}"\nexit {code}\n'
        )
        program.chmod(0o755)
        return Cadical(program)

    return make


@pytest.mark.parametrize(
    ("said", "code", "verdict"),
    [
        ("s SATISFIABLE\nv 1 -2 3 0", 10, Verdict.REFUTED),
        ("s SATISFIABLE\nv -1 2 -3 0", 10, Verdict.CRASHED),
        ("s SATISFIABLE\nv 1 -2 3", 10, Verdict.CRASHED),
        ("s SATISFIABLE\nv 1 -1 -2 3 0", 10, Verdict.CRASHED),
        ("s SATISFIABLE\nv 1 -2 3 4 0", 10, Verdict.CRASHED),
        ("s SATISFIABLE", 10, Verdict.CRASHED),
        ("s SATISFIABLE\nv 1 -2 3 0", 20, Verdict.CRASHED),
        ("s UNSATISFIABLE", 10, Verdict.CRASHED),
        ("s UNSATISFIABLE\ns SATISFIABLE", 20, Verdict.CRASHED),
        ("s UNSATISFIABLE", 20, Verdict.PROVED),
        ("", 20, Verdict.CRASHED),
        ("", 0, Verdict.TIMEOUT),
        ("", 1, Verdict.CRASHED),
    ],
)
def test_word_code_and_model_have_to_agree(
    said: str, code: int, verdict: Verdict, saying: Callable[[str, int], Cadical]
) -> None:
    with Pool([saying(said, code)], workers=1) as pool:
        assert pool.check(SATISFIABLE, language=Language.DIMACS).verdict is verdict


def test_lrat_is_refused_where_it_cannot_be_had(saying: Callable[[str, int], Cadical]) -> None:
    with Pool([saying("", 0)], workers=1) as pool:
        check = pool.check(SATISFIABLE, language=Language.DIMACS, options={"lrat": True})
    assert check.verdict is Verdict.UNSUPPORTED
    assert "1.7" in check.detail


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "begins with"),
        ("p cnf 1\n1 0", "begins with"),
        ("p cnf 1 1\n1", "not ended by 0"),
        ("p cnf 1 1\n2 0", "another one"),
        ("p cnf 1 2\n1 0", "2 clauses, and has 1"),
        ("p cnf 1 1\nx 0", "are numbers"),
        ("p cnf 1 1\n- 0", "are numbers"),
        ("p cnf 1 1\n99999999999999999999 0", "are numbers"),
        ("p cnf 999999999 0\n", "at most"),
    ],
)
def test_what_is_no_dimacs_is_told_apart(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        parse(text)


def test_no_clauses_are_satisfied_and_an_empty_one_is_not() -> None:
    assert parse("p cnf 0 0\n").satisfied_by([])
    assert not parse("p cnf 1 1\n0\n").satisfied_by([1])
    assert not parse("p cnf 1 2\n1 0\n0\n").satisfied_by([1])
    assert parse("p cnf 2 2\n1 0\n-2 0\n").text() == "p cnf 2 2\n1 0 -2 0\n"
