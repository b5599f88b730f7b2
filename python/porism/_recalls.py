"""The half of a memory that finds: by vectors, symbols and words, with a recall that is promised and measured."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

import numpy as np

from porism import _embedders
from porism._episodes import Episodes
from porism._errors import InputError
from porism._hits import Hits
from porism._types import IndexReport, Measurement, Promise
from porism._where import Where, conditions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from porism._embedders import Vectors

View = Literal["dense", "symbols", "words"]

#: How a recall looks if nothing is said.
DENSE: tuple[View, ...] = ("dense",)
#: The dtypes of what a recall found.
IDS, SCORES = np.dtype("<i8"), np.dtype("<f4")


class Recalls(Episodes):
    """What a memory has for finding."""

    __slots__ = ("_embedder",)

    _embedder: Vectors

    def recall(
        self,
        goal: str | None = None,
        *,
        vector: npt.ArrayLike | None = None,
        k: int = 8,
        recall: float = 0.99,
        where: Where | None = None,
        views: Sequence[View] = DENSE,
        at: int | None = None,
    ) -> Hits:
        """The ``k`` records nearest to a goal.

        The scores are exact, and equal scores come in the order of their numbers. A goal with no symbol and no word is
        near to nothing. The same snapshot, index and query give the same bytes.

        Args:
            goal: A formula, or any other text.
            vector: Its vector, shape ``(dimension,)``, if the embedder does not make it.
            k: How many records.
            recall: The share of the nearest records to be found by their vectors, in the mean of queries. What it takes
                is measured when an index is made (``index``); 1 computes the score of every record.
            where: Conditions, as ``porism.where`` makes them.
            views: How to look: ``dense`` by vectors, ``symbols`` by the symbols of formulas, ``words`` by words.
                Several are fused by reciprocal rank.
            at: A generation: what was alive then.

        Raises:
            InputError: ``k`` is negative, ``recall`` is not between 0 and 1, there is nothing to look for, or that
                generation cannot be seen.
            DamagedError: a vector disagrees with its checksum.
        """
        if k < 0:
            raise InputError(f"k={k}: expected a number from 0")
        query = None
        if vector is not None:
            query = _embedders.row(vector, dimension=self._embedder.dimension)
        elif goal is not None and "dense" in views and self._embedder.embed is not None:
            query = self._embedder.of([goal])[0]
        wanted = None if where is None and at is None else conditions(where, at)
        looks: list[str] | None = None if views is DENSE else list(views)
        snapshot, ids, scores = self._core.recall(goal, query, k, recall, looks, wanted)
        return Hits(self._core, snapshot, np.frombuffer(ids, dtype=IDS), np.frombuffer(scores, dtype=SCORES), at)

    def recall_many(
        self,
        goals: Iterable[str] | None = None,
        *,
        vectors: npt.ArrayLike | None = None,
        k: int = 8,
        recall: float = 0.99,
        where: Where | None = None,
        at: int | None = None,
    ) -> list[Hits]:
        """The ``k`` records nearest to each of many goals by their vectors, on all cores; of one snapshot.

        Args:
            goals: Formulas, or any other texts.
            vectors: Their vectors instead, shape ``(n, dimension)``, if the embedder does not make them.
            k: How many records for each.
            recall: The share of the nearest records to be found, as for ``recall``.
            where: Conditions, as ``porism.where`` makes them.
            at: A generation: what was alive then.

        Raises:
            InputError: as ``recall``, or the vectors have another shape.
            DamagedError: a vector disagrees with its checksum.
        """
        if k < 0:
            raise InputError(f"k={k}: expected a number from 0")
        if vectors is None:
            if goals is None:
                raise InputError("there is nothing to look for: hand over goals or vectors")
            queries = _embedders.vectors(self._embedder, list(goals))
        else:
            queries = _embedders.all_rows(vectors, dimension=self._embedder.dimension)
        wanted = None if where is None and at is None else conditions(where, at)
        snapshot, counts, ids, scores = self._core.recall_many(queries, k, recall, wanted)
        all_ids, all_scores = np.frombuffer(ids, dtype=IDS), np.frombuffer(scores, dtype=SCORES)
        ends = list(accumulate(counts))
        return [
            Hits(self._core, snapshot, all_ids[end - count : end], all_scores[end - count : end], at)
            for count, end in zip(counts, ends, strict=True)
        ]

    def index(self) -> IndexReport:
        """What the index is, and what each recall takes.

        An index is made in the background when recalls find many records without one, and never changes an answer but
        by the recall that was asked for.
        """
        fields = json.loads(self._core.index())
        promises = tuple(Promise(**promise) for promise in fields.pop("promises"))
        return IndexReport(promises=promises, **fields)

    def build_index(self) -> bool:
        """Makes an index of all records now, as after a bulk load; says whether there was anything to do.

        Takes all cores: a million vectors of 384 numbers took a minute on two of them. Recalls and writes go on
        meanwhile.

        Raises:
            LockedError: another process is making one.
            DamagedError: a vector disagrees with its checksum.
        """
        return self._core.build_index()

    def measure_recall(self, *, k: int = 10, recall: float = 0.99, vectors: npt.ArrayLike | None = None) -> Measurement:
        """Measures the recall that is promised against exact search.

        Args:
            k: For so many records.
            recall: The promise.
            vectors: Queries, shape ``(n, dimension)``; by default a sample of those that this process has asked.

        Raises:
            InputError: there is no query, ``k`` is negative, ``recall`` is no share, or the vectors have another shape.
        """
        if k < 0:
            raise InputError(f"k={k}: expected a number from 0")
        queries = None
        if vectors is not None:
            queries = _embedders.all_rows(vectors, dimension=self._embedder.dimension)
        return Measurement(k, *self._core.measure_recall(k, recall, queries))
