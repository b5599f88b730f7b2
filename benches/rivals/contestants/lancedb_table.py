"""LanceDB: an embedded database of columns; every ``add`` writes a fragment and a version of the table.

It has one way to write, and is compared with both promises of Porism as it is. No index is built, so that its answers
are exact.
"""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING

import lancedb
import pyarrow as pa

from rivals.contestants import DIMENSION, Contestant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_TABLE = "rivals"
_SCHEMA = pa.schema(
    [("id", pa.int64()), ("text", pa.string()), ("vector", pa.list_(pa.float32(), DIMENSION))],
)


def make() -> Contestant:
    return LancedbTable()


class LancedbTable:
    """One table, handed Arrow tables that share the memory of the vectors."""

    def __init__(self) -> None:
        self.versions = {name: importlib.metadata.version(name) for name in ("lancedb", "pyarrow")}
        self.own_vectors = True

    def open(self, folder: Path, rows: int) -> None:
        del rows
        path = folder / "lance"
        exists = path.exists()
        self._database = lancedb.connect(path)
        self._table = (
            self._database.open_table(_TABLE) if exists else self._database.create_table(_TABLE, schema=_SCHEMA)
        )

    def insert(self, row: int, text: str, vector: NDArray[np.float32]) -> None:
        self.insert_many(row, [text], vector)

    def insert_many(self, first: int, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        columns = [
            pa.array(range(first, first + len(texts)), pa.int64()),
            pa.array(texts, pa.string()),
            pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), DIMENSION),
        ]
        self._table.add(pa.table(columns, schema=_SCHEMA))

    def flush(self) -> None:
        """Nothing: there is no call for it."""

    def count(self) -> int:
        return int(self._table.count_rows())

    def nearest(self, vector: NDArray[np.float32], k: int) -> list[int]:
        query = self._table.search(vector).distance_type("dot").limit(k).select(["id", "_distance"])
        return [int(row) for row in query.to_arrow()["id"].to_pylist()]

    def close(self) -> None:
        del self._table, self._database
