"""A child that starts writers quickly: it imports Porism once and forks a writer for each order on standard input.

An order is a line of JSON with the fields of ``children.Order``. The answers are two lines on standard output: the
number of the process, and, when that has ended, its wait status.

A writer says in its file of marks what it is about to do, and, when the call has returned, what came of it.
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger import Ledger, Operation

from porism._memory import Memory
from porism._types import Candidate, Lemma, Receipt, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Above what a program opens by itself, and known to the recorder.
MARKS = 800
HASH = "0" * 64


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                write(order)
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)


def write(order: dict[str, Any]) -> None:
    """Does what the order says, in a process of its own."""
    os.environ.update(order["environment"])
    os.dup2(os.open(order["marks"], os.O_WRONLY | os.O_CREAT | os.O_APPEND), MARKS)
    with Memory.open(Path(order["path"]), durability=order["durability"]) as memory:
        writer = Writer(memory, Ledger.from_json(order["ledger"]), order["seed"])
        for number, operation in zip(range(order["operations"]), writer.plan(), strict=False):
            writer.carry_out(operation)
            if number % 10 == 5 and writer.ledger.records:
                # A reader in the same process, which maps the rows.
                memory.recall(next(iter(writer.ledger.records.values()))[0])


class Writer:
    """Writes at random, and keeps the books."""

    def __init__(self, memory: Memory, ledger: Ledger, seed: int) -> None:
        self.memory = memory
        self.ledger = ledger
        self.seed = seed
        self.chance = random.Random(seed)
        self.count = 0

    def carry_out(self, operation: Operation) -> None:
        mark({"begin": operation})
        result = getattr(self, f"do_{operation['do']}")(operation)
        mark({"end": result})
        self.ledger.apply(operation, result)

    def plan(self) -> Iterator[Operation]:
        """Operations that suit the books, for ever."""
        plans: list[tuple[int, Callable[[], Operation | None]]] = [
            (3, lambda: insert([self.statement(), None])),
            (3, lambda: insert(*([self.statement(), None] for _ in range(self.chance.randint(2, 6))))),
            (3, self.plan_twins),
            (2, self.plan_known),
            (2, self.plan_evidence),
            (2, self.plan_event),
            (2, self.plan_settlement),
            (2, self.plan_forgetting),
            (1, self.plan_restoring),
            (2, self.plan_merge),
            (1, lambda: {"do": "compact"}),
            (1, lambda: {"do": "flush"}),
        ]
        while True:
            (plan,) = self.chance.choices([plan for _, plan in plans], [weight for weight, _ in plans])
            operation = plan()
            if operation is not None:
                yield operation

    def statement(self) -> str:
        """One that no other writer of the same test writes."""
        self.count += 1
        # Some are longer than a page of the catalog.
        return f"p{self.seed}_{self.count}(" + "a" * self.chance.choice([1, 1, 1, 1, 3000, 9000]) + ")"

    def some(self, at_most: int) -> list[int]:
        seen = sorted(self.ledger.records)
        return self.chance.sample(seen, min(len(seen), self.chance.randint(1, at_most)))

    def plan_twins(self) -> Operation:
        statement = self.statement()
        return insert([statement, f"one-{self.count}"], [statement, f"other-{self.count}"])

    def plan_known(self) -> Operation | None:
        known = self.some(2)
        return insert(*(list(self.ledger.records[one][:2]) for one in known)) if known else None

    def plan_evidence(self) -> Operation | None:
        if not self.ledger.records:
            return None
        (goal,), self.count = self.some(1), self.count + 1
        receipt = self.chance.random() < 0.5
        label = f"e{self.seed}-{self.count}"
        return {"do": "evidence", "goal": goal, "label": label, "used": self.some(4), "receipt": receipt}

    def plan_event(self) -> Operation | None:
        if not self.ledger.records:
            return None
        (goal,), self.count = self.some(1), self.count + 1
        return {"do": "event", "goal": goal, "policy": f"p{self.seed}-{self.count}", "candidates": self.some(8)}

    def plan_settlement(self) -> Operation | None:
        pending = [number for number, fields in self.ledger.events.items() if fields[2] is None]
        if not pending:
            return None
        return {"do": "settle", "event": self.chance.choice(pending), "seconds": self.count + 0.5}

    def plan_forgetting(self) -> Operation | None:
        return {"do": "forget", "ids": ids} if (ids := self.some(2)) else None

    def plan_restoring(self) -> Operation | None:
        hidden = sorted(self.ledger.hidden)
        return {"do": "restore", "ids": [self.chance.choice(hidden)]} if hidden else None

    def plan_merge(self) -> Operation | None:
        first: dict[str, int] = {}
        for number, (statement, *_) in self.ledger.records.items():
            if statement in first:
                return {"do": "merge", "a": first[statement], "b": number}
            first[statement] = number
        return None

    def do_insert(self, operation: Operation) -> list[int]:
        inserted = self.memory.insert_many([Lemma(statement, name=name) for statement, name in operation["records"]])
        return [one.id for one in inserted]

    def do_evidence(self, operation: Operation) -> int:
        return self.memory.evidence(
            operation["goal"],
            verdict=Verdict.PROVED,
            prover="E",
            used=operation["used"],
            label=operation["label"],
            receipt=Receipt(HASH, HASH, "z3", "4") if operation["receipt"] else None,
        )

    def do_event(self, operation: Operation) -> int:
        candidates = [Candidate(one, 0.5, slot=slot) for slot, one in enumerate(operation["candidates"])]
        return self.memory.log_event(operation["goal"], candidates=candidates, snapshot=1, policy=operation["policy"])

    def do_settle(self, operation: Operation) -> None:
        self.memory.settle(operation["event"], verdict=Verdict.PROVED, attempts=1, seconds=operation["seconds"])

    def do_forget(self, operation: Operation) -> None:
        self.memory.forget(operation["ids"], reason="a test")

    def do_restore(self, operation: Operation) -> None:
        self.memory.restore(operation["ids"])

    def do_merge(self, operation: Operation) -> int:
        return self.memory.merge(operation["a"], operation["b"])

    def do_compact(self, _: Operation) -> None:
        self.memory.compact()

    def do_flush(self, _: Operation) -> None:
        self.memory.flush()


def insert(*records: list[str | None]) -> Operation:
    return {"do": "insert", "records": list(records)}


def mark(said: dict[str, Any]) -> None:
    # One call a line. A kill can still cut it, between two pages: the reader ignores a line without its end.
    os.write(MARKS, json.dumps(said).encode() + b"\n")


if __name__ == "__main__":
    main()
