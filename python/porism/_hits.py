"""What a recall found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from porism._fields import stored_record

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from porism import _core
    from porism._types import StoredRecord


@dataclass(frozen=True, slots=True)
class Hit:
    """One record that was recalled.

    Attributes:
        record: The record.
        score: The cosine between it and the goal; of several views, the sum of its reciprocal ranks.
    """

    record: StoredRecord
    score: float


class Hits(Sequence[Hit]):
    """What a recall found, best first; it never changes.

    The numbers are there at once; texts are fetched, all in one query, when the first hit is looked at.

    Attributes:
        ids: The numbers of the records, as a read-only array of ``int64``.
        scores: Their scores, as a read-only array of ``float32``.
        snapshot: The generation of the memory that was searched.
    """

    __slots__ = ("_at", "_memory", "_records", "ids", "scores", "snapshot")

    def __init__(
        self,
        memory: _core.Memory,
        snapshot: int,
        ids: npt.NDArray[np.int64],
        scores: npt.NDArray[np.float32],
        at: int | None = None,
    ) -> None:
        self._memory = memory
        self._records: tuple[StoredRecord, ...] | None = None
        self._at = at
        self.snapshot = snapshot
        self.ids = ids
        self.scores = scores

    @property
    def records(self) -> tuple[StoredRecord, ...]:
        """The records, best first.

        Raises:
            InputError: the memory was closed, or a record purged, before the first look.
            DamagedError: a record disagrees with its checksum.
        """
        if self._records is None:
            self._records = tuple(map(stored_record, self._memory.get(self.ids.tolist(), self._at)))
        return self._records

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, index: int | slice) -> Hit | tuple[Hit, ...]:
        if isinstance(index, slice):
            return tuple(map(Hit, self.records[index], self.scores[index].tolist()))
        return Hit(self.records[index], float(self.scores[index]))

    def __repr__(self) -> str:
        return f"<Hits: {len(self)} at snapshot {self.snapshot}>"
