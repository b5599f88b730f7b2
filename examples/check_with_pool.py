"""Checks candidates with a pool of provers; here one that stands in for a real one, so that nothing is to be installed."""

import asyncio
import sys

import porism
from porism.provers import Capabilities, Driver, Framing, Job, Language, Launch, Session
from porism.testing import StandIn

VERDICTS = {"accepted": porism.Verdict.PROVED, "false": porism.Verdict.REFUTED, "incomplete": porism.Verdict.INCOMPLETE}


class Lines(Driver):
    """A driver is straight-line code: what to start, and how to ask it once."""

    name = "lines"

    def capabilities(self) -> Capabilities:
        """It is asked for what is written in this language."""
        return Capabilities(languages=frozenset({Language.LEAN4}), interruptible=True)

    def version(self) -> str:
        """A part of the keys of the cache."""
        return "1"

    def launch(self, header: str) -> Launch:
        """A process that stays."""
        program = StandIn("lines")
        return Launch(program=program.program, args=program.args, framing=Framing.LINES)

    def check(self, session: Session, job: Job) -> porism.Check:
        """One line there, one line back."""
        # A word that nobody can guess tells the answer to this request from all others.
        nonce = session.nonce()
        said = session.ask(f"{job.candidate} -- echo {nonce}\n".encode()).decode()
        if f"echo {nonce}" not in said:
            raise porism.ProverProtocolError(f"{said[:80]!r} is no answer to what was asked")
        return porism.Check(VERDICTS[said.partition(";")[0]], porism.Trust.L0, self.name)


async def main(cache: str) -> None:
    """One candidate, a batch, a portfolio."""
    async with porism.AsyncPool([Lines()], workers=2, memory="2GiB", cache=cache) as pool:
        # One candidate. The answer is a check, whatever happens.
        check = await pool.check("theorem a : 2 + 2 = 4 := by decide", language=Language.LEAN4, deadline_s=20)
        print(check.verdict, "cached" if check.cached else f"after {check.work_s:.1f} s")

        # A batch, as it completes: one that is false, one without end, one that kills its prover.
        candidates = ["2 + 2 = 5 := by decide", "1 = 1 := by decide fault:hang", "1 = 1 := by decide fault:signal=9"]
        jobs = [Job(candidate=f"theorem t : {one}", language=Language.LEAN4) for one in candidates]
        async for one in pool.map(jobs, deadline_s=0.5):
            print(one.position, one.result().verdict)

        # A portfolio: the first proof wins, and the others are stopped.
        tries = [Job(candidate=f"theorem t : 3 + 4 = {n} := by decide", language=Language.LEAN4) for n in range(10)]
        race = await pool.race(tries, accept=lambda done: done.result().verdict is porism.Verdict.PROVED)
        print("the winner is number", race.winner and race.winner.position)

        counts = pool.metrics().processes.counts
        print("processes started:", counts["starts"])


asyncio.run(main(sys.argv[1] + ".verdicts"))
