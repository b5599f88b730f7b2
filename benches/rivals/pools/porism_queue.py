"""Porism: the request queue, and on each of its threads a REPL on plain pipes."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import porism
from rivals.pools import HEADER, Answer, understood
from rivals.pools.stage import repl

if TYPE_CHECKING:
    from pathlib import Path


class PorismQueue:
    """An ``AsyncQueue`` whose worker asks the REPL of its thread."""

    async def open(self, stage: Path, workers: int) -> None:
        self.program = repl(stage)
        self.thread = threading.local()
        self.started: list[subprocess.Popen[bytes]] = []
        self.queue: porism.AsyncQueue[str, Answer] = porism.AsyncQueue(self.work, threads=workers)
        # One slow request for each thread, so that all of them start before the clock does.
        await self.batch(["-- fault:slow=0.3"] * workers)

    async def check(self, body: str) -> Answer:
        return await self.queue.submit(body)

    async def batch(self, bodies: list[str]) -> list[Answer]:
        answers = {one.position: one.result() async for one in self.queue.map(bodies)}
        return [answers[position] for position in range(len(bodies))]

    async def close(self) -> None:
        await self.queue.close()
        for child in self.started:
            child.kill()
            child.wait()

    def work(self, body: str) -> Answer:
        """Runs on a thread of the queue."""
        child = getattr(self.thread, "child", None) or self.start()
        return understood(ask(child, {"cmd": body, "env": 0}))

    def start(self) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        child = subprocess.Popen([self.program], stdin=pipe, stdout=pipe, start_new_session=True)
        self.started.append(child)
        self.thread.child = child
        ask(child, {"cmd": HEADER})
        return child


def ask(child: subprocess.Popen[bytes], request: dict[str, Any]) -> dict[str, Any]:
    """One request to a REPL, and its answer."""
    assert child.stdin
    assert child.stdout
    child.stdin.write(json.dumps(request).encode() + b"\n\n")
    child.stdin.flush()
    lines = []
    while (line := child.stdout.readline()).strip():
        lines.append(line)
    answer: dict[str, Any] = json.loads(b"".join(lines))
    return answer
