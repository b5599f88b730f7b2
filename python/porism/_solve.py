"""The loop: recall, propose, check, settle, again.

Mechanism (features, rankings, processes, storage) is Rust; what stands here is policy: what to ask, whom, and when to
stop.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from porism import _core
from porism._errors import InputError
from porism._experience import Experience
from porism._ledger import Ledger
from porism._policy import DEFAULT_SCHEDULE, Planned, Rankings, Schedule, plan
from porism._pool import Pool
from porism._types import Receipt, Verdict
from porism.provers import Confirmation, E, Job, Language, Reprover

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from porism._memory import Memory
    from porism._queue_types import Completed
    from porism._verdicts import Check


#: Seconds that a second prover has for a proof as a whole, before its steps are looked at.
GLANCE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one goal may cost.

    Attributes:
        seconds: Wall seconds; ``None`` for no bound beside the schedule's own.
        attempts: Tries.
        cpu_seconds: CPU seconds of one try, behind its limit in clauses.
        check_seconds: Seconds that each second prover has to confirm a proof.
    """

    seconds: float | None = 60.0
    attempts: int | None = None
    cpu_seconds: int = 10
    check_seconds: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try, as it went.

    Attributes:
        label: Which premises it was given: a ranking and a size.
        premises: How many those were.
        generated: The prover's limit in generated clauses.
        szs: The prover's own word, as in the SZS ontology; empty when it gave none.
        verdict: What that means for the goal; a counter-model of a slice is ``unknown``, because premises were left
            out.
        seconds: Wall seconds.
    """

    label: str
    premises: int
    generated: int
    szs: str
    verdict: Verdict
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a goal.

    Attributes:
        name: The name of the goal in its file.
        verdict: ``proved`` when a second prover has confirmed the proof, ``refuted`` when a second prover has confirmed
            a counter-model, else ``unknown``.
        proved: Whether the first prover claims a proof.
        reproved: Whether a second prover proved the goal again from the premises that were used.
        disputed: Whether a second prover contradicts the first.
        prover: The first prover.
        prover_version: In which version.
        proof: The first prover's derivation, as text.
        used: Names of the premises in it.
        receipt: Who confirmed what; ``None`` unless the verdict is ``proved``.
        winner: The label of the try that won.
        attempts: Every try that was started.
        rank_seconds: Seconds spent on ranking.
        seconds: Wall seconds for everything.
    """

    name: str
    verdict: Verdict = Verdict.UNKNOWN
    proved: bool = False
    reproved: bool = False
    disputed: bool = False
    prover: str = ""
    prover_version: str = ""
    proof: str | None = None
    used: tuple[str, ...] = ()
    receipt: Receipt | None = None
    winner: str | None = None
    attempts: tuple[Attempt, ...] = ()
    rank_seconds: float = 0.0
    seconds: float = 0.0

    @property
    def solved(self) -> bool:
        """Whether the goal was decided, and the decision confirmed."""
        return self.verdict is not Verdict.UNKNOWN


@dataclass(slots=True)
class _Run:
    """One contestant's answer, as the race sees it."""

    planned: Planned
    claim: Check
    complete: bool
    exact: bool

    @property
    def won(self) -> bool:
        return self.claim.verdict is Verdict.PROVED or self.refutes

    @property
    def refutes(self) -> bool:
        """A counter-model counts only when nothing was left out."""
        return self.complete and self.exact and self.claim.verdict is Verdict.REFUTED

    def attempt(self) -> Attempt:
        decided = self.claim.verdict is not Verdict.REFUTED or self.refutes
        return Attempt(
            label=self.planned.attempt.label,
            premises=len(self.planned.premises),
            generated=self.planned.attempt.generated,
            szs=self.claim.raw,
            verdict=self.claim.verdict if decided else Verdict.UNKNOWN,
            seconds=self.claim.work_s,
        )


class _Contest:
    """The tries for one goal, as jobs of a pool."""

    def __init__(self, solver: Solver, goal: _core.Goal, planned: Sequence[Planned], available: int) -> None:
        self._solver = solver
        self._goal = goal
        self._planned = planned
        self._available = available
        self._exact: list[bool] = []

    def jobs(self) -> Iterator[Job]:
        """One for each try. A problem is written down when there is room to work on it."""
        for one in self._planned:
            problem = self._solver.library.tptp(self._goal, list(one.premises))
            # Provers are not told that numbers or distinct objects differ: a proof holds without, a counter-model may
            # not.
            self._exact.append("'number " not in problem and '"' not in problem)
            options = {
                "generated": one.attempt.generated,
                "cpu_s": self._solver.budget.cpu_seconds,
                "auto_schedule": one.attempt.auto_schedule,
            }
            yield Job(candidate=problem, language=Language.TPTP, options=options)

    def is_won_by(self, done: Completed[Job, Check]) -> bool:
        """Whether a try ends the race."""
        return self.run(done).won

    def run(self, done: Completed[Job, Check]) -> _Run:
        """What came of a try.

        Raises:
            ProverError: The prover could not be run.
        """
        one = self._planned[done.position]
        complete = len(one.premises) == self._available
        return _Run(one, done.result(), complete=complete, exact=self._exact[done.position])


