"""The driver of the Isabelle server, before a stand-in that speaks its protocol: no real one can be had here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from subjects import StandInIsabelle

from porism import InputError, Pool, ProverError, Sandbox, Verdict, sandbox_report
from porism.provers import Isabelle, Job
from porism.testing import StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator

RIGHT = Job(candidate="by simp", statement="2 + 2 = 4", name="t", prover="Isabelle")
WRONG = Job(candidate="by simp", statement="2 + 2 = 5", name="t", prover="Isabelle")


@pytest.fixture
def pool() -> Iterator[Pool]:
    with Pool([StandInIsabelle()], workers=1, grace_s=30.0) as pool:
        yield pool


class Faulty(StandInIsabelle):
    """One whose server goes wrong."""

    def __init__(self, *faults: str) -> None:
        super().__init__()
        self._faults = faults

    def server(self) -> tuple[str, ...]:
        return tuple(StandIn("isabelle", faults=self._faults).command)


def with_candidate(candidate: str) -> Job:
    return replace(RIGHT, candidate=candidate)


def test_proofs_and_theories(pool: Pool) -> None:
    assert pool.check(RIGHT).verdict is Verdict.PROVED
    assert pool.check(WRONG).verdict is Verdict.REJECTED
    assert pool.check(with_candidate("sorry")).verdict is Verdict.INCOMPLETE
    theory = Job(candidate='theorem t: "2 + 2 = 4" by simp', prover="Isabelle")
    assert pool.check(theory).verdict is Verdict.PROVED
    assert pool.check(theory, name="t").verdict is Verdict.PROVED
    assert pool.metrics().processes.counts["starts"] == 1


def test_what_goes_wrong_is_told_with_its_message(pool: Pool) -> None:
    check = pool.check(WRONG)
    assert check.detail == "t: 2 + 2 = 5 is false"
    assert check.messages[0].severity == "error"


@pytest.mark.parametrize("statement", ['True" sorry theorem x: "True', "a \\ b"])
def test_a_statement_cannot_leave_its_quotes(statement: str, pool: Pool) -> None:
    check = pool.check(RIGHT, statement=statement)
    assert check.verdict is Verdict.UNSUPPORTED
    assert "quotes" in check.detail


def test_symbols_are_allowed(pool: Pool) -> None:
    check = pool.check(RIGHT, statement=r"x \<in> A")
    assert check.verdict is Verdict.REJECTED


def test_a_header_is_read_once(pool: Pool) -> None:
    header = 'theorem before: "1 + 1 = 2" by simp'
    for job in (RIGHT, WRONG, RIGHT):
        pool.check(job, header=header)
    assert pool.metrics().processes.counts["starts"] == 1
    with pytest.raises(InputError, match="does not accept the header"):
        pool.check(RIGHT, header='theorem before: "1 + 1 = 3" by simp')


def test_a_deadline_cancels_the_task_and_keeps_the_server(pool: Pool) -> None:
    for _ in range(2):
        check = pool.check(with_candidate("by simp (* fault:hang *)"), deadline_s=1.0)
        assert check.verdict is Verdict.TIMEOUT
        assert pool.check(RIGHT).verdict is Verdict.PROVED
    counts = pool.metrics().processes.counts
    assert (counts["starts"], counts["recoveries"]) == (1, 2)


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("huge=3000000", Verdict.PROVED),
        ("trickle=7", Verdict.PROVED),
        ("chatty=500", Verdict.PROVED),
        ("stderr=500000", Verdict.PROVED),
        ("deny", Verdict.REJECTED),
        ("half", Verdict.CRASHED),
        ("exit=1", Verdict.CRASHED),
        ("signal=9", Verdict.CRASHED),
    ],
)
def test_a_server_that_goes_wrong(fault: str, verdict: Verdict) -> None:
    with Pool([Faulty(fault)], workers=1) as pool:
        assert pool.check(RIGHT, deadline_s=60.0).verdict is verdict


def test_a_server_that_does_not_start() -> None:
    class Absent(StandInIsabelle):
        def server(self) -> tuple[str, ...]:
            return ("/bin/echo", "no address")

    with Pool([Absent()], workers=1) as pool, pytest.raises(ProverError, match="where it listens"):
        pool.check(RIGHT)


@pytest.mark.skipif(
    not all(sandbox_report().holds(one) for one in ("files", "network", "calls")), reason="no such sandbox here"
)
def test_server_and_relay_share_a_sandbox_with_a_loopback_device_of_its_own() -> None:
    folders = (Path(StandIn("isabelle").program).parents[1], Path(StandIn("isabelle").args[2]))
    driver = StandInIsabelle(sandbox=Sandbox(network="private", read=folders, demand=("files", "network")))
    with Pool([driver], workers=1, grace_s=30.0) as pool:
        assert pool.check(RIGHT).verdict is Verdict.PROVED
        assert pool.check(with_candidate("by simp (* fault:hang *)"), deadline_s=2.0).verdict is Verdict.TIMEOUT
        assert pool.check(WRONG).verdict is Verdict.REJECTED


def test_a_program_that_is_not_there_says_where_to_get_it() -> None:
    with pytest.raises(ProverError, match="not an executable"):
        Isabelle("/nowhere/isabelle").version()
