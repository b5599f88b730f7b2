"""Times a queue against the standard library's on a worker that does nothing: ``python -m rivals.dispatch --help``.

Every contestant has two worker threads, gets the same numbers, and must give each of them back, or the run stops.
Contestants take turns within a round, and another one begins each round. Medians are of rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

import porism
from rivals.machine import describe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

THREADS = 2

PORISM = "porism"
EXECUTOR = "run_in_executor"
QUEUE = "run_in_executor + queue.Queue"
FUTURES = "concurrent.futures"

Measure = dict[str, float]


def null(number: int) -> int:
    """The worker."""
    return number


class Porism:
    """The queue under test; its null worker needs no interpreter, as a checker in Rust does not."""

    def __init__(self) -> None:
        self.queue = porism.AsyncQueue(porism.NativeWorker.null(), threads=THREADS)

    def submit(self, number: int) -> Awaitable[int]:
        return self.queue.submit(number)

    async def batch(self, numbers: range) -> int:
        return sum([one.result() async for one in self.queue.map(numbers)])

    async def close(self) -> None:
        await self.queue.close()


class Executor:
    """What most asyncio code does with work that blocks."""

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(THREADS)

    def submit(self, number: int) -> Awaitable[int]:
        return asyncio.get_running_loop().run_in_executor(self.threads, null, number)

    async def batch(self, numbers: range) -> int:
        return sum(await asyncio.gather(*map(self.submit, numbers)))

    async def close(self) -> None:
        self.threads.shutdown()


class Futures(Executor):
    """``concurrent.futures``, awaited by wrapping."""

    def submit(self, number: int) -> Awaitable[int]:
        return asyncio.wrap_future(self.threads.submit(null, number))


class Queue:
    """Own threads behind the quickest queue of the standard library; answers are fetched on an executor."""

    def __init__(self) -> None:
        self.requests: SimpleQueue[tuple[int, SimpleQueue[int]] | None] = SimpleQueue()
        self.workers = [Thread(target=self.work) for _ in range(THREADS)]
        self.fetchers = ThreadPoolExecutor(THREADS)
        for worker in self.workers:
            worker.start()

    def work(self) -> None:
        while (request := self.requests.get()) is not None:
            number, answer = request
            answer.put(null(number))

    def submit(self, number: int) -> Awaitable[int]:
        answer: SimpleQueue[int] = SimpleQueue()
        self.requests.put((number, answer))
        return asyncio.get_running_loop().run_in_executor(self.fetchers, answer.get)

    async def batch(self, numbers: range) -> int:
        return sum(await asyncio.gather(*map(self.submit, numbers)))

    async def close(self) -> None:
        for _ in self.workers:
            self.requests.put(None)
        self.fetchers.shutdown()


CONTESTANTS: dict[str, Callable[[], Any]] = {PORISM: Porism, EXECUTOR: Executor, QUEUE: Queue, FUTURES: Futures}


async def latency(contestant: Any, requests: int) -> Measure:
    """One request after another: microseconds from submission until ``await`` returns."""
    took = []
    for number in range(requests):
        start = time.perf_counter()
        answer = await contestant.submit(number)
        took.append((time.perf_counter() - start) * 1e6)
        _expect(answer, number)
    took.sort()
    return {"p50_us": took[len(took) // 2], "p99_us": took[len(took) * 99 // 100]}


async def rates(contestant: Any, requests: int) -> Measure:
    """Many under way: requests a second until the last answer, submitted one by one and as a batch."""
    start = time.perf_counter()
    total = sum(await asyncio.gather(*[contestant.submit(number) for number in range(requests)]))
    single = requests / (time.perf_counter() - start)
    _expect(total, sum(range(requests)))
    start = time.perf_counter()
    total = await contestant.batch(range(requests))
    batched = requests / (time.perf_counter() - start)
    _expect(total, sum(range(requests)))
    return {"single_per_s": single, "batched_per_s": batched}


async def submissions(contestant: Porism, requests: int) -> Measure:
    """What the loop alone pays to submit, the answers not counted; and what an answer that is shared costs."""
    start = time.perf_counter()
    tickets = [contestant.queue.submit(number) for number in range(requests)]
    single = requests / (time.perf_counter() - start)
    await asyncio.wait(tickets)
    start = time.perf_counter()
    tickets = contestant.queue.submit_many(range(requests))
    batched = requests / (time.perf_counter() - start)
    await asyncio.wait(tickets)
    return {"submit_only_single_per_s": single, "submit_only_batched_per_s": batched, **await shared(requests)}


async def shared(requests: int) -> Measure:
    """Microseconds for a request that joins work under way, in all and to submit it."""
    blocked = SimpleQueue[None]()
    async with porism.AsyncQueue(lambda _: blocked.get(), threads=1) as queue:
        start = time.perf_counter()
        tickets = [queue.submit(number, key="same") for number in range(requests)]
        submitted = time.perf_counter()
        blocked.put(None)
        await asyncio.gather(*tickets)
        took_s = time.perf_counter() - start
        counts = queue.metrics().counts
        _expect(counts["coalesced"], requests - 1)
    return {"coalesced_us": took_s * 1e6 / requests, "coalesced_submit_us": (submitted - start) * 1e6 / requests}


def _expect(found: int, wanted: int) -> None:
    if found != wanted:
        raise SystemExit(f"a wrong answer: {found} instead of {wanted}")


async def one_round(name: str, options: argparse.Namespace) -> Measure:
    contestant = CONTESTANTS[name]()
    try:
        await latency(contestant, options.latencies // 10)  # threads start, caches fill
        found = await latency(contestant, options.latencies) | await rates(contestant, options.requests)
        if name == PORISM:
            found |= await submissions(contestant, min(options.requests, 20_000))
        return found
    finally:
        await contestant.close()


TARGETS = {"p50_us": 60.0, "p99_us": 500.0, "single_per_s": 40_000.0, "batched_per_s": 150_000.0, "coalesced_us": 30.0}


def main() -> None:
    parser = argparse.ArgumentParser(prog="compare-queue", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--latencies", type=int, default=5_000, help="requests, one after another")
    parser.add_argument("--requests", type=int, default=50_000, help="requests under way at once")
    parser.add_argument("--out", type=Path, help="write the result there, as JSON")
    options = parser.parse_args()
    found: dict[str, list[Measure]] = {name: [] for name in CONTESTANTS}
    for number in range(options.rounds):
        names = list(CONTESTANTS)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            found[name].append(asyncio.run(one_round(name, options)))
    medians = {
        name: {measure: statistics.median(one[measure] for one in rounds) for measure in rounds[0]}
        for name, rounds in found.items()
    }
    _show(medians)
    if options.out:
        machine = describe(Path(), 0)
        result = {"machine": machine, "porism": porism.__version__, "medians": medians, "rounds": found}
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _show(medians: dict[str, Measure]) -> None:
    console = Console()
    measures = list(medians[EXECUTOR])
    table = Table("contestant", *measures, title=f"null worker, {THREADS} threads, one event loop")
    for name, found in medians.items():
        table.add_row(name, *(f"{found[measure]:,.1f}" for measure in measures))
    # Above 1, Porism is better: rates are compared one way, times the other.
    factors = (
        medians[PORISM][measure] / medians[EXECUTOR][measure]
        if measure.endswith("per_s")
        else medians[EXECUTOR][measure] / medians[PORISM][measure]
        for measure in measures
    )
    table.add_row("porism against run_in_executor", *(f"{factor:.1f}x" for factor in factors), style="bold")
    console.print(table)
    for measure, target in TARGETS.items():
        value = medians[PORISM][measure]
        reached = value >= target if measure.endswith("per_s") else value <= target
        console.print(f"{measure}: {value:,.1f}, target {target:,.0f}: {'reached' if reached else 'missed'}")
    for measure in ("submit_only_single_per_s", "submit_only_batched_per_s", "coalesced_submit_us"):
        console.print(f"{measure}: {medians[PORISM][measure]:,.1f}")


if __name__ == "__main__":
    main()
