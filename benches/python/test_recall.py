"""The memory, filled with the bundled library."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from porism import _core
from porism._memory import Memory
from porism._types import Lemma, Record
from porism.bench import stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture


@pytest.fixture(scope="module")
def records() -> list[Record]:
    library = _core.Library.parse(stream.ql().library_text)
    return [Lemma(library.statement(position), name=library.name(position)) for position in range(len(library))]


@pytest.fixture
def memory(tmp_path: Path, records: list[Record]) -> Iterator[Memory]:
    with Memory.open(tmp_path / "ql.porism") as memory:
        memory.insert_many(records)
        yield memory


def test_recall(benchmark: BenchmarkFixture, memory: Memory, records: list[Record]) -> None:
    assert memory.stats().records == len(records) == 1186
    hits = benchmark(memory.recall, records[600].statement, k=8)
    assert len(hits) == 8


def test_recall_and_fetch(benchmark: BenchmarkFixture, memory: Memory, records: list[Record]) -> None:
    hits = benchmark(lambda: list(memory.recall(records[600].statement, k=8)))
    assert len(hits) == 8


def test_insert_many(benchmark: BenchmarkFixture, tmp_path: Path, records: list[Record]) -> None:
    """Everything in one commit, into a new memory each time."""
    numbers = itertools.count()

    def fill() -> int:
        with Memory.open(tmp_path / f"{next(numbers)}.porism") as memory:
            return len(memory.insert_many(records))

    assert benchmark.pedantic(fill, rounds=10, warmup_rounds=1) == len(records)


def test_insert_one(benchmark: BenchmarkFixture, memory: Memory) -> None:
    """One record, one commit."""
    numbers = itertools.count()
    benchmark.pedantic(lambda: memory.insert(Lemma(f"p{next(numbers)}(a)")), rounds=100, warmup_rounds=5)
