"""The memory for asyncio: the same methods, the same answers, and a loop that is never blocked."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

import pytest

import porism
from porism import AsyncMemory, ConflictError, Fact, InputError, Lemma, Memory, Verdict

if TYPE_CHECKING:
    from pathlib import Path


def test_both_have_the_same_methods() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert public(AsyncMemory) == public(Memory)
    for name in public(Memory) - {"open", "close", "path", "generation", "transaction"}:
        own = [one for one in inspect.signature(getattr(AsyncMemory, name)).parameters if one != "self"]
        twin = [one for one in inspect.signature(getattr(Memory, name)).parameters if one != "self"]
        assert own == twin, name


def test_what_is_awaited_is_what_the_twin_returns(tmp_path: Path) -> None:
    async def run() -> None:
        async with AsyncMemory.open(tmp_path / "m.porism", durability="none") as memory:
            inserted = await memory.insert(Lemma("![X]: f(X,e) = X", name="unit"))
            await memory.insert_many([Fact("a"), Fact("b")])
            hits = await memory.recall("![X]: f(e,X) = X", k=1)
            assert hits[0].record.name == "unit"
            assert (await memory.get(inserted.id)).name == "unit"
            async with memory.transaction(expect=await memory.generation()) as transaction:
                late = transaction.insert(Fact("c"))
                transaction.forget(2)
            assert late.id == 4
            with pytest.raises(ConflictError):
                async with memory.transaction(expect=0) as transaction:
                    transaction.insert(Fact("d"))
            await memory.evidence(1, verdict=Verdict.PROVED, prover="E")
            assert (await memory.stats()).evidence == 1
            assert [change.action for change in await memory.history(2)] == ["inserted", "forgotten"]
            assert (await memory.verify()).clean
            with pytest.raises(InputError, match="no record 99"):
                await memory.get(99)

    asyncio.run(run())
    with Memory.open(tmp_path / "m.porism") as memory:
        assert [one.id for one in memory.find()] == [1, 3, 4]


def test_many_tasks_at_once(tmp_path: Path) -> None:
    async def run() -> None:
        memory = await AsyncMemory.open(tmp_path / "m.porism", timeout_s=60)
        inserted = await asyncio.gather(*(memory.insert(Fact(f"fact {number}")) for number in range(200)))
        assert sorted(one.id for one in inserted) == list(range(1, 201))
        found = await asyncio.gather(*(memory.recall(f"fact {number}", k=1) for number in range(50)))
        assert all(len(hits) == 1 for hits in found)
        await memory.close()
        await memory.close()

    asyncio.run(run())


def test_the_loop_goes_on_while_a_write_waits(tmp_path: Path) -> None:
    """A writer that waits for the lock of another process waits on a thread of its own."""
    import fcntl

    path = tmp_path / "m.porism"
    with Memory.open(path) as memory:
        memory.insert(Fact("first"))

    async def run() -> int:
        async with AsyncMemory.open(path, timeout_s=0.5) as memory:
            with (path / "writer.lock").open("r+") as held:
                fcntl.flock(held, fcntl.LOCK_EX)
                waiting = asyncio.ensure_future(memory.insert(Fact("second")))
                ticks = 0
                while not waiting.done():
                    await asyncio.sleep(0.005)
                    ticks += 1
                with pytest.raises(porism.LockedError):
                    await waiting
            return ticks

    assert asyncio.run(run()) > 3


def test_an_opening_that_fails(tmp_path: Path) -> None:
    async def run() -> None:
        with pytest.raises(porism.NotAMemoryError):
            await AsyncMemory.open(tmp_path, create=False)
        with pytest.raises(TypeError):
            await AsyncMemory.open(tmp_path / "m.porism", colour="red")

    asyncio.run(run())