@dataclass(slots=True)
class Solver:
    """Solves the goals of one library, one after the other, and learns from each.

    Attributes:
        library: The formulas.
        schedule: The tries for each goal, in order.
        budget: What one goal may cost.
        ledger: Where evidence and events are kept; ``None`` keeps nothing beyond this object.
        usable: One flag a formula: whether it may be a premise at all; empty allows everything.
        ordered: Whether the earliest try in the schedule wins rather than the first to finish: the same outcome on
            every run.
        learns: Whether proofs change later rankings.
        workers: Provers at once; all cores by default.
    """

    library: _core.Library
    schedule: Schedule = DEFAULT_SCHEDULE
    budget: Budget = field(default_factory=Budget)
    ledger: Ledger | None = None
    usable: Sequence[bool] = ()
    ordered: bool = False
    learns: bool = True
    workers: int | None = None
    prover: E = field(default_factory=E)
    reprover: Reprover = field(default_factory=Reprover)
    experience: Experience = field(default_factory=Experience)
    _pool: Pool = field(init=False)

    def __post_init__(self) -> None:
        self._pool = Pool([self.prover], workers=self.workers or 0, name="solve")
        if self.ledger is not None and self.learns:
            self.ledger.replay(self.experience)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close(cancel=True)

    def solve(self, goal: _core.Goal, *, usable: Sequence[bool] | None = None) -> Result:
        """Runs the loop on one goal.

        Raises:
            ProverMissingError: E, or every second prover, is not installed.
            StoreError: the memory cannot be written.
        """
        started = time.monotonic()
        rankings = Rankings(
            self.library, goal, experience=self.experience, usable=self.usable if usable is None else usable
        )
        planned = plan(self.schedule, rankings)[: self.budget.attempts]
        rank_seconds = time.monotonic() - started
        event = None if self.ledger is None else self.ledger.recalled(goal, planned, rankings)

        result = self._pursue(goal, planned, len(rankings.premises), rank_seconds=rank_seconds, started=started)
        used = self._positions(goal, result.used)
        if result.reproved and self.learns:
            rankings.judge(used)
            self.experience.learn(goal, used)
        if self.ledger is not None and event is not None:
            self.ledger.settle(event, goal, result, used)
        return result

    def _pursue(
        self, goal: _core.Goal, planned: Sequence[Planned], available: int, *, rank_seconds: float, started: float
    ) -> Result:
        """Races the tries; when nobody confirms the winner's claim, the tries after it go on."""
        made: list[_Run] = []
        best: Result | None = None
        while True:
            contest = _Contest(self, goal, planned, available)
            race = self._pool.race(
                contest.jobs(),
                accept=contest.is_won_by,
                ordered=self.ordered,
                deadline_s=self._seconds_left(started),
                ahead=self._pool.workers,
            )
            ended = [contest.run(done) for done in race.ended]
            winner = next((run for run in ended if run.won), None)
            # What stands after the winner was ended with it, and is tried again if need be.
            made += ended if winner is None else ended[: ended.index(winner) + 1]
            result = self._judge(goal, winner, made, rank_seconds=rank_seconds, left=self._seconds_left(started))
            best = result if best is None or result.solved else replace(best, attempts=result.attempts)
            if winner is None or best.solved:
                return replace(best, seconds=time.monotonic() - started)
            planned = planned[planned.index(winner.planned) + 1 :]

    def _seconds_left(self, started: float) -> float | None:
        if self.budget.seconds is None:
            return None
        return max(0.0, self.budget.seconds - (time.monotonic() - started))

    def _judge(
        self,
        goal: _core.Goal,
        winner: _Run | None,
        made: Sequence[_Run],
        *,
        rank_seconds: float,
        left: float | None,
    ) -> Result:
        """Puts the winner's claim to a second prover, and writes down what came out."""
        outcome = partial(
            Result,
            name=self.name(goal),
            prover=self.prover.name,
            prover_version=self.prover.version(),
            attempts=tuple(run.attempt() for run in made),
            rank_seconds=rank_seconds,
        )
        if winner is None:
            return outcome()
        proved = winner.claim.verdict is Verdict.PROVED
        premises = self._used(winner) if proved else winner.planned.premises
        used = tuple(map(self.library.name, premises)) if proved else ()
        question = self.library.smt2(goal, list(premises))
        # A claim in the last moment is still worth a second's look.
        seconds = self.budget.check_seconds if left is None else min(self.budget.check_seconds, max(1.0, left))
        answer = self._confirm(goal, winner.claim, question, used, premises, seconds)
        agreed = answer.verdict is winner.claim.verdict
        contradictions = (Verdict.PROVED, Verdict.REFUTED) if winner.exact else (Verdict.PROVED,)
        return outcome(
            verdict=winner.claim.verdict if agreed else Verdict.UNKNOWN,
            proved=proved,
            reproved=proved and agreed,
            disputed=not agreed and answer.verdict in contradictions,
            proof=winner.claim.proof,
            used=used,
            receipt=_receipt(question, winner.claim, answer) if proved and agreed else None,
            winner=winner.planned.attempt.label,
        )

    def _confirm(
        self,
        goal: _core.Goal,
        claim: Check,
        question: str,
        used: Sequence[str],
        premises: Sequence[int],
        seconds: float,
    ) -> Confirmation:
        """Asks for the whole, then for each step of the proof, then for the whole with patience."""
        answer = self.reprover.confirm(question, seconds=min(GLANCE_S, seconds))
        if answer.verdict is not Verdict.UNKNOWN or seconds <= GLANCE_S:
            return answer
        if claim.proof is not None:
            assumed = dict(zip(used, map(self.library.statement, premises), strict=True))
            target = None
            for member in goal.members:
                if self.library.role(member) == "negated_conjecture":
                    assumed[self.library.name(member)] = self.library.statement(member)
                else:
                    target = self.library.name(member), self.library.statement(member)
            steps = self.reprover.confirm_steps(claim.proof, premises=assumed, goal=target, seconds=seconds)
            if steps.verdict is Verdict.PROVED:
                return steps
        return self.reprover.confirm(question, seconds=seconds)

    def _used(self, winner: _Run) -> Sequence[int]:
        """The premises in the winner's proof; all that it was given, should the prover have garbled a name."""
        given = {self.library.name(at): at for at in winner.planned.premises}
        known = set(winner.claim.used) <= given.keys()
        return [given[name] for name in winner.claim.used] if known else winner.planned.premises

    def name(self, goal: _core.Goal) -> str:
        """The goal's name; for a goal of several clauses, the first one's."""
        return self.library.name(goal.members[0]) if goal.members else "contradiction"

    def _positions(self, goal: _core.Goal, names: Sequence[str]) -> list[int]:
        known = {self.library.name(at): at for at in self.library.premises(goal)}
        return [known[name] for name in names]


