"""The assertions of a Metamath library as records of a memory, with the kernel's signature on what it checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from porism._types import Kind, Receipt, Record, Status, Verdict
from porism._where import where

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from porism._check import CheckReport
    from porism._memory import Memory
    from porism._transaction import Pending
    from porism.metamath import Library

# Assertions in one commit: often enough to tell how far it is, and seldom enough not to wait for the disk.
_BATCH: Final = 8192


@dataclass(frozen=True, slots=True)
class Remembered:
    """What became of a library in a memory.

    Attributes:
        new: Assertions that were not known.
        known: Assertions that were known by that name, and were left as they are.
        evidence: Proofs that were written down, each with a receipt.
        report: What the check said that was made for it.
        unsupported: Theorems whose own proofs were accepted, but rest on one that was not. They get no evidence.
    """

    new: int
    known: int
    evidence: int
    report: CheckReport
    unsupported: tuple[str, ...]


class _Assertion(NamedTuple):
    """One assertion: its number, the record it becomes, and the numbers that its proof cites if that holds."""

    number: int
    record: Record
    citations: Sequence[int] | None


@dataclass(frozen=True, slots=True)
class Naming:
    """How records are told from others.

    Attributes:
        source: What they say of their origin.
        namespace: Which part of the memory they belong to.
        logic: The typecode of logical statements; what has another is notation and no fact.
        definitions: How the labels of definitions begin.
    """

    source: str
    namespace: str
    logic: str
    definitions: str


def remember(
    library: Library,
    memory: Memory,
    naming: Naming,
    report: CheckReport,
    progress: Callable[[int, int], object] | None,
) -> Remembered:
    """Writes down a library that was checked just now, in its order, so that an end halfway is harmless."""
    assertions, unsupported = _assertions(library, naming, report)
    # What was forgotten is known too, and stays forgotten.
    alike = where(kind=(Kind.AXIOM, Kind.DEFINITION, Kind.THEOREM), namespace=naming.namespace, dead=True)
    known = {(one.name, one.statement): one for one in memory.find(alike)}
    records: dict[int, int] = {}
    new = evidence = 0
    for start in range(0, len(assertions), _BATCH):
        batch = assertions[start : start + _BATCH]
        inserted: dict[int, Pending] = {}
        with memory.transaction() as changes:
            for one in batch:
                stored = known.get((one.record.name, one.record.statement))
                if stored is None:
                    inserted[one.number] = changes.insert(one.record)
                else:
                    records[one.number] = stored.id
                if one.citations is None or (stored is not None and stored.status is Status.VERIFIED):
                    continue
                places = (records.get(number, inserted.get(number)) for number in one.citations)
                fields = library._core.signature(one.number)
                assert fields is not None, "it is a theorem"
                receipt = Receipt(*fields)
                changes.evidence(
                    inserted[one.number] if stored is None else stored.id,
                    verdict=Verdict.PROVED,
                    # Who found the proof is whoever wrote the library.
                    prover=naming.source,
                    used=[place for place in places if place is not None],
                    reprover=receipt.checker,
                    reprover_version=receipt.checker_version,
                    receipt=receipt,
                )
                evidence += 1
        records.update((number, pending.id) for number, pending in inserted.items())
        new += len(inserted)
        if progress is not None:
            progress(start + len(batch), len(assertions))
    return Remembered(new, len(assertions) - new, evidence, report, unsupported)


def unsound(library: Library, faults: Container[str]) -> frozenset[int]:
    """The theorems whose proofs were not accepted, or rest on one that was not: proofs of notation are cited too."""
    core = library._core
    found: set[int] = set()
    for number in core.theorems():
        if core.statement(number)[0] in faults or not found.isdisjoint(core.citations(number)):
            found.add(number)
    return frozenset(found)


def _assertions(library: Library, naming: Naming, report: CheckReport) -> tuple[list[_Assertion], tuple[str, ...]]:
    """The logical assertions, and the theorems that were accepted but rest on what was not."""
    core = library._core
    doubtful = unsound(library, report.faults) if report.faults else frozenset()
    found = []
    for number in range(len(library)):
        label, kind, text = core.statement(number)
        if kind not in {"$a", "$p"} or text.partition(" ")[0] != naming.logic:
            continue
        sequent = core.sequent(number)
        assert sequent is not None, "it is an assertion"
        assumed = Kind.DEFINITION if label.startswith(naming.definitions) else Kind.AXIOM
        what = Kind.THEOREM if kind == "$p" else assumed
        record = Record(sequent, kind=what, name=label, source=naming.source, namespace=naming.namespace)
        proved = kind == "$p" and number not in doubtful
        found.append(_Assertion(number, record, core.citations(number) if proved else None))
    labels = (core.statement(number)[0] for number in sorted(doubtful))
    return found, tuple(label for label in labels if label not in report.faults)
