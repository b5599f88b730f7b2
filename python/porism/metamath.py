"""Metamath in process: read a database once, check its proofs on all cores, and new proofs in microseconds.

```python
library = porism.metamath.open("set.mm")
report = library.check_all()
checked = library.check_one("|- ( ph -> ph )", "( id ) AB")
library.remember(memory, source="set.mm")
```
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from porism import _core
from porism._check import CheckBudget, Checked, CheckReport, Decision, _checked, _threads
from porism._errors import InputError, ParseError
from porism._metamath_facts import Naming, Remembered, remember
from porism._types import Receipt

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from porism._memory import Memory

__all__ = ["AxiomsUsed", "Library", "Remembered", "Statement", "Theorem", "open", "parse"]

_BUDGET: Final = CheckBudget()._fields()


@dataclass(frozen=True, slots=True)
class Statement:
    """A labelled statement of a database.

    Attributes:
        number: Its position among the labelled statements.
        label: Its name.
        kind: ``$f``, ``$e``, ``$a`` or ``$p``.
        text: What it says, with single spaces.
    """

    number: int
    label: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Theorem:
    """A theorem with its proof.

    Attributes:
        statement: What it says.
        proof: As it is written: a compressed proof does not name the hypotheses, and a normal one uses their labels.
        hypotheses: What its essential hypotheses say.
        disjoint: The groups of disjoint variables, those that only the proof needs among them.
    """

    statement: str
    proof: str
    hypotheses: tuple[str, ...]
    disjoint: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AxiomsUsed:
    """What a theorem rests on without proof, itself or through others, in the order of the database.

    Metamath knows one kind of ``$a`` statement. Which of them are definitions is a convention of names, and no checker
    of proofs examines them: a wrong definition proves everything.

    Attributes:
        axioms: Those with the typecode of logical statements.
        definitions: Those among them whose labels begin as definitions do.
        syntax: The others: what is well formed.
    """

    axioms: tuple[str, ...]
    definitions: tuple[str, ...]
    syntax: tuple[str, ...]


class Library:
    """A Metamath database that was read, with lemmas on top of it. It never changes, and threads may share it."""

    __slots__ = ("_core",)

    def __init__(self, core: _core.Metamath) -> None:
        """Use :func:`open` or :func:`parse`."""
        self._core = core

    def __len__(self) -> int:
        """How many labelled statements the database has."""
        return len(self._core)

    @property
    def depth(self) -> int:
        """How many lemmas are on top."""
        return self._core.depth()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the database, without the lemmas on top, as a snapshot that :func:`open` maps in no time.

        It is written whole or not at all. Processes that open it share its memory. It must not be changed in place.

        Raises:
            OSError: It cannot be written.
        """
        self._core.save(path)

    def check_all(
        self,
        *,
        threads: int | None = None,
        budget: CheckBudget | None = None,
        paranoid: bool = False,
        progress: Callable[[int, int], object] | None = None,
    ) -> CheckReport:
        """Checks every proof of the database.

        Args:
            threads: How many cores may work; all, unless it is set. The verdicts are the same at any number.
            budget: For each proof.
            paranoid: Have the slow reference checker confirm every verdict; what it does not confirm is undecided.
            progress: Called now and then, by any thread, with how many proofs are done, and of how many. An exception
                ends the check.
        """
        theorems = self._core.theorems()
        fields = _fields(budget)
        decided = self._core.check_all(theorems, _threads(threads), fields, paranoid, progress)
        faults = {self.statement(theorems[position]).label: _checked(verdict) for position, verdict in decided}
        decisions = {checked.decision for checked in faults.values()}
        worst = next((one for one in (Decision.REJECTED, Decision.UNDECIDED) if one in decisions), Decision.ACCEPTED)
        return CheckReport(worst, len(theorems), faults)

    def check_one(
        self,
        statement: str,
        proof: str | bytes,
        *,
        hypotheses: Mapping[str, str] | None = None,
        disjoint: Sequence[str] = (),
        before: str | None = None,
        budget: CheckBudget | None = None,
    ) -> Checked:
        """Decides whether a proof proves a statement that is no part of the database.

        Args:
            statement: A typecode and symbols, such as ``"|- ( ph -> ph )"``. Variables have the types of the outermost
                scope.
            proof: What would stand between ``$=`` and ``$.``, normal or compressed.
            hypotheses: The essential hypotheses, by the labels that the proof uses.
            disjoint: Groups of variables that are disjoint, such as ``"x y ph"``.
            before: Only statements before the one with this label may be cited; all and the lemmas, unless it is set.
            budget: How much work it may cost.
        """
        return _checked(
            self._core.check_one(
                statement,
                proof.encode() if isinstance(proof, str) else proof,
                list(hypotheses.items()) if hypotheses else [],
                list(disjoint),
                None if before is None else self._find(before),
                _fields(budget),
            )
        )

    def extend(
        self,
        label: str,
        statement: str,
        proof: str | bytes,
        *,
        hypotheses: Mapping[str, str] | None = None,
        disjoint: Sequence[str] = (),
        budget: CheckBudget | None = None,
    ) -> Library:
        """This library with one more theorem on top, which later proofs may cite. This one stays as it is.

        Raises:
            InputError: The proof was not accepted; the message says why.
        """
        proof = proof.encode() if isinstance(proof, str) else proof
        given = list(hypotheses.items()) if hypotheses else []
        fields = _fields(budget)
        extended, decided = self._core.extend(label, statement, proof, given, list(disjoint), fields)
        if extended is None:
            message = f"'{label}' is no lemma: {_checked(decided).fault}"
            raise InputError(message)
        return Library(extended)

    def statement(self, label: str | int) -> Statement:
        """The statement with this label, or at this position.

        Raises:
            InputError: There is none.
        """
        number = self._find(label)
        try:
            return Statement(number, *self._core.statement(number))
        except IndexError as error:
            raise InputError(str(error)) from None

    def statements(self) -> Iterator[Statement]:
        """All labelled statements, in order."""
        return (self.statement(number) for number in range(len(self)))

    def theorem(self, label: str | int) -> Theorem:
        """A theorem with its proof, in the parts that :meth:`check_one` takes.

        Raises:
            InputError: There is no theorem with this label.
        """
        parts = self._core.theorem(self._find(label))
        if parts is None:
            message = f"'{label}' is no theorem"
            raise InputError(message)
        statement, proof, hypotheses, disjoint = parts
        return Theorem(statement, proof.strip(), tuple(hypotheses), tuple(disjoint))

    def citations(self, label: str | int) -> tuple[str, ...]:
        """What the proof of a theorem cites itself, in the order of the database."""
        return tuple(self.statement(number).label for number in self._core.citations(self._find(label)))

    def axioms(self, label: str | int, *, logic: str = "|-", definitions: str = "df-") -> AxiomsUsed:
        """What a theorem rests on, its proofs believed: run :meth:`check_all` before.

        Args:
            label: The theorem.
            logic: The typecode of logical statements.
            definitions: How the labels of definitions begin.
        """
        used = [self.statement(number) for number in self._core.axioms(self._find(label))]
        logical = [one for one in used if one.text.split(" ", 1)[0] == logic]
        return AxiomsUsed(
            axioms=tuple(one.label for one in logical if not one.label.startswith(definitions)),
            definitions=tuple(one.label for one in logical if one.label.startswith(definitions)),
            syntax=tuple(one.label for one in used if one not in logical),
        )

    def receipt(self, label: str | int, *, budget: CheckBudget | None = None) -> Receipt:
        """A receipt for a theorem, whose proof is checked for it. What that cites is checked by :meth:`check_all` only.

        Raises:
            InputError: It is no theorem, or its proof is not accepted.
        """
        number = self._find(label)
        decided = self._core.check_all([number], 1, _fields(budget), False, None)
        fields = None if decided else self._core.receipt(number)
        if fields is None:
            message = f"'{label}' gets no receipt: {_checked(decided[0][1]).fault if decided else 'too many axioms'}"
            raise InputError(message)
        return Receipt(*fields[:4])

    def remember(
        self,
        memory: Memory,
        *,
        source: str,
        namespace: str = "",
        logic: str = "|-",
        definitions: str = "df-",
        threads: int | None = None,
        budget: CheckBudget | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> Remembered:
        """Checks every proof of the database, and writes its logical assertions into a memory; no lemmas on top.

        A record is an axiom, a definition or a theorem, with its label as name. It says the whole assertion, such as
        ``|- ph & |- ( ph -> ps ) => |- ps``: essential hypotheses, conclusion, and a ``$d`` for each group of variables
        that must be disjoint. A theorem is ``verified`` if its proof and all that it rests on were accepted just now:
        its evidence has the kernel's receipt, and the assertions that the proof cites. Axioms and definitions are taken
        as they are, and nobody has proved them.

        What is known by the same namespace, name and statement is left as it is, so that a second time changes
        nothing. Thousands of assertions make a commit; after an end halfway, call it again.

        Args:
            memory: Where to write. ``tokens-v1`` is the embedder that sees the symbols of Metamath.
            source: What the records say of their origin, such as ``"set.mm"``.
            namespace: Which part of the memory they belong to.
            logic: The typecode of logical statements; the others are notation, and are not written down.
            definitions: How the labels of definitions begin.
            threads: How many cores may check; all, unless it is set.
            budget: For each proof.
            progress: Called with how many assertions are written, and of how many. An exception ends it.

        Raises:
            StoreError: The memory cannot be written.
        """
        report = self.check_all(threads=threads, budget=budget)
        return remember(self, memory, Naming(source, namespace, logic, definitions), report, progress)

    def _find(self, label: str | int) -> int:
        if isinstance(label, int):
            if not 0 <= label < len(self):
                message = f"there is no statement {label}"
                raise InputError(message)
            return label
        try:
            return self._core.find(label)
        except KeyError:
            message = f"there is no statement '{label}'"
            raise InputError(message) from None


def open(  # noqa: A001 - it is called as `metamath.open`
    path: str | os.PathLike[str], *, root: str | os.PathLike[str] | None = None, threads: int | None = None
) -> Library:
    """Reads a database. Its proofs are not checked by that, and what a snapshot says of its text is believed.

    Args:
        path: The text, or a snapshot that :meth:`Library.save` wrote.
        root: The folder from which files may be included; that of the file, unless it is set.
        threads: How many cores may work; all, unless it is set.

    Raises:
        ParseError: It is no database.
        InputError: It cannot be read, or is beyond the limits.
    """
    return _library(_open(path, root, threads))


def parse(text: str | bytes, *, label: str = "<text>", threads: int | None = None) -> Library:
    """Reads a database from a text, which cannot include files.

    Raises:
        ParseError: It is no database.
    """
    text = text.encode() if isinstance(text, str) else text
    core, decided = _core.Metamath.parse(text, label, _threads(threads))
    if core is not None:
        return Library(core)
    assert decided is not None
    return _library(_checked(decided))


def _open(path: str | os.PathLike[str], root: str | os.PathLike[str] | None, threads: int | None) -> Library | Checked:
    core, decided = _core.Metamath.open(path, root, _threads(threads))
    if core is not None:
        return Library(core)
    assert decided is not None
    return _checked(decided)


def _library(opened: Library | Checked) -> Library:
    if isinstance(opened, Library):
        return opened
    fault = opened.fault
    assert fault is not None
    if opened.decision is Decision.UNDECIDED:
        raise InputError(str(fault))
    raise ParseError(str(fault), path=fault.file, line=fault.line, column=fault.column)


def _fields(budget: CheckBudget | None) -> tuple[int, int, int]:
    return _BUDGET if budget is None else budget._fields()
