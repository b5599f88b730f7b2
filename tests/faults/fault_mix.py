"""Candidates at random, each with what its text decides, and with what may go wrong meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from porism import Verdict
from porism.provers import Job, Language

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from porism import Check

# With these the prover answers all the same, and rightly.
_HARMLESS = ("slow=0.01", "chatty=20", "stderr=200000", "trickle=7", "huge=100000", "memory=8", "leak=2", "fork=600")
# After these there is no answer.
_ENDS = (
    "exit=3",
    "exit=0",
    "signal=9",
    "signal=11",
    "half=0.5",
    "half=0.99",
    "garbage",
    "garbage=99999",
    "huge=3000000",
)
# With these there never would be one.
_HANGS = ("hang", "hang", "deaf", "slow=600")
_BOMBS = ("memory=600", "leak=600")
# After these the answer is there, and the process is not sound: the next one may meet that.
_SPOILS = ("last=0", "last=9", "twice")


@dataclass(frozen=True, slots=True)
class Question:
    """One job with what may be said of it.

    Attributes:
        job: What is asked.
        word: What the answer carries.
        decided: What the text decides.
        may: The verdicts that a right answer can have; whatever else may happen to anybody is not among them.
        deadline_s: How long it may take, for what would never end.
        fault: What goes wrong; empty for nothing.
    """

    job: Job
    word: str
    decided: Verdict
    may: frozenset[Verdict]
    deadline_s: float | None
    fault: str

    @property
    def forced(self) -> bool:
        """Whether something was to go wrong."""
        return bool(self.fault)

    def complaint(self, check: Check, *, victims: frozenset[Verdict]) -> str:
        """What is wrong with an answer; empty if nothing is. ``victims``: what may be said of those near a fault."""
        if check.verdict in self.may:
            answered = check.verdict in {self.decided, Verdict.MISMATCH}
            if answered and check.raw != self.word:
                return f"{self.job.name} ({self.fault}): the answer to {check.raw!r}"
            return ""
        if check.verdict in victims:
            return ""
        return f"{self.job.name} ({self.fault}): {check.verdict} ({check.detail}), expected {sorted(self.may)}"


def questions(drawn: random.Random, count: int, *, healthy: float = 0.2) -> Iterator[Question]:
    """So many jobs, a part of them without any fault."""
    for number in range(count):
        yield question(drawn, number, _fault(drawn) if drawn.random() >= healthy else "")


def question(drawn: random.Random, number: int, fault: str = "", *, language: Language | None = None) -> Question:
    """One job with a fault."""
    left, right = drawn.randrange(1000), drawn.randrange(1000)
    true = drawn.random() < 0.6
    language = language or drawn.choice((Language.ISABELLE, Language.LEAN4, Language.SMT2))
    if fault in {"stale", "other", "other=1"}:
        # Only where an answer names what it is about can a driver see this.
        language = Language.ISABELLE
    word, name = f"w{number}-{drawn.randrange(1 << 30)}", f"t{number}"
    statement = f"{left} + {right} = {left + right + (not true)}"
    marker = f" fault:{fault}" if fault else ""
    false = Verdict.REFUTED
    if language is Language.SMT2:
        total = statement.rpartition(" ")[2]
        text = f'; {name}{marker}\n(echo "{word}")(assert (not (= (+ {left} {right}) {total})))(check-sat)'
    else:
        text = f"theorem {name} : {statement} := by decide -- echo {word}{marker}"
        false = Verdict.REJECTED if language is Language.LEAN4 else false
    job = Job(candidate=text, statement=statement, name=name, language=language)
    decided = Verdict.PROVED if true else false
    deadline_s = drawn.uniform(0.02, 0.4) if fault in {*_HANGS, "close"} else None
    return Question(job, word, decided, _may(fault, decided), deadline_s, fault)


def _fault(drawn: random.Random) -> str:
    kinds = (_HARMLESS, _ENDS, _HANGS, _BOMBS, _SPOILS, ("close", "stale", "other", "other=1"))
    (kind,) = drawn.choices(kinds, weights=(4, 8, 3, 1, 2, 3))
    return drawn.choice(kind)


def _may(fault: str, decided: Verdict) -> frozenset[Verdict]:
    late = {Verdict.TIMEOUT, Verdict.OVERLOADED}
    if fault in _HANGS:
        return frozenset(late)
    if fault == "close":
        return frozenset(late | {Verdict.CRASHED})
    if fault in _ENDS or fault == "stale":
        return frozenset({Verdict.CRASHED})
    if fault in _BOMBS:
        return frozenset({Verdict.MEMORY})
    if fault.startswith("other"):
        return frozenset({Verdict.MISMATCH})
    return frozenset({decided})
