"""A pool under everything that goes wrong at once: nothing is lost, doubled, mixed up or left behind.

``PORISM_FAULTS`` says how many faults are forced, ``PORISM_SEED`` with which seed. The seed is printed when a test
fails.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fault_drivers import Lines, Repl, Smt
from fault_mix import Question, question, questions
from traces import children, left_behind, traces

import porism
from porism import Verdict
from porism.provers import Language

if TYPE_CHECKING:
    from collections.abc import Iterator

FAULTS = int(os.environ.get("PORISM_FAULTS", "2000"))
SEED = int(os.environ.get("PORISM_SEED", str(secrets.randbits(32))))

# Jobs under way at once. More than workers, so that some wait; few, so that short deadlines are for the work.
UNDER_WAY = 8


class Killer:
    """Somebody who kills processes from outside, any of them, now and then."""

    def __init__(self, drawn: random.Random, every_s: float) -> None:
        self.killed = 0
        self._drawn = drawn
        self._every_s = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._drawn.expovariate(1 / self._every_s)):
            victims = sorted(children())
            if victims:
                with suppress(ProcessLookupError):
                    os.kill(self._drawn.choice(victims), signal.SIGKILL)
                    self.killed += 1


async def ask_all(pool: porism.AsyncPool, asked: Iterator[Question], *, victims: frozenset[Verdict]) -> list[str]:
    """Asks all, some at a time; returns the complaints."""
    complaints: list[str] = []

    async def one_after_another() -> None:
        for one in asked:
            check = await pool.check(one.job, deadline_s=one.deadline_s)
            if complaint := one.complaint(check, victims=victims):
                complaints.append(complaint)

    await asyncio.gather(*(one_after_another() for _ in range(UNDER_WAY)))
    return complaints


def test_whatever_goes_wrong_every_job_has_its_own_answer_and_nothing_is_left() -> None:
    print(f"PORISM_SEED={SEED}")
    drawn = random.Random(SEED)
    mark = f"{os.getpid()}-{SEED}"
    before = traces(mark)
    drivers = (Lines(mark), Repl(mark), Smt(mark))
    asked = 0

    def counted() -> Iterator[Question]:
        nonlocal asked
        forced = 0
        for one in questions(drawn, 2 * FAULTS):
            asked += 1
            forced += one.forced
            if asked % 5000 == 0:
                print(f"{forced} faults so far", flush=True)
            yield one
            if forced == FAULTS:
                return

    async def storm() -> list[str]:
        async with porism.AsyncPool(drivers, workers=4, processes=6, grace_s=0.3, uses=40, canary_every=5) as pool:
            with Killer(random.Random(SEED + 1), every_s=0.5):
                # Whoever is killed from outside, or comes after one whose process was spoilt, is told that it crashed.
                complaints = await ask_all(pool, counted(), victims=frozenset({Verdict.CRASHED, Verdict.FAILED}))
            metrics = pool.metrics()
            counts = metrics.queue.counts
            ended = ("answered", "timed_out", "cancelled", "crashed", "closed")
            assert counts["submitted"] == asked - counts["refused_late"] - counts["refused_full"]
            assert counts["submitted"] == sum(counts[name] for name in ended)
            print(f"{asked} jobs, {metrics.processes.counts}, {counts}")
            return complaints

    complaints = asyncio.run(storm())
    assert complaints == []
    # No job was begun twice, and none that was answered was not begun.
    assert max(count for driver in drivers for count in driver.begun.values()) == 1
    assert left_behind(before, mark) == []


def test_without_a_killer_no_healthy_job_is_a_victim() -> None:
    """Faults that end with their own answer do not reach the neighbours, who share workers and processes with them."""
    print(f"PORISM_SEED={SEED}")
    drawn = random.Random(SEED)
    mark = f"{os.getpid()}-quiet-{SEED}"
    before = traces(mark)
    # What spoils the process after a good answer does reach whoever comes next.
    asked = (one for one in questions(drawn, FAULTS // 5) if not one.fault.startswith(("last", "twice")))

    async def storm() -> list[str]:
        async with porism.AsyncPool([Lines(mark), Repl(mark), Smt(mark)], workers=4, grace_s=0.3) as pool:
            return await ask_all(pool, asked, victims=frozenset())

    assert asyncio.run(storm()) == []
    assert left_behind(before, mark) == []


def test_who_leaves_the_group_ends_with_the_sandbox() -> None:
    """A child in a session of its own escapes a signal to the group; in a sandbox nothing does."""
    if not porism.sandbox_report().holds("together"):
        pytest.skip("this machine gives a program no process numbers of its own")
    mark = f"{os.getpid()}-escape-{SEED}"
    before = traces(mark)
    # The program, and the folder that it loads.
    readable = (Path(sys.prefix), Path(sys.base_prefix), Path(porism.__file__).parent)
    sandbox = porism.Sandbox(read=readable, demand=("together",))
    drawn = random.Random(SEED)
    asked = (question(drawn, number, "escape=600", language=Language.ISABELLE) for number in range(20))

    async def storm() -> list[str]:
        async with porism.AsyncPool([Lines(mark, memory_mb=None, sandbox=sandbox)], workers=2, uses=4) as pool:
            return await ask_all(pool, asked, victims=frozenset())

    assert asyncio.run(storm()) == []
    assert left_behind(before, mark) == []
