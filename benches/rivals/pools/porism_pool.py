"""Porism: the pool of provers, with a driver for the REPL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import porism
from porism import Check, ProverProtocolError, Trust, Verdict
from porism.provers import Capabilities, Driver, Framing, Job, Language, Launch
from rivals.pools import HEADER, Answer, understood
from rivals.pools.stage import repl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Repl(Driver):
    """leanprover-community/repl, as far as the comparison needs it: the header is environment 0."""

    name = "repl"

    def __init__(self, program: Path) -> None:
        self._program = program

    def capabilities(self) -> Capabilities:
        return Capabilities(languages=frozenset({Language.LEAN4}))

    def version(self) -> str:
        return "a stand-in"

    def launch(self, header: str) -> Launch:
        return Launch(program=self._program, framing=Framing.BLANK_LINE)

    def start(self, session: Any, header: str) -> None:
        ask(session, {"cmd": header})

    def check(self, session: Any, job: Job) -> Check:
        found = understood(ask(session, {"cmd": job.candidate, "env": 0}))
        return Check(Verdict.PROVED if found.accepted else Verdict.REJECTED, Trust.L0, self.name, raw=found.echo)


class PorismPool:
    """An ``AsyncPool``: ``check`` for one, ``map`` for a batch."""

    async def open(self, stage: Path, workers: int) -> None:
        self.pool = porism.AsyncPool([Repl(repl(stage))], workers=workers)
        # One slow request for each process, so that all of them start before the clock does.
        await self.batch([f"-- {number} fault:slow=0.3" for number in range(workers)])

    async def check(self, body: str) -> Answer:
        return _answer(await self.pool.check(body, header=HEADER, prover="repl"))

    async def batch(self, bodies: list[str]) -> list[Answer]:
        answers = {one.position: _answer(one.result()) async for one in self.pool.map(self.jobs(bodies))}
        return [answers[position] for position in range(len(bodies))]

    def jobs(self, bodies: list[str]) -> Iterator[Job]:
        return (Job(candidate=body, header=HEADER, prover="repl") for body in bodies)

    async def close(self) -> None:
        await self.pool.close()


def ask(session: Any, request: dict[str, Any]) -> dict[str, Any]:
    """One request to a REPL, and its answer."""
    try:
        answer: dict[str, Any] = json.loads(session.ask(json.dumps(request).encode() + b"\n\n"))
    except ValueError as error:
        raise ProverProtocolError(f"no JSON: {error}") from error
    return answer


def _answer(check: Check) -> Answer:
    if check.verdict not in {Verdict.PROVED, Verdict.REJECTED}:
        raise RuntimeError(f"{check.verdict}: {check.detail}")
    return Answer(check.verdict is Verdict.PROVED, check.raw)
