"""What a memory must hold, worked out from what was done to it; the writer and the test keep the same books.

An operation is a dictionary with the field ``do``, as it is said in marks; its result is what the memory returned. An
operation of which no result was heard has happened as a whole or not at all.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self, cast

from porism._types import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from porism._memory import Memory

Operation = dict[str, Any]
"""Such as ``{"do": "insert", "records": [[statement, name], ...]}``."""

Fields = tuple[Any, ...]

UNSURE = None
"""Stands for what the books leave open, such as the count of a merged record."""


@dataclass
class Ledger:
    """The state of a memory.

    Attributes:
        records: For each record that is seen: statement, name, status and count of inserts.
        hidden: The same for each that was forgotten and can be restored.
        gone: The records that were merged into others, or forgotten before a compaction.
        evidence: For each piece: its label, and how many records it uses.
        events: For each event: its policy, how many candidates it has, and the seconds of its settlement.
    """

    records: dict[int, Fields] = field(default_factory=dict)
    hidden: dict[int, Fields] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    evidence: dict[int, Fields] = field(default_factory=dict)
    events: dict[int, Fields] = field(default_factory=dict)

    @classmethod
    def of(cls, memory: Memory) -> Self:
        """What a memory serves."""
        return cls(
            records={one.id: (one.statement, one.name, str(one.status), one.inserts) for one in memory.find()},
            evidence={one.id: (one.label, len(one.used)) for one in memory.evidence_for()},
            events={
                one.id: (one.policy, len(one.candidates), one.settlement and one.settlement.seconds)
                for one in memory.events()
            },
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        tables: dict[str, Any] = {
            name: {int(number): tuple(fields) for number, fields in table.items()} if isinstance(table, dict) else table
            for name, table in json.loads(text).items()
        }
        return cls(**tables)

    def copy(self) -> Ledger:
        # Tuples do not change: there is no need to copy them.
        return Ledger(dict(self.records), dict(self.hidden), list(self.gone), dict(self.evidence), dict(self.events))

    def apply(self, operation: Operation, result: Any) -> None:
        """Enters an operation that has happened."""
        getattr(self, f"_{operation['do']}")(operation, result)

    def _insert(self, operation: Operation, ids: list[int]) -> None:
        for number, (statement, name) in zip(ids, operation["records"], strict=True):
            *rest, inserts = self.records.get(number, (statement, name, str(Status.CONJECTURAL), 0))
            self.records[number] = (*rest, inserts if inserts is UNSURE else inserts + 1)

    def _evidence(self, operation: Operation, number: int) -> None:
        self.evidence[number] = (operation["label"], len(operation["used"]))
        statement, name, status, inserts = self.records[operation["goal"]]
        if operation["receipt"]:
            status = str(Status.VERIFIED)
        elif status == Status.CONJECTURAL:
            status = str(Status.CHECKED)
        self.records[operation["goal"]] = (statement, name, status, inserts)

    def _event(self, operation: Operation, number: int) -> None:
        self.events[number] = (operation["policy"], len(operation["candidates"]), None)

    def _settle(self, operation: Operation, _result: None) -> None:
        policy, candidates, _ = self.events[operation["event"]]
        self.events[operation["event"]] = (policy, candidates, operation["seconds"])

    def _forget(self, operation: Operation, _: None) -> None:
        for number in operation["ids"]:
            self.hidden[number] = self.records.pop(number)

    def _restore(self, operation: Operation, _: None) -> None:
        for number in operation["ids"]:
            self.records[number] = self.hidden.pop(number)

    def _merge(self, operation: Operation, survivor: int) -> None:
        (loser,) = {operation["a"], operation["b"]} - {survivor}
        del self.records[loser]
        self.gone.append(loser)
        # How the two are counted and which status wins is not the business of a crash.
        self.records[survivor] = (*self.records[survivor][:2], UNSURE, UNSURE)

    def _compact(self, _operation: Operation, _result: None) -> None:
        self.gone.extend(self.hidden)
        self.hidden.clear()

    def _flush(self, _operation: Operation, _result: None) -> None:
        """Changes nothing that can be seen."""

    def after(self, operation: Operation, found: Ledger) -> Ledger | None:
        """The books with an operation of which no result was heard; what it returned is read off ``found``."""
        later = self.copy()
        try:
            later.apply(operation, self._guess(operation, found))
        except (LookupError, ValueError):
            return None  # What was found is not what the operation does.
        return later

    def _guess(self, operation: Operation, found: Ledger) -> Any:
        do = operation["do"]
        if do == "insert":
            known = {(fields[0], fields[1]): number for number, fields in self.records.items()}
            fresh = iter(sorted(found.records.keys() - self.records.keys() - self.hidden.keys() - set(self.gone)))
            wanted = ((statement, name) for statement, name in operation["records"])
            return [known[one] if one in known else next(fresh, -1) for one in wanted]
        if do == "merge":
            return operation["a"] if operation["a"] in found.records else operation["b"]
        if do in ("evidence", "event"):
            table = "evidence" if do == "evidence" else "events"
            return max(getattr(found, table).keys() - getattr(self, table).keys(), default=-1)
        return None

    def differences(self, found: Ledger) -> list[str]:
        """In what ``found``, read off a memory, is not as the books say."""
        return [
            f"{table} {number}: {there.get(number)}, expected {wanted.get(number)}"
            for table in ("records", "evidence", "events")
            for wanted, there in [(getattr(self, table), getattr(found, table))]
            for number in sorted(wanted.keys() | there.keys())
            if not _agree(wanted.get(number), there.get(number))
        ]


def history(start: Ledger, marks: Iterable[bytes]) -> tuple[list[Ledger], Operation | None]:
    """Every state that was acknowledged, in order, and the operation under way if there is one."""
    states, pending = [start], None
    for mark in marks:
        said = json.loads(mark)
        if "begin" in said:
            pending = cast("Operation", said["begin"])
        else:
            assert pending is not None
            states.append(states[-1].copy())
            states[-1].apply(pending, said["end"])
            pending = None
    return states, pending


def strays(states: list[Ledger], found: Ledger) -> Iterator[str]:
    """Everything in ``found`` that was never so, in any of the states."""
    for table in ("records", "evidence", "events"):
        for number, fields in getattr(found, table).items():
            if not any(number in getattr(one, table) and _agree(getattr(one, table)[number], fields) for one in states):
                yield f"{table} {number}: {fields} was never written"


def _agree(wanted: Fields | None, there: Fields | None) -> bool:
    if wanted is None or there is None:
        return wanted is there
    return all(one == other or one is UNSURE for one, other in zip(wanted, there, strict=True))
