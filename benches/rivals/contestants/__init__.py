"""Who takes part, in which setting, and what a contestant can do.

The table stands here, and each contestant in a file of its own, so that the process that compares can speak of all of
them without loading any: a worker loads the one that it runs.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

DIMENSION = 384


class UnavailableError(Exception):
    """The installed version of a contestant does not offer this setting."""


class Contestant(Protocol):
    """A store of texts with vectors. Rows are numbered from 0 in the order in which they are inserted."""

    versions: dict[str, str]
    """What ran: the package, and whatever else decides how fast it is."""
    own_vectors: bool
    """Whether it takes the vectors that it is handed. If not, its answers cannot be compared with the others'."""

    def open(self, folder: Path, rows: int) -> None:
        """Opens the store in ``folder``, or makes it there for up to ``rows`` rows."""

    def insert(self, row: int, text: str, vector: NDArray[np.float32]) -> None:
        """Stores one row; when it returns, the row is as durable as the setting promises."""

    def insert_many(self, first: int, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Stores rows from the number ``first`` on, in whatever is its best way to take a batch."""

    def flush(self) -> None:
        """Makes everything durable that is not yet."""

    def count(self) -> int:
        """How many rows it holds."""

    def nearest(self, vector: NDArray[np.float32], k: int) -> list[int]:
        """The numbers of the ``k`` rows nearest to a unit vector, best first; no texts."""

    def close(self) -> None:
        """Closes it as its documentation says."""


@dataclass(frozen=True)
class Entry:
    """One contestant in one setting.

    Attributes:
        name: What tables call it.
        module: The file in this folder.
        options: What its ``make`` is given.
        survives: What a row survives as soon as its insert has returned: nothing, kill or power.
        exact: Whether it promises the true nearest neighbours.
        all_cores: Whether it may leave the pinned core.
    """

    name: str
    module: str
    options: dict[str, Any] = field(default_factory=dict)
    survives: str = "nothing"
    exact: bool = True
    all_cores: bool = False

    @property
    def ours(self) -> bool:
        return self.module == "porism_store"

    def make(self) -> Contestant:
        """Loads the contestant.

        Raises:
            UnavailableError: its installed version does not offer this setting.
        """
        contestant: Contestant = importlib.import_module(f"rivals.contestants.{self.module}").make(**self.options)
        return contestant


ENTRIES = {
    entry.name: entry
    for entry in (
        Entry("porism process", "porism_store", {"durability": "process"}, survives="kill"),
        Entry("porism power", "porism_store", {"durability": "power"}, survives="power"),
        Entry("porism none", "porism_store", {"durability": "none"}),
        Entry("hnswlib, 1 thread", "hnswlib_index", {"threads": 1}, exact=False),
        Entry("hnswlib, all cores", "hnswlib_index", {"threads": -1}, exact=False, all_cores=True),
        Entry("sqlite-vec OFF", "sqlite_vec_table", {"journal": "WAL", "synchronous": "OFF"}, survives="kill"),
        Entry("sqlite-vec FULL", "sqlite_vec_table", {"journal": "WAL", "synchronous": "FULL"}, survives="power"),
        Entry("sqlite-vec untuned", "sqlite_vec_table", {"journal": "DELETE", "synchronous": "FULL"}, survives="power"),
        Entry("lancedb", "lancedb_table", survives="kill"),
        Entry("write and sync", "plain_file", survives="power"),
    )
}
