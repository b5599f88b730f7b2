"""One contestant and one measure in a process of its own: ``python -m rivals.pools.trial`` prints the result as JSON.

A pool that freezes leaves threads behind that never end, so the process ends itself the hard way.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rivals.pools import CONTESTANTS, Answer, load
from rivals.pools.stage import build

if TYPE_CHECKING:
    from rivals.pools import Contestant

Result = dict[str, Any]


class WrongAnswerError(Exception):
    """A pool gave an answer that does not belong to the question."""


def question(number: int, work_s: float) -> tuple[str, Answer]:
    """A candidate, different for each number, and the one right answer; a third of them is false."""
    drawn = random.Random(number)
    left, right = drawn.randrange(1000), drawn.randrange(1000)
    true = drawn.random() < 2 / 3
    work = f" fault:slow={work_s}" if work_s else ""
    body = f"theorem t{number} : {left} + {right} = {left + right + (not true)} := by decide -- echo {number}{work}"
    return body, Answer(true, str(number))


def expect(found: Answer, wanted: Answer) -> None:
    """Stops at a wrong answer."""
    if found != wanted:
        raise WrongAnswerError(f"{found} in place of {wanted}")


async def agree(pool: Contestant, options: argparse.Namespace) -> Result:
    """All answers right, one by one and as a batch."""
    questions = [question(number, 0) for number in range(options.requests)]
    for body, wanted in questions[:5]:
        expect(await pool.check(body), wanted)
    for found, (_, wanted) in zip(await pool.batch([body for body, _ in questions]), questions, strict=True):
        expect(found, wanted)
    return {"agreed": len(questions)}


async def latency(pool: Contestant, options: argparse.Namespace) -> Result:
    """One request after another, in milliseconds."""
    took: list[float] = []
    begun = time.perf_counter()
    for number in range(options.requests):
        body, wanted = question(number, options.work_s)
        start = time.perf_counter()
        found = await pool.check(body)
        took.append((time.perf_counter() - start) * 1e3)
        expect(found, wanted)
        if time.perf_counter() - begun > options.seconds:
            break
    took.sort()
    return {"p50_ms": took[len(took) // 2], "p99_ms": took[len(took) * 99 // 100], "requests": len(took)}


async def throughput(pool: Contestant, options: argparse.Namespace) -> Result:
    """A batch: checks a second until the last answer."""
    questions = [question(number, options.work_s) for number in range(options.requests)]
    start = time.perf_counter()
    answers = await pool.batch([body for body, _ in questions])
    took = time.perf_counter() - start
    for found, (_, wanted) in zip(answers, questions, strict=True):
        expect(found, wanted)
    return {"per_s": len(questions) / took}


async def burst(pool: Contestant, options: argparse.Namespace) -> Result:
    """So many requests at once, each on its own: how many are answered in time, and when the last of them was."""
    questions = [question(number, options.work_s) for number in range(options.requests)]
    took: list[float] = []
    start = time.perf_counter()

    async def one(body: str, wanted: Answer) -> None:
        expect(await pool.check(body), wanted)
        took.append((time.perf_counter() - start) * 1e3)

    tasks = [asyncio.create_task(one(body, wanted)) for body, wanted in questions]
    done, _ = await asyncio.wait(tasks, timeout=options.seconds)
    for task in done:
        task.result()
    return {"answered": len(took), "asked": len(tasks), "last_ms": max(took, default=None)}


MEASURES = {"agree": agree, "latency": latency, "throughput": throughput, "burst": burst}


async def run(options: argparse.Namespace, stage: Path) -> Result:
    """Opens the pool, measures, and closes it; a pool that has not answered everything is not closed but left."""
    pool = load(options.contestant)
    await pool.open(stage, options.workers)
    result = await MEASURES[options.measure](pool, options)
    if result.get("answered") == result.get("asked"):
        await pool.close()
    return result


def main() -> None:
    """Prints the result, or what went wrong."""
    parser = argparse.ArgumentParser(prog="trial")
    parser.add_argument("contestant", choices=CONTESTANTS)
    parser.add_argument("measure", choices=MEASURES)
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--work-s", type=float, default=0.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            # Threads that hang would keep `asyncio.run` from returning.
            result = asyncio.new_event_loop().run_until_complete(run(options, build(Path(folder))))
        except WrongAnswerError as error:
            result = {"wrong": str(error)}
        print(json.dumps(result), flush=True)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
