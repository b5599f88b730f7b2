"""Requests that are given up, come too late, or lose their pool, at any moment of their lives.

Each ends once, nobody waits for ever, and nothing is left. ``PORISM_SEED`` chooses the moments.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvloop
from fault_drivers import Lines, Repl, Smt
from fault_mix import question
from test_fault_storm import SEED
from traces import left_behind, marked, traces

import porism
from porism import Verdict
from porism.provers import Language

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

ROUNDS = int(os.environ.get("PORISM_LIVES", "6"))
REQUESTS = 30

# What may come of a request that somebody meddles with, beside what its text decides.
MEDDLED = frozenset({Verdict.TIMEOUT, Verdict.OVERLOADED, Verdict.CANCELLED})


def drivers(mark: str) -> list[porism.provers.Driver]:
    return [Lines(mark), Repl(mark), Smt(mark)]


def slow(drawn: random.Random) -> str:
    """Work of some length; a part of it without an end."""
    return drawn.choice(("slow=0.01", "slow=0.05", "slow=0.2", "hang", ""))


# --- from loops -------------------------------------------------------------------------------------------------------


async def life(pool: porism.AsyncPool, drawn: random.Random, number: int) -> str:
    """One request, and one thing that happens to it at some moment; how it ended."""
    fate = drawn.choice(("cancel", "deadline", "both", "finish"))
    one = question(drawn, number, slow(drawn) if fate != "finish" else "")
    deadline_s = drawn.uniform(0, 0.3) if fate in {"deadline", "both"} else None
    task = asyncio.ensure_future(pool.check(one.job, deadline_s=deadline_s))
    if fate in {"cancel", "both"}:
        await asyncio.sleep(drawn.uniform(0, 0.3))
        task.cancel()
    try:
        check = await task
    except asyncio.CancelledError:
        return "cancelled"
    except porism.ClosedError:
        return "closed"
    may = MEDDLED if fate != "finish" else frozenset()
    assert one.complaint(check, victims=may) == ""
    return str(check.verdict)


async def lives(seed: int, mark: str) -> Counter[str]:
    """A pool that is closed while requests are under way, or when they have ended."""
    drawn = random.Random(seed)
    pool = porism.AsyncPool(drivers(mark), workers=3, grace_s=0.3)
    tasks = [asyncio.ensure_future(life(pool, random.Random(drawn.random()), number)) for number in range(REQUESTS)]
    if abruptly := drawn.random() < 0.5:
        await asyncio.sleep(drawn.uniform(0, 0.5))
    else:
        await asyncio.wait(tasks)
    await pool.close(cancel=abruptly)
    ended = Counter(await asyncio.gather(*tasks))
    counts = pool.metrics().queue.counts
    assert counts["submitted"] == sum(
        counts[how] for how in ("answered", "timed_out", "cancelled", "crashed", "closed")
    )
    return ended


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_each_request_of_a_loop_ends_once(run: Callable[[Coroutine[None, None, Counter[str]]], Counter[str]]) -> None:
    print(f"PORISM_SEED={SEED}")
    mark = f"{os.getpid()}-loop-{SEED}"
    # The first run of a loop may keep something open for the next.
    run(lives(0, mark))
    before = traces(mark)
    for number in range(ROUNDS):
        assert run(lives(SEED + number, mark)).total() == REQUESTS
    assert left_behind(before, mark) == []


def test_a_loop_that_ends_with_requests_under_way_leaves_nothing() -> None:
    """Whoever forgets to close: the loop is gone, and what was submitted is nobody's."""
    mark = f"{os.getpid()}-forgotten-{SEED}"
    before = traces(mark)

    async def forget() -> porism.AsyncPool:
        pool = porism.AsyncPool(drivers(mark), workers=2)
        for number in range(10):
            pool.submit(question(random.Random(number), number, "hang").job)
        await asyncio.sleep(0.3)
        return pool

    pool = asyncio.run(forget())
    asyncio.run(pool.close(cancel=True))
    del pool
    assert left_behind(before, mark) == []


# --- from threads -----------------------------------------------------------------------------------------------------


def meddle(pool: porism.Pool, drawn: random.Random, ended: Counter[str], complaints: list[str]) -> None:
    """Submits, cancels and waits until the pool is closed."""
    for number in range(REQUESTS):
        one = question(drawn, number, slow(drawn))
        cancelled = drawn.random() < 0.5
        try:
            ticket = pool.submit(one.job, deadline_s=drawn.uniform(0.01, 0.4))
            if cancelled:
                time.sleep(drawn.uniform(0, 0.1))
                ticket.cancel()
            check = ticket.result()
            again = ticket.result()
            if check is not again:
                complaints.append(f"{one.job.name} has two answers")
            complaints += filter(None, [one.complaint(check, victims=MEDDLED)])
            ended["answered"] += 1
        except (porism.QueueError, porism.CancelledError) as error:
            ended[type(error).__name__] += 1


