"""turbovec: a scan of codes of 2 or 4 bits, and an exact comparison of the nearest in numpy.

It scores by its codes alone, which no width brings to a recall of .95, so that the comparison outside is part of the
call. Its file is read as a whole, and the vectors beside it are mapped.
"""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

import numpy as np
from turbovec import TurboQuantIndex

from rivals.contestants import DIMENSION
from rivals.indexes import Index, re_rank

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rivals.indexes import Floats, Search

_SAMPLE = 1_024


def make(bits: int) -> Index:
    return TurbovecCodes(bits)


class TurbovecCodes(Index):
    """Calibrated on a random sample before rows are added, as its documentation advises."""

    def __init__(self, bits: int) -> None:
        self.versions = {"turbovec": importlib.metadata.version("turbovec")}
        self._bits = bits

    def build(self, folder: Path, vectors: Floats, threads: int) -> None:
        del threads
        self.create(folder, len(vectors))
        sample = np.random.default_rng(1).permutation(len(vectors))[:_SAMPLE]
        self._index.calibrate(np.ascontiguousarray(vectors[np.sort(sample)]))
        self._index.add(np.ascontiguousarray(vectors), chunk_size=0)
        self._index.write(str(folder / "index.tv"))
        re_rank.keep(folder, vectors)

    def open(self, folder: Path) -> None:
        self._index = TurboQuantIndex.load(str(folder / "index.tv"))
        self._vectors = re_rank.kept(folder)

    def query(self, vector: Floats) -> Any:
        return vector.reshape(1, -1), vector

    def search(self, setting: float, k: int) -> Search:
        index, vectors, width = self._index, self._vectors, int(setting)

        def ask(query: Any) -> Any:
            _, found = index.search(query[0], width)
            return re_rank.nearest(vectors, query[1], found[0], k)

        return ask

    def search_among(self, setting: float, k: int, allowed: NDArray[np.bool_]) -> Search:
        index, vectors, width = self._index, self._vectors, int(setting)

        def ask(query: Any) -> Any:
            _, found = index.search(query[0], width, mask=allowed)
            return re_rank.nearest(vectors, query[1], found[0], k)

        return ask

    def rows(self, answer: Any) -> list[int]:
        return [int(row) for row in answer]

    def create(self, folder: Path, rows: int) -> None:
        del folder, rows
        self._index = TurboQuantIndex(dim=DIMENSION, bit_width=self._bits)

    def insert(self, row: int, vector: Floats) -> None:
        del row
        self._index.add(vector.reshape(1, -1))
