"""Whether a driver keeps what the pool promises: a suite for drivers of ours and of users. See ``docs/drivers.md``.

::

    from porism.testing import conformance

    conformance.check_driver(MyDriver(), good=Job(candidate="..."), bad=Job(candidate="..."), endless=Job(...))

or, test by test, ``@pytest.mark.parametrize("name", conformance.CHECKS)`` and ``conformance.run(name, subject)``.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from porism._errors import CancelledError, InputError, ProverMissingError
from porism._pool import Pool
from porism._types import Verdict
from porism._verdicts import Check, Trust
from porism.provers._driver import Capabilities, Driver, Job, Language
from porism.testing._observed import Marked, Observed, Trickled, comes_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["CHECKS", "ConformanceError", "NotApplicableError", "Report", "Subject", "check_driver", "run"]

#: Verdicts that say of a bad candidate what may be said of it.
_NOT_PROVED: Final = frozenset(
    {Verdict.REFUTED, Verdict.UNKNOWN, Verdict.REJECTED, Verdict.INCOMPLETE, Verdict.MISMATCH}
)
_ODD_TEXTS: Final = ("", "\0", ")))) '\" (*", "\N{SNOWMAN} \ud800", "((((" * 100, "x" * 100_000)

# Long enough for a loaded machine to start a prover and be surprised by an endless job.
_ENOUGH_S: Final = 1.0
_MANY: Final = 24


class ConformanceError(AssertionError):
    """A driver does not keep a promise; the message says which, and what it did instead."""


class NotApplicableError(Exception):
    """A check says nothing about this driver; the message says why."""


def with_line_feeds(job: Job, number: int) -> Job:
    """The same job in other bytes, so that no two share their work: line feeds behind the candidate."""
    return replace(job, candidate=job.candidate + "\n" * number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A driver, and what is known about its jobs.

    Attributes:
        driver: The driver.
        good: A job that it proves.
        bad: A job that it must not prove.
        endless: A job that takes longer than anybody waits; without one, nothing is stopped or killed.
        missing: The same driver, told to use a program that is not there.
        vary: Makes of a job and a number another job with the same answer.
        grace_s: How long its process may take to come back after an interrupt.
    """

    driver: Driver
    good: Job
    bad: Job
    endless: Job | None = None
    missing: Driver | None = None
    vary: Callable[[Job, int], Job] = with_line_feeds
    grace_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Report:
    """What the suite came to for a driver that passed.

    Attributes:
        passed: The checks that it passed.
        skipped: Those that say nothing about it, and why.
    """

    passed: tuple[str, ...]
    skipped: Mapping[str, str]


def check_driver(
    driver: Driver,
    *,
    good: Job,
    bad: Job,
    endless: Job | None = None,
    missing: Driver | None = None,
    vary: Callable[[Job, int], Job] = with_line_feeds,
    grace_s: float = 5.0,
    without: Iterable[str] = (),
) -> Report:
    """Runs the whole suite.

    Args:
        driver: The driver.
        good: A job that it proves.
        bad: A job that it must not prove.
        endless: A job that takes longer than anybody waits.
        missing: The same driver, told to use a program that is not there.
        vary: Makes of a job and a number another job with the same answer.
        grace_s: How long its process may take to come back after an interrupt.
        without: Names of checks to leave out.

    Raises:
        ConformanceError: It does not keep what is promised; the message lists all that is wrong.
    """
    subject = Subject(driver=driver, good=good, bad=bad, endless=endless, missing=missing, vary=vary, grace_s=grace_s)
    passed: list[str] = []
    skipped = dict.fromkeys(without, "left out")
    wrong: list[str] = []
    for name in CHECKS:
        if name in skipped:
            continue
        try:
            run(name, subject)
        except NotApplicableError as reason:
            skipped[name] = str(reason)
        except AssertionError as error:
            wrong.append(f"{name}: {error}")
        else:
            passed.append(name)
    if wrong:
        raise ConformanceError("\n".join([f"{driver.name} is not as a driver has to be:", *wrong]))
    return Report(tuple(passed), skipped)


