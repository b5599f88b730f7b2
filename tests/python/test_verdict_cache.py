"""The verdict cache as Python sees it."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING

import pytest

import porism
from porism import Check, Kept, Message, Receipt, Severity, Trust, Verdict, VerdictCache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = VerdictCache.key(prover_build="build", candidate="rfl", statement="1 = 1")
CHECK = Check(
    verdict=Verdict.PROVED,
    trust=Trust.L2,
    prover="Rocq",
    prover_version="8.16.1",
    axioms=("propext", "Classical.choice"),
    messages=(Message(Severity.WARNING, "unused: é\0", 3, 7), Message(Severity.ERROR, "")),
    detail="one line",
    wait_s=0.25,
    work_s=1.125,
    raw="Qed",
    receipt=Receipt("a" * 64, "b" * 64, "coqchk", "8.16.1"),
)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[VerdictCache]:
    with VerdictCache.open(tmp_path / "some.verdicts") as opened:
        yield opened


def cached(check: Check) -> Check:
    """The same, as a cache returns it."""
    fields = {name: getattr(check, name) for name in Check.__dataclass_fields__}
    return Check(**{**fields, "cached": True, "coalesced": False})


def test_a_check_comes_back_as_it_was(cache: VerdictCache) -> None:
    assert cache.get(KEY) is None
    assert cache.put(KEY, CHECK, trust=Trust.L2) is Kept.STORED
    assert cache.put(KEY, CHECK, trust=Trust.L2) is Kept.KNOWN
    assert cache.peek(KEY) == cached(CHECK)
    with VerdictCache.open(cache.path) as other:
        assert other.peek(KEY) is None
        assert other.get(KEY) == cached(CHECK)
        assert other.peek(KEY) == cached(CHECK)
        assert (other.stats().hot_hits, other.stats().disk_hits) == (1, 1)


def test_trust_is_never_lent(cache: VerdictCache) -> None:
    cache.put(KEY, CHECK, trust=Trust.L2)
    answered = [level for level in Trust if cache.get(KEY, trust=level) is not None]
    assert answered == [Trust.L0, Trust.L1, Trust.L2]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_what_is_kept(cache: VerdictCache, verdict: Verdict) -> None:
    always = {Verdict.PROVED, Verdict.REFUTED, Verdict.REJECTED, Verdict.INCOMPLETE, Verdict.MISMATCH}
    limits = {Verdict.TIMEOUT, Verdict.UNKNOWN}
    check = Check(verdict, Trust.L1, "some prover")
    assert (cache.put(KEY, check) is Kept.STORED) is (verdict in always)
    other = VerdictCache.key(prover_build="another", candidate="rfl")
    kept = cache.put(other, check, budget_s=10.0)
    assert kept is (Kept.STORED if verdict in always | limits else Kept.PASSING)
    assert (cache.get(other, budget_s=10.0) is None) is (kept is Kept.PASSING)
    assert (cache.get(other, budget_s=11.0) is None) is (verdict not in always)
    assert (cache.get(other) is None) is (verdict not in always)


def test_every_part_of_a_key_counts() -> None:
    parts = ("prover_build", "candidate", "statement", "prefix", "library", "options")
    keys = {VerdictCache.key(**{"prover_build": "", "candidate": "", part: "x"}) for part in parts}
    assert len(keys) == len(parts)
    assert VerdictCache.key(prover_build=b"x", candidate="é") == VerdictCache.key(
        prover_build="x", candidate=b"\xc3\xa9"
    )


def test_bad_input_is_an_error_that_says_so(cache: VerdictCache, tmp_path: Path) -> None:
    with pytest.raises(porism.InputError, match="32 bytes, this one 2"):
        cache.get(b"ab")
    with pytest.raises(porism.InputError, match="work_s"):
        cache.put(KEY, Check(Verdict.PROVED, Trust.L1, "", work_s=float("nan")))
    with pytest.raises(porism.InputError, match="budget_s"):
        cache.get(KEY, budget_s=-1.0)
    with pytest.raises(porism.InputError, match="smallest"):
        VerdictCache.open(tmp_path / "small.verdicts", budget_bytes=1)
    (tmp_path / "note").write_text("a note")
    with pytest.raises(porism.NotACacheError, match="note"):
        VerdictCache.open(tmp_path / "note", rebuild=True)
    with pytest.raises(porism.NotACacheError, match="nothing is there"):
        VerdictCache.open(tmp_path / "none", create=False)
    cache.close()
    cache.close()
    with pytest.raises(porism.InputError, match="closed"):
        cache.get(KEY)


def test_damage_is_an_error_that_names_the_file_and_the_way_out(cache: VerdictCache) -> None:
    cache.put(KEY, CHECK)
    cache.close()
    content = bytearray(cache.path.read_bytes())
    content[content.index(b"propext")] ^= 1
    cache.path.write_bytes(content)
    with VerdictCache.open(cache.path) as damaged, pytest.raises(porism.DamagedError, match=r"some\.verdicts.*rebuild"):
        damaged.get(KEY)
    with VerdictCache.open(cache.path, rebuild=True) as anew:
        assert anew.get(KEY) is None
        assert anew.put(KEY, CHECK) is Kept.STORED
        assert anew.verify() == 1


def test_threads_and_an_event_loop_share_it(cache: VerdictCache) -> None:
    keys = [VerdictCache.key(prover_build="build", candidate=str(number)) for number in range(50)]

    def work() -> None:
        for key in keys:
            cache.put(key, CHECK)
            assert cache.get(key) == cached(CHECK)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def look() -> list[Check | None]:
        return await asyncio.gather(*(asyncio.to_thread(cache.get, key) for key in keys))

    assert asyncio.run(look()) == [cached(CHECK)] * 50
    assert cache.remove(keys[0])
    assert not cache.remove(keys[0])
    assert cache.stats().entries == 49


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_it_does_not_survive_a_fork(cache: VerdictCache) -> None:
    cache.put(KEY, CHECK)
    child = os.fork()
    if child == 0:
        try:
            cache.get(b"\0" * 32)
        except porism.InputError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert cache.verify() == 1
