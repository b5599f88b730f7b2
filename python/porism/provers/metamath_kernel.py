"""Metamath in this process: Porism's own kernel on a library that is read once, without a program to start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from porism import _core, metamath
from porism._check import CheckBudget, Decision
from porism._errors import InputError, ParseError, ProverMissingError
from porism._metamath_facts import unsound
from porism._types import Verdict
from porism._verdicts import Check, Message, Severity, Trust
from porism.provers import _metamath_text
from porism.provers._driver import Capabilities, Driver, Language

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from porism._check import Checked
    from porism.provers._driver import Job

# A thousand times what proofs of people take, and spent in a fraction of a second: nothing can stop a check before.
_BUDGET: Final = CheckBudget(steps=10_000_000, nodes=100_000_000)
# What is wrong with the statement or the hypotheses, which the proof cannot help.
_CLAIM: Final = frozenset(
    {
        "disjoint_constant",
        "disjoint_repeated",
        "disjoint_short",
        "label_malformed",
        "label_reused",
        "statement_empty",
        "symbol_undeclared",
        "typecode_not_constant",
        "variable_untyped",
    }
)
_LOGIC: Final = "|-"


@dataclass(frozen=True, slots=True)
class _Base:
    """A library that is ready for proofs.

    Attributes:
        library: The library.
        unsound: The numbers of the theorems whose proofs were not accepted, or rest on one that was not.
        axioms: The labels of its logical axioms and definitions, by their numbers.
    """

    library: metamath.Library
    unsound: frozenset[int]
    axioms: Mapping[int, str]


class MetamathKernel(Driver):
    """Proofs in Metamath, checked in this process on the pool's own threads, in microseconds once the library is read.

    A job has a ``statement`` such as ``"|- ( ph -> ph )"``, and its candidate is a proof, normal or compressed: what
    stands between ``$=`` and ``$.``. Its options say what else the theorem has: ``hypotheses``, a dictionary from
    labels to statements, and ``disjoint``, a tuple of groups such as ``"x ph"``. With a ``name`` that the library has,
    only what stands before that theorem may be cited. Without a database, the job's header is the library, and is read
    for each job.

    A proof is worth L4: the kernel is not the program ``metamath`` and shares nothing with it. It is Porism's own,
    written from the Metamath book and compared with other checkers in tests. For a second opinion ask the driver
    ``Metamath`` too. Whether axioms and definitions are sound nobody checks: ``Check.axioms`` lists those with the
    typecode ``|-`` on which the proof rests. All proofs of the library are checked when it is read, and a proof that
    rests on one that was not accepted is ``INCOMPLETE``.

    A check is no longer than its budget, and cannot be stopped before: ``UNKNOWN`` says that it was spent.

    Args:
        database: A Metamath file or, to have it in no time and to share its memory, a snapshot that
            ``porism.metamath.Library.save`` wrote. It is read once, by the first job.
        root: The folder from which files may be included; that of the file, unless it is set.
        budget: For each proof.
    """

    name = "MetamathKernel"
    options = MappingProxyType({"hypotheses": dict, "disjoint": tuple})

    def __init__(
        self,
        database: str | os.PathLike[str] | None = None,
        *,
        root: str | os.PathLike[str] | None = None,
        budget: CheckBudget | None = None,
    ) -> None:
        self._database = None if database is None else Path(database).resolve()
        self._root = root
        self._budget = budget or _BUDGET
        self._reading = Lock()
        self._opened: tuple[_Base, str] | None = None

    def version(self) -> str:
        """The kernel and its version, such as ``"porism-metamath 1"``."""
        return " ".join(_core.METAMATH_CHECKER)

    def build(self) -> str:
        """The version, the budget, and which state of the database was read."""
        budget = " ".join(map(str, self._budget._fields()))
        return f"{self.version()} {budget} {'' if self._database is None else self._open(self._database)[1]}"

    def capabilities(self) -> Capabilities:
        """It reads Metamath, and costs next to nothing."""
        return Capabilities(languages=frozenset({Language.METAMATH}), trust=Trust.L4, cost=0.01)

    def check(self, session: _core.Session, job: Job) -> Check:
        """Checks a proof of the statement."""
        if job.statement is None:
            raise InputError("the kernel needs a statement: what is to be proved is not for the candidate to say")
        if job.name is not None and _metamath_text.LABEL.fullmatch(job.name) is None:
            raise InputError(f"name={job.name!r} is no label of Metamath")
        if self._database is None:
            base = _base(metamath.parse(job.header, label="header", threads=1), self._budget, threads=1)
        elif job.header:
            raise InputError("a header has no place on top of a database")
        else:
            base, _ = self._open(self._database)
        statement = _metamath_text.plain(job.statement, "a statement")
        hypotheses = {label: _metamath_text.plain(said, "a hypothesis") for label, said in _hypotheses(job).items()}
        proof = job.candidate.encode(errors="surrogatepass")
        library = base.library
        checked = library.check_one(
            statement,
            proof,
            hypotheses=hypotheses,
            disjoint=job.options.get("disjoint", ()),
            before=job.name if job.name is not None and _has(library, job.name) else None,
            budget=self._budget,
        )
        if not checked.accepted:
            return self._refused(checked)
        cited, rests_on = library._core.rests_on(statement, proof, list(hypotheses.items()))
        if gaps := base.unsound.intersection(cited):
            labels = ", ".join(library.statement(number).label for number in sorted(gaps)[:20])
            return self._said(Verdict.INCOMPLETE, f"it rests on what the kernel did not accept: {labels}")
        axioms = tuple(base.axioms[number] for number in rests_on if number in base.axioms)
        used = tuple(library.statement(number).label for number in cited)
        return self._said(Verdict.PROVED, "", axioms=axioms, used=used)

    def _open(self, database: Path) -> tuple[_Base, str]:
        """The library and which state of the file it was made from; read by the first thread that wants it.

        Raises:
            ProverMissingError: There is none.
        """
        with self._reading:
            if self._opened is None:
                try:
                    state = database.stat()
                    library = metamath.open(database, root=self._root)
                except (OSError, InputError, ParseError) as error:
                    # No word about a candidate, and others may be asked instead.
                    raise ProverMissingError(f"{self.name} has no library: {error}") from error
                self._opened = _base(library, self._budget), f"{database} {state.st_size} {state.st_mtime_ns}"
            return self._opened

    def _refused(self, checked: Checked) -> Check:
        fault = checked.fault
        assert fault is not None, "what is not accepted has a fault"
        if fault.code in _CLAIM and fault.step is None:
            raise InputError(str(fault))
        if checked.decision is Decision.REJECTED:
            verdict = Verdict.REJECTED
        else:
            verdict = Verdict.INCOMPLETE if fault.code == "proof_incomplete" else Verdict.UNKNOWN
        message = Message(Severity.ERROR, str(fault), fault.line, fault.column)
        return self._said(verdict, str(fault), messages=(message,), raw=fault.code)

    def _said(
        self,
        verdict: Verdict,
        detail: str,
        *,
        axioms: tuple[str, ...] = (),
        used: tuple[str, ...] = (),
        messages: tuple[Message, ...] = (),
        raw: str = "accepted",
    ) -> Check:
        return Check(
            verdict=verdict,
            trust=Trust.L4,
            prover=self.name,
            prover_version=self.version(),
            axioms=axioms,
            used=used,
            messages=messages,
            detail=detail,
            raw=raw,
        )


def _base(library: metamath.Library, budget: CheckBudget, threads: int | None = None) -> _Base:
    faults = library.check_all(threads=threads, budget=budget).faults
    assertions = [one for one in library.statements() if one.kind == "$a"]
    axioms = {one.number: one.label for one in assertions if one.text.partition(" ")[0] == _LOGIC}
    return _Base(library, unsound(library, faults) if faults else frozenset(), axioms)


def _hypotheses(job: Job) -> dict[str, str]:
    hypotheses = job.options.get("hypotheses", {})
    if not all(isinstance(part, str) for pair in hypotheses.items() for part in pair):
        raise InputError(f"hypotheses={hypotheses!r}: expected labels and statements")
    return dict(hypotheses)


def _has(library: metamath.Library, label: str) -> bool:
    try:
        library.statement(label)
    except InputError:
        return False
    return True
