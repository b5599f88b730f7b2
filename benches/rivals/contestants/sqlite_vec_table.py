"""sqlite-vec: vectors in a virtual table of SQLite, searched exactly.

SQLite comes from pysqlite3, because the one of many Pythons may not load extensions.
"""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

import sqlite_vec
from pysqlite3 import dbapi2 as sqlite

from rivals.contestants import DIMENSION, Contestant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_INSERT_TEXT = "INSERT INTO texts(id, text) VALUES (?, ?)"
_INSERT_VECTOR = "INSERT INTO vectors(rowid, embedding) VALUES (?, ?)"
# The numbers alone; the nearest of unit vectors by length of difference are those by cosine.
_NEAREST = "SELECT rowid FROM vectors WHERE embedding MATCH ? AND k = ? ORDER BY distance"


def make(journal: str, synchronous: str) -> Contestant:
    return SqliteVecTable(journal, synchronous)


class SqliteVecTable:
    """A table of texts and one of vectors in one file.

    With ``synchronous=OFF`` a commit survives the death of the process, with ``FULL`` a power cut. A write-ahead log is
    the quick way to either; SQLite comes with a rollback journal.
    """

    def __init__(self, journal: str, synchronous: str) -> None:
        self.versions = {"sqlite-vec": importlib.metadata.version("sqlite-vec"), "SQLite": sqlite.sqlite_version}
        self.own_vectors = True
        self._journal = journal
        self._synchronous = synchronous

    def open(self, folder: Path, rows: int) -> None:
        del rows
        # No isolation level: a transaction begins and ends where this file says so.
        self._connection = sqlite.connect(str(folder / "vectors.sqlite"), isolation_level=None)
        self._connection.enable_load_extension(True)
        sqlite_vec.load(self._connection)
        self._connection.enable_load_extension(False)
        self._connection.execute(f"PRAGMA journal_mode = {self._journal}")
        self._connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        self._connection.execute("CREATE TABLE IF NOT EXISTS texts(id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        self._connection.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS vectors USING vec0(embedding float[{DIMENSION}])")

    def insert(self, row: int, text: str, vector: NDArray[np.float32]) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        execute(_INSERT_TEXT, (row, text))
        execute(_INSERT_VECTOR, (row, vector))
        execute("COMMIT")

    def insert_many(self, first: int, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(_INSERT_TEXT, enumerate(texts, first))
        self._connection.executemany(_INSERT_VECTOR, enumerate(vectors, first))
        self._connection.execute("COMMIT")

    def flush(self) -> None:
        """Nothing: a commit is as durable as it will be."""

    def count(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM vectors").fetchone()[0])

    def nearest(self, vector: NDArray[np.float32], k: int) -> list[int]:
        return [row for (row,) in self._connection.execute(_NEAREST, (vector, k))]

    def execute(self, statement: str, values: tuple[Any, ...]) -> Any:
        """Any other statement, for the comparison of recalls."""
        return self._connection.execute(statement, values)

    def close(self) -> None:
        self._connection.close()
