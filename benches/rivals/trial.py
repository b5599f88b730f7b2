"""One task with one index in a process of its own: ``python -m rivals.trial TRIAL`` prints one line of JSON.

As in the comparison of stores, no contestant finds another's memory, threads or caches.
"""

from __future__ import annotations

import gc
import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rivals.indexes import PARTS, VARIANTS, UnsupportedError
from rivals.machine import pin, proportional_kib
from rivals.settings import LEVELS, Seen, narrowest
from rivals.vectors import right

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rivals.indexes import Floats, Index, Search, Variant

# So many queries are asked before a clock starts, where the pass before was not one of the same search.
_WARM = 50
# However slow a search is, so many queries are asked.
_FEWEST = 20
# The rows that a filter lets through: every tenth.
ALLOWED_PART = 3


@dataclass(frozen=True)
class Trial:
    """What a process is told.

    Attributes:
        task: The name of a function below.
        variant: A name of the table.
        folder: Where its index is, or is to be.
        cores: What it is pinned to.
        vectors: The file of vectors.
        queries: The file of queries.
        last: The file of the cosine of each query's last true neighbour.
        setting: What it searches with.
        k: How many nearest are asked for.
        seconds: How long one pass over the queries may take; what is slower answers fewer of them.
        order: Seeds the order of the queries.
        rows: How many rows are inserted.
    """

    task: str
    variant: str
    folder: str
    cores: list[int]
    vectors: str
    queries: str = ""
    last: str = ""
    setting: float = 0.0
    k: int = 10
    seconds: float = 10.0
    order: int = 0
    rows: int = 0

    def encode(self) -> str:
        return json.dumps(asdict(self))


def probe(trial: Trial, variant: Variant) -> dict[str, Any]:
    """What runs."""
    del trial
    return {"versions": variant.make().versions}


def build(trial: Trial, variant: Variant) -> dict[str, Any]:
    """Makes the index from all rows, by all cores that it has."""
    index = variant.make()
    vectors = np.asarray(np.load(trial.vectors, mmap_mode="r"))
    start = time.perf_counter()
    index.build(Path(trial.folder), vectors, len(trial.cores))
    return {"seconds": time.perf_counter() - start, "versions": index.versions}


def sweep(trial: Trial, variant: Variant) -> dict[str, Any]:
    """Looks for the narrowest setting that reaches each level, and tells what it saw on the way."""
    index = variant.make()
    index.open(Path(trial.folder))
    vectors, queries, last = _judged(trial)
    asked = [index.query(query) for query in queries]
    seen: dict[float, Seen] = {}

    def recall_at(setting: float) -> float:
        if setting not in seen:
            search = index.search(setting, trial.k)
            _ask(search, asked[:_WARM], trial.seconds)
            took, answers = _ask(search, asked, trial.seconds)
            right_ones = _right(index, answers, vectors, queries, last)
            recall = right_ones / (trial.k * len(answers))
            seen[setting] = Seen(recall, float(np.median(took)) / 1e3, len(answers))
        return seen[setting].recall

    for level in LEVELS:
        if variant.settings is None:
            recall_at(level)
        else:
            narrowest(variant.settings, recall_at, level)
    return {"seen": {str(setting): asdict(one) for setting, one in sorted(seen.items())}}


def ask(trial: Trial, variant: Variant) -> dict[str, Any]:
    """Opens the index, answers every query once to be warm, and then once for the clock."""
    queries: Floats = np.load(trial.queries)
    order = np.random.default_rng(trial.order).permutation(len(queries))
    _read_through(Path(trial.folder))
    gc.collect()
    before = proportional_kib()
    index = variant.make()
    asked = [index.query(queries[number]) for number in order]
    loaded = proportional_kib()
    start = time.perf_counter()
    index.open(Path(trial.folder))
    opened = time.perf_counter()
    search = index.search(trial.setting, trial.k)
    search(asked[0])
    answered = time.perf_counter()
    opened_kib = proportional_kib()
    reached = _warm(search, asked, trial.seconds)
    resident = proportional_kib()
    took, answers = _ask(search, asked[:reached], trial.seconds)
    return {
        "open_ms": (opened - start) * 1e3,
        "first_ms": (answered - opened) * 1e3,
        "p50_us": float(np.median(took)) / 1e3,
        "p99_us": float(np.percentile(took, 99)) / 1e3,
        "mean_us": float(np.mean(took)) / 1e3,
        "before_kib": before,
        "loaded_kib": loaded,
        "opened_kib": opened_kib,
        "resident_kib": resident,
        "numbers": [int(number) for number in order[: len(answers)]],
        "answers": [index.rows(answer) for answer in answers],
    }


