"""The rows that every contestant stores: vectors grown from a given set, or from a made one, and short texts.

A set is grown so that a million rows look like the few that are real: a row at random, moved by a Gaussian in the span
of its nearest neighbours, plus a little noise with the covariance of the whole set. The two steps below were chosen on
embeddings of theorem texts: in a grown set about as large as that, the first, fifth and tenth neighbour have median
cosines of .88, .75 and .69, where those of the real set have .88, .73 and .69. A larger set is denser, as a larger real
one would be. The rows are no embeddings of the texts, and no contestant looks at a text.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rivals.contestants import DIMENSION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

NEIGHBOURS = 24
NEIGHBOUR_STEP = 0.5
NOISE_STEP = 0.1

# What is made when no file is given.
MADE_ROWS = 20_000
MADE_CLUSTERS = 400
MADE_SPREAD = 0.6

# Rows made or compared at a time.
BLOCK = 4_096

# Cosines that differ by no more than this are equal but for rounding.
ROUNDING = 1e-5


@dataclass(frozen=True)
class Rows:
    """A set on disk.

    Attributes:
        path: The vectors, float32[n, 384], for ``numpy.load``.
        queries: Vectors that are in no store.
        about: What the report says of them.
        key: Names the set in file names: another one for other vectors, sizes or seeds.
    """

    path: Path
    queries: Floats
    about: dict[str, str | int]
    key: str


def text(row: int) -> str:
    """A short statement, another one for every row."""
    return f"statement {row}: p{row}(a) implies q{row % 97}(a)"


def prepare(
    source: Path | None, rows: int | None, queries: int, seed: int, folder: Path, *, grow_queries: bool = False
) -> Rows:
    """Holds out queries, and grows the rest to ``rows``; what an earlier run has grown is taken again.

    Args:
        source: A ``.npy`` of vectors; without it, some are made.
        rows: How many; without it, those that are there.
        queries: How many are held out.
        seed: Of everything that is drawn.
        folder: Where the set is written.
        grow_queries: Grow the queries too, from the rows that are left: a set that is mostly grown is then asked for
            its like.
    """
    random = np.random.default_rng(seed)
    base = _made(random, MADE_ROWS + queries) if source is None else _read(source)
    order = random.permutation(len(base))
    held_out, base = base[order[:queries]], base[order[queries:]]
    rows = len(base) if rows is None else rows
    about: dict[str, str | int] = {
        "source": "clustered Gaussian vectors" if source is None else source.name,
        "sha256": "" if source is None else hashlib.sha256(source.read_bytes()).hexdigest(),
        "given": len(base),
        "grown": max(0, rows - len(base)),
        "queries": queries,
        "seed": seed,
    }
    if grow_queries:
        about["queries_are"] = "grown"
    key = f"{rows}-{hashlib.sha256(repr(sorted(about.items())).encode()).hexdigest()[:12]}"
    path = folder / f"vectors-{key}.npy"
    asked = folder / f"queries-{key}.npy"
    if not path.exists() or (grow_queries and not asked.exists()):
        growth = Growth(base)
        draft = path.with_suffix(".draft.npy")
        grown = np.lib.format.open_memmap(draft, mode="w+", dtype=np.float32, shape=(rows, DIMENSION))
        given = min(len(base), rows)
        grown[:given] = base[:given]
        for start in range(given, rows, BLOCK):
            grown[start : start + BLOCK] = growth.more(min(BLOCK, rows - start), random)
        grown.flush()
        if grow_queries:
            np.save(asked, growth.more(queries, random))
        draft.replace(path)
    return Rows(path, np.load(asked) if grow_queries else held_out, about, key)


class Growth:
    """Grows unit vectors that look like those of a set.

    Args:
        base: The set, ``[n, 384]``, with more rows than a row has neighbours here.
    """

    def __init__(self, base: Floats) -> None:
        self._base = base

    @cached_property
    def _neighbours(self) -> NDArray[np.intp]:
        """The numbers of the nearest rows to each row, without itself, in no order."""
        found = np.empty((len(self._base), NEIGHBOURS), dtype=np.intp)
        for start in range(0, len(self._base), BLOCK):
            scores = self._base[start : start + BLOCK] @ self._base.T
            itself = np.arange(len(scores))
            scores[itself, start + itself] = -np.inf
            found[start : start + BLOCK] = np.argpartition(-scores, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        return found

    @cached_property
    def _spread(self) -> Floats:
        """A square root of the covariance of the set."""
        ridge = 1e-6 * np.eye(self._base.shape[1])
        return np.linalg.cholesky(np.cov(self._base.T) + ridge).T.astype(np.float32)

    def more(self, rows: int, random: np.random.Generator) -> Floats:
        """So many more, float32[rows, 384]: the same from the same generator."""
        origin = random.integers(len(self._base), size=rows)
        steps = random.standard_normal((rows, NEIGHBOURS), dtype=np.float32)
        steps *= np.float32(NEIGHBOUR_STEP / np.sqrt(NEIGHBOURS))
        moved = self._base[origin] * (1.0 - steps.sum(axis=1, keepdims=True))
        moved += np.einsum("rn,rnd->rd", steps, self._base[self._neighbours[origin]])
        moved += NOISE_STEP * (random.standard_normal(moved.shape, dtype=np.float32) @ self._spread)
        return _unit(moved)


def true_nearest(vectors: Floats, queries: Floats, k: int) -> NDArray[np.float32]:
    """The cosines of the ``k`` nearest rows to each query, best first: plain arithmetic, to judge contestants by."""
    best = np.empty((len(queries), 0), dtype=np.float32)
    for start in range(0, len(vectors), 16 * BLOCK):
        scores = queries @ vectors[start : start + 16 * BLOCK].T
        best = np.concatenate([best, scores], axis=1)
        best = -np.partition(-best, min(k, best.shape[1] - 1), axis=1)[:, :k]
    return -np.sort(-best, axis=1)


def right(vectors: Floats, query: Floats, last: float, answer: Sequence[int]) -> int:
    """How many of an answer are among the true nearest, of which the last has the cosine ``last``.

    Which of two equal rows comes is not the point: one is right that is as near as the last true one.
    """
    rows = np.array(answer, dtype=np.intp)
    return len({int(row) for row, score in zip(rows, vectors[rows] @ query, strict=True) if score >= last - ROUNDING})


def _read(path: Path) -> Floats:
    vectors = np.load(path).astype(np.float32)
    if vectors.ndim != 2 or vectors.shape[1] != DIMENSION:
        raise SystemExit(f"{path.name}: its shape is {vectors.shape}; expected (n, {DIMENSION})")
    return _unit(vectors)


def _made(random: np.random.Generator, rows: int) -> Floats:
    """Clusters of unequal size."""
    centres = _unit(random.standard_normal((MADE_CLUSTERS, DIMENSION), dtype=np.float32))
    weights = random.gamma(1.0, size=MADE_CLUSTERS)
    chosen = random.choice(MADE_CLUSTERS, size=rows, p=weights / weights.sum())
    noise = random.standard_normal((rows, DIMENSION), dtype=np.float32) / np.float32(np.sqrt(DIMENSION))
    return _unit(centres[chosen] + MADE_SPREAD * noise)


def _unit(vectors: Floats) -> Floats:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
