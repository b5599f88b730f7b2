"""What checkers say, and the one call that checks a file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from porism import _core
from porism._errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from porism._core import _Decided, _FaultFields


class Decision(StrEnum):
    """What a checker found out about a certificate."""

    ACCEPTED = "accepted"
    """The certificate proves the claim."""
    REJECTED = "rejected"
    """It does not. The claim may be true all the same."""
    UNDECIDED = "undecided"
    """Nothing was found out: the certificate is unfinished, or beyond the budget or the limits."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a certificate was not accepted, and where.

    Attributes:
        code: The stable name of what is wrong, such as ``stack_underflow``.
        message: One sentence about it.
        span: Which bytes of the file, or of the proof that was handed over: start and end.
        line: 1-based line of the start; 0 when there is none.
        column: 1-based column of the start, in bytes; 0 when there is none.
        file: Which file, when there are files.
        step: 1-based step of the proof.
        label: What the step cites.
        expected: What should have stood there, shortened.
        found: What stood there, shortened.
    """

    code: str
    message: str
    span: tuple[int, int] | None
    line: int
    column: int
    file: str | None
    step: int | None
    label: str | None
    expected: str | None
    found: str | None

    def __str__(self) -> str:
        """One line for people."""
        place = ":".join(str(part) for part in (self.file, self.line or None, self.column or None) if part)
        parts = [place, f"step {self.step}" if self.step else "", self.message]
        if self.expected is not None and self.found is not None:
            parts.append(f"expected '{self.expected}', found '{self.found}'")
        return ": ".join(part for part in parts if part) + f" [{self.code}]"


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict of a checker on one certificate.

    Attributes:
        decision: What was found out.
        fault: Why it was not accepted.
    """

    decision: Decision
    fault: Fault | None = None

    @property
    def accepted(self) -> bool:
        """Whether the certificate proves the claim."""
        return self.decision is Decision.ACCEPTED


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The verdicts on all proofs of a file.

    Attributes:
        decision: ``REJECTED`` if any proof is, or the file is malformed; else ``UNDECIDED`` if any proof is;
            else ``ACCEPTED``.
        proofs: How many proofs there are.
        faults: Why proofs were not accepted, by theorem, in the order of the file. The file itself has the name ``""``.
    """

    decision: Decision
    proofs: int
    faults: dict[str, Checked] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """How many proofs were accepted."""
        return self.proofs - len(self.faults) if "" not in self.faults else 0


@dataclass(frozen=True, slots=True)
class CheckBudget:
    """How much work one certificate may cost. The units are the same on every machine, so a verdict is too.

    Attributes:
        steps: Steps of the proof.
        nodes: Symbols that are written or compared.
        memory_bytes: Memory for expressions.
    """

    steps: int = _core.METAMATH_BUDGET[0]
    nodes: int = _core.METAMATH_BUDGET[1]
    memory_bytes: int = _core.METAMATH_BUDGET[2]

    def _fields(self) -> tuple[int, int, int]:
        if min(self.steps, self.nodes, self.memory_bytes) < 0:
            message = "a budget cannot be negative"
            raise InputError(message)
        return (self.steps, self.nodes, self.memory_bytes)


_METAMATH: Final = ".mm"


def check(
    path: str | os.PathLike[str],
    *,
    threads: int | None = None,
    budget: CheckBudget | None = None,
    paranoid: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> CheckReport:
    """Checks every proof of a file.

    Args:
        path: A Metamath database (``.mm``). It may include files from its own folder and those in it.
        threads: How many cores may work; all, unless it is set. The verdicts are the same at any number.
        budget: For each proof.
        paranoid: Have the slow reference checker confirm every verdict; what it does not confirm is undecided.
        progress: Called now and then with how many proofs are done, and of how many.

    Raises:
        InputError: No checker reads files of that kind.
    """
    from porism import metamath

    if Path(path).suffix != _METAMATH:
        message = f"no checker reads '{path}': the formats are Metamath (.mm)"
        raise InputError(message)
    opened = metamath._open(path, None, threads)
    if isinstance(opened, Checked):
        return CheckReport(opened.decision, 0, {"": opened})
    return opened.check_all(threads=threads, budget=budget, paranoid=paranoid, progress=progress)


# Whoever checks one proof after another would notice the making of it.
_ACCEPTED: Final = Checked(Decision.ACCEPTED)


def _checked(decided: _Decided) -> Checked:
    decision, fault = decided
    if decision == "accepted":
        return _ACCEPTED
    return Checked(Decision(decision), None if fault is None else _fault(fault))


def _fault(fields: _FaultFields) -> Fault:
    return Fault(*fields)


def _threads(threads: int | None) -> int:
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads < 1:
        message = f"at least one thread must work, not {threads}"
        raise InputError(message)
    return threads
