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
from typing import TYPE_CHECKING

import numpy as np

from rivals.contestants import DIMENSION

if TYPE_CHECKING:
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


@dataclass(frozen=True)
class Rows:
    """A set on disk.

    Attributes:
        path: The vectors, float32[n, 384], for ``numpy.load``.
        queries: Vectors that are in no store.
        about: What the report says of them.
    """

    path: Path
    queries: Floats
    about: dict[str, str | int]


def text(row: int) -> str:
    """A short statement, another one for every row."""
    return f"statement {row}: p{row}(a) implies q{row % 97}(a)"


def prepare(source: Path | None, rows: int, queries: int, seed: int, folder: Path) -> Rows:
    """Holds out queries, and grows the rest to ``rows``; what an earlier run has grown is taken again."""
    random = np.random.default_rng(seed)
    base = _made(random, MADE_ROWS + queries) if source is None else _read(source)
    order = random.permutation(len(base))
    held_out, base = base[order[:queries]], base[order[queries:]]
    about: dict[str, str | int] = {
        "source": "clustered Gaussian vectors" if source is None else source.name,
        "sha256": "" if source is None else hashlib.sha256(source.read_bytes()).hexdigest(),
        "given": len(base),
        "grown": max(0, rows - len(base)),
        "queries": queries,
        "seed": seed,
    }
    key = hashlib.sha256(repr(sorted(about.items())).encode()).hexdigest()[:12]
    path = folder / f"vectors-{rows}-{key}.npy"
    if not path.exists():
        draft = path.with_suffix(".draft.npy")
        grown = np.lib.format.open_memmap(draft, mode="w+", dtype=np.float32, shape=(rows, DIMENSION))
        _grow(base, grown, random)
        grown.flush()
        draft.replace(path)
    return Rows(path, held_out, about)


def true_nearest(vectors: Floats, queries: Floats, k: int) -> NDArray[np.float32]:
    """The cosines of the ``k`` nearest rows to each query, best first: plain arithmetic, to judge contestants by."""
    best = np.empty((len(queries), 0), dtype=np.float32)
    for start in range(0, len(vectors), 16 * BLOCK):
        scores = queries @ vectors[start : start + 16 * BLOCK].T
        best = np.concatenate([best, scores], axis=1)
        best = -np.partition(-best, min(k, best.shape[1] - 1), axis=1)[:, :k]
    return -np.sort(-best, axis=1)


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


def _grow(base: Floats, grown: Floats, random: np.random.Generator) -> None:
    given = min(len(base), len(grown))
    grown[:given] = base[:given]
    if given == len(grown):
        return
    neighbours = _neighbours(base)
    ridge = 1e-6 * np.eye(DIMENSION)
    spread = np.linalg.cholesky(np.cov(base.T) + ridge).T.astype(np.float32)
    for start in range(given, len(grown), BLOCK):
        rows = min(BLOCK, len(grown) - start)
        origin = random.integers(len(base), size=rows)
        steps = random.standard_normal((rows, NEIGHBOURS), dtype=np.float32)
        steps *= np.float32(NEIGHBOUR_STEP / np.sqrt(NEIGHBOURS))
        moved = base[origin] * (1.0 - steps.sum(axis=1, keepdims=True))
        moved += np.einsum("rn,rnd->rd", steps, base[neighbours[origin]])
        moved += NOISE_STEP * (random.standard_normal((rows, DIMENSION), dtype=np.float32) @ spread)
        grown[start : start + rows] = _unit(moved)


def _neighbours(base: Floats) -> NDArray[np.intp]:
    """The numbers of the nearest rows to each row, without itself, in no order."""
    found = np.empty((len(base), NEIGHBOURS), dtype=np.intp)
    for start in range(0, len(base), BLOCK):
        scores = base[start : start + BLOCK] @ base.T
        itself = np.arange(len(scores))
        scores[itself, start + itself] = -np.inf
        found[start : start + BLOCK] = np.argpartition(-scores, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    return found


def _unit(vectors: Floats) -> Floats:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