def _receipt(question: str, claim: Check, answer: Confirmation) -> Receipt:
    return Receipt(
        claim_hash=_core.content_hash(question.encode()),
        certificate_hash=_core.content_hash((claim.proof or "").encode()),
        checker=f"{answer.by}, step by step" if answer.steps else answer.by,
        checker_version=answer.version,
    )


def solve_library(
    path: str | os.PathLike[str],
    *,
    memory: Memory | None = None,
    budget: Budget | None = None,
    schedule: Schedule = DEFAULT_SCHEDULE,
    workers: int | None = None,
) -> Iterator[Result]:
    """Solves every goal of a library in order, and learns on the way.

    Args:
        path: A TPTP file with several conjectures, each of which may use everything before it, or a folder of TPTP
            problems (sorted with numbers by value, or in the order of its ``library.txt``).
        memory: Where to recall from and settle to; nothing is kept without one.
        budget: What one goal may cost.
        schedule: What is tried for each goal.
        workers: Provers at once; all cores by default.

    Yields:
        One result a goal, in order.

    Raises:
        InputError: the library is malformed; ``ParseError`` says where.
        ProverError: a prover is missing or broke its protocol.
        StoreError: the memory cannot be used.
    """
    library = _core.Library.read(path)
    with _solver(library, path, memory, budget, schedule, workers) as solver:
        for goal in library.goals():
            yield solver.solve(goal)


def solve(
    path: str | os.PathLike[str],
    *,
    memory: Memory | None = None,
    budget: Budget | None = None,
    schedule: Schedule = DEFAULT_SCHEDULE,
    workers: int | None = None,
) -> Result:
    """Solves one TPTP problem: recall, propose, check, settle, again.

    Args:
        path: A file with one conjecture (or a negated one, or none: then everything together is to be refuted).
        memory: Where to recall from and settle to; nothing is kept without one.
        budget: What it may cost.
        schedule: What is tried.
        workers: Provers at once; all cores by default.

    Returns:
        The verdict, with proof, premises used, receipt, and every try.

    Raises:
        InputError: the problem is malformed; ``ParseError`` says where.
        ProverError: a prover is missing or broke its protocol.
        StoreError: the memory cannot be used.
    """
    library = _core.Library.read(path)
    goals = library.goals()
    if len(goals) != 1:
        raise InputError(f"{path}: expected one conjecture, found {len(goals)}; use porism.solve_library")
    with _solver(library, path, memory, budget, schedule, workers) as solver:
        return solver.solve(goals[0])


def _solver(
    library: _core.Library,
    path: str | os.PathLike[str],
    memory: Memory | None,
    budget: Budget | None,
    schedule: Schedule,
    workers: int | None,
) -> Solver:
    ledger = None if memory is None else Ledger(memory, library, source=Path(path).name)
    return Solver(library, schedule=schedule, budget=budget or Budget(), ledger=ledger, workers=workers)
