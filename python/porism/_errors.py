"""Every exception that Porism raises on purpose, in one tree.

::

    PorismError
    ├── InputError            what was handed over cannot be used; also a ValueError
    │   └── ParseError        a malformed file: path, line, column, expected, found
    ├── ProverError           a prover could not be run or broke its protocol
    │   └── ProverMissingError    it is not installed; the message holds the pip command
    ├── StoreError            the memory on disk
    │   ├── NotAMemoryError       the path is no memory
    │   ├── FormatError           it was written by a newer or older Porism, or with another embedder
    │   ├── DamagedError          bytes disagree with their checksum or their length
    │   ├── BudgetError           a write would make the memory larger than it may be
    │   ├── ConflictError         somebody else has written since the caller looked
    │   ├── LockedError           another process holds the write lock
    │   └── StoreIOError          the disk is full, read-only or gone
    └── CancelledError        the caller asked to stop
"""

from __future__ import annotations


class PorismError(Exception):
    """The root: ``except porism.PorismError`` catches everything that Porism raises on purpose."""


class InputError(PorismError, ValueError):
    """What was handed over cannot be used; the message says why and what to do."""


class ParseError(InputError):
    """A malformed file.

    Attributes:
        path: The file, or ``None`` for text.
        line: 1-based line.
        column: 1-based column, in characters.
        expected: What would have been right there.
        found: What stood there.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        line: int = 0,
        column: int = 0,
        expected: str = "",
        found: str = "",
    ) -> None:
        super().__init__(message)
        self.path = path
        self.line = line
        self.column = column
        self.expected = expected
        self.found = found


class ProverError(PorismError):
    """A prover could not be run, or broke its protocol: never a verdict about the goal."""


class ProverMissingError(ProverError):
    """A prover is not installed; the message holds the command that installs it."""


class StoreError(PorismError):
    """The memory on disk cannot be used as asked; what was acknowledged before is unharmed."""


class NotAMemoryError(StoreError):
    """The path does not hold a memory."""


class FormatError(StoreError):
    """The memory was written in a format that this version does not read."""


class DamagedError(StoreError):
    """Bytes on disk disagree with their checksum or their length; the message names file and place."""


class BudgetError(StoreError):
    """A write would make the memory larger than its budget; nothing was written."""


class ConflictError(StoreError):
    """Somebody else has written since the caller looked; the message names both generations."""


class LockedError(StoreError):
    """Another process holds the write lock, and did not let go in time."""


class StoreIOError(StoreError):
    """The operating system refused: disk full, read-only, gone."""


class CancelledError(PorismError):
    """The caller asked to stop."""
