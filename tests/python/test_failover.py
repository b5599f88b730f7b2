"""When the prover that was to be asked is missing or does not start, the next one that suits is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from porism import AsyncPool, Check, Pool, ProverError, ProverMissingError, Trust, Verdict
from porism._failover import PAUSE_S, TOLERATED, Outages
from porism.provers import Capabilities, Driver, Framing, Job, Language, Launch
from porism.testing import StandIn

if TYPE_CHECKING:
    from porism._core import Session

JOB = Job(candidate="goal", language=Language.TPTP)


class Named(Driver):
    """Proves everything, at a cost."""

    def __init__(self, name: str, cost: float) -> None:
        self.name = name
        self._cost = cost
        self.asked = 0

    def capabilities(self) -> Capabilities:
        return Capabilities(languages=frozenset({Language.TPTP}), cost=self._cost)

    def version(self) -> str:
        return "1"

    def check(self, session: Session, job: Job) -> Check:
        self.asked += 1
        return Check(verdict=Verdict.PROVED, trust=Trust.L0, prover=self.name)


class Absent(Named):
    def check(self, session: Session, job: Job) -> Check:
        self.asked += 1
        raise ProverMissingError(f"{self.name} is not installed; get it with: a wish")


class Stillborn(Named):
    """Its processes end before they have said a word."""

    def launch(self, header: str) -> Launch:
        return Launch(program="/bin/false", framing=Framing.LINES)

    def start(self, session: Session, header: str) -> None:
        self.asked += 1
        session.receive()


class Picky(Named):
    """Starts, but not with this header."""

    def launch(self, header: str) -> Launch:
        prover = StandIn("lines")
        return Launch(program=prover.program, args=prover.args, framing=Framing.LINES)

    def start(self, session: Session, header: str) -> None:
        if header == "odd":
            raise ProverError("does not read odd headers")


@pytest.mark.parametrize("kind", [Absent, Stillborn])
def test_the_next_one_is_asked_and_the_check_says_so(kind: type[Named]) -> None:
    cheap, dear = kind("cheap", 1.0), Named("dear", 2.0)
    with Pool([dear, cheap], workers=1) as pool:
        check = pool.check(JOB)
    assert (check.verdict, check.prover) == (Verdict.PROVED, "dear")
    assert cheap.asked == dear.asked == 1
    assert check.messages[0].text.startswith("cheap was to be asked first, and could not be: ")


def test_asyncio_does_the_same() -> None:
    async def check() -> Check:
        async with AsyncPool([Absent("cheap", 1.0), Named("dear", 2.0)], workers=1) as pool:
            return await pool.check(JOB)

    check = asyncio.run(check())
    assert check.prover == "dear"
    assert "a wish" in check.messages[0].text


def test_later_jobs_pass_over_what_is_missing() -> None:
    cheap, dear = Absent("cheap", 1.0), Named("dear", 2.0)
    with Pool([cheap, dear], workers=1) as pool:
        pool.check(JOB)
        assert pool.submit(JOB).result().prover == "dear"
        assert [one.value.prover for one in pool.map([JOB] * 2) if one.value] == ["dear"] * 2
        assert not pool.check(JOB).messages
        first, second = pool.routes(JOB)
    assert cheap.asked == 1
    assert (first.prover, first.in_trouble) == ("dear", False)
    assert (second.prover, second.suits, second.in_trouble) == ("cheap", True, True)
    assert "a wish" in second.why


def test_one_failed_start_is_tolerated_for_later_jobs() -> None:
    cheap, dear = Stillborn("cheap", 1.0), Named("dear", 2.0)
    with Pool([cheap, dear], workers=1) as pool:
        for _ in range(TOLERATED + 2):
            assert pool.check(JOB).prover == "dear"
    assert cheap.asked == TOLERATED


def test_trouble_with_a_header_is_no_trouble_with_others() -> None:
    picky, dear = Picky("picky", 1.0), Named("dear", 2.0)
    with Pool([picky, dear], workers=1) as pool:
        for _ in range(TOLERATED + 1):
            assert pool.check(JOB, header="odd").prover == "dear"
        assert pool.check(JOB, header="plain").prover == "picky"


def test_who_is_named_is_not_replaced() -> None:
    dear = Named("dear", 2.0)
    with Pool([Absent("cheap", 1.0), dear], workers=1) as pool, pytest.raises(ProverMissingError, match="a wish"):
        pool.check(JOB, prover="cheap")
    assert not dear.asked


def test_when_none_can_be_asked_the_first_one_says_why() -> None:
    drivers = [Stillborn("dear", 2.0), Absent("cheap", 1.0)]
    with Pool(drivers, workers=1) as pool, pytest.raises(ProverMissingError, match="a wish"):
        pool.check(JOB)


def test_a_verdict_is_never_asked_for_again() -> None:
    class Doubtful(Named):
        def check(self, session: Session, job: Job) -> Check:
            self.asked += 1
            return Check(verdict=Verdict.UNKNOWN, trust=Trust.L0, prover=self.name)

    dear = Named("dear", 2.0)
    with Pool([Doubtful("cheap", 1.0), dear], workers=1) as pool:
        assert pool.check(JOB).verdict is Verdict.UNKNOWN
    assert not dear.asked


# --- the memory of what went wrong ------------------------------------------------------------------------------------


def test_trouble_passes_with_time_and_with_a_start() -> None:
    now_s = 0.0
    outages = Outages(clock=lambda: now_s)
    outages.missing("a", "gone")
    for _ in range(TOLERATED):
        outages.not_started("b", "header", "broken")
    assert outages.reason("a", "") == outages.reason("a", "header") == "gone"
    assert outages.reason("b", "header") == "broken"
    assert outages.reason("b", "") is None
    outages.started("b", "header")
    assert outages.reason("b", "header") is None
    now_s = PAUSE_S
    assert outages.reason("a", "") is None


def test_headers_without_end_are_forgotten() -> None:
    outages = Outages()
    for number in range(3000):
        for _ in range(TOLERATED):
            outages.not_started("a", str(number), "broken")
    assert outages.reason("a", "0") is None
    assert outages.reason("a", "2999") == "broken"
