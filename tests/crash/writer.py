"""A child that writes for ever and acknowledges every write on standard output: ``writer.py PATH ROUND``."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from porism._memory import Memory
from porism._types import Candidate, Lemma, Verdict


def main(path: Path, name: str) -> None:
    """Inserts, logs and settles; a line is printed when the call it reports has returned."""
    memory = Memory.open(path)
    for number in count():
        record = memory.insert(Lemma(f"p{name}_{number}(a)")).id
        print("record", record, f"p{name}_{number}(a)", flush=True)
        batch = memory.insert_many(Lemma(f"q{name}_{number}_{part}(a)") for part in range(5))
        print("record", batch[-1].id, f"q{name}_{number}_4(a)", flush=True)
        candidates = [Candidate(one.id, 0.5, slot=slot) for slot, one in enumerate(batch)]
        event = memory.log_event(record, candidates=candidates, snapshot=1, policy="top")
        print("event", event, "pending", flush=True)
        memory.settle(event, verdict=Verdict.PROVED, attempts=1, seconds=float(number), used=[batch[0].id])
        print("event", event, "settled", flush=True)


main(Path(sys.argv[1]), sys.argv[2])
