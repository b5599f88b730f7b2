"""rabitqlib: SymphonyQG, a graph whose neighbours are compared by codes, many at a time. It is built once."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

import numpy as np
from rabitqlib import SymqgIndex

from rivals.contestants import DIMENSION
from rivals.contestants.hnswlib_index import EF_CONSTRUCTION
from rivals.indexes import Index

if TYPE_CHECKING:
    from pathlib import Path

    from rivals.indexes import Floats, Search

DEGREE = 32


def make(bits: int) -> Index:
    return RabitqlibGraph(bits)


class RabitqlibGraph(Index):
    """Vectors are kept as they are, or in some bits a dimension."""

    def __init__(self, bits: int) -> None:
        self.versions = {"rabitqlib": importlib.metadata.version("rabitqlib")}
        self._bits = bits

    def build(self, folder: Path, vectors: Floats, threads: int) -> None:
        index = SymqgIndex(DIMENSION, DEGREE, metric="ip", quantization_bits=self._bits)
        index.build(np.ascontiguousarray(vectors), EF_CONSTRUCTION, num_threads=threads)
        index.save(str(folder / "index.rabitq"))

    def open(self, folder: Path) -> None:
        self._index = SymqgIndex.load(str(folder / "index.rabitq"))

    def query(self, vector: Floats) -> Floats:
        return vector.reshape(1, -1)

    def search(self, setting: float, k: int) -> Search:
        ask, width = self._index.search, int(setting)
        return lambda query: ask(query, k, width)

    def rows(self, answer: Any) -> list[int]:
        return [int(row) for row in answer[0][0]]
