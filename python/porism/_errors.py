"""Every exception that Porism raises on purpose, in one tree.

::

    PorismError
    ├── InputError            what was handed over cannot be used; also a ValueError
    │   └── ParseError        a malformed file: path, line, column, expected, found
    ├── ProverError           a prover could not be run or broke its protocol
    │   ├── ProverMissingError    it is not installed; the message holds the command that installs it
    │   ├── ProverEndedError      its process ended: code, signal
    │   ├── ProverProtocolError   it said what it must not say
    │   ├── ProverMemoryError     it ran out of memory
    │   └── ProverStoppedError    the deadline passed, or nobody wants the answer any more
    ├── StoreError            the memory, or the verdict cache, on disk
    │   ├── NotAMemoryError       the path is no memory
    │   ├── NotACacheError        the path is no verdict cache
    │   ├── FormatError           it was written by a newer or older Porism, or with another embedder
    │   ├── DamagedError          bytes disagree with their checksum or their length
    │   ├── BudgetError           a write would make the memory larger than it may be
    │   ├── ConflictError         somebody else has written since the caller looked
    │   ├── LockedError           another process holds the write lock
    │   └── StoreIOError          the disk is full, read-only or gone
    ├── QueueError            a request was not worked on to its end: no verdict about what was asked
    │   ├── OverloadedError       the queue is full, or too busy for the deadline: expected_wait_s, full
    │   ├── DeadlineError         the deadline passed first
    │   ├── WorkerError           the worker broke
    │   └── ClosedError           the queue is closed
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


class ProverEndedError(ProverError):
    """The process of a prover ended when it should have answered.

    Attributes:
        code: Its exit code, or ``None``.
        signal: The signal that ended it, or ``None``.
    """

    def __init__(self, message: str, *, code: int | None = None, signal: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.signal = signal


class ProverProtocolError(ProverError):
    """A prover said what it must not say; its process is ended, since nothing that it says can be believed."""


class ProverMemoryError(ProverError):
    """A prover ran out of memory; its process is ended, since it may answer wrongly from then on."""


class ProverStoppedError(ProverError):
    """The deadline has passed, or nobody wants the answer any more. A driver lets this pass."""


class StoreError(PorismError):
    """The memory on disk cannot be used as asked; what was acknowledged before is unharmed."""


class NotAMemoryError(StoreError):
    """The path does not hold a memory."""


class NotACacheError(StoreError):
    """The path does not hold a verdict cache."""


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


class QueueError(PorismError):
    """A request to a queue was not worked on to its end. It says nothing about what was asked."""


class OverloadedError(QueueError):
    """A request was not taken: the queue is full, or so busy that the deadline could not be met. Nothing was queued.

    Attributes:
        expected_wait_s: About how many seconds until there is a place, or until work would begin.
        full: Whether a place is missing; otherwise it is time.
    """

    def __init__(self, message: str, *, expected_wait_s: float = 0.0, full: bool = True) -> None:
        super().__init__(message)
        self.expected_wait_s = expected_wait_s
        self.full = full


class DeadlineError(QueueError):
    """The deadline of a request passed before there was an answer."""


class WorkerError(QueueError):
    """The worker broke, or raised what cannot be passed on; the message says how."""


class ClosedError(QueueError):
    """The queue was closed, so the request was not taken or not answered."""


class CancelledError(PorismError):
    """The caller asked to stop."""
