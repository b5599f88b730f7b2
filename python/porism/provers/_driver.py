"""What a driver is: the thin codec that knows how to talk to one prover. Subclass ``Driver`` to bring your own.

A driver is straight-line code. The pool owns the processes: it starts them, keeps them warm, stops them in time, and
kills what does not obey. ``session.ask(...)`` comes back with an answer, or raises; a driver lets that pass.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from porism._verdicts import Trust

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from porism._core import Session
    from porism._sandbox import Sandbox
    from porism._types import Verdict
    from porism._verdicts import Check, Message


class Framing(StrEnum):
    """How an answer ends in the bytes that a prover prints."""

    LINES = "lines"
    """At a line feed."""
    CONTENT_LENGTH = "content-length"
    """After as many bytes as a header said: language servers."""
    BLANK_LINE = "blank-line"
    """At an empty line: the REPL of Lean."""
    S_EXPRESSION = "s-expression-sexplib"
    """With the parenthesis that closes the first, read as SerAPI prints it."""
    SMT_LIB = "s-expression-smt-lib"
    """The same, read as SMT-LIB."""
    LISP = "s-expression-lisp"
    """The same, read as Common Lisp: ACL2."""
    XML_ELEMENT = "xml-element"
    """With the tag that closes an element: coqidetop."""
    MARKER = "nonce"
    """At a line that the request named: SMT-LIB's ``echo``."""
    MARKER_WITHIN = "nonce-within-line"
    """At a line that holds the word that the request named: programs that complain about it after their prompt."""
    END_OF_FILE = "end-of-file"
    """When the program has ended."""


