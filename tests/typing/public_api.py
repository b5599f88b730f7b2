"""Uses the public names as a user would. `tests/python/test_house.py` has mypy check it; it is never run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_type

import porism

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def remembers(path: Path) -> None:
    mem = porism.Memory.open(path)
    assert_type(mem, porism.Memory)
    mem.insert(porism.Lemma("![X]: f(X,e)=X", name="right_identity"))
    hits = mem.recall("![X]: f(e,X)=X", k=8)
    ids: npt.NDArray[np.integer[Any]] = hits.ids
    assert ids.ndim == 1


def solves(path: str | Path, mem: porism.Memory) -> None:
    result = porism.solve(path, memory=mem, budget=porism.Budget(seconds=10))
    assert_type(result.verdict, porism.Verdict)
    assert_type(result.proof, str | None)
    assert_type(result.used, tuple[str, ...])
    assert_type(result.receipt, porism.Receipt | None)


def catches(path: str) -> None:
    try:
        porism.solve(path)
    except porism.ParseError as error:
        assert_type(error.line, int)
        assert_type(error.path, str | None)
    except porism.PorismError:
        raise


def measures(item: str) -> int:
    return len(item)


def asks() -> None:
    with porism.Queue(measures, threads=2) as queue:
        assert_type(queue.submit("a", key="a", priority=1, deadline_s=2.0), porism.Ticket[int])
        assert_type(queue.submit("a").result(), int)
        for one in queue.map(["a"]):
            assert_type(one.item, str)
            assert_type(one.result(), int)
        assert_type(queue.metrics().wait, porism.Histogram)


async def awaits() -> None:
    async with porism.AsyncQueue(measures) as queue:
        assert_type(await queue.submit("a"), int)
        assert_type(await queue.put("a"), porism.AsyncTicket[int])
        async for one in queue.map(["a"], key=str):
            assert_type(one.result(), int)


def keeps(path: str, check: porism.Check) -> None:
    with porism.VerdictCache.open(path) as cache:
        key = cache.key(prover_build="a hash", candidate=b"rfl")
        assert_type(cache.put(key, check, trust=porism.Trust.L2, budget_s=1.0), porism.Kept)
        assert_type(cache.get(key), porism.Check | None)


def checks_metamath(path: Path, memory: porism.Memory) -> None:
    library = porism.metamath.open(path)
    done = library.remember(memory, source="set.mm", progress=lambda done, total: None)
    assert_type(done, porism.metamath.Remembered)
    assert_type(done.report, porism.CheckReport)
    with porism.Pool([porism.provers.MetamathKernel(path, budget=porism.CheckBudget(steps=1000))]) as pool:
        assert_type(pool.check("( id ) AB", statement="|- ( ph -> ph )", prover="MetamathKernel"), porism.Check)


def is_told_of_a_misspelt_argument(path: str) -> None:
    # Each line must be an error to mypy: an ignore that is not needed is one itself.
    porism.Budget(minutes=1)  # type: ignore[call-arg]
    porism.solve(path, memmory=None)  # type: ignore[call-arg]
    porism.AsyncQueue(measures, thread=1)  # type: ignore[call-arg]
    porism.Queue(measures).submit("a", deadline=1.0)  # type: ignore[call-arg]
    porism.Queue(measures).submit(1)  # type: ignore[arg-type]
