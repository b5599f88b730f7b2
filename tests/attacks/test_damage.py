"""Tries bytes that are not those that were written: flipped, cut off, or from another memory.

Every byte of a small memory is changed in turn, every file is truncated at every length, and files of other memories
are put in the place of its own. Each of a fixed set of reads must then answer right, or raise an error that names a
file; it must never answer wrong, and the process must never die or hang.

A short run takes a sample: see ``STRIDE``. It takes everything when ``PORISM_CRASH_ROUNDS`` is 1000 or more.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from answers import make, read_all
from pages import Places
from trials import Trial, run

from porism._memory import Memory
from porism._types import Lemma, Verdict

if TYPE_CHECKING:
    from pathlib import Path

FULL = int(os.environ.get("PORISM_CRASH_ROUNDS", "25")) >= 1000
# Every how many bytes, of those that mean something and of those that do not.
STRIDE = (1, 1) if FULL else (7, 199)
MASKS = (0x01, 0x80, 0xFF) if FULL else (0x01,)
CATALOG = "catalog.sqlite"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "small.porism"
    make(path)
    assert not any(isinstance(answer, str) for answer in read_all(path).values())
    assert {entry.name for entry in path.iterdir()} == {CATALOG, rows_of(path), "writer.lock"}
    return path


@pytest.fixture(scope="module")
def indexed(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same memory with an index."""
    path = tmp_path_factory.mktemp("indexed") / "small.porism"
    shutil.copytree(store, path)
    with Memory.open(path) as memory:
        assert memory.build_index()
    assert read_all(path) == read_all(store)
    return path


def index_of(path: Path) -> str:
    (index,) = path.glob("index-*.lsh")
    return index.name


def rows_of(path: Path) -> str:
    (rows,) = path.glob("rows-*.f32")
    return rows.name


def complain(places: list[str], found: dict[int, dict[str, Any]]) -> None:
    """Fails with what went wrong, one line for each kind of place."""
    lines: dict[str, list[int]] = {}
    for position, outcome in found.items():
        lines.setdefault(f"{places[position]}: {', '.join(sorted(outcome))}", []).append(position)
    report = [f"{line} ({len(positions)} trials)" for line, positions in sorted(lines.items())]
    assert not found, "\n".join([f"{len(found)} trials went wrong", *report, str(next(iter(found.values())))[:2000]])


def test_a_flipped_byte_of_the_catalog(tmp_path: Path, store: Path) -> None:
    known = Places(store / CATALOG)
    size = (store / CATALOG).stat().st_size
    used = [offset for offset in range(size) if known.of(offset) != "free space"][:: STRIDE[0]]
    free = [offset for offset in range(size) if known.of(offset) == "free space"][:: STRIDE[1]]
    trials = [Trial(CATALOG, flip=(offset, mask)) for offset in used + free for mask in MASKS]
    complain([known.of(trial.flip[0]) for trial in trials if trial.flip], run(tmp_path, store, trials))


def test_a_flipped_byte_of_the_rows(tmp_path: Path, store: Path) -> None:
    rows = rows_of(store)
    offsets = range(0, (store / rows).stat().st_size, STRIDE[0])
    trials = [Trial(rows, flip=(offset, mask)) for offset in offsets for mask in MASKS]
    complain(["rows"] * len(trials), run(tmp_path, store, trials))


@pytest.mark.parametrize("which", ["catalog", "rows"])
def test_a_truncated_file(tmp_path: Path, store: Path, which: str) -> None:
    name = CATALOG if which == "catalog" else rows_of(store)
    size = (store / name).stat().st_size
    lengths = {*range(0, size, 1 if FULL else 211), *range(0, size, 512), *range(min(size, 110)), size - 1}
    trials = [Trial(name, cut=length) for length in sorted(lengths)]
    complain([f"{name} cut to {trial.cut}" for trial in trials], run(tmp_path, store, trials))


