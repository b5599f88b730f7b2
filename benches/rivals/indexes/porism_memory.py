"""Porism with vectors of the caller's own, told which recall its searches are to reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import porism
from rivals.contestants import DIMENSION
from rivals.indexes import PARTS, Index
from rivals.vectors import text

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rivals.indexes import Floats, Search

_BATCH = 10_000
_NAME = "rivals.porism"


def make() -> Index:
    return PorismMemory()


class PorismMemory(Index):
    """One memory. Its records are numbered from 1, and each tenth of them has a namespace of its own."""

    def __init__(self) -> None:
        self.versions = {"porism": porism.__version__}
        self._embedder = porism.Vectors("minilm", DIMENSION)
        self._memory: Any = None

    def build(self, folder: Path, vectors: Floats, threads: int) -> None:
        del threads
        with porism.Memory.open(folder / _NAME, embedder=self._embedder, durability="none") as memory:
            for start in range(0, len(vectors), _BATCH):
                rows = np.ascontiguousarray(vectors[start : start + _BATCH])
                memory.insert_many([_fact(start + row) for row in range(len(rows))], vectors=rows)
            memory.flush()
            memory.build_index()

    def open(self, folder: Path) -> None:
        self._memory = porism.Memory.open(folder / _NAME, embedder=self._embedder)

    def search(self, setting: float, k: int) -> Search:
        recall = self._memory.recall
        return lambda query: recall(vector=query, k=k, recall=setting)

    def search_among(self, setting: float, k: int, allowed: NDArray[np.bool_]) -> Search:
        recall = self._memory.recall
        among = porism.where(namespace=_namespace(int(np.argmax(allowed))))
        return lambda query: recall(vector=query, k=k, recall=setting, where=among)

    def rows(self, answer: Any) -> list[int]:
        return [int(number) - 1 for number in answer.ids]

    def create(self, folder: Path, rows: int) -> None:
        del rows
        self._memory = porism.Memory.open(folder / _NAME, embedder=self._embedder, durability="process")

    def insert(self, row: int, vector: Floats) -> None:
        self._memory.insert(_fact(row), vector=vector)


def _fact(row: int) -> porism.Fact:
    return porism.Fact(text(row), namespace=_namespace(row))


def _namespace(row: int) -> str:
    return f"part {row % PARTS}"
