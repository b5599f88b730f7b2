"""Ranking one goal: the engine against the same arithmetic in numpy and scipy.

The library is the bundled one, or the file of TPTP formulas that ``PORISM_BENCH_TPTP`` names. Before anything is timed,
both must give the same order.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from features import read_features
from scipy import sparse

from porism import _core
from porism.bench import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pytest_benchmark.fixture import BenchmarkFixture

COMPARED = 64


@dataclass
class Baseline:
    """A library as scipy holds it: one row a formula, one column a feature, and what can be known before any goal."""

    counts: sparse.csr_matrix
    squares: sparse.csr_matrix

    @classmethod
    def of(cls, text: str) -> Baseline:
        numbers: dict[tuple[str, ...], int] = {}
        rows, columns, values = [], [], []
        for row, counts in enumerate(read_features(text)):
            for feature, count in counts.items():
                rows.append(row)
                columns.append(numbers.setdefault(feature, len(numbers)))
                values.append(1.0 + np.log(count))
        shape = (rows[-1] + 1, len(numbers))
        counts = sparse.csr_matrix((np.array(values, dtype=np.float32), (rows, columns)), shape=shape)
        return cls(counts, counts.multiply(counts).tocsr())

    def weights(self, before: int) -> NDArray[np.float32]:
        """How rare each feature is among the formulas before a goal."""
        end = self.counts.indptr[before]
        frequency = np.bincount(self.counts.indices[:end], minlength=self.counts.shape[1])
        return np.log((before + 1) / (frequency + 1)).astype(np.float32)

    def query(self, goal: int) -> NDArray[np.float32]:
        query = np.zeros(self.counts.shape[1], dtype=np.float32)
        span = slice(*self.counts.indptr[goal : goal + 2])
        query[self.counts.indices[span]] = self.counts.data[span]
        return query

    def scores(self, goal: int) -> NDArray[np.float32]:
        """The scores of everything before ``goal``, by the weights that stand before it."""
        squared = self.weights(goal) ** 2
        dot = (self.counts @ (self.query(goal) * squared))[:goal]
        norm = np.sqrt((self.squares @ squared)[:goal])
        return np.divide(dot, norm, out=np.zeros_like(dot), where=norm > 0)

    def rank(self, goal: int) -> NDArray[np.intp]:
        return np.argsort(-self.scores(goal), kind="stable")


@dataclass
class Frozen:
    """The same with weights that are computed once, from the whole library: less work, but it knows the future."""

    rows: sparse.csr_matrix

    @classmethod
    def of(cls, baseline: Baseline) -> Frozen:
        weights = baseline.weights(baseline.counts.shape[0])
        weighted = baseline.counts @ sparse.diags(weights)
        norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
        return cls((sparse.diags(scale) @ weighted).tocsr().astype(np.float32))

    def rank(self, goal: int) -> NDArray[np.intp]:
        query = np.zeros(self.rows.shape[1], dtype=np.float32)
        span = slice(*self.rows.indptr[goal : goal + 2])
        query[self.rows.indices[span]] = self.rows.data[span]
        return np.argsort(-(self.rows @ query)[:goal], kind="stable")


@pytest.fixture(scope="module")
def text() -> str:
    path = os.environ.get("PORISM_BENCH_TPTP")
    return Path(path).read_text(encoding="utf-8") if path else stream.ql().library_text


@pytest.fixture(scope="module")
def library(text: str) -> _core.Library:
    return _core.Library.parse(text)


@pytest.fixture(scope="module")
def baseline(text: str, library: _core.Library) -> Baseline:
    baseline = Baseline.of(text)
    assert baseline.counts.shape[0] == len(library)
    for goal in (len(library) // 3, len(library) // 2, len(library) - 1):
        assert_same_order(baseline, library, goal)
    return baseline


def assert_same_order(baseline: Baseline, library: _core.Library, goal: int) -> None:
    """Rank by rank the same score, and the same formula unless scores are equal but for rounding."""
    ranking = library.similarity(library.goal(goal))
    scores = baseline.scores(goal)
    best = baseline.rank(goal)[:COMPARED]
    near = 1e-5 * max(1.0, float(scores.max()))
    np.testing.assert_allclose(np.frombuffer(ranking.scores, dtype="<f4")[:COMPARED], scores[best], rtol=0, atol=near)
    np.testing.assert_allclose(scores[ranking.top(COMPARED)], scores[best], rtol=0, atol=near)


def test_the_engine(benchmark: BenchmarkFixture, library: _core.Library, baseline: Baseline) -> None:
    goal = library.goal(len(library) - 1)
    assert len(benchmark(library.similarity, goal)) == len(library) - 1


def test_scipy(benchmark: BenchmarkFixture, library: _core.Library, baseline: Baseline) -> None:
    assert len(benchmark(baseline.rank, len(library) - 1)) == len(library) - 1


def test_scipy_with_frozen_weights(benchmark: BenchmarkFixture, library: _core.Library, baseline: Baseline) -> None:
    assert len(benchmark(Frozen.of(baseline).rank, len(library) - 1)) == len(library) - 1
