"""A writer is killed at random moments: nothing that it acknowledged is lost, and nothing is damaged."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from porism._memory import Memory

ROUNDS = int(os.environ.get("PORISM_CRASH_ROUNDS", "25"))
WRITER = Path(__file__).with_name("writer.py")


def killed_writer(path: Path, name: str, *, after_s: float) -> list[list[str]]:
    """Lets a writer run for a while after its first acknowledgement, kills it, and returns what it acknowledged."""
    child = subprocess.Popen([sys.executable, str(WRITER), str(path), name], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout:
        first = child.stdout.readline()
        time.sleep(after_s)
        child.kill()
        lines = [first, *child.stdout]
    child.wait()
    # The last line may be torn; what it reports had happened, but nobody can have read it.
    return [line.split() for line in lines if line.endswith("\n")]


def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "crash.porism"
    moments = random.Random(20)
    records: dict[int, str] = {}
    events: dict[int, str] = {}
    for number in range(ROUNDS):
        for what, identity, state in killed_writer(path, str(number), after_s=moments.uniform(0, 0.15)):
            (records if what == "record" else events)[int(identity)] = state
        with Memory.open(path) as memory:
            report = memory.verify()
            assert report.clean, report.findings
            stored = {record.id: record.statement for record in memory.find()}
            assert records.items() <= stored.items()
            settled = {event.id: event.settlement for event in memory.events()}
            assert events.keys() <= settled.keys()
            assert all(settled[event] is not None for event, state in events.items() if state == "settled")
            newest = max(records)
            # Short rows of many small formulas collide, so others may score as high: but nothing scores higher.
            hits = memory.recall(records[newest], k=len(stored))
            assert hits.scores[hits.ids == newest] == hits.scores[0]
    assert len(records) > ROUNDS
