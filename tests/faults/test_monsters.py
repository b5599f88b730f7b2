"""Memory: one candidate in a hundred wants far more than there is, and no neighbour pays for it."""

from __future__ import annotations

import asyncio
import os
import random
import threading
from typing import TYPE_CHECKING

from fault_drivers import Lines, Repl, Smt
from fault_mix import Question, question
from test_fault_storm import FAULTS, SEED, UNDER_WAY
from traces import left_behind, traces

import porism
from porism import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20
# What the pool's processes may use together, and what a monster takes, for as long as it is let.
CAP_MB = 320
MONSTER_MB = 400


class Gauge:
    """The largest size that the pool saw of its processes, and what the system says that they hold."""

    def __init__(self, pool: porism.AsyncPool) -> None:
        self.seen = 0
        self._pool = pool
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Gauge:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.01):
            self.seen = max(self.seen, self._pool.metrics().processes.memory_bytes)


def test_monsters_are_ended_and_their_neighbours_are_not() -> None:
    print(f"PORISM_SEED={SEED}")
    drawn = random.Random(SEED)
    mark = f"{os.getpid()}-monsters-{SEED}"
    before = traces(mark)
    count = max(200, FAULTS // 4)
    # Nothing but the pool holds them: there is no limit of the system around a process.
    drivers = [kind(mark, memory_mb=None) for kind in (Lines, Repl, Smt)]

    def asked() -> Iterator[Question]:
        for number in range(count):
            monster = number % 100 == 50
            yield question(drawn, number, f"memory={MONSTER_MB} fault:hang" if monster else "memory=4 fault:slow=0.01")

    asked_all = list(asked())
    checks: dict[str | None, porism.Check] = {}

    async def storm() -> int:
        async with porism.AsyncPool(drivers, workers=4, processes=8, memory=CAP_MB * MIB) as pool:
            pending = iter(asked_all)

            async def one_after_another() -> None:
                for one in pending:
                    checks[one.job.name] = await pool.check(one.job)

            with Gauge(pool) as gauge:
                await asyncio.gather(*(one_after_another() for _ in range(UNDER_WAY)))
            print(f"at most {gauge.seen // MIB} MiB of {CAP_MB}; {pool.metrics().processes.counts}")
            assert pool.metrics().processes.memory_cap_bytes == CAP_MB * MIB
            return pool.metrics().processes.counts["ended_monster"]

    ended = asyncio.run(storm())
    monsters = [one for one in asked_all if "hang" in one.fault]
    neighbours = [one for one in asked_all if "hang" not in one.fault]
    assert {checks[one.job.name].verdict for one in monsters} == {Verdict.MEMORY}
    assert [one.job.name for one in neighbours if checks[one.job.name].verdict is not one.decided] == []
    assert [one.job.name for one in neighbours if checks[one.job.name].raw != one.word] == []
    assert ended == len(monsters)
    assert left_behind(before, mark) == []