def run(name: str, subject: Subject) -> None:
    """Runs one check.

    Raises:
        ConformanceError: The driver does not pass it.
        NotApplicableError: It says nothing about this driver.
    """
    CHECKS[name](subject)


# --- what it says of itself -------------------------------------------------------------------------------------------


def _name(subject: Subject) -> None:
    name = subject.driver.name
    _expect(isinstance(name, str) and name == name.strip() != "", f"its name is {name!r}")
    _expect(name.isprintable(), f"its name is {name!r}")


def _version(subject: Subject) -> None:
    driver = subject.driver
    version = driver.version()
    _expect(isinstance(version, str) and version.strip() != "", f"its version is {version!r}")
    _expect("\n" not in version and len(version) < 200, f"its version is no short line: {version[:300]!r}")
    _expect(driver.version() == version, "it reports another version when it is asked again")
    _expect(driver.build() == driver.build() != "", "its build is not always the same, or says nothing")


def _capabilities(subject: Subject) -> None:
    driver = subject.driver
    can = driver.capabilities()
    _expect(isinstance(can, Capabilities) and can == driver.capabilities(), "its capabilities change")
    _expect(bool(can.languages) and all(isinstance(one, Language) for one in can.languages), "it reads nothing known")
    _expect(isinstance(can.trust, Trust), f"its trust is {can.trust!r}")
    _expect(can.cost > 0, f"its cost is {can.cost}")
    _expect(not can.interruptible or driver.keeps_process, "what keeps no process cannot be interrupted and reused")
    recovers = type(driver).recover is not Driver.recover
    _expect(not can.interruptible or recovers, "it is interruptible, and has no recover")
    bad = [name for name, kind in driver.options.items() if not (isinstance(name, str) and isinstance(kind, type))]
    _expect(not bad, f"its options {bad} have no type")


def _missing(subject: Subject) -> None:
    if subject.missing is None:
        raise NotApplicableError("no driver with a missing program was given")
    missing = subject.missing
    try:
        said = missing.version()
    except ProverMissingError as error:
        _expect(str(error) != "", "it does not say how to get what is missing")
    else:
        raise ConformanceError(f"the version of what is missing is {said!r}")
    with Pool([missing], workers=1) as pool:
        try:
            check = pool.check(_for(missing, subject.good))
        except ProverMissingError:
            return
    raise ConformanceError(f"what is missing says {check.verdict}")


# --- what it answers --------------------------------------------------------------------------------------------------


def _answers(subject: Subject) -> None:
    with _pool(subject) as pool:
        for job, right in (("good", True), ("bad", False), ("good", True), ("bad", False)):
            _expect_answer(pool.check(_for(subject.driver, getattr(subject, job))), subject, right, f"the {job} job")


def _odd_text(subject: Subject) -> None:
    with _pool(subject) as pool:
        for text in _ODD_TEXTS:
            check = pool.check(_for(subject.driver, replace(subject.bad, candidate=text)), deadline_s=60.0)
            _expect(check.verdict is not Verdict.PROVED, f"it proves {text[:40]!r}")
            _expect_answer(pool.check(_for(subject.driver, subject.good)), subject, True, f"after {text[:40]!r}")


def _trust(subject: Subject) -> None:
    highest = subject.driver.capabilities().trust
    with _pool(subject) as pool:
        for trust in Trust:
            job = _for(subject.driver, replace(subject.good, trust=trust))
            if trust <= highest:
                check = pool.check(job)
                _expect(check.trust <= highest, f"it claims {check.trust.name} and can give {highest.name}")
                _expect(check.verdict is Verdict.PROVED, f"at {trust.name} it says {_said(check)} of the good job")
            else:
                _expect_refused(pool, job, f"{trust.name} is more than {highest.name}")


