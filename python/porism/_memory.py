"""The memory, as Python sees it. Storing, searching and checking is Rust; this gives the results their names."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self, overload

import numpy as np

from porism import _core
from porism._errors import InputError, StoreIOError
from porism._types import (
    Candidate,
    Event,
    Evidence,
    Finding,
    Inserted,
    Kind,
    Receipt,
    Record,
    Report,
    Settlement,
    Stats,
    Status,
    StoredRecord,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Hit:
    """One record that was recalled.

    Attributes:
        record: The record.
        score: The cosine between it and the goal.
    """

    record: StoredRecord
    score: float


class Hits(Sequence[Hit]):
    """What a recall found, best first; it never changes.

    The numbers are there at once; texts are fetched, all in one query, when the first hit is looked at.

    Attributes:
        ids: The numbers of the records, as a read-only array.
        scores: The cosines between them and the goal, as a read-only array.
        snapshot: The generation of the memory that was searched.
    """

    __slots__ = ("_memory", "_records", "ids", "scores", "snapshot")

    def __init__(
        self, memory: _core.Memory, snapshot: int, ids: npt.NDArray[np.int64], scores: npt.NDArray[np.float32]
    ) -> None:
        self._memory = memory
        self._records: tuple[StoredRecord, ...] | None = None
        self.snapshot = snapshot
        self.ids = ids
        self.scores = scores

    @property
    def records(self) -> tuple[StoredRecord, ...]:
        """The records, best first.

        Raises:
            InputError: the memory was closed before the first look.
            DamagedError: a record disagrees with its checksum.
        """
        if self._records is None:
            self._records = tuple(map(_stored_record, self._memory.get(self.ids.tolist())))
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


class Memory:
    """A memory on disk. Threads may share it, and several processes may open the same one.

    A write that has returned survives the death of the process. Every method raises ``InputError`` once the memory is
    closed, ``LockedError`` when a write waited too long for another process, ``StoreIOError`` when the operating system
    refuses, and ``DamagedError`` when bytes on disk are not those that were written.
    """

    __slots__ = ("_core", "path")

    def __init__(self, core: _core.Memory, path: Path) -> None:
        self._core = core
        self.path = path

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, create: bool = True, read_only: bool = False, timeout_s: float = 5.0
    ) -> Self:
        """Opens the memory at ``path``.

        Args:
            path: A directory, by custom ``NAME.porism``.
            create: Make it if nothing is there.
            read_only: Refuse every write, and never make it.
            timeout_s: Seconds that a write waits for other processes.

        Raises:
            NotAMemoryError: something else is there, or nothing and it is not to be made.
            FormatError: it was written by a newer Porism, or with another embedder.
            DamagedError: its files are shorter than they were, or not what they should be.
            StoreIOError: the operating system refused.
        """
        core = _core.Memory.open(path, create=create, read_only=read_only, timeout_s=timeout_s)
        return cls(core, Path(path))

    def close(self) -> None:
        """Closes it; to close it again does nothing."""
        self._core.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Memory {str(self.path)!r}>"

    def insert(self, record: Record) -> Inserted:
        """Stores a record, without a model and without a network.

        A statement that is already there under the same name and namespace is counted instead, whatever its kind.

        Raises:
            InputError: the record cannot be stored; the message says why.
        """
        return self.insert_many([record])[0]

    def insert_many(self, records: Iterable[Record]) -> list[Inserted]:
        """Stores records in one commit: all of them or, on error, none.

        Raises:
            InputError: a record cannot be stored; the message says why.
        """
        rows = [(str(one.kind), one.statement, one.name, one.source, one.namespace, str(one.status)) for one in records]
        return [Inserted(*inserted) for inserted in self._core.insert_many(rows)]

    def get(self, record_id: int) -> StoredRecord:
        """The record of that number.

        Raises:
            InputError: there is none.
        """
        return self.get_many([record_id])[0]

    def get_many(self, ids: Iterable[int]) -> list[StoredRecord]:
        """The records of those numbers, in that order, in one query.

        Raises:
            InputError: one of them does not exist.
        """
        return [_stored_record(fields) for fields in self._core.get(_numbers(ids))]

    def find(
        self, *, name: str | None = None, source: str | None = None, namespace: str | None = None
    ) -> list[StoredRecord]:
        """The records to which everything that is given applies, in the order of their numbers."""
        found = self._core.find(name=name, source=source, namespace=namespace)
        return [_stored_record(fields) for fields in found]

    def recall(self, goal: str, *, k: int = 8) -> Hits:
        """The ``k`` records nearest to a goal, by an exact search.

        Equal scores come in the order of their numbers. A goal with no symbol and no word is near to nothing.

        Raises:
            InputError: ``k`` is negative.
            DamagedError: a vector disagrees with its checksum.
        """
        if k < 0:
            raise InputError(f"k={k}: expected a number from 0")
        snapshot, ids, scores = self._core.recall(goal, k)
        return Hits(self._core, snapshot, np.frombuffer(ids, dtype="<i8"), np.frombuffer(scores, dtype="<f4"))

    def evidence(
        self,
        goal: int,
        *,
        verdict: Verdict,
        prover: str,
        used: Iterable[int] = (),
        prover_version: str = "",
        label: str = "",
        seconds: float = 0.0,
        reprover: str | None = None,
        reprover_version: str | None = None,
        receipt: Receipt | None = None,
    ) -> int:
        """Records how a goal was proved, refuted or attempted.

        A proof makes the goal ``checked``; a proof with a receipt makes it ``verified``. A status never falls.

        Args:
            goal: The number of the record that was to be proved.
            verdict: What came out.
            prover: Who found it.
            used: The numbers of the records that the proof uses.
            prover_version: In which version.
            label: Which slice or strategy it was given.
            seconds: Wall seconds.
            reprover: Who proved it again.
            reprover_version: In which version.
            receipt: The checker's signature.

        Returns:
            The number of the evidence.

        Raises:
            InputError: a record does not exist, a hash is none, or the seconds are negative.
        """
        return self._core.add_evidence(
            goal,
            verdict=str(verdict),
            used=_numbers(used),
            prover=prover,
            prover_version=prover_version,
            label=label,
            seconds=seconds,
            reprover=reprover,
            reprover_version=reprover_version,
            receipt=None if receipt is None else astuple(receipt),
        )

    def evidence_for(self, goal: int | None = None) -> list[Evidence]:
        """The evidence for a goal, or all of it, in the order in which it was recorded."""
        return [_evidence(fields) for fields in self._core.evidence(goal)]

    def log_event(
        self, goal: int, *, candidates: Iterable[Candidate], snapshot: int, policy: str, seed: int = 0
    ) -> int:
        """Writes a recall down before its outcome is known: its propensities cannot be found out afterwards.

        Args:
            goal: The number of the record that the recall was for.
            candidates: What was considered, best first.
            snapshot: The generation that was searched, as the hits say it.
            policy: Which rule chose what to show.
            seed: The seed of its random choices, below 2**63.

        Returns:
            The number of the event, for ``settle``.

        Raises:
            InputError: a propensity is not over 0 and at most 1, a record does not exist, or one is listed twice.
        """
        rows = [(one.record, one.score, one.slot, one.propensity) for one in candidates]
        return self._core.log_event(goal, snapshot=snapshot, candidates=rows, policy=policy, seed=seed)

    def events(self) -> list[Event]:
        """Every event, in the order in which they were written down."""
        return [_event(fields) for fields in self._core.events(None)]

    def event(self, event_id: int) -> Event:
        """The event of that number.

        Raises:
            InputError: there is none.
        """
        found = self._core.events(event_id)
        if not found:
            raise InputError(f"there is no event {event_id}")
        return _event(found[0])

    def settle(
        self,
        event: int,
        *,
        verdict: Verdict,
        attempts: int,
        seconds: float,
        used: Iterable[int] = (),
        evidence: int | None = None,
    ) -> Settlement:
        """Says what became of an event, from any process and at any time. To say the same again changes nothing.

        Args:
            event: The number of the event.
            verdict: What came out.
            attempts: How many tries it took.
            seconds: Wall seconds of all of them.
            used: The numbers of the records that the proof uses.
            evidence: The number of the evidence for it.

        Returns:
            The settlement that is stored.

        Raises:
            InputError: the event was settled otherwise; the message names both verdicts.
        """
        fields = (str(verdict), attempts, seconds, _numbers(used), evidence)
        return _settlement(self._core.settle(event, fields))

    @property
    def generation(self) -> int:
        """How many writes were committed: the number of the snapshot that a read sees now."""
        return self._core.generation

    def stats(self) -> Stats:
        """What it holds, in numbers."""
        return Stats(**json.loads(self._core.stats()))

    def export(self, target: str | os.PathLike[str] | BinaryIO, *, vectors: bool = False) -> None:
        """Writes everything as lines of JSON, all of one generation; ``docs/format.md`` describes them.

        Args:
            target: A path, which appears only when everything is written, or an open binary file.
            vectors: Write the vectors too, in base64.

        Raises:
            StoreIOError: the path cannot be written.
        """
        if not isinstance(target, (str, os.PathLike)):
            self._core.export(target.write, vectors)
            return
        path = Path(target)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with draft.open("wb") as file:
                self._core.export(file.write, vectors)
            draft.replace(path)
        except OSError as error:
            raise StoreIOError(f"{path}: cannot write the export: {error}") from error
        finally:
            draft.unlink(missing_ok=True)

    def verify(self) -> Report:
        """Checks every page, reference, record and vector; takes time in proportion to the size."""
        records, rows, findings = self._core.verify()
        return Report(records, rows, tuple(Finding(str(file), place, reason) for file, place, reason in findings))


def _numbers(ids: Iterable[int]) -> list[int]:
    """Numbers as the core takes them: those in numpy's arrays are no ``int``."""
    return [int(number) for number in ids]


