"""LeanInteract: ``LeanServerPool``, from asyncio and from threads.

Its REPL comes from a local folder and is not built, so nothing is fetched. The header is a state of its session cache,
which each worker replays when it needs it first.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from lean_interact import Command, LeanREPLConfig
from lean_interact.pool import LeanServerPool

from rivals.pools import HEADER, Answer, understood

if TYPE_CHECKING:
    from pathlib import Path


class AsyncPool:
    """``async_run``; a batch is as many calls at once as there are workers.

    ``async_run_batch`` of version 0.11.6 looks tasks up by what ``asyncio.as_completed`` yields, and always fails.
    """

    async def open(self, stage: Path, workers: int) -> None:
        config = LeanREPLConfig(
            local_repl_path=stage / "repl",
            build_repl=False,
            lake_path=stage / "bin" / "lake",
            lean_version="v4.26.0",
        )
        # Else the pool restarts its workers when other programs use much memory.
        self.pool = LeanServerPool(config, num_workers=workers, max_total_memory=1.0)
        header: Any = self.pool.run(Command(cmd=HEADER))
        self.env = header.env
        self.pool.run_batch([self.command("-- fault:slow=0.3") for _ in range(workers)])

    def command(self, body: str) -> Command:
        return Command(cmd=body, env=self.env)

    async def check(self, body: str) -> Answer:
        return _answer(await self.pool.async_run(self.command(body)))

    async def batch(self, bodies: list[str]) -> list[Answer]:
        places = asyncio.Semaphore(self.pool.num_workers)

        async def one(body: str) -> Answer:
            async with places:
                return await self.check(body)

        return await asyncio.gather(*map(one, bodies))

    async def close(self) -> None:
        self.pool.close()


class RoomyPool(AsyncPool):
    """The same with a default executor of asyncio that has room for all who wait, which the application has to know."""

    async def open(self, stage: Path, workers: int) -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(256))
        await super().open(stage, workers)


class ThreadedPool(AsyncPool):
    """``run`` and ``run_batch``, with as many threads as workers; asyncio calls ``run`` on a thread."""

    async def check(self, body: str) -> Answer:
        return _answer(await asyncio.to_thread(self.pool.run, self.command(body)))

    async def batch(self, bodies: list[str]) -> list[Answer]:
        commands = [self.command(body) for body in bodies]
        return [_answer(one) for one in await asyncio.to_thread(self.pool.run_batch, commands)]


def _answer(response: Any) -> Answer:
    if isinstance(response, Exception):
        raise response
    return understood(response.model_dump(exclude_none=True))
