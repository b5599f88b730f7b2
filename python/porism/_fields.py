"""Between the tuples of the core and the classes of ``porism._types``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from porism._types import (
    Candidate,
    Event,
    Evidence,
    Kind,
    Receipt,
    Record,
    Settlement,
    Status,
    StoredRecord,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from porism import _core


def numbers(ids: Iterable[int]) -> list[int]:
    """Numbers as the core takes them: those in numpy's arrays are no ``int``."""
    return [int(number) for number in ids]


def record_fields(record: Record) -> _core._NewRecordFields:
    """A record as the core takes it."""
    return (
        str(record.kind),
        record.statement,
        record.name,
        record.source,
        record.namespace,
        str(record.status),
    )


def stored_record(fields: _core._RecordFields) -> StoredRecord:
    """A record as the core returns it."""
    number, kind, statement, name, source, namespace, key, status, created_ms, life = fields
    return StoredRecord(number, Kind(kind), statement, name, source, namespace, key, Status(status), created_ms, *life)


class EvidenceOptions(TypedDict, total=False):
    """What evidence may say beside the goal, the verdict, the prover and the premises."""

    prover_version: str
    label: str
    seconds: float
    reprover: str | None
    reprover_version: str | None
    receipt: Receipt | None


def evidence_fields(
    goal: int,
    *,
    verdict: Verdict,
    prover: str,
    used: Iterable[int] = (),
    prover_version: str = "",
    label: str = "",
    seconds: float = 0.0,
    reprover: str | None = None,
    reprover_version: str | None = None,
    receipt: Receipt | None = None,
) -> _core._NewEvidence:
    """Evidence as the core takes it."""
    signed = None
    if receipt is not None:
        signed = (receipt.claim_hash, receipt.certificate_hash, receipt.checker, receipt.checker_version)
    return {
        "goal": int(goal),
        "verdict": str(verdict),
        "used": numbers(used),
        "prover": prover,
        "prover_version": prover_version,
        "label": label,
        "seconds": seconds,
        "reprover": reprover,
        "reprover_version": reprover_version,
        "receipt": signed,
    }


def evidence(fields: _core._EvidenceFields) -> Evidence:
    """Evidence as the core returns it."""
    number, goal, verdict, used, prover, version, label, seconds, reprover, reversion, receipt, created_ms = fields
    return Evidence(
        id=number,
        goal=goal,
        verdict=Verdict(verdict),
        used=tuple(used),
        prover=prover,
        prover_version=version,
        label=label,
        seconds=seconds,
        reprover=reprover,
        reprover_version=reversion,
        receipt=None if receipt is None else Receipt(*receipt),
        created_ms=created_ms,
    )


def settlement(fields: _core._SettlementFields) -> Settlement:
    """A settlement as the core returns it."""
    verdict, attempts, seconds, used, proof = fields
    return Settlement(Verdict(verdict), attempts, seconds, tuple(used), proof)


def event(fields: _core._EventFields) -> Event:
    """An event as the core returns it."""
    number, goal, snapshot, candidates, policy, seed, created_ms, outcome, settled_ms = fields
    considered = tuple(Candidate(*candidate) for candidate in candidates)
    settled = None if outcome is None else settlement(outcome)
    return Event(number, goal, snapshot, considered, policy, seed, created_ms, settled, settled_ms)
