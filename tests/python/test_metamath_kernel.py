"""The driver of the kernel in this process, through a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from porism import CheckBudget, InputError, Pool, ProverMissingError, Trust, Verdict, metamath
from porism.provers import Job, Language, Metamath, MetamathKernel
from porism.provers._self_tests import SELF_TESTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from porism import Check

LOGIC = """
$c ( ) -> wff |- A. $.
$v p q r x $.
wp $f wff p $.  wq $f wff q $.  wr $f wff r $.  vx $f wff x $.
wi $a wff ( p -> q ) $.
ax-1 $a |- ( p -> ( q -> p ) ) $.
ax-2 $a |- ( ( p -> ( q -> r ) ) -> ( ( p -> q ) -> ( p -> r ) ) ) $.
df-odd $a |- ( p -> ( p -> p ) ) $.
${ min $e |- p $. maj $e |- ( p -> q ) $. ax-mp $a |- q $. $}
${ $d x p $. gen.1 $e |- p $. gen $a |- A. x p $. $}
id $p |- ( p -> p ) $= ( wi ax-1 ax-2 ax-mp ) AAABZBZFAACAFABBGFBAFCAFADEE $.
"""
IDENTITY = "|- ( p -> p )"
PROOF = "( wi ax-1 ax-2 ax-mp ) AAABZBZFAACAFABBGFBAFCAFADEE"
WRONG = "wrong $p |- ( p -> q ) $= wp wq ax-1 $.\n"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "logic.snapshot"
    metamath.parse(LOGIC).save(path)
    return path


@pytest.fixture
def check(database: Path) -> Iterator[Callable[..., Check]]:
    with Pool([MetamathKernel(database)], workers=2) as pool:

        def check(candidate: str, **fields: object) -> Check:
            return pool.check(Job(candidate=candidate, language=Language.METAMATH, **fields))  # type: ignore[arg-type]

        yield check


def test_a_proof_of_the_statement(check: Callable[..., Check]) -> None:
    found = check(PROOF, statement=IDENTITY, name="id2", trust=Trust.L4)
    assert (found.verdict, found.trust) == (Verdict.PROVED, Trust.L4)
    assert found.axioms == ("ax-1", "ax-2", "ax-mp"), "neither notation nor what is not used"
    assert found.used == ("wi", "ax-1", "ax-2", "ax-mp")
    assert found.prover_version.startswith("porism-metamath ")
    assert check("wq id", statement="|- ( q -> q )").used == ("id",)
    assert check("wp df-odd", statement="|- ( p -> ( p -> p ) )").axioms == ("df-odd",), "definitions are told too"


@pytest.mark.parametrize(
    ("proof", "verdict", "detail"),
    [
        (PROOF.replace("EE", "E"), Verdict.REJECTED, "stack_leftover"),
        ("wp wq ax-1", Verdict.REJECTED, "conclusion_mismatch"),
        ("?", Verdict.INCOMPLETE, "proof_incomplete"),
        ("no-such-label", Verdict.REJECTED, "label_unknown"),
        ("", Verdict.REJECTED, "proof_empty"),
        (f"{PROOF} $. bad $a {IDENTITY}", Verdict.REJECTED, ""),
        ("$[ /etc/passwd $]", Verdict.REJECTED, ""),
        ("ä \ud800", Verdict.REJECTED, ""),
        ("\0", Verdict.REJECTED, ""),
    ],
)
def test_what_is_no_proof_of_it(check: Callable[..., Check], proof: str, verdict: Verdict, detail: str) -> None:
    found = check(proof, statement=IDENTITY)
    assert (found.verdict, detail in found.detail) == (verdict, True), found


@pytest.mark.parametrize(
    "fields",
    [
        {"statement": None},
        {"statement": "|- nothing"},
        {"statement": ""},
        {"statement": "p"},
        {"statement": f"{IDENTITY} $= wp $."},
        {"statement": IDENTITY, "name": "no label"},
        {"statement": IDENTITY, "header": LOGIC},
        {"statement": IDENTITY, "options": {"disjoint": ("x",)}},
        {"statement": IDENTITY, "options": {"hypotheses": {"id": "|- p"}}},
        {"statement": IDENTITY, "options": {"hypotheses": {"h": 1}}},
    ],
)
def test_what_the_proof_cannot_help_says_nothing_about_it(
    check: Callable[..., Check], fields: dict[str, object]
) -> None:
    assert check(PROOF, **fields).verdict is Verdict.UNSUPPORTED


def test_options_are_typed(check: Callable[..., Check]) -> None:
    with pytest.raises(InputError, match="another type"):
        check(PROOF, statement=IDENTITY, options={"disjoint": "x p"})


def test_hypotheses_and_disjoint_variables(check: Callable[..., Check]) -> None:
    given = {"hypotheses": {"h": "|- p"}}
    assert check("h", statement="|- p", options=given).verdict is Verdict.PROVED
    apart = "|- A. x p"
    found = check("wp vx h gen", statement=apart, options={**given, "disjoint": ("x p",)})
    assert (found.verdict, found.axioms) == (Verdict.PROVED, ("gen",))
    assert check("wp vx h gen", statement=apart, options=given).raw == "disjoint_missing"


def test_a_theorem_is_no_proof_of_itself(check: Callable[..., Check]) -> None:
    assert check("wp id", statement=IDENTITY).verdict is Verdict.PROVED
    assert check("wp id", statement=IDENTITY, name="id").raw == "label_later"
    assert check(PROOF, statement=IDENTITY, name="id").verdict is Verdict.PROVED


def test_what_rests_on_a_wrong_proof_is_incomplete() -> None:
    header = LOGIC + WRONG + "upon $p |- ( q -> q ) $= wq wq wrong $.\n"
    with Pool([MetamathKernel()], workers=1) as pool:
        ask = {"header": header, "language": Language.METAMATH}
        found = pool.check(Job(candidate="wp upon", statement=IDENTITY.replace("p", "q"), **ask))  # type: ignore[arg-type]
        assert found.verdict is not Verdict.PROVED
        found = pool.check(Job(candidate="wq upon", statement="|- ( q -> q )", **ask))  # type: ignore[arg-type]
        assert (found.verdict, "upon" in found.detail) == (Verdict.INCOMPLETE, True), found
        assert pool.check(Job(candidate="wp id", statement=IDENTITY, **ask)).verdict is Verdict.PROVED  # type: ignore[arg-type]


def test_a_spent_budget_is_no_verdict_on_the_proof(database: Path) -> None:
    with Pool([MetamathKernel(database, budget=CheckBudget(steps=3))], workers=1) as pool:
        found = pool.check(PROOF, statement=IDENTITY, prover="MetamathKernel")
        assert (found.verdict, found.raw) == (Verdict.UNKNOWN, "budget")


def test_doublings_end_with_the_budget(database: Path) -> None:
    with Pool([MetamathKernel(database)], workers=1) as pool:
        proof = "( wi ) AABZ" + "".join(f"{letter}{letter}BZ" for letter in "CDEFGHIJKLMNOPQRST")
        rest = "".join(f"{high}{low}{high}{low}BZ" for high in "UVWXY" for low in "ABCDEFGHIJKLMNOPQRST")
        found = pool.check(proof + rest, statement="wff p", prover="MetamathKernel")
        assert (found.verdict, found.raw) == (Verdict.UNKNOWN, "budget")


def test_a_header_is_a_library() -> None:
    with Pool([MetamathKernel()], workers=1) as pool:
        theorem, no_theorem = SELF_TESTS["Metamath"]
        assert pool.check(theorem, prover="MetamathKernel").verdict is Verdict.PROVED
        assert pool.check(no_theorem, prover="MetamathKernel").verdict is Verdict.REJECTED
        broken = Job(candidate="wp", statement="|- p", header="$c a", prover="MetamathKernel")
        assert pool.check(broken).verdict is Verdict.UNSUPPORTED


def test_a_missing_database_is_for_the_caller_to_hear(tmp_path: Path) -> None:
    missing = MetamathKernel(tmp_path / "missing.mm")
    with Pool([missing], workers=1) as pool, pytest.raises(ProverMissingError, match="has no library"):
        pool.check("wp", statement="|- p", prover="MetamathKernel")


def test_it_goes_before_the_program(database: Path) -> None:
    with Pool([Metamath(), MetamathKernel(database)], workers=1) as pool:
        job = Job(candidate=PROOF, statement=IDENTITY, language=Language.METAMATH)
        assert [route.prover for route in pool.routes(job)] == ["MetamathKernel", "Metamath"]


def test_builds_differ_by_database_and_budget(database: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.mm"
    other.write_text(LOGIC, encoding="ascii")
    drivers = (MetamathKernel(), MetamathKernel(database), MetamathKernel(other))
    assert len({one.build() for one in (*drivers, MetamathKernel(database, budget=CheckBudget(steps=5)))}) == 4


def test_many_at_once_share_one_library(database: Path, tmp_path: Path) -> None:
    jobs = [
        Job(candidate=PROOF if right else "wp", statement=IDENTITY, name=f"id{number}", prover="MetamathKernel")
        for number in range(50)
        for right in (True, False)
    ]
    with Pool([MetamathKernel(database)], workers=4, cache=tmp_path / "verdicts") as pool:
        done = {one.position: one.result().verdict for one in pool.map(jobs)}
    assert [done[position] for position in range(100)] == [Verdict.PROVED, Verdict.REJECTED] * 50
