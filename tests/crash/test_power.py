"""The power fails: what was not synced is lost, torn or half there.

A writer is recorded once, and many images of the disk are worked out from its log, each at another moment with other
losses. Where an image is sound, the next writer goes on with it: what recovery writes is put to the test too.

``PORISM_CRASH_ROUNDS`` is how many writers run, in all tests of this file together.
"""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING

import pytest
from checks import expect, sound
from children import DURABILITIES, Children, Order, compiled_recorder, recorded
from ledger import Ledger, Operation, history, strays
from storage import Disk, Kind, read_log

from porism._errors import StoreError
from porism._memory import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage import Operation as DiskOperation

ROUNDS = int(os.environ.get("PORISM_CRASH_ROUNDS", "25"))
# One test in each mode, and the kills.
SHARE = -(-ROUNDS // (len(DURABILITIES) + 1))
IMAGES = 25
OPERATIONS = 25
NAME = "power.porism"


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    recorder = compiled_recorder(tmp_path_factory.mktemp("recorder"))
    with Children(recorder) as started:
        yield started


class Session:
    """A recorded run of one writer, and the disk before it."""

    def __init__(self, children: Children, folder: Path, seed: int, durability: str, base: Path | None, ledger: Ledger):
        disk, log = folder / f"disk-{seed}", folder / f"log-{seed}"
        disk.mkdir() if base is None else shutil.copytree(base, disk)
        order = Order(
            path=str(disk / NAME),
            marks=str(folder / f"marks-{seed}"),
            ledger=ledger.to_json(),
            seed=seed,
            durability=durability,
            operations=OPERATIONS,
            environment=recorded(disk, log),
        )
        assert children.run(order) == 0
        self.base = base
        self.ledger = ledger
        self.operations: list[DiskOperation] = read_log(log)
        shutil.rmtree(disk)

    def before(self, point: int) -> tuple[Disk, list[Ledger], Operation | None]:
        """The disk after ``point`` operations, what had been acknowledged by then, and what was under way."""
        disk = Disk(self.base)
        for operation in self.operations[:point]:
            disk.do(operation)
        marks = [one.data for one in self.operations[:point] if one.kind is Kind.MARK]
        return disk, *history(self.ledger, marks)


def found_after(path: Path, durability: str, states: list[Ledger], pending: Operation | None) -> Ledger | None:
    """What the memory holds after a power cut, if that is right; ``None`` if it says that it is damaged, and may be."""
    if durability == "power":
        with Memory.open(path) as memory:
            return expect(sound(memory), states[-1:], pending)
    try:
        with Memory.open(path) as memory:
            found = Ledger.of(memory)
            later = states[-1].after(pending, found) if pending else None
            ever = states if later is None else [*states, later]
            assert list(strays(ever, found)) == []
            check_answers(memory, ever)
            if not memory.verify().clean:
                return None
    except StoreError as error:
        if str(path) not in str(error):
            raise
        return None
    # Synced at checkpoints, the catalog is that of some moment; never synced, its pages may be of several.
    return expect(found, states, pending) if durability == "process" else None


def check_answers(memory: Memory, states: list[Ledger]) -> None:
    """What a recall serves was written, and scores as it must."""
    known = {number: fields for one in states for number, fields in one.records.items()}
    for number, fields in list(known.items())[-3:]:
        hits = memory.recall(fields[0], k=4)
        assert all(hit.record.statement == known[hit.record.id][0] for hit in hits)
        scores = dict(zip(hits.ids.tolist(), hits.scores.tolist(), strict=True))
        assert scores.get(number, 1.0) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("durability", DURABILITIES)
def test_a_power_cut(tmp_path: Path, children: Children, durability: str) -> None:
    chance = random.Random(durability)
    base, ledger = None, Ledger()
    for number in range(SHARE):
        session = Session(children, tmp_path, number, durability, base, ledger)
        next_base, next_ledger = None, Ledger()
        for count in range(IMAGES):
            seed = chance.randrange(1 << 32)
            point = chance.randint(0, len(session.operations))
            disk, states, pending = session.before(point)
            image = tmp_path / f"image-{number}-{count}"
            disk.after_power_cut(image, random.Random(seed))
            try:
                right = found_after(image / NAME, durability, states, pending)
            except Exception as error:
                error.add_note(f"writer {number}, after {point} of {len(session.operations)} operations, seed {seed}")
                raise
            if right is not None and (next_base is None or chance.random() < 0.2):
                image, next_base, next_ledger = next_base or image, image, right
            if image != next_base:
                shutil.rmtree(image)
        base, ledger = next_base, next_ledger


@pytest.mark.parametrize("durability", DURABILITIES)
def test_a_kill_between_any_two_operations(tmp_path: Path, children: Children, durability: str) -> None:
    chance = random.Random(durability)
    session = Session(children, tmp_path, 1, durability, None, Ledger())
    points = range(len(session.operations) + 1)
    for point in sorted(chance.sample(points, min(len(points), 10 * SHARE))):
        disk, states, pending = session.before(point)
        image = tmp_path / f"image-{point}"
        disk.after_kill(image)
        with Memory.open(image / NAME) as memory:
            expect(sound(memory), states[-1:], pending)
        shutil.rmtree(image)
