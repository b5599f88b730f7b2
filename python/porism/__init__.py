"""Porism: a memory for mathematical reasoning that learns from what is proved.

This is the one public door; every module whose name starts with an underscore may change without notice.
Importing it opens nothing and starts nothing.
"""

from porism import provers
from porism._core import __version__
from porism._errors import (
    CancelledError,
    DamagedError,
    FormatError,
    InputError,
    LockedError,
    NotAMemoryError,
    ParseError,
    PorismError,
    ProverError,
    ProverMissingError,
    StoreError,
    StoreIOError,
)
from porism._memory import Hit, Hits, Memory
from porism._policy import DEFAULT_SCHEDULE, Ranking, Try, slices
from porism._solve import Attempt, Budget, Result, solve, solve_library
from porism._types import (
    Axiom,
    Candidate,
    Definition,
    Event,
    Evidence,
    Fact,
    Finding,
    Inserted,
    Kind,
    Lemma,
    Receipt,
    Record,
    Report,
    Settlement,
    Stats,
    Status,
    StoredRecord,
    Theorem,
    Verdict,
)

__all__ = [
    "DEFAULT_SCHEDULE",
    "Attempt",
    "Axiom",
    "Budget",
    "CancelledError",
    "Candidate",
    "DamagedError",
    "Definition",
    "Event",
    "Evidence",
    "Fact",
    "Finding",
    "FormatError",
    "Hit",
    "Hits",
    "InputError",
    "Inserted",
    "Kind",
    "Lemma",
    "LockedError",
    "Memory",
    "NotAMemoryError",
    "ParseError",
    "PorismError",
    "ProverError",
    "ProverMissingError",
    "Ranking",
    "Receipt",
    "Record",
    "Report",
    "Result",
    "Settlement",
    "Stats",
    "Status",
    "StoreError",
    "StoreIOError",
    "StoredRecord",
    "Theorem",
    "Try",
    "Verdict",
    "__version__",
    "provers",
    "slices",
    "solve",
    "solve_library",
]
