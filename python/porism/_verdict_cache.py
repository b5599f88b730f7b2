"""The verdict cache, as Python sees it. Storing and finding is Rust; this gives the results their names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Self

from porism import _core
from porism._types import Receipt, Verdict
from porism._verdicts import Check, Message, Severity, Trust

if TYPE_CHECKING:
    import os
    from types import TracebackType


class Kept(StrEnum):
    """What became of a check that was handed to a cache."""

    STORED = "stored"
    KNOWN = "known"
    """What is there says as much, or more."""
    PASSING = "passing"
    """It says nothing about the next attempt."""
    TOO_LONG = "too_long"
    """It has more than a mebibyte, or more than an eighth of the cache's budget."""
    CONTRADICTED = "contradicted"
    """It contradicts what was there, and both are vouched for alike: neither is in the cache now."""


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What a cache holds, and what this handle did since it was opened.

    Attributes:
        entries: Entries in the file.
        size_bytes: Bytes of the file in use.
        hot_hits: Requests that were answered from memory.
        disk_hits: Requests that were answered from the file.
        misses: Requests without an answer.
        stored: Entries that were stored.
        evicted: Entries that made room for others.
        contradicted: Checks that contradicted what was there.
    """

    entries: int
    size_bytes: int
    hot_hits: int
    disk_hits: int
    misses: int
    stored: int
    evicted: int
    contradicted: int


class VerdictCache:
    """Checks that were made, in one file. Threads may share it, and several processes may open the same file.

    An answer about the goal or the candidate serves requests for its own trust and for less. ``TIMEOUT`` and
    ``UNKNOWN`` are kept with the budget that they were found in, and serve budgets that are not larger, at the same
    level of trust. Nothing else is kept: a crash says nothing about the next attempt.

    Every method raises ``InputError`` once the cache is closed, ``LockedError`` when a write waited too long for
    others, ``StoreIOError`` when the operating system refuses, and ``DamagedError`` when bytes on disk are not those
    that were written. Whoever catches a ``StoreError`` can ask the prover instead.
    """

    __slots__ = ("_core", "path")

    def __init__(self, core: _core.VerdictCache, path: Path) -> None:
        self._core = core
        self.path = path

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        create: bool = True,
        read_only: bool = False,
        rebuild: bool = False,
        timeout_s: float = 5.0,
        budget_bytes: int = 1 << 30,
        front_bytes: int = 64 << 20,
    ) -> Self:
        """Opens the cache at ``path``.

        Args:
            path: A file, by custom ``NAME.verdicts``.
            create: Make it if nothing is there.
            read_only: Refuse every write, and never make it.
            rebuild: Read everything first, and begin an empty cache if it is damaged or of another format. A file that
                is no cache is never touched.
            timeout_s: Seconds that a write waits for other processes.
            budget_bytes: How many bytes of the file may be in use, without its log; at least 256 KiB. What was used
                least recently makes room.
            front_bytes: How many bytes hot entries may take in memory, about.

        Raises:
            NotACacheError: something else is there, or nothing and it is not to be made.
            FormatError: it was written by another version of Porism.
            DamagedError: it is not what it should be.
            StoreIOError: the operating system refused.
        """
        core = _core.VerdictCache.open(
            path,
            create=create,
            read_only=read_only,
            rebuild=rebuild,
            timeout_s=timeout_s,
            budget_bytes=budget_bytes,
            front_bytes=front_bytes,
        )
        return cls(core, Path(path))

    @staticmethod
    def key(
        *,
        prover_build: str | bytes,
        candidate: str | bytes,
        statement: str | bytes = b"",
        prefix: str | bytes = b"",
        library: str | bytes = b"",
        options: str | bytes = b"",
    ) -> bytes:
        """The 32 bytes under which checks of a candidate are kept: BLAKE3 over all parts, each behind its length.

        Args:
            prover_build: Which build of which prover: a hash of its files says more than its version.
            candidate: What is checked.
            statement: What it must prove.
            prefix: The trusted text in front of the candidate.
            library: Which library is loaded: a hash of its files.
            options: The prover's options, written one way only.
        """
        parts = (prover_build, library, options, prefix, candidate, statement)
        return _core.verdict_key(*(part.encode() if isinstance(part, str) else part for part in parts))

    def get(
        self, key: bytes, *, trust: Trust = Trust.L1, budget_s: float | None = None, budget_units: int | None = None
    ) -> Check | None:
        """The check under ``key`` that answers the request, or ``None``.

        Args:
            key: From ``key``.
            trust: Who has to vouch for the answer, at least.
            budget_s: Seconds of work that the request allows; ``None`` is no limit.
            budget_units: Whatever else the prover counts: steps, generated clauses, heartbeats.
        """
        found = self._core.get(key, (trust, budget_s, budget_units))
        return None if found is None else _check(found)

    def peek(
        self, key: bytes, *, trust: Trust = Trust.L1, budget_s: float | None = None, budget_units: int | None = None
    ) -> Check | None:
        """Like ``get``, from memory alone, so that an event loop may call it.

        ``None`` says nothing about what the file holds.
        """
        found = self._core.peek(key, (trust, budget_s, budget_units))
        return None if found is None else _check(found)

    def put(
        self,
        key: bytes,
        check: Check,
        *,
        trust: Trust = Trust.L1,
        budget_s: float | None = None,
        budget_units: int | None = None,
    ) -> Kept:
        """Hands over a check, with the request that it was made for.

        Args:
            key: From ``key``.
            check: What came out. Whether it was ``cached`` or ``coalesced`` is not kept.
            trust: Who had to vouch for the answer.
            budget_s: Seconds of work that it was allowed; without any limit a timeout is not kept.
            budget_units: Whatever else the prover counts.
        """
        return Kept(self._core.put(key, _fields(check), (trust, budget_s, budget_units)))

    def remove(self, key: bytes) -> bool:
        """Removes all that is known under ``key``; returns whether there was anything.

        Other processes may go on to answer from their memory for a minute.
        """
        return self._core.remove(key)

    def verify(self) -> int:
        """Reads everything and compares it with its checksums; returns how many entries there are."""
        return self._core.verify()

    def stats(self) -> CacheStats:
        """What the cache holds, and what this handle did."""
        return CacheStats(*self._core.stats())

    def close(self) -> None:
        """Closes it; to close it again does nothing."""
        self._core.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<VerdictCache {str(self.path)!r}>"


def _fields(check: Check) -> _core._CheckFields:
    """A check as the core takes it."""
    receipt = check.receipt
    signed = None
    if receipt is not None:
        signed = (receipt.claim_hash, receipt.certificate_hash, receipt.checker, receipt.checker_version)
    return (
        str(check.verdict),
        check.trust,
        check.prover,
        check.prover_version,
        list(check.axioms),
        [(str(one.severity), one.text, one.line, one.column) for one in check.messages],
        check.detail,
        (check.wait_s, check.work_s),
        check.raw,
        signed,
    )


def _check(fields: _core._CheckFields) -> Check:
    """A check as the core returns it."""
    verdict, trust, prover, version, axioms, messages, detail, (wait_s, work_s), raw, receipt = fields
    return Check(
        verdict=Verdict(verdict),
        trust=Trust(trust),
        prover=prover,
        prover_version=version,
        axioms=tuple(axioms),
        messages=tuple(Message(Severity(severity), text, line, column) for severity, text, line, column in messages),
        detail=detail,
        wait_s=wait_s,
        work_s=work_s,
        cached=True,
        raw=raw,
        receipt=None if receipt is None else Receipt(*receipt),
    )
