"""The disk of a verdict cache is full, or read-only: an error that says so, and an unharmed cache."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from porism import Check, StoreIOError, Trust, Verdict, VerdictCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def key(number: int) -> bytes:
    return VerdictCache.key(prover_build="build", candidate=str(number))


def check(number: int) -> Check:
    return Check(Verdict.PROVED, Trust.L1, "some prover", detail=str(number), raw="word " * 400)


def fill(cache: VerdictCache) -> int:
    """Puts checks until the disk is full; returns how many were kept."""
    for number in itertools.count():
        try:
            cache.put(key(number), check(number))
        except StoreIOError:
            return number
    raise AssertionError


def test_a_full_disk_is_an_error_and_does_no_harm(small_disk: Path) -> None:
    path = small_disk / "full.verdicts"
    with VerdictCache.open(path) as cache:
        stored = fill(cache)
        assert cache.stats().entries == stored
    with VerdictCache.open(path) as cache:
        assert cache.verify() == stored > 10
        for number in range(stored):
            found = cache.get(key(number))
            assert found is not None
            assert found.detail == str(number)


def test_there_is_no_half_of_a_cache_when_there_is_no_room_to_make_one(small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "ballast").write_bytes(b"x" * (2 << 20))
    with pytest.raises(StoreIOError):
        VerdictCache.open(small_disk / "new.verdicts")
    assert [entry.name for entry in small_disk.iterdir()] == ["ballast"]


def test_a_read_only_disk_can_be_read(small_disk: Path, read_only: Callable[[], None]) -> None:
    path = small_disk / "archive.verdicts"
    with VerdictCache.open(path) as cache:
        cache.put(key(1), check(1))
    read_only()
    with VerdictCache.open(path, read_only=True) as cache:
        found = cache.get(key(1))
        assert found is not None
        assert found.detail == "1"
        with pytest.raises(StoreIOError):
            cache.put(key(2), check(2))
    with pytest.raises(StoreIOError):
        VerdictCache.open(small_disk / "new.verdicts")
