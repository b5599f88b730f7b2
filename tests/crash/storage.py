"""A disk that loses what was not synced: works out, from the log of ``recorder.c``, what a power cut could have left.

The disk promises little, and no more than POSIX does:

- What was written to a file before a sync of that file is there.
- Of later writes and truncations, any part may be there: all, nothing, or some sectors of 512 bytes.
- A name that was made, moved or removed before a sync of its directory is as it was left; later changes of names may
  have happened or not. A rename within a directory happens whole.

A sector is the old one or the new one. That is also what SQLite expects of a disk.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

SECTOR_BYTES = 512
FRAME = struct.Struct("<cQII")


class Kind(StrEnum):
    """What an operation does; the values are those of ``recorder.c``."""

    CREATE = "C"
    WRITE = "W"
    TRUNCATE = "T"
    SYNC = "S"
    RENAME = "R"
    UNLINK = "U"
    MKDIR = "D"
    RMDIR = "d"
    MARK = "M"


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the log: ``number`` is an offset or a length, ``data`` what was written, said or the new name."""

    kind: Kind
    place: str
    number: int
    data: bytes


def read_log(path: Path) -> list[Operation]:
    """The operations in the order in which they were done; without the last if it is torn, for nobody waited for it."""
    content, at, operations = path.read_bytes(), 0, []
    while at + FRAME.size <= len(content):
        letter, number, place_bytes, data_bytes = FRAME.unpack_from(content, at)
        start = at + FRAME.size
        at = start + place_bytes + data_bytes
        if at > len(content):
            break
        place = content[start : start + place_bytes].decode()
        if letter == b"X":
            raise NotImplementedError(f"the recorder cannot follow {place}")
        operations.append(Operation(Kind(letter.decode()), place, number, content[start + place_bytes : at]))
    return operations


@dataclass(eq=False, slots=True)
class File:
    """What is surely on the disk, and what was done since."""

    content: bytearray = field(default_factory=bytearray)
    pending: list[Operation] = field(default_factory=list)

    def sync(self) -> None:
        for operation in self.pending:
            _change(self.content, operation)
        self.pending.clear()

    def after_power_cut(self, chance: random.Random, keep: float) -> bytes:
        """One of the states in which a power cut may leave it; ``keep`` is the share of unsynced changes that stay."""
        content = bytearray(self.content)
        for operation in self.pending:
            for part in _survivors(operation, chance, keep):
                _change(content, part)
        return bytes(content)


@dataclass(eq=False, slots=True)
class Directory:
    """What is surely on the disk; what a program sees; and the changes of names that lead from the one to the other."""

    synced: dict[str, File | Directory] = field(default_factory=dict)
    seen: dict[str, File | Directory] = field(default_factory=dict)
    pending: list[Rebinding] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Rebinding:
    """A change of names that happens whole or not at all: for each, the thing that it now means, or ``None``."""

    names: list[tuple[Directory, str, File | Directory | None]]

    def apply(self, names_of: Callable[[Directory], dict[str, File | Directory]]) -> None:
        for directory, name, thing in self.names:
            if thing is None:
                names_of(directory).pop(name, None)
            else:
                names_of(directory)[name] = thing


