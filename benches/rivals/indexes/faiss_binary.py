"""faiss: a scan of sign bits, and an exact comparison of the nearest in numpy."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from rivals.contestants import DIMENSION
from rivals.indexes import Index, re_rank

if TYPE_CHECKING:
    from pathlib import Path

    from rivals.indexes import Floats, Search

_BLOCK = 65_536


def make() -> Index:
    return FaissBinary()


class FaissBinary(Index):
    """One bit a dimension: on which side of the mean a vector lies. A rotation first would cost more than it brings."""

    def __init__(self) -> None:
        self.versions = {"faiss": importlib.metadata.version("faiss-cpu")}

    def build(self, folder: Path, vectors: Floats, threads: int) -> None:
        del threads
        mean = np.mean(vectors, axis=0, dtype=np.float64).astype(np.float32)
        index = faiss.IndexBinaryFlat(DIMENSION)
        for start in range(0, len(vectors), _BLOCK):
            index.add(np.packbits(vectors[start : start + _BLOCK] > mean, axis=1))
        faiss.write_index_binary(index, str(folder / "index.faiss"))
        np.save(folder / "mean.npy", mean)
        re_rank.keep(folder, vectors)

    def open(self, folder: Path) -> None:
        faiss.omp_set_num_threads(1)
        self._index = faiss.read_index_binary(str(folder / "index.faiss"))
        self._mean = np.load(folder / "mean.npy")
        self._vectors = re_rank.kept(folder)

    def search(self, setting: float, k: int) -> Search:
        index, mean, vectors, width = self._index, self._mean, self._vectors, int(setting)

        def ask(query: Floats) -> Any:
            _, found = index.search(np.packbits(query > mean).reshape(1, -1), width)
            return re_rank.nearest(vectors, query, found[0], k)

        return ask

    def rows(self, answer: Any) -> list[int]:
        return [int(row) for row in answer]