def _stored_record(fields: _core._RecordFields) -> StoredRecord:
    number, kind, statement, name, source, namespace, key, status, created_ms, inserts = fields
    return StoredRecord(
        number, Kind(kind), statement, name, source, namespace, key, Status(status), created_ms, inserts
    )


def _evidence(fields: _core._EvidenceFields) -> Evidence:
    number, goal, verdict, used, prover, version, label, seconds, reprover, reversion, receipt, created_ms = fields
    return Evidence(
        id=number,
        goal=goal,
        verdict=Verdict(verdict),
        used=tuple(used),
        prover=prover,
        prover_version=version,
        label=label,
        seconds=seconds,
        reprover=reprover,
        reprover_version=reversion,
        receipt=None if receipt is None else Receipt(*receipt),
        created_ms=created_ms,
    )


def _settlement(fields: _core._SettlementFields) -> Settlement:
    verdict, attempts, seconds, used, evidence = fields
    return Settlement(Verdict(verdict), attempts, seconds, tuple(used), evidence)


def _event(fields: _core._EventFields) -> Event:
    number, goal, snapshot, candidates, policy, seed, created_ms, settlement, settled_ms = fields
    considered = tuple(Candidate(*candidate) for candidate in candidates)
    outcome = None if settlement is None else _settlement(settlement)
    return Event(number, goal, snapshot, considered, policy, seed, created_ms, outcome, settled_ms)
