"""Compares pools of Lean REPLs on a stand-in that answers at once: ``python -m rivals.pool --help``.

Each measure runs in a process of its own, in which a pool has started its workers and imported the header before the
clock starts. Every answer is compared with the one right answer to its question. Contestants take turns in rounds, and
another one begins each round; medians are of rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from rivals.machine import describe
from rivals.pools import CONTESTANTS

BURSTS = (10, 100)

# Measures with the requests of each, and what the table says of them.
LATENCY, THROUGHPUT, AGREE, BURST = "latency", "throughput", "agree", "burst"

Result = dict[str, Any]


def trial(contestant: str, measure: str, requests: int, options: argparse.Namespace) -> Result:
    """Runs one measure in a new session, of which nothing is left."""
    command = [
        *(sys.executable, "-m", "rivals.pools.trial", contestant, measure, f"--requests={requests}"),
        *(f"--workers={options.workers}", f"--seconds={options.seconds}", f"--work-s={options.work_ms / 1e3}"),
    ]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        printed, complaints = child.communicate(timeout=options.seconds * 3 + 60)
    except subprocess.TimeoutExpired:
        return {"failed": "no end"}
    finally:
        _end(child)
    lines = printed.splitlines()
    try:
        result: Result = json.loads(lines[-1]) if lines else {"failed": complaints[-500:]}
    except ValueError:
        return {"failed": lines[-1]}
    return result


def _end(child: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.communicate()


def one_round(contestant: str, options: argparse.Namespace) -> dict[str, Result]:
    """All measures of a contestant."""
    found = {
        LATENCY: trial(contestant, LATENCY, options.latencies, options),
        THROUGHPUT: trial(contestant, THROUGHPUT, options.requests, options),
    }
    return found | {f"{BURST} {size}": trial(contestant, BURST, size, options) for size in BURSTS}


def main() -> None:
    """Checks that all agree, measures, and prints a table."""
    parser = argparse.ArgumentParser(prog="compare-pool", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=4, help="REPLs of each pool")
    parser.add_argument("--latencies", type=int, default=1_000, help="requests, one after another")
    parser.add_argument("--requests", type=int, default=2_000, help="requests of a batch")
    parser.add_argument("--seconds", type=float, default=15.0, help="when a burst is given up, and latencies end")
    parser.add_argument("--work-ms", type=float, default=0.0, help="how long the stand-in works on each request")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--kimina", type=Path, help="a checkout of Kimina Lean Server; without it, Kimina is left out")
    parser.add_argument("--out", type=Path, help="write the result there, as JSON")
    options = parser.parse_args()
    names = [name for name in options.only if options.kimina or not name.startswith("Kimina")]
    if options.kimina:
        os.environ["KIMINA_SOURCES"] = os.pathsep.join(str(options.kimina.resolve() / part) for part in (".", "client"))
    for name in names:
        agreed = trial(name, AGREE, 200, options)
        if "agreed" not in agreed:
            raise SystemExit(f"{name}: {agreed}")
    found: dict[str, list[dict[str, Result]]] = {name: [] for name in names}
    for number in range(options.rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            found[name].append(one_round(name, options))
    show(found, options)
    if options.out:
        machine = describe(Path(), 0)
        result = {"machine": machine, "workers": options.workers, "work_ms": options.work_ms, "rounds": found}
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def median(rounds: list[dict[str, Result]], measure: str, field: str) -> float | None:
    """The median of a number over the rounds that have it."""
    values = [one[measure][field] for one in rounds if one[measure].get(field) is not None]
    return statistics.median(values) if values else None


def show(found: dict[str, list[dict[str, Result]]], options: argparse.Namespace) -> None:
    """Prints the medians."""
    title = f"{options.workers} workers, {options.work_ms:g} ms of work a request, median of {options.rounds}"
    table = Table("pool", "p50 ms", "p99 ms", "checks a second", *(f"{size} at once" for size in BURSTS), title=title)
    for name, rounds in found.items():
        numbers = [median(rounds, LATENCY, "p50_ms"), median(rounds, LATENCY, "p99_ms")]
        rate = median(rounds, THROUGHPUT, "per_s")
        bursts = [burst_text(rounds, size) for size in BURSTS]
        table.add_row(name, *(_text(number, "{:,.2f}") for number in numbers), _text(rate, "{:,.0f}"), *bursts)
    Console().print(table)


def burst_text(rounds: list[dict[str, Result]], size: int) -> str:
    """How a burst ended: when the last answer came, or how many came at all."""
    measure = f"{BURST} {size}"
    answered = sorted(one[measure].get("answered", 0) for one in rounds)
    last = median(rounds, measure, "last_ms")
    if answered[0] == size and last is not None:
        return f"last after {last:,.0f} ms"
    some = f"{answered[0]}" if answered[0] == answered[-1] else f"{answered[0]} to {answered[-1]}"
    return f"{some} of {size} answered"


def _text(number: float | None, shape: str) -> str:
    return "failed" if number is None else shape.format(number)


if __name__ == "__main__":
    main()
