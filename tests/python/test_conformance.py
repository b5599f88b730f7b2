"""Every driver of ours keeps the promises of a driver, and the suite notices when one does not."""

from __future__ import annotations

import importlib.util
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from subjects import is_here, subject

from porism import Check, Pool, Trust, Verdict
from porism._errors import InputError, ProverMissingError
from porism.provers import Capabilities, Driver, Framing, Job, Language, Launch, known
from porism.testing import StandIn, conformance

if TYPE_CHECKING:
    from porism._core import Session

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", conformance.CHECKS)
@pytest.mark.parametrize("driver", [driver.name for driver in known()])
def test_our_drivers_conform(driver: str, name: str, tmp_path: Path) -> None:
    if not is_here(driver):
        pytest.skip(f"{driver} is not installed")
    try:
        conformance.run(name, subject(driver, tmp_path))
    except conformance.NotApplicableError as reason:
        pytest.skip(str(reason))


def own_driver() -> type[Driver]:
    spec = importlib.util.spec_from_file_location("own_driver", ROOT / "examples" / "own_driver.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: type[Driver] = module.Lines
    return found


GOOD = Job(candidate="theorem t : 2 + 2 = 4 := by decide")
BAD = Job(candidate="theorem t : 2 + 2 = 5 := by decide")
ENDLESS = Job(candidate="theorem t : 2 + 2 = 4 := by decide -- fault:hang")


class Oracle(Driver):
    """Reads the answer off the candidate; each broken driver below differs from it in one thing."""

    name = "Oracle"

    def capabilities(self) -> Capabilities:
        return Capabilities(languages=frozenset({Language.LEAN4}))

    def version(self) -> str:
        return "1"

    def check(self, session: Session, job: Job) -> Check:
        verdict = Verdict.PROVED if "= 4" in job.candidate else Verdict.REJECTED
        return Check(verdict=verdict, trust=Trust.L0, prover=self.name, prover_version=self.version())


def test_a_driver_without_processes_passes() -> None:
    report = conformance.check_driver(Oracle(), good=GOOD, bad=BAD, without=["json"])
    assert set(report.passed) | set(report.skipped) == set(conformance.CHECKS)
    assert set(report.skipped) == {"json", "missing program", "deadline", "cancel", "crash", "split frames"}
    assert report.skipped["deadline"] == "no endless job was given"


class Nameless(Oracle):
    name = " "


class Talkative(Oracle):
    def version(self) -> str:
        return "1\n2"


class Idle(Oracle):
    def capabilities(self) -> Capabilities:
        return Capabilities(languages=frozenset())


class Yes(Oracle):
    def check(self, session: Session, job: Job) -> Check:
        return replace(super().check(session, job), verdict=Verdict.PROVED)


class Proud(Oracle):
    def check(self, session: Session, job: Job) -> Check:
        return replace(super().check(session, job), trust=Trust.L3)


class Stranger(Oracle):
    def check(self, session: Session, job: Job) -> Check:
        return replace(super().check(session, job), prover="Z3")


class Opaque(Oracle):
    def check(self, session: Session, job: Job) -> Check:
        return replace(super().check(session, job), axioms=(b"bytes",))


class Forgetful(Oracle):
    """Answers what it was asked before: two answers are swapped."""

    def __init__(self) -> None:
        self.last: Check | None = None

    def check(self, session: Session, job: Job) -> Check:
        now = super().check(session, job)
        before, self.last = self.last, now
        return before or now


@pytest.mark.parametrize(
    ("driver", "name"),
    [
        (Nameless(), "name"),
        (Talkative(), "version"),
        (Idle(), "capabilities"),
        (Yes(), "answers"),
        (Yes(), "odd text"),
        (Proud(), "trust"),
        (Stranger(), "answers"),
        (Opaque(), "json"),
        (Forgetful(), "answers"),
        (Forgetful(), "together"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_broken_promise_is_noticed(driver: Driver, name: str) -> None:
    with pytest.raises(conformance.ConformanceError):
        conformance.run(name, conformance.Subject(driver=driver, good=GOOD, bad=BAD))


class Kept(Oracle):
    """Keeps a process; what is asked first is answered last if a request was given up."""

    def capabilities(self) -> Capabilities:
        return Capabilities(languages=frozenset({Language.LEAN4}), interruptible=True)

    def launch(self, header: str) -> Launch:
        prover = StandIn("lines")
        return Launch(program=prover.program, args=prover.args, framing=Framing.LINES)

    def check(self, session: Session, job: Job) -> Check:
        said = session.ask(" ".join(job.candidate.split()).encode() + b"\n")
        verdict = Verdict.PROVED if said.startswith(b"accepted;") else Verdict.REJECTED
        return Check(verdict=verdict, trust=Trust.L0, prover=self.name, prover_version=self.version())

    def recover(self, session: Session) -> None:
        """Does not read what is still owed, and believes that all is well."""


class Careless(Oracle):
    """Starts a process of its own, and forgets it."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[bytes]] = []

    def check(self, session: Session, job: Job) -> Check:
        self.started.append(subprocess.Popen(["sleep", "600"]))
        return super().check(session, job)


def test_an_answer_that_was_given_up_and_comes_later_is_noticed() -> None:
    taken = conformance.Subject(driver=Kept(), good=GOOD, bad=BAD, endless=ENDLESS)
    with pytest.raises(conformance.ConformanceError, match="after a deadline"):
        conformance.run("deadline", taken)


def test_a_process_that_is_left_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("porism.testing._observed.PATIENCE_S", 0.5)
    careless = Careless()
    with pytest.raises(conformance.ConformanceError, match="a process is left"):
        conformance.run("close", conformance.Subject(driver=careless, good=GOOD, bad=BAD))
    for process in careless.started:
        process.kill()
        process.wait()


def test_what_is_missing_has_to_say_so() -> None:
    class Missing(Oracle):
        def version(self) -> str:
            raise ProverMissingError("get it with: a wish")

        def check(self, session: Session, job: Job) -> Check:
            return Check(verdict=Verdict.PROVED, trust=Trust.L0, prover=self.name)

    with pytest.raises(conformance.ConformanceError, match="is missing says"):
        conformance.run("missing program", conformance.Subject(driver=Oracle(), good=GOOD, bad=BAD, missing=Missing()))


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(conformance.ConformanceError, match=r"(?s)answers: .*odd text: "):
        conformance.check_driver(Yes(), good=GOOD, bad=BAD)


def test_the_example_passes() -> None:
    report = conformance.check_driver(own_driver()(), good=GOOD, bad=BAD, endless=ENDLESS)
    assert set(report.skipped) == {"missing program"}


def test_a_language_of_nobody_is_refused() -> None:
    with Pool([Oracle()]) as pool, pytest.raises(InputError, match="does not read dimacs"):
        pool.check(replace(GOOD, language=Language.DIMACS))
