"""rabitqlib: lists of rows near a centroid, scanned by 1-bit codes, with more bits or the vectors behind them."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

import numpy as np
from rabitqlib import FinalAssignmentMode, IvfIndex, QGKMeans, RaBitQKMeans

from rivals.contestants import DIMENSION
from rivals.indexes import Index
from rivals.indexes.faiss_factory import lists

if TYPE_CHECKING:
    from pathlib import Path

    from rivals.indexes import Floats, Search

_MANY_CLUSTERS = 2_048


def make(bits: int, share: float = 1.0) -> Index:
    return RabitqlibLists(bits, share)


class RabitqlibLists(Index):
    """With 32 bits it compares exactly what the codes cannot rule out.

    Args:
        bits: A dimension; with 32 it keeps the vectors.
        share: Of the lists that faiss is given, how many it has.

    It has an ``add`` for single rows, which copies a list each time and is not meant for that.
    """

    def __init__(self, bits: int, share: float) -> None:
        self.versions = {"rabitqlib": importlib.metadata.version("rabitqlib")}
        self._bits = bits
        self._share = share

    def build(self, folder: Path, vectors: Floats, threads: int) -> None:
        vectors = np.ascontiguousarray(vectors)
        clusters = int(self._share * lists(len(vectors)))
        # Which of the two its documentation advises depends on how many there are.
        method = QGKMeans if clusters >= _MANY_CLUSTERS else RaBitQKMeans
        clustering = method(DIMENSION, clusters, num_threads=threads, final_assignment=FinalAssignmentMode.Exact)
        clustering.train(vectors)
        index = IvfIndex(DIMENSION, len(vectors), clusters, self._bits, metric="ip")
        index.build(vectors, clustering.centroids, clustering.assignments, num_threads=threads)
        index.save(str(folder / "index.rabitq"))

    def open(self, folder: Path) -> None:
        self._index = IvfIndex.load(str(folder / "index.rabitq"))

    def query(self, vector: Floats) -> Floats:
        return vector.reshape(1, -1)

    def search(self, setting: float, k: int) -> Search:
        ask, probes = self._index.search, int(setting)
        return lambda query: ask(query, k, probes)

    def rows(self, answer: Any) -> list[int]:
        return [int(row) for row in answer[0][0]]