def ask_among(trial: Trial, variant: Variant) -> dict[str, Any]:
    """Asks for the nearest among a tenth of the rows."""
    index = variant.make()
    index.open(Path(trial.folder))
    vectors, queries, last = _judged(trial)
    allowed = np.arange(len(vectors)) % PARTS == ALLOWED_PART
    try:
        search = index.search_among(trial.setting, trial.k, allowed)
    except UnsupportedError as error:
        return {"unsupported": str(error)}
    asked = [index.query(query) for query in queries]
    reached = _warm(search, asked, trial.seconds)
    took, answers = _ask(search, asked[:reached], trial.seconds)
    outside = sum(not allowed[row] for answer in answers for row in index.rows(answer))
    right_ones = _right(index, answers, vectors, queries, last)
    return {
        "p50_us": float(np.median(took)) / 1e3,
        "p99_us": float(np.percentile(took, 99)) / 1e3,
        "recall": right_ones / (trial.k * len(answers)),
        "queries": len(answers),
        "not_allowed": int(outside),
    }


def insert(trial: Trial, variant: Variant) -> dict[str, Any]:
    """Inserts row after row into an empty index, and makes another from all rows at once, with one thread."""
    rows = np.array(np.load(trial.vectors, mmap_mode="r")[: trial.rows])
    told: dict[str, Any] = {"rows": len(rows)}
    with tempfile.TemporaryDirectory(dir=Path(trial.folder).parent) as folder:
        at_once, one_by_one = Path(folder, "at-once"), Path(folder, "one-by-one")
        at_once.mkdir()
        one_by_one.mkdir()
        start = time.perf_counter()
        variant.make().build(at_once, rows, 1)
        told["at_once"] = len(rows) / (time.perf_counter() - start)
        index = variant.make()
        try:
            index.create(one_by_one, len(rows))
            told["one_by_one"] = _insert_each(index, rows, trial.seconds)
        except UnsupportedError as error:
            told["unsupported"] = str(error)
    return told


TASKS = {task.__name__: task for task in (probe, build, sweep, ask, ask_among, insert)}


def _insert_each(index: Index, rows: Floats, seconds: float) -> float:
    """Rows a second; what is slow inserts fewer, which favours a graph."""
    index.insert(0, rows[0])
    gc.freeze()
    start = time.perf_counter()
    for row in range(1, len(rows)):
        index.insert(row, rows[row])
        if not row % 64 and time.perf_counter() - start > seconds:
            break
    return row / (time.perf_counter() - start)


def _ask(search: Search, queries: Sequence[Any], seconds: float) -> tuple[list[int], list[Any]]:
    """The nanoseconds of each query, and the answers, which are kept so that none is freed in another's time."""
    took: list[int] = []
    answers: list[Any] = []
    clock = time.perf_counter_ns
    gc.collect()
    gc.disable()
    until = clock() + int(seconds * 1e9)
    for query in queries:
        start = clock()
        answer = search(query)
        end = clock()
        took.append(end - start)
        answers.append(answer)
        if end > until and len(answers) >= _FEWEST:
            break
    gc.enable()
    return took, answers


def _warm(search: Search, queries: Sequence[Any], seconds: float) -> int:
    """Asks without keeping the answers; how many queries there was time for."""
    until = time.perf_counter() + seconds
    for number, query in enumerate(queries, 1):
        search(query)
        if time.perf_counter() > until and number >= _FEWEST:
            return number
    return len(queries)


def _judged(trial: Trial) -> tuple[Floats, Floats, NDArray[np.float32]]:
    vectors = np.asarray(np.load(trial.vectors, mmap_mode="r"))
    return vectors, np.load(trial.queries), np.load(trial.last)


def _right(index: Index, answers: Sequence[Any], vectors: Floats, queries: Floats, last: NDArray[np.float32]) -> int:
    found = zip(answers, queries, last, strict=False)
    return sum(right(vectors, query, float(least), index.rows(answer)) for answer, query, least in found)


def _read_through(folder: Path) -> None:
    """Brings the files into the page cache: other contestants' may have pushed them out."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb", buffering=0) as file:
                shutil.copyfileobj(file, _Nowhere(), 1 << 20)


class _Nowhere:
    def write(self, data: bytes) -> int:
        return len(data)


def main() -> None:
    trial = Trial(**json.loads(sys.argv[1]))
    # Before the library is loaded: some count the cores once.
    pin(trial.cores)
    print(json.dumps(TASKS[trial.task](trial, VARIANTS[trial.variant])))


if __name__ == "__main__":
    main()
