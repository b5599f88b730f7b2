"""faiss: a graph, or lists of rows near a centroid, with or without codes that stand for the vectors."""

from __future__ import annotations

import importlib.metadata
import math
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from rivals.contestants import DIMENSION
from rivals.contestants.hnswlib_index import EF_CONSTRUCTION
from rivals.indexes import Index, UnsupportedError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rivals.indexes import Floats, Search

# So many rows for each list are enough to train its centroid.
_TRAINING_ROWS = 64


def lists(rows: int) -> int:
    """How many lists: a power of two near four times the root of the rows, as its guidelines say."""
    return 1 << round(math.log2(4 * math.sqrt(rows)))


def make(factory: str, re_rank: int = 0) -> Index:
    return FaissFactory(factory, re_rank)


class FaissFactory(Index):
    """Whatever its factory makes of a description.

    Args:
        factory: The description.
        re_rank: How many times k are compared again by their vectors, if the description ends with that.
    """

    def __init__(self, factory: str, re_rank: int) -> None:
        self.versions = {"faiss": importlib.metadata.version("faiss-cpu")}
        self._factory = factory
        self._re_rank = re_rank

    def build(self, folder: Path, vectors: Floats, threads: int) -> None:
        faiss.omp_set_num_threads(threads)
        self.create(folder, len(vectors))
        if not self._index.is_trained:
            some = np.random.default_rng(1).permutation(len(vectors))[: _TRAINING_ROWS * lists(len(vectors))]
            self._index.train(vectors[np.sort(some)])
        self._index.add(vectors)
        faiss.write_index(self._index, str(folder / "index.faiss"))

    def open(self, folder: Path) -> None:
        faiss.omp_set_num_threads(1)
        # What can be mapped is: the vectors of lists.
        self._index = faiss.read_index(str(folder / "index.faiss"))

    def query(self, vector: Floats) -> Floats:
        return vector.reshape(1, -1)

    def search(self, setting: float, k: int) -> Search:
        self._set(int(setting))
        ask = self._index.search
        return lambda query: ask(query, k)

    def search_among(self, setting: float, k: int, allowed: NDArray[np.bool_]) -> Search:
        if self._re_rank:
            raise UnsupportedError("no filter together with a re-rank")
        # The parameters keep no reference to the selector, nor that to the bits.
        self._bits = np.packbits(allowed, bitorder="little")
        self._selector = faiss.IDSelectorBitmap(self._bits)
        if "HNSW" in self._factory:
            chosen = faiss.SearchParametersHNSW(efSearch=int(setting), sel=self._selector)
        else:
            chosen = faiss.SearchParametersIVF(nprobe=int(setting), sel=self._selector)
        ask = self._index.search
        return lambda query: ask(query, k, params=chosen)

    def rows(self, answer: Any) -> list[int]:
        return [int(row) for row in answer[1][0] if row >= 0]

    def create(self, folder: Path, rows: int) -> None:
        del folder
        text = self._factory.format(lists=lists(rows))
        self._index = faiss.index_factory(DIMENSION, text, faiss.METRIC_INNER_PRODUCT)
        if "HNSW" in self._factory:
            self._index.hnsw.efConstruction = EF_CONSTRUCTION

    def insert(self, row: int, vector: Floats) -> None:
        del row
        if not self._index.is_trained:
            raise UnsupportedError("trained on all rows first")
        self._index.add(vector.reshape(1, -1))

    def _set(self, setting: int) -> None:
        index = self._index
        if self._re_rank:
            index.k_factor = self._re_rank
            index = faiss.downcast_index(index.base_index)
        if "HNSW" in self._factory:
            index.hnsw.efSearch = setting
        else:
            index.nprobe = setting
