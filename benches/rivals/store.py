"""Times durable writes and opening, Porism against other stores: ``python -m rivals.store --help``."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from rivals.contestants import ENTRIES
from rivals.machine import all_cores, describe, pin
from rivals.measures import OPEN, OPENERS, WRITES, Measure
from rivals.report import RATE, TIME, Samples, ratios, show
from rivals.vectors import Rows, prepare, right, true_nearest
from rivals.worker import Job

K = 10
# What an approximate contestant has to find of the true nearest, so that speed is not bought with wrong answers.
RECALL = 0.95

PROGRESS = Console(stderr=True)


class Run:
    """One run: who is here, where their stores lie, and what was found."""

    def __init__(self, options: argparse.Namespace, rows: Rows, stores: Path) -> None:
        self.options = options
        self.rows = rows
        self.stores = stores
        self.queries = stores / "queries.npy"
        np.save(self.queries, rows.queries)
        self.versions: dict[str, dict[str, str]] = {}
        self.own_vectors: dict[str, bool] = {}
        self.warnings: list[str] = []
        self.agreement: list[dict[str, Any]] = []
        self.fills: list[dict[str, Any]] = []
        self.samples: list[Samples] = []

    def probe(self) -> None:
        """Finds out who can take part."""
        for name in ENTRIES:
            if name in self.options.without:
                self.warnings.append(f"{name} is left out: it was asked for")
                continue
            told = self.ask("probe", name)
            if "unavailable" in told:
                self.warnings.append(f"{name} is left out: {told['unavailable']}")
                continue
            self.versions[name] = told["versions"]
            self.own_vectors[name] = told["own_vectors"]
        ours = [name for name in self.versions if ENTRIES[name].ours]
        if not all(self.own_vectors[name] for name in ours):
            self.warnings.append("This Porism takes no vectors of the caller's: its figures compare nothing.")

    def ask(self, task: str, name: str, folder: str = "probe", rows: int = 0) -> dict[str, Any]:
        """Has a worker do one job; the disk is at rest when it starts."""
        cores = all_cores() if ENTRIES[name].all_cores else [self.options.core]
        path = str(self.stores / folder)
        job = Job(task, name, path, cores, str(self.rows.path), str(self.queries), rows, self.options.batch, K)
        # What one contestant left to be written must not be written in the time of the next.
        os.sync()
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        ran = subprocess.run(
            [sys.executable, "-m", "rivals.worker", job.encode()],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            check=False,
        )
        if ran.returncode != (-signal.SIGKILL if task == "one_by_one" else 0):
            raise SystemExit(f"{name}: {task} ended with {ran.returncode}")
        told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        return told

    def fill(self, opener: str, rows: int) -> str:
        """Makes the store that a contestant will open; its folder."""
        name = next(name for name in OPENERS[opener] if name in self.versions)
        folder = f"open-{ENTRIES[name].module}-{rows}"
        told = self.ask("batches", name, folder, rows)
        self.fills.append({"contestant": name, "rows": rows, "seconds": told["seconds"]})
        self.check_count(name, folder, rows)
        return folder

    def check_count(self, name: str, folder: str, rows: int) -> None:
        """A new process must find every row."""
        found = self.ask("count", name, folder, rows)["count"]
        if found != rows:
            raise SystemExit(f"{name}: {found} of {rows} rows were there after the writer had ended")

    def check_answers(self, name: str, folder: str, rows: int) -> None:
        """The nearest rows to the queries must be the true ones, or those of an approximate contestant mostly."""
        if not self.own_vectors[name]:
            return
        vectors = np.load(self.rows.path, mmap_mode="r")[:rows]
        truth = true_nearest(vectors, self.rows.queries, K)
        answers = self.ask("nearest", name, folder, rows)["nearest"]
        found = 0
        for query, best, answer in zip(self.rows.queries, truth, answers, strict=True):
            found += right(vectors, query, float(best[-1]), answer)
        recall = found / truth.size
        self.agreement.append({"contestant": name, "rows": rows, "queries": len(truth), "recall": recall})
        PROGRESS.print(f"{name}: {recall:.4f} of the true nearest among {rows:,}")
        least = 1.0 if ENTRIES[name].exact else RECALL
        if recall < least:
            raise SystemExit(f"{name}: found {recall:.4f} of the true nearest among {rows} rows; expected {least}")

    def time_opening(self) -> None:
        for rows in self.options.sizes:
            found = {}
            for name, fillers in OPENERS.items():
                if name in self.versions and not self.versions.keys().isdisjoint(fillers):
                    PROGRESS.print(f"{name}: filling {rows:,} rows")
                    folder = self.fill(name, rows)
                    self.check_answers(name, folder, rows)
                    found[name] = (folder, Samples(OPEN, name, rows, rows, TIME))
            # The first round warms the caches of the file system, and is thrown away.
            for number in range(self.options.rounds + 1):
                PROGRESS.print(f"{OPEN}, {rows:,} rows: round {number} of {self.options.rounds}")
                for name in _rotated(list(found), number):
                    folder, samples = found[name]
                    told = self.ask("first_answer", name, folder, rows)
                    if number:
                        samples.values.append(told["open_ms"] + told["first_ms"])
                        samples.details.append(told)
            for folder, samples in found.values():
                shutil.rmtree(self.stores / folder)
                self.samples.append(samples)

    def time_writes(self, measure: Measure) -> None:
        asked = self.options.rows
        found = {
            name: Samples(measure.name, name, measure.rows(name, asked), asked, RATE)
            for name in measure.most_rows
            if name in self.versions
        }
        for number in range(self.options.rounds):
            for name in _rotated(list(found), number):
                samples = found[name]
                folder = f"write-{number}"
                told = self.ask(measure.task, name, folder, samples.rows)
                if measure.task == "batches" or ENTRIES[name].survives != "nothing":
                    self.check_count(name, folder, samples.rows)
                shutil.rmtree(self.stores / folder)
                samples.values.append(samples.rows / told["seconds"])
                samples.details.append(told)
                PROGRESS.print(f"{measure.name}: round {number + 1}, {name}: {samples.values[-1]:,.0f} {RATE}")
        self.samples.extend(found.values())


def _rotated(names: list[str], by: int) -> list[str]:
    """Everyone goes first in some round."""
    by %= max(1, len(names))
    return names[by:] + names[:by]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="compare-store", description=__doc__.splitlines()[0])
    parser.add_argument("--vectors", type=Path, help="a .npy of unit vectors, [n, 384]; without it, some are made")
    parser.add_argument("--rows", type=int, default=100_000, help="rows to write")
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=[10_000, 100_000, 1_000_000], help="rows of the stores to open"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=10_000, help="rows of a batch")
    parser.add_argument("--queries", type=int, default=20, help="held-out vectors to check answers with")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--core", type=int, default=0, help="the core that everything is pinned to")
    parser.add_argument("--work", type=Path, default=Path("target/rivals"), help="where stores lie; on a real disk")
    parser.add_argument(
        "--without",
        nargs="*",
        default=[],
        metavar="NAME",
        help="contestants to leave out: 'hnswlib, all cores' is slow",
    )
    parser.add_argument("--out", type=Path, help="write the result there, as JSON")
    options = parser.parse_args()
    if unknown := sorted(set(options.without) - ENTRIES.keys()):
        parser.error(f"--without: there is no contestant {', '.join(unknown)}; there are {', '.join(ENTRIES)}")
    if min([options.rows, options.rounds, options.batch, *options.sizes]) < 1 or options.queries < 2:
        parser.error("rows, sizes, rounds and the batch start at 1, and queries at 2")
    return options


def main() -> None:
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    most = max([options.rows, *options.sizes])
    PROGRESS.print(f"preparing {most:,} vectors")
    rows = prepare(options.vectors, most, options.queries, options.seed, options.work)
    pin([options.core])
    machine = describe(options.work, options.core)
    with tempfile.TemporaryDirectory(prefix="stores-", dir=options.work) as stores:
        run = Run(options, rows, Path(stores))
        if machine["file_system"] == "tmpfs":
            run.warnings.append("The stores lay in memory: power-safe figures mean nothing.")
        run.probe()
        run.time_opening()
        for measure in WRITES:
            run.time_writes(measure)
    found = ratios(run.samples, run.own_vectors)
    result = {
        "what": "durable writes and opening",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine,
        "versions": run.versions,
        "vectors": rows.about,
        "options": {name: getattr(options, name) for name in ("rows", "sizes", "rounds", "batch", "queries")},
        "warnings": run.warnings,
        "agreement": run.agreement,
        "comparisons": [one.as_json(run.versions) for one in found],
        "results": [one.as_json() for one in run.samples],
        "fills": run.fills,
    }
    show(result, run.samples, found)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