def _json(subject: Subject) -> None:
    with _pool(subject) as pool:
        for job in (subject.good, subject.bad):
            check = pool.check(_for(subject.driver, job))
            try:
                text = json.dumps(asdict(check))
            except (TypeError, ValueError) as error:
                raise ConformanceError(f"its check does not go into JSON: {error}") from error
            _expect(json.loads(text)["prover"] == subject.driver.name, "its check says another prover")


# --- what it refuses --------------------------------------------------------------------------------------------------


def _options(subject: Subject) -> None:
    with _pool(subject) as pool:
        unknown = {"no-such-option-of-any-prover": 1}
        _expect_refused(pool, _for(subject.driver, replace(subject.good, options=unknown)), "an unknown option")
        for name in subject.driver.options:
            mistyped = {name: object()}
            _expect_refused(pool, _for(subject.driver, replace(subject.good, options=mistyped)), f"an object as {name}")


def _languages(subject: Subject) -> None:
    can = subject.driver.capabilities()
    with _pool(subject) as pool:
        for language in Language:
            if language not in can.languages:
                _expect_refused(pool, replace(subject.good, prover=None, language=language), f"a job in {language}")
        for language in can.languages:
            job = replace(subject.good, prover=None, language=language)
            _expect(any(route.suits for route in pool.routes(job)), f"it does not take a job in {language}")


# --- what it does when it is stopped ----------------------------------------------------------------------------------


def _deadline(subject: Subject) -> None:
    endless = _endless(subject)
    with _pool(subject) as pool:
        check = pool.check(_for(subject.driver, endless), deadline_s=_ENOUGH_S)
        _expect(check.verdict is Verdict.TIMEOUT, f"after its deadline the endless job is {_said(check)}")
        _expect_answer(pool.check(_for(subject.driver, subject.good)), subject, True, "after a deadline")
        _expect_answer(pool.check(_for(subject.driver, subject.bad)), subject, False, "after a deadline")


def _cancel(subject: Subject) -> None:
    endless = _endless(subject)
    observed = Observed(subject.driver)
    with _pool(subject, observed) as pool:
        # At once, while it is being asked, whatever that does to its process; and later, when it is at work.
        for waits_s in (0.0, _ENOUGH_S):
            _expect_answer(pool.check(_for(subject.driver, subject.good)), subject, True, "before a cancel")
            before = pool.metrics().processes.counts["recoveries"]
            observed.checking.clear()
            ticket = pool.submit(_for(subject.driver, endless))
            _expect(observed.checking.wait(60.0), "the endless job does not begin")
            time.sleep(waits_s)
            ticket.cancel()
            try:
                said = ticket.result()
            except CancelledError:
                pass
            else:
                raise ConformanceError(f"the endless job ended: {_said(said)}")
            _expect_answer(pool.check(_for(subject.driver, subject.good)), subject, True, "after a cancel")
            _expect_answer(pool.check(_for(subject.driver, subject.bad)), subject, False, "after a cancel")
        counts = pool.metrics().processes.counts
    if subject.driver.capabilities().interruptible:
        _expect(counts["recoveries"] > before, f"it is interruptible, and its process did not come back: {counts}")


def _crash(subject: Subject) -> None:
    endless = _endless(subject)
    observed = Observed(subject.driver)
    with Marked() as marked, _pool(subject, observed) as pool:
        ticket = pool.submit(_for(subject.driver, endless))
        _expect(observed.checking.wait(60.0), "the endless job does not begin")
        _expect(comes_true(marked.processes), "the endless job starts no process that inherits the environment")
        # One that is started at this very moment is not among them the first time.
        _expect(comes_true(lambda: ticket.done or marked.killed()), "its processes were killed, and it goes on")
        check = ticket.result()
        _expect(check.verdict is Verdict.CRASHED, f"its processes were killed, and it says {_said(check)}")
        _expect_answer(pool.check(_for(subject.driver, subject.good)), subject, True, "after its process was killed")


