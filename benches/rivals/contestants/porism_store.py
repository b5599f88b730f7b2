"""Porism with vectors of the caller's own.

A Porism that has no ``Vectors`` yet, or no durability modes, still runs: it embeds the texts itself and writes as it
always does. Such a run shows that the comparison works, and its report says that it compares nothing.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import porism
from rivals.contestants import DIMENSION, Contestant, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_OPTIONS = inspect.signature(porism.Memory.open).parameters
_HAS_MODES = "durability" in _OPTIONS
_HAS_VECTORS = hasattr(porism, "Vectors") and "embedder" in _OPTIONS
# What a memory without modes does: a write that has returned survives the death of the process.
_ONLY_MODE = "process"


def make(durability: str) -> Contestant:
    if not _HAS_MODES and durability != _ONLY_MODE:
        raise UnavailableError(f"porism {porism.__version__} has no durability modes")
    return PorismStore(durability)


class PorismStore:
    """One memory. The records are numbered from 1 by it, and from 0 by the comparison."""

    def __init__(self, durability: str) -> None:
        self.versions = {"porism": porism.__version__}
        self.own_vectors = _HAS_VECTORS
        self._options: dict[str, Any] = {}
        if _HAS_MODES:
            self._options["durability"] = durability
        if _HAS_VECTORS:
            self._options["embedder"] = porism.Vectors("minilm", DIMENSION)
        self._memory: Any = None

    def open(self, folder: Path, rows: int) -> None:
        del rows
        self._memory = porism.Memory.open(folder / "rivals.porism", **self._options)

    def insert(self, row: int, text: str, vector: NDArray[np.float32]) -> None:
        del row
        if _HAS_VECTORS:
            self._memory.insert(porism.Fact(text), vector=vector)
        else:
            self._memory.insert(porism.Fact(text))

    def insert_many(self, first: int, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        del first
        records = [porism.Fact(text) for text in texts]
        if _HAS_VECTORS:
            self._memory.insert_many(records, vectors=vectors)
        else:
            self._memory.insert_many(records)

    def flush(self) -> None:
        if _HAS_MODES:
            self._memory.flush()

    def count(self) -> int:
        return int(self._memory.stats().records)

    def nearest(self, vector: NDArray[np.float32], k: int) -> list[int]:
        goal = {"vector": vector} if _HAS_VECTORS else {"goal": "statement 7"}
        hits = self._memory.recall(**goal, k=k)
        return [int(number) - 1 for number in hits.ids]

    def close(self) -> None:
        self._memory.close()
