"""usearch: a graph whose vectors may be stored in fewer bits. Its searches in Python take no filter."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

import numpy as np
from usearch.index import Index as Graph

from rivals.contestants import DIMENSION
from rivals.contestants.hnswlib_index import EF_CONSTRUCTION
from rivals.indexes import Index

if TYPE_CHECKING:
    from pathlib import Path

    from rivals.indexes import Floats, Search


def make(dtype: str) -> Index:
    return UsearchGraph(dtype)


class UsearchGraph(Index):
    """Opened by mapping its file, which is its quickest way."""

    def __init__(self, dtype: str) -> None:
        self.versions = {"usearch": importlib.metadata.version("usearch")}
        self._dtype = dtype

    def build(self, folder: Path, vectors: Floats, threads: int) -> None:
        self.create(folder, len(vectors))
        self._graph.add(np.arange(len(vectors), dtype=np.uint64), vectors, threads=threads)
        self._graph.save(str(folder / "index.usearch"))

    def open(self, folder: Path) -> None:
        found = Graph.restore(str(folder / "index.usearch"), view=True)
        if found is None:
            raise RuntimeError("usearch cannot read what it wrote")
        self._graph = found

    def search(self, setting: float, k: int) -> Search:
        self._graph.expansion_search = int(setting)
        ask = self._graph.search
        return lambda query: ask(query, k, threads=1)

    def rows(self, answer: Any) -> list[int]:
        return [int(key) for key in answer.keys]

    def create(self, folder: Path, rows: int) -> None:
        del folder, rows
        self._graph = Graph(
            ndim=DIMENSION,
            metric="ip",
            dtype=self._dtype,
            connectivity=16,
            expansion_add=EF_CONSTRUCTION,
            enable_key_lookups=False,
        )

    def insert(self, row: int, vector: Floats) -> None:
        self._graph.add(row, vector, threads=1)
