"""The disk that loses what was not synced keeps its few promises, and catches a program that relies on more."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from children import compiled_recorder, recorded
from storage import Disk, Kind, Operation, read_log

IMAGES = 300
POWER_CUTS = 40

# An insert is acknowledged when its commit has returned.
SQLITE_WRITER = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("pragma journal_mode = wal")
database.execute(f"pragma synchronous = {sys.argv[2]}")
database.execute("pragma wal_autocheckpoint = 5")
database.execute("create table fact (number integer primary key)")
os.write(1, b"0\\n")
for number in range(1, 25):
    database.execute("insert into fact values (?)", (number,))
    os.write(1, b"%d\\n" % number)
"""


def contents(disk: Disk, tmp_path: Path, name: str) -> list[bytes | None]:
    """What the file ``name`` may hold after a power cut."""
    found: list[bytes | None] = []
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    for seed in range(IMAGES):
        target = folder / str(seed)
        disk.after_power_cut(target, random.Random(seed))
        path = target / name
        found.append(path.read_bytes() if path.exists() else None)
    return found


def disk_after(*operations: tuple[Kind, str, int, bytes]) -> Disk:
    disk = Disk()
    for operation in operations:
        disk.do(Operation(*operation))
    return disk


def test_a_synced_file_in_a_synced_directory_is_there(tmp_path: Path) -> None:
    made = [(Kind.CREATE, "a", 0, b""), (Kind.WRITE, "a", 0, b"x" * 600), (Kind.SYNC, "a", 0, b"")]
    assert None in contents(disk_after(*made), tmp_path, "a")
    assert set(contents(disk_after(*made, (Kind.SYNC, "", 0, b"")), tmp_path, "a")) == {b"x" * 600}


def test_what_was_not_synced_may_be_there_missing_or_torn(tmp_path: Path) -> None:
    disk = disk_after((Kind.CREATE, "a", 0, b""), (Kind.SYNC, "", 0, b""), (Kind.WRITE, "a", 0, b"x" * 1024))
    half = b"x" * 512
    assert {b"", half, bytes(512) + half, half * 2} <= set(contents(disk, tmp_path, "a"))


def test_a_directory_is_moved_whole_with_what_it_holds(tmp_path: Path) -> None:
    made = [(Kind.MKDIR, "draft", 0, b""), (Kind.CREATE, "draft/a", 0, b""), (Kind.WRITE, "draft/a", 0, b"x")]
    synced = [(Kind.SYNC, "draft/a", 0, b""), (Kind.SYNC, "draft", 0, b"")]
    moved = (Kind.RENAME, "draft", 0, b"place")
    assert set(contents(disk_after(*made, *synced, moved), tmp_path, "place/a")) == {b"x", None}
    assert set(contents(disk_after(*made, *synced, moved, (Kind.SYNC, "", 0, b"")), tmp_path, "place/a")) == {b"x"}
    unsynced = disk_after(*made, moved, (Kind.SYNC, "", 0, b""))
    assert set(contents(unsynced, tmp_path, "place/a")) == {b"x", b"", b"\0", None}


def losses(tmp_path: Path, synchronous: str) -> int:
    """How many power cuts lose an insert that a plain SQLite writer has acknowledged."""
    directory = tmp_path / "disk"
    directory.mkdir()
    preload = {"LD_PRELOAD": str(compiled_recorder(tmp_path))}
    environment = {**os.environ, **preload, **recorded(directory, tmp_path / "log", marks=1)}
    command = [sys.executable, "-c", SQLITE_WRITER, str(directory / "facts"), synchronous]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, timeout=60)
    operations = read_log(tmp_path / "log")
    if not any(operation.kind is Kind.WRITE for operation in operations):
        pytest.skip("this Python's sqlite3 cannot be recorded")
    chance, lost = random.Random(synchronous), 0
    for number in range(POWER_CUTS):
        point = chance.randrange(len(operations))
        disk = Disk()
        for operation in operations[:point]:
            disk.do(operation)
        acknowledged = [operation.data for operation in operations[:point] if operation.kind is Kind.MARK]
        image = tmp_path / f"image-{number}"
        disk.after_power_cut(image, chance)
        lost += bool(acknowledged) and not set(range(1, len(acknowledged))) <= facts(image / "facts")
    return lost


def facts(path: Path) -> set[int]:
    try:
        connection = sqlite3.connect(path)
        try:
            return {number for (number,) in connection.execute("select number from fact")}
        finally:
            connection.close()
    except sqlite3.DatabaseError:
        return set()


def test_sqlite_that_syncs_every_commit_loses_nothing(tmp_path: Path) -> None:
    assert losses(tmp_path, "full") == 0


@pytest.mark.parametrize("synchronous", ["normal", "off"])
def test_sqlite_that_does_not_is_caught(tmp_path: Path, synchronous: str) -> None:
    assert losses(tmp_path, synchronous) > 0