class Disk:
    """A directory on a disk, through every operation of a log."""

    def __init__(self, base: Path | None = None) -> None:
        self.root = Directory() if base is None else _load(base)

    def do(self, operation: Operation) -> None:
        """Does one operation as far as programs see it, and notes what a power cut may undo."""
        kind = operation.kind
        if kind is Kind.MARK:
            return
        if kind is Kind.SYNC:
            self._sync(self._thing(operation.place))
        elif kind in (Kind.WRITE, Kind.TRUNCATE):
            thing = self._thing(operation.place)
            assert isinstance(thing, File)
            thing.pending.append(operation)
        elif kind is Kind.RENAME:
            self._rename(operation.place, operation.data.decode())
        else:
            new = {Kind.CREATE: File, Kind.MKDIR: Directory}.get(kind)
            directory, name = self._parent(operation.place)
            self._rebind(Rebinding([(directory, name, new() if new else None)]))

    def after_kill(self, target: Path) -> None:
        """Writes the files as every program sees them: what the death of the process leaves."""
        _write(self.root, target, lambda directory: directory.seen, lambda file: _seen(file))

    def after_power_cut(self, target: Path, chance: random.Random) -> None:
        """Writes one of the states in which a power cut may leave the files."""
        keep = chance.choice([0.0, 0.2, 0.5, 0.8, 1.0])
        names = {directory: dict(directory.synced) for directory in _directories(self.root)}
        happened: dict[Rebinding, bool] = {}
        for directory in list(names):
            for change in directory.pending:
                if happened.setdefault(change, chance.random() < keep):
                    Rebinding([part for part in change.names if part[0] is directory]).apply(names.__getitem__)
        _write(self.root, target, names.__getitem__, lambda file: file.after_power_cut(chance, keep))

    def _thing(self, place: str) -> File | Directory:
        thing: File | Directory = self.root
        for name in PurePosixPath(place).parts:
            assert isinstance(thing, Directory)
            thing = thing.seen[name]
        return thing

    def _parent(self, place: str) -> tuple[Directory, str]:
        path = PurePosixPath(place)
        directory = self._thing("" if path.parent == PurePosixPath(".") else str(path.parent))
        assert isinstance(directory, Directory)
        return directory, path.name

    def _rename(self, place: str, target: str) -> None:
        thing, (source, name), (directory, new) = self._thing(place), self._parent(place), self._parent(target)
        self._rebind(Rebinding([(source, name, None), (directory, new, thing)]))

    def _rebind(self, change: Rebinding) -> None:
        change.apply(lambda directory: directory.seen)
        for directory in {directory: None for directory, _, _ in change.names}:
            directory.pending.append(change)

    def _sync(self, thing: File | Directory) -> None:
        if isinstance(thing, File):
            thing.sync()
            return
        thing.synced = dict(thing.seen)
        thing.pending.clear()


def _load(path: Path) -> Directory:
    """A directory of which everything is surely on the disk."""
    directory = Directory()
    for entry in sorted(path.iterdir()):
        if entry.name.endswith("-shm"):
            continue
        directory.synced[entry.name] = _load(entry) if entry.is_dir() else File(bytearray(entry.read_bytes()))
    directory.seen = dict(directory.synced)
    return directory


def _directories(root: Directory) -> Iterator[Directory]:
    """Every directory that could be there after a power cut, each once."""
    found, waiting = {root: None}, [root]
    while waiting:
        directory = waiting.pop()
        things = [*directory.synced.values(), *directory.seen.values()]
        things += [thing for change in directory.pending for _, _, thing in change.names if thing is not None]
        fresh = [thing for thing in things if isinstance(thing, Directory) and thing not in found]
        found.update(dict.fromkeys(fresh))
        waiting += fresh
    return iter(found)


def _write(
    directory: Directory,
    target: Path,
    names_of: Callable[[Directory], dict[str, File | Directory]],
    content_of: Callable[[File], bytes],
) -> None:
    target.mkdir(exist_ok=True)
    for name, thing in names_of(directory).items():
        if isinstance(thing, Directory):
            _write(thing, target / name, names_of, content_of)
        else:
            (target / name).write_bytes(content_of(thing))


def _seen(file: File) -> bytes:
    content = bytearray(file.content)
    for operation in file.pending:
        _change(content, operation)
    return bytes(content)


def _change(content: bytearray, operation: Operation) -> None:
    """Writes or truncates. A gap between the end of a file and a write behind it reads as zeros."""
    end = operation.number if operation.kind is Kind.TRUNCATE else operation.number + len(operation.data)
    if operation.kind is Kind.TRUNCATE:
        del content[end:]
    content.extend(bytes(max(0, end - len(content))))
    if operation.kind is Kind.WRITE:
        content[operation.number : end] = operation.data


def _survivors(operation: Operation, chance: random.Random, keep: float) -> Iterator[Operation]:
    """The part of an unsynced operation that a power cut spares."""
    if operation.kind is Kind.TRUNCATE:
        if chance.random() < keep:
            yield operation
        return
    # Most writes are there or not as a whole; some are torn.
    torn = chance.random() < 0.25
    whole = chance.random() < keep
    start, end = operation.number, operation.number + len(operation.data)
    if not whole and chance.random() < 0.5 * keep:
        # The file has grown, but what was written has not arrived.
        yield Operation(Kind.WRITE, operation.place, end, b"")
    while start < end:
        stop = min(end, (start // SECTOR_BYTES + 1) * SECTOR_BYTES)
        if chance.random() < keep if torn else whole:
            data = operation.data[start - operation.number : stop - operation.number]
            yield Operation(Kind.WRITE, operation.place, start, data)
        start = stop
