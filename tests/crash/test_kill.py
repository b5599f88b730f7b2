"""A writer is killed: what it acknowledged is there, what it was doing is there whole or not at all.

``PORISM_CRASH_ROUNDS`` is how often, in all tests of this file together.
"""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING

import pytest
from checks import expect, sound
from children import DURABILITIES, Children, Order, compiled_recorder, marks_in, recorded
from ledger import Ledger, history
from storage import Kind, read_log

from porism._memory import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUNDS = int(os.environ.get("PORISM_CRASH_ROUNDS", "25"))
# Two tests in each mode.
SHARE = -(-ROUNDS // (2 * len(DURABILITIES)))
# A new memory now and then: what is checked after each kill grows with what was written.
ROUNDS_PER_MEMORY = 8
OPERATIONS = 40


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled_recorder(tmp_path_factory.mktemp("recorder"))


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    with Children() as started:
        yield started


@pytest.fixture(scope="module")
def recorded_children(recorder: Path) -> Iterator[Children]:
    with Children(recorder) as started:
        yield started


def check(path: Path, before: Ledger, marks: list[bytes]) -> Ledger:
    """Opens a memory after a kill; returns what it holds when that is right."""
    states, pending = history(before, marks)
    with Memory.open(path) as memory:
        found = sound(memory)
    return expect(found, states[-1:], pending)


@pytest.mark.parametrize("durability", DURABILITIES)
def test_any_moment_is_survived(tmp_path: Path, children: Children, durability: str) -> None:
    moments = random.Random(durability)
    acknowledged = 0
    for number in range(SHARE):
        if number % ROUNDS_PER_MEMORY == 0:
            path, ledger = tmp_path / f"crash-{number}.porism", Ledger()
        marks = tmp_path / f"marks-{number}"
        order = Order(str(path), str(marks), ledger.to_json(), number, durability)
        children.run(order, kill_after_s=moments.uniform(0, 0.15))
        said = marks_in(marks)
        ledger = check(path, ledger, said)
        acknowledged += len(said) // 2
    assert acknowledged > SHARE


@pytest.mark.parametrize("durability", DURABILITIES)
def test_every_operation_is_survived(tmp_path: Path, recorded_children: Children, durability: str) -> None:
    def run(name: str, kill: str = "") -> tuple[Path, Path, int]:
        disk, marks, log = tmp_path / name, tmp_path / f"marks-{name}", tmp_path / f"log-{name}"
        disk.mkdir()
        settings = recorded(disk, log, kill=kill)
        path = disk / "crash.porism"
        order = Order(str(path), str(marks), Ledger().to_json(), 1, durability, OPERATIONS, settings)
        return path, marks, recorded_children.run(order)

    # What a writer does depends on its seed alone: the first one tells where the others can be killed.
    assert run("whole")[2] == 0
    operations = [one.kind for one in read_log(tmp_path / "log-whole") if one.kind is not Kind.MARK]
    syncs = operations.count(Kind.SYNC)
    points = [f"sync:{number}:{when}" for number in range(1, syncs + 1) for when in ("before", "after")]
    chance = random.Random(durability)
    points = chance.sample(points, min(len(points), SHARE // 2 + 1))
    while len(points) < SHARE:
        points.append(f"any:{chance.randint(1, len(operations))}:{chance.choice(['before', 'after', 'amid'])}")
    for number, point in enumerate(points):
        path, marks, status = run(str(number), point)
        assert status == 9, f"{point} was not reached: {status}"
        check(path, Ledger(), marks_in(marks))
        shutil.rmtree(path.parent)
