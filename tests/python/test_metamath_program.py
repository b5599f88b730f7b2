"""The driver of the program ``metamath``, which never fails by its exit code: what it prints is read with care."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from subjects import INSTALLED

from porism import InputError, Pool, Verdict
from porism.provers import Job, Language, Metamath
from porism.provers._metamath_text import plain, read
from porism.testing import StandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from porism import Check

needs_metamath = pytest.mark.skipif("Metamath" not in INSTALLED, reason="metamath is not installed")

# Modus ponens over one connective, and enough to prove that p implies p.
LOGIC = """
$c ( ) -> wff |- $.
$v p q r $.
wp $f wff p $.  wq $f wff q $.  wr $f wff r $.
wi $a wff ( p -> q ) $.
ax-1 $a |- ( p -> ( q -> p ) ) $.
ax-2 $a |- ( ( p -> ( q -> r ) ) -> ( ( p -> q ) -> ( p -> r ) ) ) $.
${ min $e |- p $. maj $e |- ( p -> q ) $. ax-mp $a |- q $. $}
"""
IDENTITY = "|- ( p -> p )"
PROOF = "( wi ax-1 ax-2 ax-mp ) AAABZBZFAACAFABBGFBAFCAFADEE"
THEOREM = f"id $p {IDENTITY} $= {PROOF} $."


@pytest.fixture
def check() -> Iterator[Callable[..., Check]]:
    with Pool([Metamath()], workers=1) as pool:

        def check(candidate: str, **fields: object) -> Check:
            return pool.check(Job(candidate=candidate, language=Language.METAMATH, **fields))  # type: ignore[arg-type]

        yield check


@needs_metamath
def test_a_proof_of_the_statement(check: Callable[..., Check]) -> None:
    found = check(PROOF, header=LOGIC, statement=IDENTITY, name="id")
    assert found.verdict is Verdict.PROVED
    assert {"ax-1", "ax-2", "ax-mp"} <= set(found.axioms)
    assert not check(PROOF, header=LOGIC, statement=IDENTITY, name="id", options={"trace": False}).axioms


@needs_metamath
@pytest.mark.parametrize(
    ("proof", "verdict", "detail"),
    [
        (PROOF.replace("EE", "E"), Verdict.REJECTED, "?Error"),
        ("?", Verdict.INCOMPLETE, "not proved: porism_goal"),
        ("no-such-label", Verdict.REJECTED, "?Error"),
        ("", Verdict.REJECTED, "?Error"),
        (f"{PROOF} $. bad $a {IDENTITY}", Verdict.UNSUPPORTED, "has no '$.'"),
        ("$[ /etc/passwd $]", Verdict.UNSUPPORTED, "has no '$['"),
    ],
)
def test_what_is_no_proof_of_it(check: Callable[..., Check], proof: str, verdict: Verdict, detail: str) -> None:
    found = check(proof, header=LOGIC, statement=IDENTITY)
    assert (found.verdict, detail in found.detail) == (verdict, True), found


@needs_metamath
def test_a_proof_of_something_else_is_told_with_its_line(check: Callable[..., Check]) -> None:
    found = check(PROOF, header=LOGIC, statement="|- ( p -> q )")
    assert found.verdict is Verdict.REJECTED
    assert found.messages[0].line > 1


@needs_metamath
def test_scopes_of_the_header_hold_for_the_proof(check: Callable[..., Check]) -> None:
    header = f"{LOGIC} ${{ hyp $e |- p $."
    assert check("wp wp wi hyp PLACEHOLDER", header=header, statement="|- p").verdict is Verdict.REJECTED
    assert check("hyp", header=header, statement="|- p").verdict is Verdict.PROVED
    assert check("hyp", header=f"{LOGIC} ${{ hyp $e |- p $. $}}", statement="|- p").verdict is Verdict.REJECTED


@needs_metamath
def test_a_whole_database(check: Callable[..., Check]) -> None:
    assert check(LOGIC + THEOREM).verdict is Verdict.PROVED
    assert "ax-mp" in check(LOGIC + THEOREM, name="id").axioms
    assert check(LOGIC + THEOREM.replace("EE", "E")).verdict is Verdict.REJECTED
    assert check(LOGIC + f"id $p {IDENTITY} $= ? $.").verdict is Verdict.INCOMPLETE
    assert check(LOGIC).verdict is Verdict.UNSUPPORTED
    assert check(LOGIC + THEOREM, name="other").verdict is Verdict.UNSUPPORTED


@needs_metamath
def test_appended_source_may_not_assume_anything(check: Callable[..., Check]) -> None:
    assert check(THEOREM, header=LOGIC).verdict is Verdict.PROVED
    found = check(f"cheat $a |- p $. {THEOREM}", header=LOGIC)
    assert (found.verdict, found.detail) == (Verdict.INCOMPLETE, "it states axioms of its own: cheat")
    for hidden in ("$[ /etc/passwd $]", "$( $[ /etc/passwd $] $)"):
        assert check(f"{hidden} {THEOREM}", header=LOGIC).verdict is Verdict.UNSUPPORTED


@needs_metamath
def test_a_database_on_disk(tmp_path: Path) -> None:
    database = tmp_path / "with a blank $.mm"
    database.write_text(LOGIC, encoding="ascii")
    driver = Metamath(database=database)
    with Pool([driver], workers=1) as pool:
        before = driver.build()
        assert pool.check(PROOF, statement=IDENTITY, prover="Metamath").verdict is Verdict.PROVED
        assert pool.check("wp", statement=IDENTITY, prover="Metamath").verdict is Verdict.REJECTED
        database.write_text(LOGIC + THEOREM, encoding="ascii")
        assert driver.build() != before
        assert pool.check("wp id", statement=IDENTITY, prover="Metamath").verdict is Verdict.PROVED


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[..., Metamath]:
    """The driver, with a stand-in for its program."""

    def make(*faults: str) -> Metamath:
        program = tmp_path / "metamath"
        command = " ".join(StandIn("metamath", faults=faults).command)
        program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="ascii")
        program.chmod(0o755)
        return Metamath(program)

    return make


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("chatty=1", Verdict.CRASHED),
        ("half=0.5", Verdict.CRASHED),
        ("garbage=64", Verdict.CRASHED),
        ("exit=0", Verdict.CRASHED),
        ("signal=11", Verdict.CRASHED),
        ("deny", Verdict.REJECTED),
        ("slow=0.1", Verdict.PROVED),
    ],
)
def test_only_what_it_says_when_all_is_well_is_a_proof(
    fault: str, verdict: Verdict, stand_in: Callable[..., Metamath]
) -> None:
    with Pool([stand_in(fault)], workers=1) as pool:
        assert pool.check("a", statement="|- 2 + 2 = 4", name="t", prover="Metamath").verdict is verdict


def test_source_is_read_as_far_as_it_must_be() -> None:
    found = read(LOGIC + THEOREM + " ${")
    assert found.theorems == ("id",)
    assert found.axioms[-1] == "ax-mp"
    assert found.open_scopes == 1
    assert plain("|- ( $( a comment $) p -> p )", "a statement") == "|- ( p -> p )"


@pytest.mark.parametrize("text", ["$( open", "$( a $( b $) $)", "closed $)", "$}", "ä", "a\0", "$p", "b/d $p |- $."])
def test_source_that_is_not_right_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read(text)
