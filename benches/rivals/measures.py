"""What is measured, of whom, on how many rows, and what Porism is to reach."""

from __future__ import annotations

from dataclasses import dataclass

OPEN = "open and first answer"
ONE_BY_ONE_KILL = "insert one by one, survives kill -9"
ONE_BY_ONE_POWER = "insert one by one, survives a power cut"
BATCH = "insert in batches, durable at the end"

# The targets of "open and first answer" hold at this many rows.
TARGET_ROWS = 1_000_000


@dataclass(frozen=True)
class Measure:
    """Something that is timed.

    Attributes:
        name: What tables call it.
        task: What a worker does for it.
        most_rows: Who takes part, and on how many rows at most. Slow peers get fewer rows, which favours them:
            a graph, a list of versions and a file are cheaper to add to while they are small.
    """

    name: str
    task: str
    most_rows: dict[str, int]

    def rows(self, contestant: str, asked: int) -> int:
        return min(asked, self.most_rows[contestant])


_NO_LIMIT = 1 << 62

WRITES = (
    Measure(
        ONE_BY_ONE_KILL,
        "one_by_one",
        {"porism process": _NO_LIMIT, "hnswlib, 1 thread": 20_000, "sqlite-vec OFF": 10_000, "lancedb": 300},
    ),
    Measure(
        ONE_BY_ONE_POWER,
        "one_by_one",
        {
            "porism power": 2_000,
            "sqlite-vec FULL": 1_000,
            "sqlite-vec untuned": 300,
            "lancedb": 300,
            "write and sync": 2_000,
        },
    ),
    Measure(
        BATCH,
        "batches",
        {
            "porism process": _NO_LIMIT,
            "porism power": _NO_LIMIT,
            "porism none": _NO_LIMIT,
            "hnswlib, 1 thread": 50_000,
            "hnswlib, all cores": _NO_LIMIT,
            "sqlite-vec OFF": _NO_LIMIT,
            "sqlite-vec FULL": _NO_LIMIT,
            "lancedb": _NO_LIMIT,
        },
    ),
)

# Who opens what, and which setting fills the store that it opens: the quickest one, since filling is not the point.
OPENERS = {
    "porism process": ("porism none", "porism process"),
    "hnswlib, 1 thread": ("hnswlib, all cores",),
    "sqlite-vec OFF": ("sqlite-vec OFF",),
    "lancedb": ("lancedb",),
}


@dataclass(frozen=True)
class Comparison:
    """One ratio.

    Attributes:
        measure: Which measure.
        ours: Which setting of Porism, or the floor.
        peer: Against whom.
        target: What the ratio is to reach, if a target was set. A ratio of rates is to be at least that, and a ratio
            of times at most.
    """

    measure: str
    ours: str
    peer: str
    target: float | None = None


COMPARISONS = (
    Comparison(ONE_BY_ONE_KILL, "porism process", "hnswlib, 1 thread", 40.0),
    Comparison(ONE_BY_ONE_KILL, "porism process", "sqlite-vec OFF"),
    Comparison(ONE_BY_ONE_KILL, "porism process", "lancedb"),
    Comparison(ONE_BY_ONE_POWER, "porism power", "sqlite-vec FULL", 14.0),
    Comparison(ONE_BY_ONE_POWER, "porism power", "sqlite-vec untuned"),
    Comparison(ONE_BY_ONE_POWER, "porism power", "lancedb"),
    Comparison(ONE_BY_ONE_POWER, "porism power", "write and sync"),
    # How high the ratio to a peer that syncs once a row could be at most.
    Comparison(ONE_BY_ONE_POWER, "write and sync", "sqlite-vec FULL"),
    *(
        Comparison(BATCH, ours, peer, 30.0 if peer == "hnswlib, 1 thread" else None)
        for ours in ("porism process", "porism power", "porism none")
        for peer in ("hnswlib, 1 thread", "hnswlib, all cores", "sqlite-vec FULL", "lancedb")
    ),
    Comparison(OPEN, "porism process", "hnswlib, 1 thread", 0.01),
    Comparison(OPEN, "porism process", "sqlite-vec OFF"),
    Comparison(OPEN, "porism process", "lancedb"),
)
