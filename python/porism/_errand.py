"""What a pool does with one job, on one of its threads."""

from __future__ import annotations

from operator import attrgetter
from time import monotonic
from typing import TYPE_CHECKING, Final

from porism._errors import InputError, ProverError, ProverMissingError, ProverStoppedError
from porism._types import Verdict
from porism._verdicts import Check, Trust
from porism.provers._driver import Capabilities, Driver

if TYPE_CHECKING:
    from porism._answers import Answers
    from porism._core import Session
    from porism._failover import Outages
    from porism._upgrade import Origin
    from porism.provers._driver import Job, Launch


class Errand:
    """One job and the driver that does it. The pool's threads call this; nothing else does.

    Args:
        driver: Who does it.
        job: What is to be done.
        answers: Where answers are kept; ``None``: nowhere.
        deadline_s: How long it may take, from now on.
        origin: What its check tells of where it came from.
        outages: Where it is noted that the prover is missing or does not start.
    """

    __slots__ = (
        "__weakref__",
        "_allowed_s",
        "_answers",
        "_asked",
        "_began",
        "_due",
        "_found",
        "_outages",
        "answer",
        "driver",
        "job",
        "origin",
    )

    def __init__(
        self,
        driver: Driver,
        job: Job,
        answers: Answers | None = None,
        deadline_s: float | None = None,
        origin: Origin | None = None,
        outages: Outages | None = None,
    ) -> None:
        self.driver = driver
        self.job = job
        self.origin = origin
        self._outages = outages
        #: What this errand itself came to: whoever gets another object shares the work of an equal job.
        self.answer: Check | None = None
        self._answers = answers
        self._asked = monotonic()
        self._due = None if deadline_s is None else self._asked + deadline_s
        self._began: float | None = None
        self._allowed_s: float | None = None
        self._found: Check | None = None

    @property
    def prover(self) -> str:
        """Whose processes can do it."""
        return self.driver.name

    @property
    def header(self) -> str:
        """What they have read."""
        return self.job.header

    def key(self) -> bytes:
        """The same for jobs that are the same: they share the work. The queue makes a digest of it."""
        job = self.job
        statement = "" if job.statement is None else f"={job.statement}"
        name = job.name or ""
        options = repr(sorted(job.options.items())) if job.options else ""
        # With the lengths in front, no two jobs come to one text.
        text = (
            f"{self.driver.name} {len(job.candidate)} {len(statement)} {len(job.header)} {len(name)} {int(job.trust)}\0"
            f"{job.candidate}{statement}{job.header}{name}{options}"
        )
        return text.encode(errors="surrogatepass")

    # --- what the pool calls, in this order ---------------------------------------------------------------------------

    @property
    def keeps_process(self) -> bool:
        """Whether it needs a process that is kept. With an answer that was kept it needs none."""
        if self._answers is not None:
            self._found = self._answers.find(self, self._time_left_s())
            if self._found is not None:
                return False
        return self.driver.keeps_process

    def launch(self) -> Launch:
        """How to start a process for it."""
        try:
            return self.driver.launch(self.job.header)
        except ProverMissingError as error:
            self._note_missing(error)
            raise

    def start(self, session: Session) -> None:
        """Makes a new process ready for it."""
        try:
            self.driver.start(session, self.job.header)
        except ProverStoppedError:
            raise
        except ProverError as error:
            self._note_not_started(str(error))
            raise
        if self._outages is not None:
            self._outages.started(self.prover, self.header)

    def check(self, session: Session) -> Check:
        """Does it. What is not in the prover's language says nothing about what was meant."""
        if self._found is not None:
            return self._done(self._found)
        self._began = monotonic()
        self._allowed_s = session.time_left_s
        try:
            check = self.driver.check(session, self.job)
        except (InputError, UnicodeEncodeError) as error:
            # The latter: half a surrogate pair, which no prover can be sent.
            check = no_answer(self.driver.name, Verdict.UNSUPPORTED, str(error))
        except ProverMissingError as error:
            self._note_missing(error)
            raise
        return self._done(self._keep(self._timed(check)))

    def recover(self, session: Session) -> None:
        """Makes a process fit for the next one, after this was stopped."""
        self.driver.recover(session)

    def failed(self, verdict: str, detail: str) -> Check:
        """What is said when there is no answer; "failed" is the word for a process that could not be had."""
        if verdict == Verdict.FAILED:
            self._note_not_started(detail)
        check = self._timed(no_answer(self.driver.name, Verdict(verdict), detail))
        if self._began is None:
            # Who waited in vain for a process has found out nothing about the candidate.
            return self._done(check)
        if check.verdict is Verdict.CANCELLED and self._allowed_s is not None and check.work_s >= self._allowed_s:
            # The queue stops what is late as it stops what nobody wants.
            check = _with(check, verdict=Verdict.TIMEOUT)
        return self._done(self._keep(check))

    def _note_missing(self, error: ProverMissingError) -> None:
        if self._outages is not None:
            self._outages.missing(self.prover, str(error))

    def _note_not_started(self, reason: str) -> None:
        if self._outages is not None:
            self._outages.not_started(self.prover, self.header, reason)

    # --- bookkeeping --------------------------------------------------------------------------------------------------

    def found_at_once(self) -> Check | None:
        """The answer that is at hand, for whoever may not wait for a disk."""
        found = None if self._answers is None else self._answers.peek(self, self._time_left_s())
        return None if found is None else self._done(found)

    def _time_left_s(self) -> float | None:
        return None if self._due is None else max(0.0, self._due - monotonic())

    def _timed(self, check: Check) -> Check:
        """Says how long it waited, for its turn and for a process, and how long the work took."""
        now = monotonic()
        began = now if self._began is None else self._began
        return _with(check, wait_s=began - self._asked, work_s=check.work_s or now - began)

    def _keep(self, check: Check) -> Check:
        if self._answers is not None:
            self._answers.keep(self, check, self._allowed_s)
        return check

    def _done(self, check: Check) -> Check:
        self.answer = check if self.origin is None else _with(check, origin=self.origin)
        return self.answer

    def received(self, check: Check) -> Check:
        """A check as whoever asked for this gets it: one that an equal job came to says so."""
        return check if check is self.answer else _with(check, coalesced=True, origin=self.origin)


class Nobody(Driver):
    """Stands for the driver that there is not: answers that the job is not supported."""

    name = ""

    def __init__(self, why: str) -> None:
        self._why = why

    def capabilities(self) -> Capabilities:
        """Nothing."""
        return Capabilities(languages=frozenset())

    def version(self) -> str:
        """None."""
        return ""

    def check(self, session: Session, job: Job) -> Check:
        """Says why not."""
        return no_answer(self.name, Verdict.UNSUPPORTED, self._why)


def no_answer(prover: str, verdict: Verdict, detail: str) -> Check:
    """A check that did not come to an answer: a word about the attempt, never about the candidate."""
    return Check(verdict=verdict, trust=Trust.L0, prover=prover, detail=detail)


_VALUES: Final = attrgetter(*Check.__slots__)
_PLACES: Final = {name: place for place, name in enumerate(Check.__slots__)}


def _with(check: Check, **changes: object) -> Check:
    """``dataclasses.replace`` in a third of its time: every job pays for it."""
    values = list(_VALUES(check))
    for name, value in changes.items():
        values[_PLACES[name]] = value
    return Check(*values)
