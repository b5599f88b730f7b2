"""The memory, as Python sees it. Storing, searching and checking is Rust; this gives the results their names."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, Self, TypeAlias, TypeVar

import numpy as np

from porism import _core, _embedders
from porism._errors import BudgetError, InputError, StoreIOError
from porism._fields import numbers, record_fields, stored_record
from porism._recalls import Recalls
from porism._transaction import Transaction
from porism._types import (
    Action,
    Change,
    Compaction,
    Finding,
    Forgotten,
    Imported,
    Inserted,
    Purged,
    Record,
    Report,
    Snapshot,
    Stats,
    StoredRecord,
)
from porism._where import Where, conditions, where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

    import numpy.typing as npt

    from porism._embedders import Vectors

    #: Called with the memory and the error when a write would break the budget; true means that there is room now.
    OnBudget: TypeAlias = Callable[["Memory", BudgetError], bool]

Durability = Literal["process", "power", "none"]
ResultT = TypeVar("ResultT")


class Memory(Recalls):
    """A memory on disk. Threads may share it, and several processes may open the same one.

    What a write that has returned survives is the memory's durability. Every method raises ``InputError`` once the
    memory is closed, ``LockedError`` when a write waited too long for others, ``StoreIOError`` when the operating
    system refuses, and ``DamagedError`` when bytes on disk are not those that were written; writes raise
    ``BudgetError`` when there is no room.
    """

    __slots__ = ("_on_budget", "_options", "path")

    def __init__(
        self, core: _core.Memory, path: Path, embedder: Vectors, options: _core._Options, on_budget: OnBudget | None
    ) -> None:
        self._core = core
        self._embedder = embedder
        self._options = options
        self._on_budget = on_budget
        self.path = path

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        create: bool = True,
        read_only: bool = False,
        timeout_s: float = 5.0,
        durability: Durability = "process",
        embedder: str | Vectors | None = None,
        budget_bytes: int | None = None,
        on_budget: OnBudget | None = None,
    ) -> Self:
        """Opens the memory at ``path``, in a time that does not depend on its size.

        Args:
            path: A directory, by custom ``NAME.porism``.
            create: Make it if nothing is there.
            read_only: Refuse every write, and never make it.
            timeout_s: Seconds that a write waits for others.
            durability: What a write that has returned survives. ``process``: the death of the process at any moment,
                and after a power cut the latest writes may be missing. ``power``: a power cut too. ``none``: the death
                of the process, and nothing is synced before ``flush``.
            embedder: Who makes the vectors: ``symbols-v1`` sees formulas by their symbols and other texts by their
                words, ``words-v1`` sees all by their words, ``tokens-v1`` by what stands between white space, which
                suits Metamath, ``porism.Vectors`` is the caller's own. By default the one
                that the memory was made with, and ``symbols-v1`` for a new one.
            budget_bytes: How many bytes the files may have; a write beyond raises ``BudgetError``.
            on_budget: Called with the memory and that error; when it returns true, the write is tried once more.

        Raises:
            NotAMemoryError: something else is there, or nothing and it is not to be made.
            FormatError: it was written by a newer or an older Porism, or with another embedder.
            DamagedError: its files are shorter than they were, or not what they should be.
            StoreIOError: the operating system refused.
        """
        chosen = None if embedder is None else _embedders.embedder(embedder)
        options: _core._Options = {
            "read_only": read_only,
            "timeout_s": timeout_s,
            "durability": durability,
            "budget_bytes": budget_bytes,
        }
        named = None if chosen is None else (chosen.id, chosen.dimension)
        core = _core.Memory.open(path, create=create, embedder=named, **options)
        return cls(core, Path(path), chosen or _embedders.Vectors(*core.embedder), options, on_budget)

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

    def insert(self, record: Record, *, vector: npt.ArrayLike | None = None, near: float | None = None) -> Inserted:
        """Stores a record, without a network; and without a model, unless the memory's embedder is one.

        A statement that is already there under the same name and namespace is counted instead, whatever its kind. One
        that was forgotten is not brought back.

        Args:
            record: What to store.
            vector: Its vector, shape ``(dimension,)``, if the embedder does not make it; stored as a unit vector.
            near: Also say which records have a cosine of at least this with it.

        Raises:
            InputError: the record or the vector cannot be stored; the message says why.
        """
        # Written out although `insert_many` could do it: most of what one insert costs in Python is calls.
        rows = None
        if vector is not None:
            rows = _embedders.row(vector, dimension=self._embedder.dimension)
        elif self._embedder.embed is not None:
            rows = self._embedder.of([record.statement])
        similar: tuple[int, ...] = ()
        if near is not None:
            hits = self.recall(record.statement, vector=vector, k=8, recall=0.999)
            similar = tuple(hits.ids[hits.scores >= near].tolist())
        fields = [record_fields(record)]
        ((number, new, forgotten),) = self._with_room(lambda: self._core.insert_many(fields, rows))
        if not similar:
            return Inserted(number, new, forgotten)
        return Inserted(number, new, forgotten, tuple(other for other in similar if other != number))

    def insert_many(self, records: Iterable[Record], *, vectors: npt.ArrayLike | None = None) -> list[Inserted]:
        """Stores records in one commit: all of them or, on error, none.

        Args:
            records: What to store.
            vectors: Their vectors, shape ``(len(records), dimension)``. C-contiguous ``float32`` is read where it lies
                and must not be written to meanwhile; ``float16`` and ``float64`` are converted.

        Raises:
            InputError: a record or a vector cannot be stored; the message says why.
        """
        fields = [record_fields(one) for one in records]
        rows = self._vectors([one[1] for one in fields], vectors)
        inserted = self._with_room(lambda: self._core.insert_many(fields, rows))
        return [Inserted(*one) for one in inserted]

    def get(self, record_id: int, *, at: int | None = None) -> StoredRecord:
        """The record of that number, dead or alive; as it is now, or was at a generation.

        Raises:
            InputError: there is none.
        """
        return self.get_many([record_id], at=at)[0]

    def get_many(self, ids: Iterable[int], *, at: int | None = None) -> list[StoredRecord]:
        """The records of those numbers, in that order, in one query.

        Raises:
            InputError: one of them does not exist, or that generation cannot be seen.
        """
        return [stored_record(fields) for fields in self._core.get(numbers(ids), at)]

    def find(
        self,
        where_: Where | None = None,
        *,
        name: str | None = None,
        source: str | None = None,
        namespace: str | None = None,
        at: int | None = None,
    ) -> list[StoredRecord]:
        """The records to which everything that is given applies, in the order of their numbers.

        Args:
            where_: Conditions, as ``porism.where`` makes them.
            name: The name, when there are no other conditions.
            source: Where it comes from, likewise.
            namespace: Which part of the memory, likewise.
            at: A generation: what was alive then.

        Raises:
            InputError: both kinds of conditions are given, or that generation cannot be seen.
        """
        if where_ is None:
            where_ = where(name=name, source=source, namespace=namespace)
        elif (name, source, namespace) != (None, None, None):
            raise InputError("conditions are given twice: put all of them into porism.where(...)")
        return [stored_record(fields) for fields in self._core.find(conditions(where_, at))]

    def forget(self, ids: Iterable[int] | int | Where, *, reason: str = "", dry_run: bool = False) -> Forgotten:
        """Sees records no more: no search finds them, until ``restore``. Compaction may drop them for good.

        Args:
            ids: Their numbers, or conditions.
            reason: What ``history`` will say.
            dry_run: Change nothing, only say what would be.

        Raises:
            InputError: a record does not exist.
        """
        chosen = self.find(ids) if isinstance(ids, Where) else self.get_many([ids] if isinstance(ids, int) else ids)
        living = {one.id: one for one in chosen if one.died is None}
        if not dry_run:
            done = self._core.forget(list(living), reason)
            living = {number: living[number] for number in done}
        size = sum(len(one.statement.encode()) for one in living.values()) + 4 * self._embedder.dimension * len(living)
        return Forgotten(tuple(sorted(living)), size)

    def restore(self, ids: Iterable[int] | int) -> tuple[int, ...]:
        """Sees forgotten or merged records again; returns those that were.

        Raises:
            InputError: a record does not exist.
        """
        return tuple(self._core.restore([ids] if isinstance(ids, int) else numbers(ids)))

    def merge(self, one: int, other: int) -> int:
        """Makes two records one, with the evidence of both; returns the number of the one that stays: the older.

        Raises:
            InputError: one is forgotten, or they say different things and something is known of the one that would go.
        """
        return self._core.merge(one, other)

    def purge(self, ids: Iterable[int] | int, *, dry_run: bool = False) -> Purged:
        """Removes records with all that was recorded for them: for good, and from every generation.

        Takes time in proportion to the size of the memory.

        Args:
            ids: Their numbers.
            dry_run: Change nothing, only say what would be.

        Raises:
            InputError: a record does not exist.
        """
        gone, unsupported = self._core.purge([ids] if isinstance(ids, int) else numbers(ids), dry_run)
        return Purged(tuple(gone), tuple(unsupported))

    def history(self, record_id: int) -> list[Change]:
        """What happened to a record, oldest first.

        Raises:
            InputError: there is none.
        """
        return [
            Change(generation, Action(action), detail, created_ms)
            for generation, action, detail, created_ms in self._core.history(record_id)
        ]

    @contextmanager
    def transaction(self, *, expect: int | None = None) -> Iterator[Transaction]:
        """Gathers changes, and makes all of them at its end in one commit; on an exception, none.

        No lock is held while they are gathered.

        Args:
            expect: The generation that the memory must still have then.

        Raises:
            ConflictError: it has another.
            InputError: a change cannot be made.
        """
        gathered = Transaction()
        yield gathered
        self._commit(gathered, expect)

    def _commit(self, gathered: Transaction, expect: int | None) -> None:
        texts, vectors = gathered.texts(), None
        if texts and self._embedder.embed is not None:
            vectors = self._embedder.of(texts)
        operations = gathered.operations(vectors, dimension=self._embedder.dimension)
        gathered.settle(self._with_room(lambda: self._core.apply(operations, expect)))

    def snapshot(self, name: str) -> int:
        """Names the generation that stands now, and returns it: compaction keeps what it sees.

        Raises:
            InputError: there is a snapshot of that name.
        """
        return self._core.snapshot(name)

    def drop_snapshot(self, name: str) -> None:
        """Takes a name away: what only it kept may then be compacted.

        Raises:
            InputError: there is none of that name.
        """
        self._core.drop_snapshot(name)

    def snapshots(self) -> list[Snapshot]:
        """The named generations, oldest first."""
        return [Snapshot(*fields) for fields in self._core.snapshots()]

    def compact(self) -> Compaction:
        """Drops what was forgotten before every snapshot and on which no proof rests, and frees its bytes.

        Readers go on meanwhile, writers wait. Generations before it, or before the oldest snapshot, cannot be seen
        afterwards.
        """
        return Compaction(*self._core.compact())

    def reembed(self, embedder: str | Vectors, *, batch: int = 1024) -> int:
        """Makes the vectors of all records anew, by another embedder, and replaces them in one commit.

        Other handles then raise ``FormatError`` until they are opened anew with that embedder.

        Args:
            embedder: A built-in one, or ``porism.Vectors`` with a function.
            batch: How many texts the function is given at once.

        Returns:
            How many records there are.

        Raises:
            InputError: the embedder has no function, or records were inserted meanwhile: then call it again.
        """
        chosen = _embedders.embedder(embedder)
        records = self.find(where(dead=True))
        made = np.empty((len(records), chosen.dimension), dtype=np.float32)
        for start in range(0, len(records), batch):
            texts = [one.statement for one in records[start : start + batch]]
            made[start : start + batch] = _embedders.vectors(chosen, texts)
        self._core.reembed(chosen.id, chosen.dimension, [one.id for one in records], made)
        self._core.close()
        named = (chosen.id, chosen.dimension)
        self._core = _core.Memory.open(self.path, create=False, embedder=named, **self._options)
        self._embedder = chosen
        return len(records)

    def flush(self) -> None:
        """Brings every acknowledged write to the disk, whatever the durability."""
        self._core.flush()

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

    def load(self, source: str | os.PathLike[str] | BinaryIO) -> Imported:
        """Stores everything that an export holds, in one commit: all of it or, on error, nothing.

        A memory in which nothing was ever stored becomes the one that was exported, with its numbers, generations,
        history and snapshots. In any other, records get numbers of this memory, and those that are known here are
        counted. Vectors are taken over if both memories have the same embedder, else made anew.

        Args:
            source: A path, or an open binary file.

        Raises:
            InputError: a line is not what ``export`` writes; the message names it.
            StoreIOError: the path cannot be read.
        """
        if not isinstance(source, (str, os.PathLike)):
            return self._load(source)
        path = Path(source)
        try:
            file = path.open("rb")
        except OSError as error:
            raise StoreIOError(f"{path}: cannot read the export: {error.strerror}") from error
        with file:
            return self._load(file)

    def _load(self, file: BinaryIO) -> Imported:
        return Imported(*self._with_room(lambda: self._core.load(file.read)))

    def verify(self) -> Report:
        """Checks every page, reference, record and vector; takes time in proportion to the size."""
        records, rows, findings = self._core.verify()
        return Report(records, rows, tuple(Finding(str(file), place, reason) for file, place, reason in findings))

    def _vectors(self, texts: Sequence[str], vectors: npt.ArrayLike | None) -> npt.NDArray[np.float32] | None:
        """The vectors to store with ``texts``; ``None`` when the core makes them."""
        if vectors is not None:
            return _embedders.rows(vectors, count=len(texts), dimension=self._embedder.dimension)
        return self._embedder.of(texts) if self._embedder.embed is not None and texts else None

    def _with_room(self, write: Callable[[], ResultT]) -> ResultT:
        """Writes; without room, asks whoever minds the budget for some, and writes again."""
        try:
            return write()
        except BudgetError as error:
            if self._on_budget is None or not self._on_budget(self, error):
                raise
        return write()


def upgrade(path: str | os.PathLike[str]) -> int:
    """Rewrites a memory of an older format in the current one; returns the format that it had.

    Nobody may have the memory open.

    Raises:
        NotAMemoryError: the path is none.
        LockedError: somebody has it open.
        FormatError: it was written by a newer Porism.
    """
    return _core.upgrade_memory(path)
