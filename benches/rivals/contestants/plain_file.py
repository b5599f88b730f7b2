"""The floor: rows are written into a file, which is synced after each. It is no store, but what every store stands on.

With one writer that waits for every insert, a power-safe store syncs once a row. How far a store is above this floor is
its own; how high the floor lies is the disk's. The file has its final length beforehand, since a sync that also has to
put a new length down takes longer, and a store with a log that it writes over again is spared that too.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from rivals.contestants import DIMENSION, Contestant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_TEXT_BYTES = 64
_ROW_BYTES = _TEXT_BYTES + 4 * DIMENSION


def make() -> Contestant:
    return PlainFile()


class PlainFile:
    """Rows of one length: a text, cut or filled with zeros, and a vector."""

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        self.own_vectors = True

    def open(self, folder: Path, rows: int) -> None:
        self._path = folder / "rows"
        exists = self._path.exists()
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT)
        if not exists:
            os.pwrite(self._descriptor, bytes(rows * _ROW_BYTES), 0)
            os.fsync(self._descriptor)

    def insert(self, row: int, text: str, vector: NDArray[np.float32]) -> None:
        os.pwrite(self._descriptor, _encoded(text) + vector.tobytes(), row * _ROW_BYTES)
        os.fdatasync(self._descriptor)

    def insert_many(self, first: int, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        rows = (_encoded(text) + vector.tobytes() for text, vector in zip(texts, vectors, strict=True))
        os.pwrite(self._descriptor, b"".join(rows), first * _ROW_BYTES)
        os.fdatasync(self._descriptor)

    def flush(self) -> None:
        """Nothing: every insert has synced."""

    def count(self) -> int:
        return int(np.count_nonzero(self._rows()[:, 0]))

    def nearest(self, vector: NDArray[np.float32], k: int) -> list[int]:
        vectors = np.ascontiguousarray(self._rows()[:, _TEXT_BYTES:]).view(np.float32)
        return [int(row) for row in np.argsort(-(vectors @ vector), kind="stable")[:k]]

    def close(self) -> None:
        os.close(self._descriptor)

    def _rows(self) -> NDArray[np.uint8]:
        return np.fromfile(self._path, dtype=np.uint8).reshape(-1, _ROW_BYTES)


def _encoded(text: str) -> bytes:
    return text.encode()[:_TEXT_BYTES].ljust(_TEXT_BYTES, b"\0")