class Language(StrEnum):
    """What candidates are written in."""

    TPTP = "tptp"
    SMT2 = "smt2"
    DIMACS = "dimacs"
    ROCQ = "rocq"
    LEAN4 = "lean4"
    ISABELLE = "isabelle"
    METAMATH = "metamath"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a worker process is started.

    Attributes:
        program: What to run.
        args: With what.
        framing: How its answers end.
        env: Variables to set beside those inherited; ``None`` as a value takes one away.
        dir: The working directory; the caller's if not given.
        cpu_s: Processor seconds of the whole life of a process, a backstop.
        memory_mb: Mebibytes of address space, a backstop: mapped files count too.
        max_frame_mb: Mebibytes of one answer.
        sandbox: How it is confined; ``None``: it runs with the caller's rights.
    """

    program: str | os.PathLike[str]
    args: tuple[str | os.PathLike[str], ...] = ()
    framing: Framing = Framing.LINES
    env: Mapping[str, str | None] = field(default_factory=dict)
    dir: str | os.PathLike[str] | None = None
    cpu_s: int | None = None
    memory_mb: int | None = None
    max_frame_mb: int = 64
    sandbox: Sandbox | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a driver can do; the pool chooses by it.

    Attributes:
        languages: What it reads.
        trust: The highest level that it can give.
        interruptible: Whether a check can be stopped without losing the process.
        branching: Whether proof states can be kept and gone back to.
        runs_code: Whether candidates can do more than prove: such a prover is confined.
        cost: What a small check costs, relative to others that read the same: the cheapest is asked first.
    """

    languages: frozenset[Language]
    trust: Trust = Trust.L0
    interruptible: bool = False
    branching: bool = False
    runs_code: bool = False
    cost: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One thing to check.

    Attributes:
        candidate: The proof, or the problem, in the prover's language.
        statement: What it must prove; a candidate that proves something else is a mismatch. ``None``: whatever it
            says.
        header: What is trusted and comes first: imports, definitions. Processes that have read it are kept.
        name: What the theorem is called, where a prover needs a name.
        language: What it is written in; ``None``: the named prover knows.
        prover: Who is to check it; ``None``: whoever can.
        trust: The level of trust that is asked for.
        options: What else the driver understands, such as limits.
    """

    candidate: str
    statement: str | None = None
    header: str = ""
    name: str | None = None
    language: Language | None = None
    prover: str | None = None
    trust: Trust = Trust.L0
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofState:
    """Where a proof stands after some steps, or why the last of them could not be made.

    Attributes:
        verdict: ``UNKNOWN`` while goals are left, ``PROVED`` when the prover accepts the whole, ``INCOMPLETE`` when a
            goal was given up, ``REJECTED`` for a step that failed, ``TIMEOUT`` for one that took too long.
        path: The steps that lead here; those before a step that failed.
        goals: The goals in focus, as the prover prints them: hypotheses, a line, the conclusion.
        background: How many goals wait behind them.
        shelved: How many were put aside.
        given_up: How many were given up.
        trouble: Why the step could not be made.
        messages: What the prover said meanwhile.
    """

    verdict: Verdict
    path: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    background: int = 0
    shelved: int = 0
    given_up: int = 0
    trouble: str = ""
    messages: tuple[Message, ...] = ()


class Driver(ABC):
    """How one prover is talked to. One object serves all workers: it keeps nothing between calls."""

    name: str
    """The name under which it is known, such as ``"E"``."""

    options: Mapping[str, type] = MappingProxyType({})
    """What it understands in ``Job.options``, by name and type; anything else is refused."""

    batch: int = 1
    """How many jobs ``audit`` takes at once."""

    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What it can do."""

    def find(self) -> Path | None:
        """Where the prover is installed; ``None`` if that is no place, such as for one inside this process.

        Raises:
            ProverMissingError: It is not; the message says how to get it.
        """
        return None

    @abstractmethod
    def version(self) -> str:
        """The version that the prover reports.

        Raises:
            ProverMissingError: It is not installed.
            ProverError: It is, and does not say.
        """

    def build(self) -> str:
        """What tells this build of the prover and its library from others, for the keys of caches."""
        return self.version()

    @property
    def keeps_process(self) -> bool:
        """Whether processes are kept between checks: whether ``launch`` is there."""
        return type(self).launch is not Driver.launch

    def launch(self, header: str) -> Launch:
        """How to start a process that is kept between checks.

        Args:
            header: What the process will have read.
        """
        raise NotImplementedError(f"{self.name} keeps no process")

    def start(self, session: Session, header: str) -> None:  # noqa: B027 - there may be nothing to greet
        """Greets a new process and has it read the header."""

    @abstractmethod
    def check(self, session: Session, job: Job) -> Check:
        """Checks one candidate.

        Args:
            session: The process. For a driver that keeps none there is only its ``cancel``, for what it starts itself.
            job: What to check.

        Raises:
            ProverStoppedError: The deadline has passed, or nobody wants the answer. Let it pass.
            ProverEndedError: The process ended. Let it pass, unless that means something.
            ProverProtocolError: It said what it must not say; its process is killed.
            ProverMemoryError: It ran out of memory; its process is killed.
        """

    def audit(self, session: Session, jobs: Sequence[Job]) -> list[Check]:
        """Checks candidates that were accepted before at higher levels of trust, where many can be audited as one.

        Args:
            session: The process; all jobs have the header that it has read.
            jobs: What to check, at most ``batch`` of them.
        """
        return [self.check(session, job) for job in jobs]

    def begin(self, session: Session, statement: str) -> ProofState:
        """Begins a proof that goes step by step, for drivers that can branch.

        Raises:
            InputError: The statement is none.
        """
        raise NotImplementedError(f"{self.name} does not go step by step")

    def step(self, session: Session, path: tuple[str, ...], tactic: str, timeout_s: float) -> ProofState:
        """Goes one step further from the state that the steps in ``path`` have led to.

        Raises:
            InputError: The tactic is none.
        """
        raise NotImplementedError(f"{self.name} does not go step by step")

    def recover(self, session: Session) -> None:
        """Makes an interrupted process fit for the next check, and proves that it is: roll back, then a canary.

        Raises:
            ProverError: It is not; the process is killed.
        """
        raise NotImplementedError(f"{self.name} cannot be interrupted: its process is killed")


#: The grace that an interrupted process gets to become fit again, in seconds.
GRACE_S: Final = 1.0
