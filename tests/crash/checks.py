"""What every memory must show after a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger import Ledger, Operation

if TYPE_CHECKING:
    from porism._memory import Memory


def sound(memory: Memory) -> Ledger:
    """What a memory holds, after a check of everything and a recall that reads every row."""
    report = memory.verify()
    assert report.clean, report.findings
    found = Ledger.of(memory)
    if found.records:
        newest = max(found.records)
        # Short rows of many small formulas collide, so others may score as high: but nothing scores higher.
        hits = memory.recall(found.records[newest][0], k=len(found.records))
        assert set(hits.ids.tolist()) <= found.records.keys()
        assert hits.scores[hits.ids == newest] == hits.scores[0]
    return found


def expect(found: Ledger, states: list[Ledger], pending: Operation | None) -> Ledger:
    """The books that agree with what was found: one of ``states``, or the last of them with the operation under way."""
    later = states[-1].after(pending, found) if pending else None
    allowed = states if later is None else [*states, later]
    right = next((one for one in reversed(allowed) if not one.differences(found)), None)
    # Some statements are longer than anybody reads.
    complaints = [*states[-1].differences(found), f"under way: {pending}"]
    assert right is not None, "\n".join(line[:200] for line in complaints)
    return right
