"""sqlite-vec: an exact scan of a table, as the comparison of stores has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from rivals.contestants.sqlite_vec_table import SqliteVecTable
from rivals.indexes import Index
from rivals.vectors import text

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rivals.indexes import Floats, Search

_BATCH = 10_000
_AMONG = (
    "SELECT rowid FROM vectors WHERE embedding MATCH ? AND k = ? "
    "AND rowid IN (SELECT value FROM json_each(?)) ORDER BY distance"
)


def make() -> Index:
    return SqliteVecScan()


class SqliteVecScan(Index):
    """A write-ahead log and no syncs."""

    def __init__(self) -> None:
        self._table = SqliteVecTable("WAL", "OFF")
        self.versions = self._table.versions

    def build(self, folder: Path, vectors: Floats, threads: int) -> None:
        del threads
        self.create(folder, len(vectors))
        for start in range(0, len(vectors), _BATCH):
            rows = np.ascontiguousarray(vectors[start : start + _BATCH])
            self._table.insert_many(start, [text(start + row) for row in range(len(rows))], rows)
        self._table.close()

    def open(self, folder: Path) -> None:
        self._table.open(folder, 0)

    def search(self, setting: float, k: int) -> Search:
        del setting
        ask = self._table.nearest
        return lambda query: ask(query, k)

    def search_among(self, setting: float, k: int, allowed: NDArray[np.bool_]) -> Search:
        del setting
        among = json.dumps(np.flatnonzero(allowed).tolist())
        execute = self._table.execute
        return lambda query: [row for (row,) in execute(_AMONG, (query, k, among))]

    def rows(self, answer: Any) -> list[int]:
        found: list[int] = answer
        return found

    def create(self, folder: Path, rows: int) -> None:
        self._table.open(folder, rows)

    def insert(self, row: int, vector: Floats) -> None:
        self._table.insert(row, text(row), vector)
