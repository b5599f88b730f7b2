"""What a pool does with one job, on one of its threads."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from porism._errors import InputError, ProverError, ProverMissingError, ProverStoppedError
from porism._types import Verdict
from porism._verdicts import Check, Trust
from porism.provers._driver import Capabilities, Driver

if TYPE_CHECKING:
    from porism._core import Session
    from porism._failover import Outages
    from porism.provers._driver import Job, Launch


class Errand:
    """One job and the driver that does it. The pool's threads call this; nothing else does."""

    __slots__ = ("_outages", "driver", "job")

    def __init__(self, driver: Driver, job: Job, outages: Outages | None = None) -> None:
        self.driver = driver
        self.job = job
        self._outages = outages

    @property
    def prover(self) -> str:
        """Whose processes can do it."""
        return self.driver.name

    @property
    def header(self) -> str:
        """What they have read."""
        return self.job.header

    def key(self) -> bytes:
        """The same for jobs that are the same: they share the work."""
        job = self.job
        parts = (
            self.driver.name,
            job.candidate,
            "" if job.statement is None else f"={job.statement}",
            job.header,
            job.name or "",
            str(int(job.trust)),
            repr(sorted(job.options.items())),
        )
        digest = hashlib.blake2b(digest_size=32)
        for part in parts:
            encoded = part.encode(errors="surrogatepass")
            digest.update(len(encoded).to_bytes(8, "little"))
            digest.update(encoded)
        return digest.digest()

    @property
    def keeps_process(self) -> bool:
        """Whether it needs a process that is kept."""
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
        try:
            return self.driver.check(session, self.job)
        except (InputError, UnicodeEncodeError) as error:
            # The latter: half a surrogate pair, which no prover can be sent.
            return no_answer(self.driver.name, Verdict.UNSUPPORTED, str(error))
        except ProverMissingError as error:
            self._note_missing(error)
            raise

    def recover(self, session: Session) -> None:
        """Makes a process fit for the next one, after this was stopped."""
        self.driver.recover(session)

    def failed(self, verdict: str, detail: str) -> Check:
        """What is said when there is no answer; "failed" is the word for a process that could not be had."""
        if verdict == Verdict.FAILED:
            self._note_not_started(detail)
        return no_answer(self.driver.name, Verdict(verdict), detail)

    def _note_missing(self, error: ProverMissingError) -> None:
        if self._outages is not None:
            self._outages.missing(self.prover, str(error))

    def _note_not_started(self, reason: str) -> None:
        if self._outages is not None:
            self._outages.not_started(self.prover, self.header, reason)


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
