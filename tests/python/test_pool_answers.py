"""What a pool says beside the verdict: how long it took, whose work it was, and what was known already."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

import pytest

import porism
from porism import Check, Trust, Verdict
from porism.provers import Capabilities, Driver, Framing, Job, Language, Launch
from porism.testing import StandIn

if TYPE_CHECKING:
    from pathlib import Path

    from porism import _core


class Scripted(Driver):
    """Does without a process: says what the candidate says, and counts how often it was asked.

    A candidate that waits does so until it is let go, or its time is over.
    """

    name = "scripted"
    options = {"seconds": float}  # noqa: RUF012 - as drivers have it

    def __init__(self, build: str = "1") -> None:
        self.asked: list[str] = []
        self.entered = threading.Semaphore(0)
        self.go = threading.Event()
        self._build = build

    def capabilities(self) -> Capabilities:
        return Capabilities(languages=frozenset({Language.LEAN4}), trust=Trust.L2)

    def version(self) -> str:
        return self._build

    def check(self, session: _core.Session, job: Job) -> Check:
        self.asked.append(job.candidate)
        self.entered.release()
        word, _, rest = job.candidate.partition(" ")
        if word == "wait":
            while not self.go.wait(0.005):
                if session.cancel.cancelled:
                    raise porism.ProverStoppedError("stopped")
            word = rest
        if word == "sleep":
            time.sleep(0.02)
            word = rest
        if word == "unreadable":
            raise porism.InputError("it is not in the language")
        return Check(Verdict(word), job.trust, self.name)


def job(candidate: str, **fields: object) -> Job:
    return Job(candidate=candidate, language=Language.LEAN4, **fields)  # type: ignore[arg-type]


# --- time, and whose work it was --------------------------------------------------------------------------------------


def test_a_check_tells_the_time_that_it_waited_and_worked() -> None:
    driver = Scripted()
    with porism.Pool([driver], workers=1) as pool:
        first, second = (pool.submit(job(f"sleep {verdict}")) for verdict in ("proved", "refuted"))
        assert first.result().work_s >= 0.02
        assert second.result().wait_s >= 0.02
        assert not second.result().coalesced


def test_who_shares_the_work_of_another_is_told() -> None:
    driver = Scripted()

    async def ask() -> list[Check]:
        async with porism.AsyncPool([driver], workers=1) as pool:
            tasks = [asyncio.ensure_future(pool.check(job("wait proved"))) for _ in range(3)]
            await asyncio.sleep(0.01)
            driver.go.set()
            return await asyncio.gather(*tasks)

    checks = asyncio.run(ask())
    assert [check.coalesced for check in checks] == [False, True, True]
    assert driver.asked == ["wait proved"]


def test_who_joins_a_batch_is_told_too() -> None:
    driver = Scripted()
    driver.go.set()
    with porism.Pool([driver], workers=1) as pool:
        done = list(pool.map([job("sleep proved"), job("refuted"), job("refuted")]))
    assert sorted(one.result().coalesced for one in done) == [False, False, True]


@pytest.mark.parametrize(
    "change",
    [{"statement": ""}, {"header": "x"}, {"name": "x"}, {"trust": Trust.L1}, {"options": {"seconds": 1.0}}],
    ids=lambda change: next(iter(change)),
)
def test_jobs_that_differ_do_not_share(change: dict[str, object]) -> None:
    driver = Scripted()
    with porism.Pool([driver], workers=1) as pool:
        tickets = [pool.submit(job("wait proved")), pool.submit(job("wait proved", **change))]
        driver.go.set()
        assert [ticket.result().verdict for ticket in tickets] == [Verdict.PROVED] * 2
    assert len(driver.asked) == 2


def test_no_two_jobs_have_one_key() -> None:
    driver = Scripted()
    with porism.Pool([driver], workers=1) as pool:
        tickets = [
            pool.submit(job("wait proved", header="ab", name="c")),
            pool.submit(job("wait proved", header="a", name="bc")),
            pool.submit(job("wait proved\ud800")),
        ]
        driver.go.set()
        tickets[0].result()
        tickets[1].result()
    assert len(driver.asked) == 3


# --- processes that do not come to their first job --------------------------------------------------------------------


class Broken(Scripted):
    """Its process ends before it is ready."""

    name = "broken"

    def launch(self, header: str) -> Launch:
        program = StandIn("lines", faults=[header])
        return Launch(program=program.program, args=program.args, framing=Framing.LINES)

    def start(self, session: _core.Session, header: str) -> None:
        session.ask(b"theorem ready : 1 + 1 = 2 := by decide\n")
        raise porism.ProverMemoryError("no memory for the library")


@pytest.mark.parametrize(("fault", "verdict"), [("exit=3", Verdict.CRASHED), ("slow=0", Verdict.MEMORY)])
def test_a_start_that_breaks_is_a_word_about_the_attempt(fault: str, verdict: Verdict) -> None:
    with porism.Pool([Broken()], workers=1) as pool:
        assert pool.check(job("proved", header=fault)).verdict is verdict
        (done,) = pool.map([job("proved", header=fault)])
        assert done.result().verdict is verdict


# --- the cache --------------------------------------------------------------------------------------------------------


def test_what_was_found_out_is_not_asked_again(tmp_path: Path) -> None:
    driver = Scripted()
    with porism.Pool([driver], workers=1, cache=tmp_path / "known.verdicts") as pool:
        first = pool.check(job("sleep proved"))
        again = pool.check(job("sleep proved"))
        (batch,) = pool.map([job("sleep proved")])
    assert (first.cached, again.cached, batch.result().cached) == (False, True, True)
    assert again.work_s == pytest.approx(first.work_s)
    assert driver.asked == ["sleep proved"]

    # Another pool, with another object of the same driver, and a file that the first one closed.
    driver = Scripted()
    with porism.VerdictCache.open(tmp_path / "known.verdicts") as cache:
        with porism.Pool([driver], workers=1, cache=cache) as pool:
            assert pool.check(job("sleep proved")).cached
            assert not pool.check(job("sleep proved", statement="1 = 1")).cached
        # It is the caller's, and still open.
        assert cache.stats().entries == 2
    assert driver.asked == ["sleep proved"]


def test_a_loop_is_answered_from_memory_without_the_queue(tmp_path: Path) -> None:
    async def ask() -> int:
        async with porism.AsyncPool([Scripted()], workers=1, cache=tmp_path / "known.verdicts") as pool:
            assert not (await pool.check(job("proved"))).cached
            before = pool.metrics().queue.counts["submitted"]
            assert (await pool.check(job("proved"))).cached
            return pool.metrics().queue.counts["submitted"] - before

    assert asyncio.run(ask()) == 0


def test_another_build_is_asked_anew(tmp_path: Path) -> None:
    for build, cached in (("1", False), ("1", True), ("2", False)):
        with porism.Pool([Scripted(build)], workers=1, cache=tmp_path / "known.verdicts") as pool:
            assert pool.check(job("proved")).cached is cached


@pytest.mark.parametrize("verdict", ["crashed", "memory", "cancelled", "unsupported", "failed"])
def test_what_says_nothing_about_the_next_attempt_is_not_kept(tmp_path: Path, verdict: str) -> None:
    with porism.Pool([Scripted()], workers=1, cache=tmp_path / "known.verdicts") as pool:
        assert [pool.check(job(verdict)).cached for _ in range(2)] == [False, False]


def test_more_trust_is_asked_for_anew(tmp_path: Path) -> None:
    with porism.Pool([Scripted()], workers=1, cache=tmp_path / "known.verdicts") as pool:
        asked = [pool.check(job("proved", trust=trust)) for trust in (Trust.L1, Trust.L2, Trust.L0)]
    assert [check.cached for check in asked] == [False, False, True]


def test_a_timeout_answers_who_has_no_more_time(tmp_path: Path) -> None:
    driver = Scripted()
    with porism.Pool([driver], workers=1, cache=tmp_path / "known.verdicts") as pool:

        def ask(seconds: float) -> Check:
            return pool.check(job("timeout", options={"seconds": seconds}), deadline_s=1000)

        assert [ask(seconds).cached for seconds in (8.0, 8.0, 4.0, 9.0, 9.0)] == [False, True, True, False, True]
    assert len(driver.asked) == 2


def test_a_deadline_that_passed_at_work_is_kept_and_one_that_passed_in_line_is_not(tmp_path: Path) -> None:
    driver = Scripted()
    with porism.Pool([driver], workers=1, cache=tmp_path / "known.verdicts") as pool:
        working = pool.submit(job("wait proved"), deadline_s=0.3)
        driver.entered.acquire()
        in_line = pool.check(job("wait refuted"), deadline_s=0.01)
        assert in_line.verdict in {Verdict.TIMEOUT, Verdict.OVERLOADED}
        with pytest.raises(porism.DeadlineError):
            working.result()
        # The thread that notes it is free after that.
        pool.check(job("unknown"))
        driver.go.set()
        known = pool.check(job("wait proved"), deadline_s=0.1)
        assert (known.verdict, known.cached) == (Verdict.TIMEOUT, True)
        assert pool.check(job("wait refuted"), deadline_s=1000).verdict is Verdict.REFUTED


def test_a_cache_that_fails_is_a_problem_and_no_verdict(tmp_path: Path) -> None:
    cache = porism.VerdictCache.open(tmp_path / "known.verdicts")
    with porism.Pool([Scripted()], workers=1, cache=cache) as pool:
        assert pool.check(job("proved")).verdict is Verdict.PROVED
        assert pool.health().ok
        cache.close()
        assert pool.check(job("proved")).verdict is Verdict.PROVED
        assert "the verdict cache" in pool.health().problems[0]


def test_no_process_is_started_for_what_is_known(tmp_path: Path) -> None:
    class Kept(Broken):
        name = "kept"

        def start(self, session: _core.Session, header: str) -> None:
            pass

    for starts in (1, 0):
        with porism.Pool([Kept()], workers=1, cache=tmp_path / "known.verdicts") as pool:
            assert pool.check(job("proved", header="slow=0")).verdict is Verdict.PROVED
            assert pool.metrics().processes.counts["starts"] == starts
