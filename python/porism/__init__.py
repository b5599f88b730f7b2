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
from porism._solve import Budget, solve, solve_library

__all__ = [
    "Budget",
    "solve",
    "solve_library",
]
