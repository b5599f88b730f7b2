"""The driver of Lean's REPL, and that of its language server, against stand-ins that go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import porism
from porism.provers import LeanRepl, LeanServer, Verdict
from porism.provers._driver import Framing, Launch
from porism.testing import StandIn

if TYPE_CHECKING:
    from pathlib import Path

    from porism.provers import Driver

TRUE = "2 + 2 = 4"
FALSE = "2 + 2 = 5"


@pytest.fixture
def lean(tmp_path: Path) -> Path:
    """A program that says where it is and which version it has, and nothing else."""
    program = tmp_path / "lean"
    program.write_text(
        f"#!/bin/sh\ncase $1 in --version) echo 'Lean (version 4.0.0)';; --print-prefix) echo {tmp_path};; esac\n"
    )
    program.chmod(0o755)
    return program


class Server(LeanServer):
    """The language server, with a stand-in in its place."""

    def launch(self, header: str) -> Launch:
        stand_in = StandIn("content-length")
        return Launch(program=stand_in.program, args=tuple(stand_in.args), framing=Framing.CONTENT_LENGTH)


@pytest.fixture(params=["repl", "server"])
def driver(request: pytest.FixtureRequest, lean: Path) -> Driver:
    if request.param == "server":
        return Server(lean, sandbox=None)
    stand_in = StandIn("repl")
    return LeanRepl(stand_in.program, args=stand_in.args, lean=lean, sandbox=None)


@pytest.fixture
def ask(driver: Driver) -> Any:
    with porism.Pool([driver], workers=1) as pool:

        def ask(candidate: str, statement: str | None = TRUE, **others: Any) -> porism.Check:
            others = {"name": "t", "deadline_s": 10.0, **others}
            return pool.check(candidate, statement=statement, prover=driver.name, **others)

        yield ask


def test_a_proof_is_proved(ask: Any) -> None:
    check = ask("by decide", header="import Standard")
    assert (check.verdict, check.trust, check.axioms) == (Verdict.PROVED, porism.Trust.L1, ())
    assert check.prover_version == "Lean (version 4.0.0)"


def test_what_is_false_is_rejected_at_its_place(ask: Any) -> None:
    check = ask("by decide", FALSE)
    assert check.verdict is Verdict.REJECTED
    assert "is false" in " ".join(message.text for message in check.messages)


def test_gaps_and_axioms_are_no_proof(ask: Any) -> None:
    assert ask("by sorry").verdict is Verdict.INCOMPLETE
    text = "axiom cheat : 1 = 2\ntheorem t : 2 + 2 = 4 := by decide"
    check = ask(text, None)
    assert (check.verdict, check.axioms) == (Verdict.INCOMPLETE, ("cheat",))


def test_a_text_is_worth_the_lowest_level(ask: Any) -> None:
    check = ask("theorem t : 2 + 2 = 4 := by decide", None)
    assert (check.verdict, check.trust) == (Verdict.PROVED, porism.Trust.L0)
    check = ask("theorem other : 2 + 2 = 4 := by decide", None)
    assert check.verdict is Verdict.MISMATCH


def test_characters_beyond_the_first_plane_go_through(ask: Any) -> None:
    assert ask("by decide -- \U0001d53d ⊢ é").verdict is Verdict.PROVED
    assert ask("by decide -- \ud800").verdict is Verdict.UNSUPPORTED


@pytest.mark.parametrize(
    ("fault", "verdicts"),
    [
        ("garbage=100", {Verdict.CRASHED, Verdict.TIMEOUT}),
        ("half=0.5", {Verdict.CRASHED}),
        ("exit=3", {Verdict.CRASHED}),
        ("signal=9", {Verdict.CRASHED}),
        ("hang=60", {Verdict.TIMEOUT}),
        ("deaf=60", {Verdict.TIMEOUT}),
        ("close=60", {Verdict.CRASHED, Verdict.TIMEOUT}),
        ("deny", {Verdict.REJECTED}),
        ("other", {Verdict.MISMATCH}),
        ("stderr=1000000", {Verdict.PROVED}),
        ("trickle=7", {Verdict.PROVED}),
        ("huge=1000000", {Verdict.PROVED}),
        ("slow=0.1", {Verdict.PROVED}),
        ("last=0", {Verdict.PROVED, Verdict.CRASHED}),
    ],
)
def test_faults_are_no_verdicts(ask: Any, driver: Driver, fault: str, verdicts: set[Verdict]) -> None:
    if fault.startswith(("hang", "slow")) and isinstance(driver, Server):
        pytest.skip("the stand-in gives up at any message, Lean only when the document changes")
    check = ask(f"by decide -- fault:{fault}", deadline_s=3.0)
    assert check.verdict in verdicts, check
    again = ask("by decide")
    assert again.verdict is Verdict.PROVED, again


def test_the_answer_to_another_question_is_none(ask: Any) -> None:
    assert ask("by decide").verdict is Verdict.PROVED
    check = ask("by decide -- fault:stale", FALSE)
    assert check.verdict is Verdict.CRASHED, check
    assert ask("by decide -- fault:twice").verdict is Verdict.PROVED
    # What was left over is not taken for an answer; the process may be given up for it.
    assert ask("by decide", FALSE).verdict in {Verdict.REJECTED, Verdict.CRASHED}
    assert ask("by decide", FALSE).verdict is Verdict.REJECTED


def test_the_repl_that_prints_anything_else_is_given_up(lean: Path) -> None:
    stand_in = StandIn("repl", faults=["chatty=3@2"])
    driver = LeanRepl(stand_in.program, args=stand_in.args, lean=lean, sandbox=None)
    with porism.Pool([driver], workers=1) as pool:
        check = pool.check("by decide", statement=TRUE, prover=driver.name)
        assert check.verdict is Verdict.CRASHED
        assert "no JSON" in check.detail


def test_a_header_that_is_refused_is_not_the_candidates_fault(ask: Any) -> None:
    with pytest.raises(porism.InputError, match="header"):
        ask("by decide", header="theorem h : 1 = 2 := by decide")


def test_what_is_missing_is_said(lean: Path, tmp_path: Path) -> None:
    driver = LeanRepl(tmp_path / "nowhere", lean=lean)
    with porism.Pool([driver], workers=1) as pool, pytest.raises(porism.ProverMissingError):
        pool.check("by decide", statement=TRUE, prover=driver.name)
