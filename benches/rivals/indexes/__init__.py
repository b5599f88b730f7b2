"""Which indexes take part, how each is built, and what an index can do.

As with the stores, the table stands here and each library in a file of its own, so that the process that compares can
speak of all of them without loading any.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Search = Callable[[Any], Any]

# A filter lets every tenth row through.
PARTS = 10

# How wide a search is, from narrow to wide, in steps of about an eighth.
_STEPS: tuple[int, ...] = (
    *(8, 9, 10, 11, 12, 14, 16, 18, 20, 22, 25, 28, 32, 36, 40, 45, 50, 56, 64, 72, 80, 90, 100, 112, 128, 144, 160),
    *(180, 200, 225, 256, 288, 320, 360, 400, 450, 512, 576, 640, 720, 800, 900, 1_024, 1_280, 1_536, 2_048, 3_072),
)
WIDTHS = tuple(step for step in _STEPS if step >= 10)
PROBES = (*range(1, 8), *(step for step in _STEPS if step <= 1_024))
SHORTLISTS = WIDTHS


class UnsupportedError(Exception):
    """The library does not offer it."""


class Index(ABC):
    """An index of unit vectors under the inner product, used by one thread."""

    versions: dict[str, str]
    """What ran: the package, and whatever else decides how fast it is."""

    @abstractmethod
    def build(self, folder: Path, vectors: Floats, threads: int) -> None:
        """Makes an index of all those vectors in an empty folder, in whatever is its best way to take them at once."""

    @abstractmethod
    def open(self, folder: Path) -> None:
        """Opens what ``build`` made, to be searched by one thread."""

    def query(self, vector: Floats) -> Any:
        """A query in the form that a search takes; made before a clock starts."""
        return vector

    @abstractmethod
    def search(self, setting: float, k: int) -> Search:
        """The call that is timed: it takes one query."""

    def search_among(self, setting: float, k: int, allowed: NDArray[np.bool_]) -> Search:
        """The same, for the nearest among some rows: every tenth, from the fourth on.

        Raises:
            UnsupportedError: it has no filter.
        """
        raise UnsupportedError("no filter")

    @abstractmethod
    def rows(self, answer: Any) -> list[int]:
        """The numbers of the rows in what ``search`` returned; not timed."""

    def create(self, folder: Path, rows: int) -> None:
        """Makes an empty index for so many rows, to insert one by one.

        Raises:
            UnsupportedError: it is made from all rows at once.
        """
        raise UnsupportedError("made from all rows at once")

    def insert(self, row: int, vector: Floats) -> None:
        """Inserts one row with the next number; it is found from then on.

        Raises:
            UnsupportedError: it is made from all rows at once.
        """
        raise UnsupportedError("made from all rows at once")


@dataclass(frozen=True)
class Variant:
    """One index in one shape.

    Attributes:
        name: What tables call it.
        peer: What it is a variant of: of each, the fastest is compared.
        module: The file in this folder.
        options: What its ``make`` is given.
        knob: What its setting is called.
        settings: From fast to thorough. None: it is told the recall that it is to reach.
        most_rows: It is left out of larger sets, where to build it takes too long or another is known to be faster.
    """

    name: str
    peer: str
    module: str
    options: dict[str, Any] = field(default_factory=dict)
    knob: str = "ef"
    settings: tuple[int, ...] | None = WIDTHS
    most_rows: int = 1 << 62

    @property
    def ours(self) -> bool:
        return self.module == "porism_memory"

    @property
    def slug(self) -> str:
        """Its name in the names of files."""
        return "-".join(self.name.replace("=", "").replace("+", " ").replace(",", " ").split())

    def make(self) -> Index:
        """Loads it."""
        index: Index = importlib.import_module(f"rivals.indexes.{self.module}").make(**self.options)
        return index


_SMALL = 100_000

VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("porism", "porism", "porism_memory", knob="recall", settings=None),
        Variant("hnswlib M=16", "hnswlib", "hnswlib_graph", {"m": 16}),
        Variant("hnswlib M=32", "hnswlib", "hnswlib_graph", {"m": 32}, most_rows=_SMALL),
        Variant("usearch f32", "usearch", "usearch_graph", {"dtype": "f32"}, most_rows=_SMALL),
        Variant("usearch f16", "usearch", "usearch_graph", {"dtype": "f16"}),
        Variant("usearch i8", "usearch", "usearch_graph", {"dtype": "i8"}),
        Variant("voyager float32", "voyager", "voyager_graph", {"storage": "Float32"}),
        Variant("voyager float8", "voyager", "voyager_graph", {"storage": "Float8"}, most_rows=_SMALL),
        Variant("faiss HNSW16", "faiss HNSW", "faiss_factory", {"factory": "HNSW16"}, most_rows=_SMALL),
        Variant("faiss HNSW32", "faiss HNSW", "faiss_factory", {"factory": "HNSW32"}),
        Variant("faiss IVF", "faiss IVF", "faiss_factory", {"factory": "IVF{lists},Flat"}, "nprobe", PROBES),
        Variant(
            "faiss IVF+PQ, re-rank 4k",
            "faiss IVF+PQ",
            "faiss_factory",
            {"factory": "IVF{lists},PQ192x4fs,RFlat", "re_rank": 4},
            "nprobe",
            PROBES,
        ),
        Variant(
            "faiss IVF+PQ, re-rank 16k",
            "faiss IVF+PQ",
            "faiss_factory",
            {"factory": "IVF{lists},PQ192x4fs,RFlat", "re_rank": 16},
            "nprobe",
            PROBES,
            most_rows=_SMALL,
        ),
        Variant("faiss binary+re-rank", "faiss binary", "faiss_binary", {}, "shortlist", SHORTLISTS),
        Variant("rabitqlib IVF raw", "rabitqlib IVF", "rabitqlib_lists", {"bits": 32}, "nprobe", PROBES),
        Variant(
            "rabitqlib IVF raw, half the lists",
            "rabitqlib IVF",
            "rabitqlib_lists",
            {"bits": 32, "share": 0.5},
            "nprobe",
            PROBES,
        ),
        Variant("rabitqlib IVF 7b", "rabitqlib IVF", "rabitqlib_lists", {"bits": 7}, "nprobe", PROBES, _SMALL),
        Variant("rabitqlib SymphonyQG raw", "rabitqlib SymphonyQG", "rabitqlib_graph", {"bits": 0}, most_rows=_SMALL),
        Variant("rabitqlib SymphonyQG 8b", "rabitqlib SymphonyQG", "rabitqlib_graph", {"bits": 8}),
        Variant("turbovec 2b+re-rank", "turbovec", "turbovec_codes", {"bits": 2}, "shortlist", SHORTLISTS),
        Variant("turbovec 4b+re-rank", "turbovec", "turbovec_codes", {"bits": 4}, "shortlist", SHORTLISTS),
        Variant("sqlite-vec", "sqlite-vec", "sqlite_vec_scan", {}, "exact", (0,)),
    )
}