def test_files_of_another_memory(tmp_path: Path, store: Path) -> None:
    """Another memory with as many records, one with more, and rows as they were earlier."""
    rows = rows_of(store)
    other, longer, current = (tmp_path / f"{name}.porism" for name in ("other", "longer", "current"))
    make(other, "g")
    make(longer, "h")
    shutil.copytree(store, current)
    for path, count in ((longer, 20), (current, 1)):
        with Memory.open(path) as memory:
            memory.insert_many(Lemma(f"p{number}(a)") for number in range(count))
    sources = [path / name for path in (other, longer) for name in (CATALOG, rows)] + [store / rows]
    trials = [Trial(swap={source.name: str(source)}) for source in sources]
    complain([f"{source.parent.name}/{source.name}" for source in sources], run(tmp_path, current, trials))


def test_an_earlier_catalog_is_an_earlier_memory(tmp_path: Path, store: Path) -> None:
    """Nothing tells it from a memory whose last writer died: rows that the catalog does not name mean nothing."""
    current = tmp_path / "current.porism"
    shutil.copytree(store, current)
    with Memory.open(current) as memory:
        memory.insert(Lemma("added(later)"))
    shutil.copyfile(store / CATALOG, current / CATALOG)
    assert read_all(current) == read_all(store)


@pytest.mark.parametrize("letter", ["g", "f"], ids=["other", "twin"])
def test_the_log_of_another_memory(tmp_path: Path, store: Path, letter: str) -> None:
    """A log with a new record and one without, beside a closed catalog; the twin holds the same records."""
    path = tmp_path / "other.porism"
    make(path, letter)
    logs = []
    with Memory.open(path) as memory:
        memory.evidence(2, verdict=Verdict.PROVED, prover="E")
        logs.append(shutil.copyfile(path / f"{CATALOG}-wal", tmp_path / "evidence"))
        memory.insert(Lemma("logged(a)"))
        logs.append(shutil.copyfile(path / f"{CATALOG}-wal", tmp_path / "record"))
    trials = [Trial(swap={f"{CATALOG}-wal": str(log)}) for log in logs]
    complain([log.name for log in logs], run(tmp_path, store, trials))


def test_another_database_in_place_of_the_catalog(tmp_path: Path, store: Path) -> None:
    foreign = tmp_path / "foreign.sqlite"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE memory (one)")
    connection.commit()
    connection.close()
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("no database\n" * 1000)
    sources = [foreign, tmp_path / "empty", tmp_path / "text"]
    trials = [Trial(swap={name: str(source)}) for source in sources for name in (CATALOG, rows_of(store))]
    complain([str(trial.swap) for trial in trials], run(tmp_path, store, trials))


def test_a_flipped_byte_of_the_index(tmp_path: Path, indexed: Path) -> None:
    index = index_of(indexed)
    offsets = range(0, (indexed / index).stat().st_size, 1 if FULL else 37)
    trials = [Trial(index, flip=(offset, mask)) for offset in offsets for mask in MASKS]
    complain([f"byte {trial.flip[0]} of the index" for trial in trials if trial.flip], run(tmp_path, indexed, trials))


def test_a_truncated_index(tmp_path: Path, indexed: Path) -> None:
    index = index_of(indexed)
    size = (indexed / index).stat().st_size
    lengths = sorted({*range(0, size, 1 if FULL else 211), *range(0, size, 512), size - 1})
    trials = [Trial(index, cut=length) for length in lengths]
    complain([f"the index cut to {length}" for length in lengths], run(tmp_path, indexed, trials))


def test_another_file_in_place_of_the_index(tmp_path: Path, indexed: Path) -> None:
    """The index of another memory, the one of fewer rows, the rows, and none."""
    index = index_of(indexed)
    other, current = tmp_path / "other.porism", tmp_path / "current.porism"
    make(other, "g")
    shutil.copytree(indexed, current)
    for path in (other, current):
        with Memory.open(path) as memory:
            memory.insert_many(Lemma(f"p{number}(a)") for number in range(20))
            assert memory.build_index()
    (tmp_path / "empty").touch()
    sources = [other / index_of(other), indexed / index, current / rows_of(current), tmp_path / "empty"]
    trials = [Trial(swap={name: str(source)}) for source in sources for name in (index_of(current), index)]
    complain([str(trial.swap) for trial in trials], run(tmp_path, current, trials))