def _close(subject: Subject) -> None:
    with Marked() as marked:
        with _pool(subject, workers=2) as pool:
            _expect_answer(pool.check(_for(subject.driver, subject.good)), subject, True, "the good job")
            if subject.endless is not None:
                pool.submit(_for(subject.driver, subject.endless))
                _expect(comes_true(lambda: pool.metrics().queue.running), "the endless job does not begin")
            pool.close(cancel=True)
        _expect(comes_true(lambda: not marked.processes()), "a process is left after the pool was closed")


# --- what must not depend on chance -----------------------------------------------------------------------------------


def _together(subject: Subject) -> None:
    jobs = [subject.bad if number % 3 else subject.good for number in range(_MANY)]
    varied = [_for(subject.driver, subject.vary(job, number)) for number, job in enumerate(jobs)]
    with _pool(subject, workers=4) as pool:
        seen: dict[int, Check] = {}
        for one in pool.map(varied):
            _expect(one.error is None, f"job {one.position} raises {one.error!r}")
            _expect(one.position not in seen, f"job {one.position} is answered twice")
            if one.value is not None:
                seen[one.position] = one.value
        _expect(len(seen) == len(jobs), f"{len(jobs)} jobs, and {len(seen)} answers")
        for position, check in seen.items():
            _expect_answer(check, subject, position % 3 == 0, f"job {position} of many at once")


def _split_frames(subject: Subject) -> None:
    if not subject.driver.keeps_process:
        raise NotApplicableError("it keeps no process whose answers have frames")
    with _pool(subject, Trickled(subject.driver)) as pool:
        for job, right in (("good", True), ("bad", False), ("good", True)):
            check = pool.check(_for(subject.driver, getattr(subject, job)))
            _expect_answer(check, subject, right, f"byte by byte, the {job} job")


CHECKS: Final[Mapping[str, Callable[[Subject], None]]] = {
    "name": _name,
    "version": _version,
    "capabilities": _capabilities,
    "missing program": _missing,
    "answers": _answers,
    "odd text": _odd_text,
    "trust": _trust,
    "json": _json,
    "options": _options,
    "languages": _languages,
    "deadline": _deadline,
    "cancel": _cancel,
    "crash": _crash,
    "close": _close,
    "together": _together,
    "split frames": _split_frames,
}
"""The suite: each check by its name, in the order in which they run."""


# --- pieces -----------------------------------------------------------------------------------------------------------


def _pool(subject: Subject, driver: Driver | None = None, workers: int = 1) -> Pool:
    return Pool([driver or subject.driver], workers=workers, grace_s=subject.grace_s)


def _for(driver: Driver, job: Job) -> Job:
    return replace(job, prover=driver.name)


def _endless(subject: Subject) -> Job:
    if subject.endless is None:
        raise NotApplicableError("no endless job was given")
    return subject.endless


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ConformanceError(otherwise)


def _expect_answer(check: Check, subject: Subject, right: bool, what: str) -> None:
    driver = subject.driver
    fits = check.verdict is Verdict.PROVED if right else check.verdict in _NOT_PROVED
    _expect(fits, f"{what}: {_said(check)}")
    _expect(check.prover == driver.name, f"{what}: the check says that {check.prover!r} was asked")
    _expect(check.trust <= driver.capabilities().trust, f"{what}: {check.trust.name} is more than it can give")
    if right:
        _expect(check.prover_version == driver.version(), f"{what}: the check is of version {check.prover_version!r}")


def _expect_refused(pool: Pool, job: Job, what: str) -> None:
    try:
        check = pool.check(job)
    except InputError:
        return
    raise ConformanceError(f"{what} is not refused: {_said(check)}")


def _said(check: Any) -> str:
    said = re.sub(r"\s+", " ", getattr(check, "detail", ""))[:300]
    return f"{check.verdict} ({said})" if said else str(check.verdict)
