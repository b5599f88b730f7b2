"""What a pool costs, beside what a prover does: ``python benches/python/pool_costs.py --help``.

The driver that does nothing answers on the pool's thread without a process. With Z3, if it is installed, and a
problem that it does not finish: how long its place is taken after somebody gave up, and how late a deadline is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import porism
from porism import Check, Trust, Verdict
from porism.provers import Z3, Capabilities, Driver, Job, Language

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Measure = dict[str, float]

# Whether 114 is a sum of three cubes is not known.
ENDLESS = (
    "(declare-const x Int)(declare-const y Int)(declare-const z Int)"
    "(assert (= (+ (* x x x) (* y y y) (* z z z)) 114))(check-sat)"
)
QUICK = "(declare-const x Int)(assert (and (< x 0) (> x 0)))(check-sat)"


class Null(Driver):
    """Answers at once."""

    name = "null"
    answer = Check(Verdict.PROVED, Trust.L0, name)

    def capabilities(self) -> Capabilities:
        return Capabilities(languages=frozenset({Language.LEAN4}))

    def version(self) -> str:
        return "1"

    def check(self, session: Any, job: Job) -> Check:
        return self.answer


def lean(number: int) -> Job:
    return Job(candidate=f"theorem t{number} : 1 + 1 = 2 := by decide", language=Language.LEAN4)


def smt(text: str) -> Job:
    return Job(candidate=text, language=Language.SMT2)


async def spread(number: int, ask: Callable[[int], Awaitable[Check]]) -> Measure:
    """Microseconds of one call after another."""
    took = []
    for one in range(number):
        start = time.perf_counter()
        await ask(one)
        took.append((time.perf_counter() - start) * 1e6)
    return quantiles("us", took)


def quantiles(unit: str, took: list[float]) -> Measure:
    took.sort()
    return {
        f"p50_{unit}": took[len(took) // 2],
        f"p99_{unit}": took[len(took) * 99 // 100],
        f"max_{unit}": took[-1],
        "count": len(took),
    }


async def nothing(requests: int) -> dict[str, Measure]:
    """The driver that does nothing."""
    found: dict[str, Measure] = {}
    async with porism.AsyncPool([Null()], workers=1) as pool:
        await spread(requests // 10, lambda number: pool.check(lean(number)))
        found["check"] = await spread(requests, lambda number: pool.check(lean(number)))
        jobs = [lean(number) for number in range(requests)]
        start = time.perf_counter()
        tickets = [pool.submit(job) for job in jobs]
        submitted_s = time.perf_counter() - start
        await asyncio.gather(*tickets)
        found["submit"] = {"per_s": requests / submitted_s, "answered_per_s": requests / (time.perf_counter() - start)}
        start = time.perf_counter()
        done = [one async for one in pool.map(jobs)]
        found["map"] = {"per_s": len(done) / (time.perf_counter() - start)}
        start = time.perf_counter()
        await asyncio.gather(*(pool.check(jobs[0]) for _ in range(requests)))
        shared = pool.metrics().queue.counts["coalesced"]
        found["equal jobs at once"] = {
            "us_each": (time.perf_counter() - start) / requests * 1e6,
            "coalesced": shared,
            "asked": requests,
        }
    with tempfile.TemporaryDirectory() as folder:
        async with porism.AsyncPool([Null()], workers=1, cache=Path(folder) / "null.verdicts") as pool:
            await pool.check(lean(0))
            found["cached"] = await spread(requests, lambda _: pool.check(lean(0)))
    return found


async def given_up(rounds: int, working: int) -> dict[str, Measure]:
    """Z3 with a problem that it does not finish."""
    found: dict[str, Measure] = {}
    async with porism.AsyncPool([Z3()], workers=working, grace_s=1.0) as pool:
        await asyncio.gather(*(pool.check(smt(f"{QUICK}; {number}")) for number in range(working)))
        free, late = [], []
        for number in range(rounds):
            task = asyncio.ensure_future(pool.check(smt(f"{ENDLESS}; {number}")))
            await asyncio.sleep(0.05)
            task.cancel()
            free.append(await until_idle(pool))
        found["cancel to free"] = quantiles("ms", free)
        for number in range(rounds):
            start = time.perf_counter()
            check = await pool.check(smt(f"{ENDLESS}; late {number}"), deadline_s=0.1)
            late.append((time.perf_counter() - start - 0.1) * 1e3)
            assert check.verdict is Verdict.TIMEOUT
            await until_idle(pool)
        found["answer after deadline"] = quantiles("ms", late)
        races = []
        for number in range(rounds):
            losers = [smt(f"{ENDLESS}; race {number} {place}") for place in range(working - 1)]
            # The winner takes a moment, so that the losers are at work.
            race = await pool.race([*losers, smt(f"{HARDER}; race {number}")])
            races.append(await until_idle(pool))
            assert race.winner is not None
        found["race won to losers free"] = quantiles("ms", races)
        counts = pool.metrics().processes.counts
        found["processes"] = {
            name: counts[name] for name in ("starts", "interrupts", "recoveries", "ended_unrecovered")
        }
    return found


# A tenth of a second or so: pigeons.
HARDER = (
    "".join(f"(declare-const p{i}_{j} Bool)" for i in range(8) for j in range(7))
    + "".join("(assert (or " + " ".join(f"p{i}_{j}" for j in range(7)) + "))" for i in range(8))
    + "".join(f"(assert (not (and p{i}_{j} p{k}_{j})))" for j in range(7) for i in range(8) for k in range(i + 1, 8))
    + "(check-sat)"
)


async def until_idle(pool: porism.AsyncPool) -> float:
    """Milliseconds until no process is at work, or being saved or ended."""
    start = time.perf_counter()
    while (now := pool.metrics().processes).busy or now.ending or now.starting:
        await asyncio.sleep(0.0002)
    return (time.perf_counter() - start) * 1e3


def main() -> None:
    """Prints the numbers, and writes them."""
    parser = argparse.ArgumentParser(prog="pool_costs", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=20_000, help="of the driver that does nothing")
    parser.add_argument("--rounds", type=int, default=50, help="of giving up")
    parser.add_argument("--working", type=int, default=4, help="processes in a race")
    parser.add_argument("--out", type=Path, help="write the numbers there, as JSON")
    options = parser.parse_args()
    found = asyncio.run(nothing(options.requests))
    try:
        found |= asyncio.run(given_up(options.rounds, options.working))
    except porism.ProverMissingError as error:
        print(f"without Z3: {error}")
    for name, measure in found.items():
        print(f"{name}: " + ", ".join(f"{what} {value:,.1f}" for what, value in measure.items()))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
