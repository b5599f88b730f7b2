"""Runs the arms of a comparison over a stream, one goal after the other."""

from __future__ import annotations

import platform
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from porism import _core
from porism._ledger import Ledger
from porism._memory import Memory
from porism._solve import Budget, Result, Solver
from porism._types import Verdict
from porism.bench.results import ArmResult, Outcome, Run
from porism.provers import E, Reprover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from porism.bench.arms import Arm
    from porism.bench.stream import Item, Stream


def run(
    stream: Stream,
    arms: Sequence[Arm],
    *,
    memory: Path | None = None,
    workers: int | None = None,
    settings: dict[str, object] | None = None,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> Run:
    """Runs every arm over the whole stream.

    Args:
        stream: The goals and the library that they stand in.
        arms: Who runs; each starts without knowledge of the others.
        memory: Where an arm that learns keeps its memory; a folder that is thrown away by default.
        workers: Provers at once; all cores by default.
        settings: What to write into the result beside what is found out here.
        on_outcome: Called after each goal.

    Raises:
        ProverMissingError: a prover is not installed.
        StoreError: the memory cannot be used.
    """
    started, began = datetime.now(UTC), time.monotonic()
    library = _core.Library.parse(stream.library_text, label=stream.name)
    return Run(
        stream=stream.name,
        title=stream.title,
        settings={**(settings or {}), **_circumstances()},
        arms=tuple(_run_arm(stream, library, arm, memory, workers, on_outcome) for arm in arms),
        started=started.isoformat(timespec="seconds"),
        wall_seconds=time.monotonic() - began,
    )


def _circumstances() -> dict[str, object]:
    """What a reader needs to know to get the same numbers."""
    return {
        "porism": _core.__version__,
        "E": E().version(),
        "second provers": [f"{prover.name} {prover.version()}" for prover in Reprover().provers],
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


def _run_arm(
    stream: Stream,
    library: _core.Library,
    arm: Arm,
    memory: Path | None,
    workers: int | None,
    on_outcome: Callable[[Outcome], None],
) -> ArmResult:
    outcomes = []
    with (
        _store(memory if arm.learns else None) as store,
        Solver(
            library,
            schedule=arm.schedule,
            budget=Budget(seconds=None),
            ledger=Ledger(store, library, source=stream.name, policy=arm.name) if arm.learns else None,
            ordered=True,
            learns=arm.learns,
            workers=workers,
        ) as solver,
    ):
        for item in stream.items:
            result = solver.solve(library.goal(item.position), usable=_usable(stream, item))
            outcomes.append(_outcome(stream, arm, item, result))
            on_outcome(outcomes[-1])
    return ArmResult(arm=arm.name, outcomes=tuple(outcomes))


@contextmanager
def _store(path: Path | None) -> Iterator[Memory]:
    """The memory at ``path``, or one that is thrown away."""
    with (
        tempfile.TemporaryDirectory(prefix="porism-bench-") as scratch,
        Memory.open(path or Path(scratch) / "bench.porism") as store,
    ):
        yield store


def _usable(stream: Stream, item: Item) -> list[bool]:
    usable: list[bool] = stream.premise_mask.tolist()
    for position in item.forbidden:
        usable[position] = False
    return usable


def _outcome(stream: Stream, arm: Arm, item: Item, result: Result) -> Outcome:
    return Outcome(
        stream=stream.name,
        arm=arm.name,
        index=item.index,
        name=result.name,
        article=item.article,
        proved=result.proved,
        reproved=result.reproved,
        refuted=result.disputed or result.verdict is Verdict.REFUTED,
        winner=result.winner,
        used=result.used,
        by=result.receipt.checker if result.receipt else None,
        attempts=result.attempts,
        rank_seconds=result.rank_seconds,
        seconds=result.seconds,
    )
