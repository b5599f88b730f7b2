"""The exact end of a search over codes, outside of the library: vectors of a shortlist times the query, in numpy."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rivals.indexes import Floats

_FILE = "vectors.npy"


def keep(folder: Path, vectors: Floats) -> None:
    """Puts the vectors beside the codes: by another name of the same file, where that is possible."""
    path = getattr(vectors.base, "filename", None)
    try:
        if path is None:
            raise OSError("not a file")
        os.link(path, folder / _FILE)
    except OSError:
        np.save(folder / _FILE, vectors)


def kept(folder: Path) -> Floats:
    """The vectors, mapped: only those that are compared become resident."""
    vectors: Floats = np.asarray(np.load(folder / _FILE, mmap_mode="r"))
    return vectors


def nearest(vectors: Floats, query: Floats, shortlist: NDArray[Any], k: int) -> NDArray[Any]:
    """The ``k`` of the shortlist with the greatest inner products, best first."""
    scores = vectors[shortlist] @ query
    if len(scores) > k:
        best = np.argpartition(scores, -k)[-k:]
        best = best[np.argsort(-scores[best])]
    else:
        best = np.argsort(-scores)
    return shortlist[best]
