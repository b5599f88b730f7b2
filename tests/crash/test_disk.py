"""The disk is full, or read-only: an error that says so, and an unharmed memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from porism._errors import StoreIOError
from porism._memory import Memory
from porism._types import Lemma

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def fill(memory: Memory, statement: str, stored: list[int]) -> None:
    """Inserts until the disk is full, and notes the record of every insert that returned."""
    while True:
        stored.append(memory.insert(Lemma(statement.format(len(stored)))).id)


@pytest.mark.parametrize("statement", ["p{}(a)", "p{}(" + "a" * 4000 + ")"], ids=["rows", "statements"])
def test_a_full_disk_is_an_error_and_does_no_harm(small_disk: Path, statement: str) -> None:
    path = small_disk / "full.porism"
    stored: list[int] = []
    with Memory.open(path) as memory:
        with pytest.raises(StoreIOError):
            fill(memory, statement, stored)
        assert memory.stats().records == len(stored)
        assert memory.recall(statement.format(0), k=1).ids.tolist() == [1]
    with Memory.open(path) as memory:
        assert memory.verify().clean
        assert [record.id for record in memory.find()] == stored


def test_a_full_disk_can_be_written_again_when_there_is_room(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with Memory.open(small_disk / "full.porism") as memory:
        memory.insert(Lemma("before(a)"))
        ballast.write_bytes(b"x" * (400 << 10))
        with pytest.raises(StoreIOError):
            fill(memory, "p{}(a)", [])
        ballast.unlink()
        assert memory.insert(Lemma("after(a)")).new
        assert memory.verify().clean


def test_nothing_is_left_when_there_is_no_room_to_make_a_memory(small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "ballast").write_bytes(b"x" * (2 << 20))
    with pytest.raises(StoreIOError):
        Memory.open(small_disk / "new.porism")
    assert [entry.name for entry in small_disk.iterdir()] == ["ballast"]


def test_a_read_only_disk_can_be_read(small_disk: Path, read_only: Callable[[], None]) -> None:
    path = small_disk / "archive.porism"
    with Memory.open(path) as memory:
        memory.insert(Lemma("p(a)"))
    read_only()
    for refuses in (False, True):
        with Memory.open(path, read_only=refuses) as memory:
            assert memory.recall("p(a)", k=1)[0].record.statement == "p(a)"
            assert memory.stats().records == 1
            assert memory.verify().clean
            with pytest.raises(StoreIOError):
                memory.insert(Lemma("q(a)"))
    with pytest.raises(StoreIOError):
        Memory.open(small_disk / "new.porism")
