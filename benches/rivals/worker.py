"""One job of one contestant in a process of its own: ``python -m rivals.worker JOB`` prints one line of JSON.

The process that compares starts one of these for whatever it times, so that no contestant finds the memory, the threads
or the caches of another, and so that resident memory means one contestant's.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rivals.contestants import ENTRIES, Contestant, UnavailableError
from rivals.machine import pin, resident_kib
from rivals.vectors import text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WARM_ONE_BY_ONE = 50
WARM_BATCH = 1_000


@dataclass(frozen=True)
class Job:
    """What a worker is told.

    Attributes:
        task: The name of a function below.
        contestant: A name of the table.
        folder: Where its store is, or is to be.
        cores: What it is pinned to.
        vectors: The file of vectors.
        queries: The file of queries.
        rows: How many rows are written, or were.
        batch: How many of them at once.
        k: How many nearest are asked for.
    """

    task: str
    contestant: str
    folder: str
    cores: list[int]
    vectors: str = ""
    queries: str = ""
    rows: int = 0
    batch: int = 10_000
    k: int = 10

    def encode(self) -> str:
        return json.dumps(asdict(self))


def probe(job: Job, store: Contestant) -> dict[str, Any]:
    """Whether the setting is offered, and what runs."""
    del job
    return {"versions": store.versions, "own_vectors": store.own_vectors}


def one_by_one(job: Job, store: Contestant) -> dict[str, Any]:
    """Inserts row after row, and dies by ``kill -9`` without closing: ``count`` then tells what was kept."""
    vectors = _rows(job)
    warm = min(WARM_ONE_BY_ONE, job.rows)
    with_scratch(job, store, lambda: _insert_each(store, vectors[:warm]))
    store.open(_new(job.folder), job.rows)
    seconds = _insert_each(store, vectors)
    print(json.dumps({"seconds": seconds}), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def batches(job: Job, store: Contestant) -> dict[str, Any]:
    """Inserts batch after batch, and makes sure of them once, at the end."""
    vectors = _rows(job)
    warm = min(WARM_BATCH, job.rows)
    with_scratch(job, store, lambda: _insert_batches(store, vectors[:warm], job.batch))
    store.open(_new(job.folder), job.rows)
    seconds = _insert_batches(store, vectors, job.batch)
    store.close()
    return {"seconds": seconds}


def count(job: Job, store: Contestant) -> dict[str, Any]:
    """How many rows a new process finds."""
    store.open(Path(job.folder), job.rows)
    found = store.count()
    store.close()
    return {"count": found}


def nearest(job: Job, store: Contestant) -> dict[str, Any]:
    """The nearest rows to every query."""
    store.open(Path(job.folder), job.rows)
    found = [store.nearest(query, job.k) for query in np.load(job.queries)]
    store.close()
    return {"nearest": found}


def first_answer(job: Job, store: Contestant) -> dict[str, Any]:
    """Opens a store that another process wrote, and asks it twice. Loading the package is not timed."""
    first, second = np.load(job.queries)[:2]
    before = resident_kib()
    start = time.perf_counter()
    store.open(Path(job.folder), job.rows)
    opened = time.perf_counter()
    after_open = resident_kib()
    resumed = time.perf_counter()
    store.nearest(first, job.k)
    answered = time.perf_counter()
    after_answer = resident_kib()
    again = time.perf_counter()
    store.nearest(second, job.k)
    ended = time.perf_counter()
    store.close()
    return {
        "open_ms": (opened - start) * 1e3,
        "first_ms": (answered - resumed) * 1e3,
        "second_ms": (ended - again) * 1e3,
        "before_kib": before,
        "after_open_kib": after_open,
        "after_answer_kib": after_answer,
    }


TASKS = {task.__name__: task for task in (probe, one_by_one, batches, count, nearest, first_answer)}


def with_scratch(job: Job, store: Contestant, warm: Any) -> None:
    """Runs the same calls on a store that is thrown away, so that nothing is timed that happens once a process."""
    scratch = _new(f"{job.folder}.warm")
    store.open(scratch, job.rows)
    warm()
    store.close()
    shutil.rmtree(scratch)


def _insert_each(store: Contestant, vectors: Floats) -> float:
    rows = [(row, text(row), vector) for row, vector in enumerate(vectors)]
    insert = store.insert
    # The rows above are no garbage; to look through them is nobody's work.
    gc.freeze()
    start = time.perf_counter()
    for row in rows:
        insert(*row)
    return time.perf_counter() - start


def _insert_batches(store: Contestant, vectors: Floats, batch: int) -> float:
    texts = [text(row) for row in range(len(vectors))]
    gc.freeze()
    start = time.perf_counter()
    for first in range(0, len(vectors), batch):
        store.insert_many(first, texts[first : first + batch], vectors[first : first + batch])
    store.flush()
    return time.perf_counter() - start


def _rows(job: Job) -> Floats:
    """In memory of this process, so that no page is fetched while a clock runs."""
    return np.array(np.load(job.vectors, mmap_mode="r")[: job.rows])


def _new(folder: str) -> Path:
    path = Path(folder)
    path.mkdir(parents=True)
    return path


def main() -> None:
    job = Job(**json.loads(sys.argv[1]))
    # Before the contestant is loaded: some libraries count the cores once.
    pin(job.cores)
    try:
        store = ENTRIES[job.contestant].make()
    except UnavailableError as error:
        print(json.dumps({"unavailable": str(error)}))
        return
    print(json.dumps(TASKS[job.task](job, store)))


if __name__ == "__main__":
    main()
