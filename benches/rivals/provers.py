"""Times warm provers against a process for each proof: ``python -m rivals.provers --help``.

Both sides get the same lemmas, good and bad, and must agree before anything is timed. Sides take turns within a round.
A second part times what comes after an answer that nobody waits for any more: how long a process takes to be of use
again, and how late an answer is when a process has to be killed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

import porism
from porism.provers import Capabilities, Driver, Job, Language, Launch, Rocq
from rivals.machine import describe

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = "From Coq Require Import Lia.\n"
ENDLESS = "repeat (assert True by exact I)."
KEPT = "porism, warm"
FRESH = "coqc, a process each"


def lemma(number: int) -> Job:
    """A small one for ``lia``; every third is false."""
    statement = f"forall a b : nat, a + {number} <= b -> a < b + {1 if number % 3 else -number}".replace("+ -", "- ")
    return Job(candidate="lia.", statement=statement, header=HEADER, prover="Rocq")


def coqc(program: Path, job: Job, folder: Path) -> bool:
    """One process for one lemma; whether it was accepted."""
    source = folder / "lemma.v"
    source.write_text(f"{job.header}Theorem goal : ({job.statement}).\nProof. {job.candidate} Qed.\n")
    ran = subprocess.run([program, "-q", "-noglob", source], cwd=folder, capture_output=True, check=False)
    return ran.returncode == 0


def proves(pool: porism.Pool, job: Job) -> bool:
    check = pool.check(job)
    assert check.verdict in {porism.Verdict.PROVED, porism.Verdict.REJECTED}, check
    return check.verdict is porism.Verdict.PROVED


def seconds(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def lemmas_a_second(rocq: Rocq, options: argparse.Namespace) -> dict[str, list[float]]:
    """Milliseconds a lemma of each side, one value a round."""
    jobs = [lemma(number) for number in range(1, options.lemmas + 1)]
    few = jobs[: options.processes]
    program = rocq.find("coqc", "rocq")
    times: dict[str, list[float]] = {KEPT: [], FRESH: []}
    with tempfile.TemporaryDirectory() as name, porism.Pool([rocq], workers=1) as pool:
        folder = Path(name)
        for job in few:
            if proves(pool, job) is not coqc(program, job, folder):
                raise SystemExit(f"the sides disagree on {job.statement}")
        for _ in range(options.rounds):
            times[KEPT].append(1e3 * seconds(lambda: [proves(pool, job) for job in jobs]) / len(jobs))
            times[FRESH].append(1e3 * seconds(lambda: [coqc(program, job, folder) for job in few]) / len(few))
    return times


def audits(rocq: Rocq, options: argparse.Namespace) -> dict[str, float]:
    """Milliseconds of the audit of one lemma, asked alone and with others."""
    with porism.Pool([rocq], workers=1) as pool:
        jobs = [lemma(number) for number in range(1, 3 * options.audited) if number % 3][: options.audited]
        checks = [pool.check(job) for job in jobs]
        assert all(check.verdict is porism.Verdict.PROVED for check in checks)
        found: dict[str, float] = {}
        for level in ("L1", "L2"):
            alone = checks[: options.alone]
            one_by_one = seconds(lambda: [check.upgraded(level).result() for check in alone])  # noqa: B023
            together: list[porism.Check] = []
            batch = seconds(lambda: together.extend(pool.upgrade(checks, level)))  # noqa: B023
            assert all(check.trust is porism.Trust[level] for check in together), together
            found[f"{level} alone"] = 1e3 * one_by_one / len(alone)
            found[f"{level} with {len(checks) - 1} others"] = 1e3 * batch / len(checks)
    return found


def cancels(rocq: Rocq, options: argparse.Namespace) -> dict[str, float]:
    """Milliseconds from a cancel until the process is fit again, its canary included."""
    job = Job(candidate=ENDLESS, statement="False", header=HEADER, prover="Rocq")
    until_next = []
    with porism.Pool([rocq], workers=1, grace_s=30.0) as pool:
        proves(pool, lemma(1))
        for _ in range(options.cancels):
            ticket = pool.submit(job)
            while pool.metrics().queue.running == 0:
                time.sleep(0.001)
            time.sleep(0.02)
            until_next.append(1e3 * seconds(lambda: (ticket.cancel(), proves(pool, lemma(1)))))  # noqa: B023
        processes = pool.metrics().processes
    assert processes.counts["starts"] == 1, processes.counts
    return {
        "fit again, mean": 1e3 * processes.recover.sum_s / processes.recover.count,
        "next lemma answered, median": statistics.median(until_next),
        "next lemma answered, p99": quantile(until_next, 0.99),
    }


class Stubborn(Driver):
    """A program that never answers and does not hear interrupts."""

    name = "stubborn"

    def capabilities(self) -> Capabilities:
        return Capabilities(languages=frozenset({Language.ROCQ}), interruptible=True)

    def version(self) -> str:
        return "1"

    def launch(self, header: str) -> Launch:
        return Launch(program="/bin/sh", args=("-c", 'trap "" INT; sleep 1000'))

    def check(self, session: Any, job: Job) -> porism.Check:
        session.receive()
        raise AssertionError

    def recover(self, session: Any) -> None:
        session.receive()


def kills(options: argparse.Namespace) -> dict[str, float]:
    """Milliseconds that an answer is late when the process has to be killed."""
    late = []
    with porism.Pool([Stubborn()], workers=1, grace_s=0.05) as pool:
        for number in range(options.kills):
            job = Job(candidate=str(number), prover="stubborn")
            late.append(1e3 * (seconds(lambda: pool.check(job, deadline_s=0.25)) - 0.25))  # noqa: B023
        ended = pool.metrics().processes.counts["ended_unrecovered"]
    return {"late, median": statistics.median(late), "late, p99": quantile(late, 0.99), "killed": float(ended)}


def starts(options: argparse.Namespace) -> dict[str, float]:
    """Milliseconds until the first lemma is answered, process and header included."""
    found = {}
    for name, rocq in (("with a sandbox", Rocq()), ("without", Rocq(sandbox=None))):
        times = []
        for _ in range(options.rounds):
            with porism.Pool([rocq], workers=1) as pool:
                times.append(1e3 * seconds(lambda: proves(pool, lemma(1))))
        found[name] = statistics.median(times)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="compare-provers", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lemmas", type=int, default=200, help="of a round, for the warm side")
    parser.add_argument("--processes", type=int, default=10, help="of a round, for the other side")
    parser.add_argument("--audited", type=int, default=50)
    parser.add_argument("--alone", type=int, default=10, help="how many of them are audited one by one too")
    parser.add_argument("--cancels", type=int, default=50)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--out", type=Path, help="where to write all figures as JSON")
    options = parser.parse_args()

    rocq = Rocq()
    console = Console(width=100)
    times = lemmas_a_second(rocq, options)
    medians = {side: statistics.median(values) for side, values in times.items()}
    parts: dict[str, dict[str, float]] = {
        "a lemma": medians | {"ratio": medians[FRESH] / medians[KEPT]},
        "first lemma": starts(options),
        "audit of a lemma": audits(rocq, options),
        "cancel": cancels(rocq, options),
        "kill": kills(options),
    }
    for part, figures in parts.items():
        table = Table(title=f"{part} (ms)", title_justify="left")
        table.add_column("", min_width=36)
        table.add_column("", justify="right", min_width=10)
        for name, figure in figures.items():
            table.add_row(name, f"{figure:,.1f}")
        console.print(table)
    if options.out:
        record = {"machine": describe(Path(), 0), "prover": rocq.version(), "rounds": times, "parts": parts}
        options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
