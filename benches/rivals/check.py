"""Times Metamath checking against other checkers: ``python -m rivals.check --help``.

Times are of the processor (user and system) on one pinned core, because that is what a busy machine leaves comparable;
scaling is measured by the clock. Contestants take turns within a round. Each must accept the database, or the
run stops.
metamath.exe of Debian accepts two wrong proofs that are known, so it is timed and never asked who is right.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import porism
from rivals import checkers
from rivals.machine import describe

DATABASE = Path("/usr/share/metamath/databases/set.mm")

#: One theorem of so many is checked alone.
SAMPLE = 200
REPEATS = 7
OPENINGS = 1000

_CHECK = """
import sys, time, porism
library = porism.metamath.open(sys.argv[1], threads=int(sys.argv[2]))
report = library.check_all(threads=int(sys.argv[2]))
assert report.decision is porism.Decision.ACCEPTED, report
"""
_PRIVATE = """
import sys, porism
from rivals.machine import resident_kib
before = resident_kib()["anonymous"]
library = porism.metamath.open(sys.argv[1], threads=1)
theorem = library.theorem(next(one.label for one in library.statements() if one.kind == "$p"))
print(resident_kib()["anonymous"] - before)
"""
_NOTHING = "import porism"


def measure(command: list[str | Path], core: int | None = 0) -> tuple[float, float, int, str]:
    """Processor seconds, seconds by the clock, peak KiB, and what it printed."""

    def pin() -> None:
        if core is not None:
            os.sched_setaffinity(0, [core])

    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        child = subprocess.Popen([str(part) for part in command], stdout=output, preexec_fn=pin)
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read().decode(errors="replace")
    if child.returncode:
        message = f"{command[0]} refused: {printed[-500:]}"
        raise SystemExit(message)
    return usage.ru_utime + usage.ru_stime, wall_s, usage.ru_maxrss, printed


def contestants(database: Path, snapshot: Path, folder: Path, mmverify: Path | None) -> dict[str, list[str | Path]]:
    python = sys.executable
    found: dict[str, list[str | Path]] = {
        "porism, text": [python, "-c", _CHECK, database, "1"],
        "porism, snapshot": [python, "-c", _CHECK, snapshot, "1"],
        "import porism": [python, "-c", _NOTHING],
    }
    found |= {f"knife, {name}": [path, database, "1"] for name, path in checkers.knife(folder).items()}
    if metamath := shutil.which("metamath"):
        read = f"read '{database}'"
        found["metamath.exe, load"] = [metamath, read, "exit"]
        found["metamath.exe"] = [metamath, read, "verify proof *", "exit"]
    if mmverify is not None:
        found["mmverify.py"] = [python, mmverify, database]
    return found


def one_by_one(library: porism.metamath.Library, labels: list[str]) -> dict[str, float]:
    """Nanoseconds that the quickest of some checks of each theorem takes, as a proposal from Python."""
    taken = {}
    for label in labels:
        theorem = library.theorem(label)
        hypotheses = {f"hypothesis.{number}": text for number, text in enumerate(theorem.hypotheses)}
        proof = theorem.proof.encode()
        times = []
        for _ in range(REPEATS):
            started = time.perf_counter_ns()
            checked = library.check_one(theorem.statement, proof, hypotheses=hypotheses, disjoint=theorem.disjoint)
            times.append(time.perf_counter_ns() - started)
            if not checked.accepted:
                message = f"{label}: {checked.fault}"
                raise SystemExit(message)
        taken[label] = min(times)
    return taken


def scaling(database: Path, rounds: int) -> dict[int, dict[str, float]]:
    """The quickest full check from text by the clock, with its processor seconds, by how many cores work.

    On a busy machine, processor seconds by the clock's tell how many cores it got.
    """
    cores = sorted(os.sched_getaffinity(0))
    taken: dict[int, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for threads in (count for count in (1, 2, 4, 8, 16) if count <= len(cores)):
            started, began = time.perf_counter(), time.process_time()
            porism.check(database, threads=threads)
            ended = (time.perf_counter() - started, time.process_time() - began)
            taken.setdefault(threads, []).append(ended)
    found = {threads: min(times) for threads, times in taken.items()}
    return {
        threads: {"wall_s": wall_s, "processor_s": processor_s, "cores_got": processor_s / wall_s}
        for threads, (wall_s, processor_s) in found.items()
    }


def opening(snapshot: Path) -> float:
    """Processor seconds to open a snapshot in a process that runs: too few to be seen beside the start of one."""
    began = time.process_time()
    for _ in range(OPENINGS):
        porism.metamath.open(snapshot)
    return (time.process_time() - began) / OPENINGS


def axioms(snapshot: Path, rounds: int) -> float:
    """Processor seconds to find what all theorems rest on, in a library that was just opened."""
    taken = []
    for _ in range(rounds):
        library = porism.metamath.open(snapshot)
        label = next(one.label for one in library.statements() if one.kind == "$p")
        library.check_all(threads=1)
        began = time.process_time()
        library.axioms(label)
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def ratios(figures: dict[str, Any]) -> dict[str, float]:
    """What the targets ask for, to the peer that each names; what took no part is left out."""
    ours = {name: figures[f"porism, {name}"]["without_import_s"] for name in ("text", "snapshot")}
    ours["open snapshot"] = figures["porism, open snapshot"]["processor_s"]
    peers = {
        "text / knife, repaired": ("text", "knife, repaired"),
        "text / knife, published": ("text", "knife, published"),
        "snapshot / knife, repaired": ("snapshot", "knife, repaired"),
        "text / metamath.exe": ("text", "metamath.exe"),
        "text / mmverify.py": ("text", "mmverify.py"),
        "open snapshot / knife's load": ("open snapshot", "knife, load"),
    }
    found = {what: ours[own] / figures[peer]["processor_s"] for what, (own, peer) in peers.items() if peer in figures}
    found["axioms / text"] = figures["axioms of all theorems"]["processor_s"] / ours["text"]
    if "knife, repaired" in figures:
        found["peak memory, text / knife, repaired"] = (
            figures["porism, text"]["peak_mib"] / figures["knife, repaired"]["peak_mib"]
        )
    return found


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    folder: Path = arguments.build_folder
    folder.mkdir(parents=True, exist_ok=True)
    snapshot = folder / "library.snapshot"
    library = porism.metamath.open(arguments.database)
    library.save(snapshot)
    field = contestants(arguments.database, snapshot, folder, arguments.mmverify)
    taken: dict[str, list[tuple[float, int]]] = {name: [] for name in field}
    loads: dict[str, list[float]] = {}
    for number in range(arguments.rounds):
        names = list(field)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            processor_s, _, peak_kib, printed = measure(field[name])
            if name.startswith("knife"):
                said = json.loads(printed)
                if said["faults"]:
                    message = f"{name} does not accept the database"
                    raise SystemExit(message)
                loads.setdefault(name, []).append(said["load_s"])
            taken[name].append((processor_s, peak_kib))
    figures: dict[str, Any] = {
        name: {
            "processor_s": statistics.median(time_s for time_s, _ in each),
            "peak_mib": max(kib for _, kib in each) / 1024,
        }
        for name, each in taken.items()
    }
    if "knife, repaired" in loads:
        figures["knife, load"] = {"processor_s": statistics.median(loads["knife, repaired"])}
    start_s = figures["import porism"]["processor_s"]
    for name in ("porism, text", "porism, snapshot"):
        figures[name]["without_import_s"] = figures[name]["processor_s"] - start_s
    labels = [one.label for one in library.statements() if one.kind == "$p"][::SAMPLE]
    one = one_by_one(library, labels)
    figures["one theorem, porism"] = {"median_us": statistics.median(one.values()) / 1000}
    if "knife, repaired" in field:
        theirs = json.loads(measure([*field["knife, repaired"], "one", *labels])[3])["one_ns"]
        figures["one theorem, knife"] = {"median_us": statistics.median(theirs.values()) / 1000}
        figures["one theorem, ratio"] = {"median": statistics.median(one[label] / theirs[label] for label in labels)}
    figures["axioms of all theorems"] = {"processor_s": axioms(snapshot, arguments.rounds)}
    private = measure([sys.executable, "-c", _PRIVATE, snapshot])[3]
    figures["porism, open snapshot"] = {"processor_s": opening(snapshot), "private_mib": int(private) / 1024}
    for threads, taken_by in scaling(arguments.database, arguments.rounds).items():
        figures[f"porism, {threads} threads"] = taken_by
    figures["ratios"] = ratios(figures)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="rivals.check", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--database", type=Path, default=DATABASE, help="A Metamath database that all accept.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--build-folder", type=Path, default=Path(tempfile.gettempdir()) / "porism-rivals")
    parser.add_argument("--mmverify", type=Path, help="Where mmverify.py is, if it should take part.")
    parser.add_argument("--out", type=Path, help="Write the figures there, as JSON.")
    arguments = parser.parse_args()
    if not arguments.database.exists():
        parser.error(
            f"{arguments.database} is missing: on Debian install metamath-databases, or name another with --database"
        )
    figures = run(arguments)
    table = Table("contestant", "measure", "figure")
    for name, measures in figures.items():
        for what, figure in measures.items():
            table.add_row(name, what, f"{figure:.3f}")
    Console().print(table)
    if arguments.out:
        machine = describe(arguments.out.resolve().parent, 0)
        arguments.out.write_text(
            json.dumps({"machine": machine, "figures": figures}, indent=2) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
