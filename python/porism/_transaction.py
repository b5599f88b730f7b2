"""Changes that are gathered, and then made in one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from porism import _embedders
from porism._errors import InputError
from porism._fields import evidence_fields, record_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import numpy.typing as npt

    from porism import _core
    from porism._fields import EvidenceOptions
    from porism._types import Record, Verdict


class Pending:
    """The result of a change that is not made yet; later changes of the same transaction may mean it by this.

    Attributes:
        place: Its place in the transaction.
    """

    __slots__ = ("_result", "place")

    def __init__(self, place: int) -> None:
        self.place = place
        self._result: list[int] | None = None

    @property
    def id(self) -> int:
        """The number of the record (or of the evidence), once the transaction was committed.

        Raises:
            InputError: it was not.
        """
        return self._numbers()[0]

    @property
    def ids(self) -> tuple[int, ...]:
        """The numbers of the records that were forgotten or restored, once the transaction was committed.

        Raises:
            InputError: it was not.
        """
        return tuple(self._numbers())

    def _numbers(self) -> list[int]:
        if self._result is None:
            raise InputError("the transaction is not committed yet")
        return self._result

    def settle(self, result: list[int]) -> None:
        """Takes in what the commit did."""
        self._result = result


class Transaction:
    """Gathers changes; made by ``Memory.transaction``. Nothing is written before its end."""

    def __init__(self) -> None:
        self._gathered: list[tuple[str, Any]] = []
        self._pending: list[Pending] = []
        self._inserts: list[tuple[Record, npt.ArrayLike | None]] = []

    def insert(self, record: Record, *, vector: npt.ArrayLike | None = None) -> Pending:
        """Stores a record, or counts a known one."""
        self._inserts.append((record, vector))
        return self._add("insert", len(self._inserts) - 1)

    def forget(self, *ids: int | Pending, reason: str = "") -> Pending:
        """Sees records no more."""
        return self._add("forget", ([_number(one) for one in ids], reason))

    def restore(self, *ids: int | Pending) -> Pending:
        """Sees forgotten or merged records again."""
        return self._add("restore", [_number(one) for one in ids])

    def merge(self, one: int | Pending, other: int | Pending) -> Pending:
        """Makes two records one: the older."""
        return self._add("merge", (_number(one), _number(other)))

    def evidence(
        self,
        goal: int | Pending,
        *,
        verdict: Verdict,
        prover: str,
        used: Iterable[int | Pending] = (),
        **more: Unpack[EvidenceOptions],
    ) -> Pending:
        """Records how a goal was proved, refuted or attempted; the arguments are those of ``Memory.evidence``."""
        members = map(_number, used)
        return self._add(
            "evidence", evidence_fields(_number(goal), verdict=verdict, prover=prover, used=members, **more)
        )

    def __len__(self) -> int:
        return len(self._gathered)

    def texts(self) -> list[str]:
        """The statements that need a vector."""
        return [record.statement for record, vector in self._inserts if vector is None]

    def operations(self, made: npt.NDArray[np.float32] | None, *, dimension: int) -> list[tuple[str, object]]:
        """What was gathered, as the core takes it; ``made`` are the vectors of ``texts``.

        Raises:
            InputError: a vector has the wrong dtype or shape.
        """
        rows = iter(() if made is None else made)
        inserts: list[tuple[_core._NewRecordFields, npt.NDArray[np.float32] | None]] = []
        for record, vector in self._inserts:
            row = next(rows, None) if vector is None else _embedders.row(vector, dimension=dimension)
            inserts.append((record_fields(record), row))
        return [(name, inserts[what] if name == "insert" else what) for name, what in self._gathered]

    def settle(self, outcomes: list[list[int]]) -> None:
        """Takes in what the commit did."""
        for pending, outcome in zip(self._pending, outcomes, strict=True):
            pending.settle(outcome)

    def _add(self, name: str, what: object) -> Pending:
        self._gathered.append((name, what))
        self._pending.append(Pending(len(self._pending)))
        return self._pending[-1]


def _number(one: int | Pending) -> int:
    """A number as the core takes it: a negative one names the result of an earlier operation."""
    return -1 - one.place if isinstance(one, Pending) else int(one)
