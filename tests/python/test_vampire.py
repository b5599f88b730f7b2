"""The driver of Vampire, before a stand-in and before texts as Vampire prints them: no real one can be had here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from subjects import vampire

from porism import Pool, Verdict
from porism.provers import Language, Vampire
from porism.provers._szs import used_premises

if TYPE_CHECKING:
    from pathlib import Path

PROOF = """fof(f1,axiom,(
  ! [X0] : (man(X0) => mortal(X0))),
  file('/dev/stdin',all)).
fof(f2,axiom,(
  man(socrates)),
  file('/dev/stdin','a man')).
fof(f3,conjecture,(
  mortal(socrates)),
  file('/dev/stdin',goal)).
fof(f4,negated_conjecture,(
  ~mortal(socrates)),
  inference(negated_conjecture,[],[f3])).
fof(f5,plain,(
  $false),
  inference(resolution,[],[f4,f1,f2])).
"""


def test_premises_are_read_from_statements_of_several_lines() -> None:
    assert used_premises(PROOF) == ("all", "a man")


@pytest.mark.parametrize(
    ("said", "code", "verdict", "used"),
    [
        (f"% SZS status Theorem for p\n% SZS output start Proof for p\n{PROOF}% SZS output end Proof for p", 0,
         Verdict.PROVED, ("all", "a man")),
        ("% SZS status Theorem for p\n% SZS output start Proof for p\nfof(f1", 0, Verdict.PROVED, ()),
        ("% SZS status ContradictoryAxioms for p", 0, Verdict.PROVED, ()),
        ("% SZS status Theorem for p", 1, Verdict.CRASHED, ()),
        ("% SZS status CounterSatisfiable for p", 0, Verdict.REFUTED, ()),
        ("% SZS status Timeout for p", 1, Verdict.TIMEOUT, ()),
        ("% SZS status GaveUp for p", 1, Verdict.UNKNOWN, ()),
        ("% SZS status InputError for p", 4, Verdict.UNSUPPORTED, ()),
        ("", 1, Verdict.UNKNOWN, ()),
        ("", 4, Verdict.CRASHED, ()),
    ],
)  # fmt: skip
def test_words_and_exit_codes(said: str, code: int, verdict: Verdict, used: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "said").write_text(said + "\n", encoding="utf-8")
    program = tmp_path / "vampire"
    program.write_text(f"#!/bin/sh\ncat >/dev/null\ncat {tmp_path}/said\nexit {code}\n", encoding="utf-8")
    program.chmod(0o755)
    claim = Vampire(program).prove("fof(a, axiom, $true).")
    assert (claim.verdict, claim.used) == (verdict, used)


def test_options_reach_the_program(tmp_path: Path) -> None:
    program = tmp_path / "vampire"
    program.write_text('#!/bin/sh\necho "% SZS status GaveUp"; echo "$@" >&2; exit 1\n', encoding="utf-8")
    program.chmod(0o755)
    claim = Vampire(program).prove("", seconds=2.5, memory_mb=100, cores=3, schedule="casc_sat")
    for part in ("--schedule casc_sat", "--cores 3", "-t 25d", "-m 100", "--output_mode szs"):
        assert part in claim.detail


def test_a_stand_in_through_a_pool(tmp_path: Path) -> None:
    with Pool([vampire(tmp_path)], workers=1) as pool:
        right, wrong, odd = (
            pool.check(f"fof(goal, conjecture, {statement}).", language=Language.TPTP)
            for statement in ("2 + 2 = 4", "2 + 2 = 5", "p(a)")
        )
    assert (right.verdict, wrong.verdict, odd.verdict) == (Verdict.PROVED, Verdict.REFUTED, Verdict.UNKNOWN)
