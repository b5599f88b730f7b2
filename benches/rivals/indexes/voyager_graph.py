"""voyager: the graph of hnswlib with other storage. It has no filter."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

import numpy as np
import voyager

from rivals.contestants import DIMENSION
from rivals.contestants.hnswlib_index import EF_CONSTRUCTION
from rivals.indexes import Index

if TYPE_CHECKING:
    from pathlib import Path

    from rivals.indexes import Floats, Search

M = 16


def make(storage: str) -> Index:
    return VoyagerGraph(storage)


class VoyagerGraph(Index):
    """Over cosines; its inner product adds a dimension, which unit vectors do not need."""

    def __init__(self, storage: str) -> None:
        self.versions = {"voyager": importlib.metadata.version("voyager")}
        self._storage = storage

    def build(self, folder: Path, vectors: Floats, threads: int) -> None:
        self.create(folder, len(vectors))
        # It refuses an array that may not be written to, such as a mapped one.
        self._index.add_items(np.array(vectors), num_threads=threads)
        self._index.save(str(folder / "index.voyager"))

    def open(self, folder: Path) -> None:
        self._index = voyager.Index.load(str(folder / "index.voyager"))

    def search(self, setting: float, k: int) -> Search:
        ask, width = self._index.query, int(setting)
        return lambda query: ask(query, k, 1, width)

    def rows(self, answer: Any) -> list[int]:
        return [int(number) for number in answer[0]]

    def create(self, folder: Path, rows: int) -> None:
        del folder
        self._index = voyager.Index(
            voyager.Space.Cosine,
            num_dimensions=DIMENSION,
            M=M,
            ef_construction=EF_CONSTRUCTION,
            max_elements=rows,
            storage_data_type=getattr(voyager.StorageDataType, self._storage),
        )

    def insert(self, row: int, vector: Floats) -> None:
        self._index.add_item(vector, row)