def test_each_request_of_a_thread_ends_once() -> None:
    print(f"PORISM_SEED={SEED}")
    mark = f"{os.getpid()}-threads-{SEED}"
    before = traces(mark)
    for number in range(ROUNDS):
        drawn = random.Random(SEED + number)
        ended: list[Counter[str]] = [Counter() for _ in range(4)]
        complaints: list[str] = []
        pool = porism.Pool(drivers(mark), workers=3, grace_s=0.3)
        threads = [
            threading.Thread(target=meddle, args=(pool, random.Random(drawn.random()), counter, complaints))
            for counter in ended
        ]
        for thread in threads:
            thread.start()
        time.sleep(drawn.uniform(0, 1))
        pool.close(cancel=drawn.random() < 0.7)
        for thread in threads:
            thread.join()
        assert complaints == []
        assert [counter.total() for counter in ended] == [REQUESTS] * 4
        counts = pool.metrics().queue.counts
        ends = ("answered", "timed_out", "cancelled", "crashed", "closed")
        assert counts["submitted"] == sum(counts[how] for how in ends)
    del pool
    assert left_behind(before, mark) == []


def test_to_close_does_not_end_what_is_still_worked_on() -> None:
    """Regression: a process dies with the thread that started it, and that thread was the first to end.

    Of two threads, either may use the one process last.
    """
    mark = f"{os.getpid()}-last-{SEED}"
    drawn = random.Random(SEED)
    for number in range(10):
        quick, slow = (question(drawn, number, fault, language=Language.ISABELLE) for fault in ("", "slow=0.1"))
        with porism.Pool([Lines(mark)], workers=2, processes=1) as pool:
            pool.check(quick.job)
            ticket = pool.submit(slow.job)
        assert ticket.result().verdict is slow.decided


def test_two_may_close_at_once() -> None:
    mark = f"{os.getpid()}-close-{SEED}"
    before = traces(mark)
    pool = porism.Pool(drivers(mark), workers=2)
    tickets = [pool.submit(question(random.Random(number), number, "hang").job) for number in range(6)]
    closers = [threading.Thread(target=pool.close, kwargs={"cancel": True}) for _ in range(3)]
    for closer in closers:
        closer.start()
    for closer in closers:
        closer.join()
    for ticket in tickets:
        with pytest.raises(porism.ClosedError):
            ticket.result()
    with pytest.raises(porism.ClosedError):
        pool.check("theorem", language=porism.provers.Language.LEAN4)
    del pool, closers, closer, ticket, tickets
    assert left_behind(before, mark) == []


# --- by Ctrl-C --------------------------------------------------------------------------------------------------------

PROGRAM = """
import asyncio, random, sys
import porism
from fault_drivers import Lines, Repl, Smt
from fault_mix import question

mark, face = sys.argv[1:]
jobs = [question(random.Random(number), number, "hang").job for number in range(8)]
drivers = [Lines(mark), Repl(mark), Smt(mark)]

def threads():
    with porism.Pool(drivers, workers=3) as pool:
        print("ready", flush=True)
        if face == "check":
            pool.check(jobs[0])
        elif face == "map":
            list(pool.map(jobs))
        else:
            pool.race(jobs)

async def loop():
    async with porism.AsyncPool(drivers, workers=3) as pool:
        print("ready", flush=True)
        await asyncio.gather(*map(pool.check, jobs))

try:
    asyncio.run(loop()) if face == "asyncio" else threads()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("face", ["check", "map", "race", "asyncio"])
def test_ctrl_c_ends_the_pool_and_its_processes(face: str) -> None:
    mark = f"{os.getpid()}-{face}-{SEED}"
    drawn = random.Random(SEED)
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, mark, face],
            cwd=Path(__file__).parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
        time.sleep(drawn.uniform(0.02, 0.5))
        child.send_signal(signal.SIGINT)
        said, complaints = child.communicate(timeout=60)
        assert (said, complaints, child.returncode) == ("interrupted\n", "", 0)
        assert none_left(mark)


def test_a_pool_that_is_killed_takes_its_processes_along() -> None:
    mark = f"{os.getpid()}-killed-{SEED}"
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, mark, "map"], cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    child.stdout.readline()
    with suppress(subprocess.TimeoutExpired):
        child.wait(0.5)
    assert len(marked(mark)) > 0
    child.kill()
    child.communicate()
    assert none_left(mark)


def none_left(mark: str) -> bool:
    """Whether no process has the mark, a moment later at the latest."""
    end = time.monotonic() + 20
    while marked(mark) and time.monotonic() < end:
        time.sleep(0.02)
    return not marked(mark)
