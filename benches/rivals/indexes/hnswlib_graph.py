"""hnswlib: a graph in memory. Its filter is a Python function that it calls for every row that it meets."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

import hnswlib
import numpy as np

from rivals.contestants import DIMENSION
from rivals.contestants.hnswlib_index import EF_CONSTRUCTION, SEED
from rivals.indexes import Index

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rivals.indexes import Floats, Search


def make(m: int) -> Index:
    return HnswlibGraph(m)


class HnswlibGraph(Index):
    """Over inner products, which order unit vectors as cosines do, and cost less."""

    def __init__(self, m: int) -> None:
        self.versions = {"hnswlib": importlib.metadata.version("hnswlib")}
        self._m = m

    def build(self, folder: Path, vectors: Floats, threads: int) -> None:
        self.create(folder, len(vectors))
        self._index.add_items(vectors, np.arange(len(vectors)), num_threads=threads)
        self._index.save_index(str(folder / "index.hnsw"))

    def open(self, folder: Path) -> None:
        self._index = hnswlib.Index(space="ip", dim=DIMENSION)
        self._index.load_index(str(folder / "index.hnsw"))
        self._index.set_num_threads(1)

    def search(self, setting: float, k: int) -> Search:
        self._index.set_ef(int(setting))
        ask = self._index.knn_query
        return lambda query: ask(query, k=k)

    def search_among(self, setting: float, k: int, allowed: NDArray[np.bool_]) -> Search:
        self._index.set_ef(int(setting))
        ask = self._index.knn_query
        passes = allowed.tolist().__getitem__
        return lambda query: ask(query, k=k, filter=passes)

    def rows(self, answer: Any) -> list[int]:
        return [int(label) for label in answer[0][0]]

    def create(self, folder: Path, rows: int) -> None:
        del folder
        self._index = hnswlib.Index(space="ip", dim=DIMENSION)
        self._index.init_index(max_elements=rows, M=self._m, ef_construction=EF_CONSTRUCTION, random_seed=SEED)
        self._index.set_num_threads(1)

    def insert(self, row: int, vector: Floats) -> None:
        self._index.add_items(vector, row)
