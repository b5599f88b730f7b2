"""Convert ``ql.mm``, Metamath's library of quantum logic, into first-order problems in library order.

::

    python -m porism.bench.quantum_logic ql.mm ql.p.gz

Every provable statement becomes one line::

    fof(NAME, ROLE, FORMULA, file('ql.mm',NAME), [section(S), premises([...]), theory([...]), flags([...])]).

``premises`` are the statements that the human proof cites. ``theory`` holds the special axioms, those beyond the
ortholattice axioms, on which that proof rests, directly or through what it cites. ``flags`` mark what a fair
comparison leaves out; see `Statement`.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from porism._errors import InputError, ParseError
from porism.bench.metamath import Assertion, read_database
from porism.bench.quantum_terms import (
    Formula,
    canonical,
    is_tautology,
    parse_formula,
    same_up_to_sides,
    side_blind,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Ortholattices; every other `ax-` narrows the class of models, and a proof that needs it belongs to another theory.
ORTHOLATTICE_AXIOMS = frozenset(f"ax-{name}" for name in ("a1", "a2", "a3", "a4", "a5", "r1", "r2", "r4", "r5"))
_PROVABLE = "|-"
_VERSION = re.compile(r"Version of (\S+)")
_LOWER_WORD = re.compile(r"[a-z][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Statement:
    """A converted statement.

    Attributes:
        name: The Metamath label, unquoted.
        role: ``axiom``, ``definition`` or ``conjecture``.
        formula: What it says.
        section: The heading under which it stands.
        premises: Labels that the human proof cites.
        theory: Labels of the special axioms on which the human proof rests.
        flags: TPTP terms: ``duplicate(NAME)`` of an earlier statement, up to renaming of variables;
            ``duplicate_up_to_sides(NAME)``, which also swaps the sides of equations; ``tautology``, which follows from
            no axioms; ``equality_rule``, an axiom that is a tautology and so tells a prover with equality nothing.
    """

    name: str
    role: str
    formula: Formula
    section: str
    premises: tuple[str, ...]
    theory: frozenset[str]
    flags: tuple[str, ...]

    def __str__(self) -> str:
        notes = (
            f"section({_quoted(self.section)})",
            f"premises([{_names(self.premises)}])",
            f"theory([{_names(sorted(self.theory))}])",
            f"flags([{','.join(self.flags)}])",
        )
        name = tptp_name(self.name)
        return f"fof({name}, {self.role}, {self.formula}, file('ql.mm',{name}), [{', '.join(notes)}])."


def convert(text: str, *, path: str | None = None) -> str:
    """The TPTP text for the text of ``ql.mm``: a header in comments, then one statement a line.

    Raises:
        ParseError: The text is no Metamath database or leaves the language of ``ql.mm``.
    """
    database = read_database(text, path=path)
    provable = [assertion for assertion in database.assertions if assertion.typecode == _PROVABLE]
    statements = _annotated(provable, database.variables)
    syntax_proofs = sum(a.proved and a.typecode != _PROVABLE for a in database.assertions)
    lines = [*_header(text, statements, syntax_proofs), *map(str, statements)]
    return "\n".join(lines) + "\n"


def pack(text: str) -> bytes:
    """Gzip without a name or a time in it, so that the same text gives the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(text.encode("ascii"))
    return buffer.getvalue()


def tptp_name(label: str) -> str:
    """A label as a TPTP name: as it is if that is a lower word, in single quotes otherwise."""
    return label if _LOWER_WORD.fullmatch(label) else _quoted(label)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _names(labels: Iterable[str]) -> str:
    return ",".join(map(tptp_name, labels))


def _annotated(provable: Sequence[Assertion], variables: frozenset[str]) -> list[Statement]:
    """Convert in library order; what a flag or a theory refers to always stands earlier."""
    names = {assertion.label for assertion in provable}
    theories: dict[str, frozenset[str]] = {}
    duplicates = _Duplicates()
    statements = []
    for assertion in provable:
        formula = parse_formula(assertion.hypotheses, assertion.conclusion, variables, label=assertion.label)
        role = _role(assertion)
        premises = tuple(label for label in assertion.cited if label in names)
        theories[assertion.label] = _theory(assertion, premises, theories)
        flags = (*duplicates.flags(assertion.label, formula), *_equality_flags(role, formula))
        statements.append(
            Statement(assertion.label, role, formula, assertion.section, premises, theories[assertion.label], flags)
        )
    return statements


def _role(assertion: Assertion) -> str:
    if assertion.proved:
        return "conjecture"
    return "definition" if assertion.label.startswith("df-") else "axiom"


def _theory(assertion: Assertion, premises: Sequence[str], theories: dict[str, frozenset[str]]) -> frozenset[str]:
    if _role(assertion) == "axiom" and assertion.label not in ORTHOLATTICE_AXIOMS:
        return frozenset({assertion.label})
    return frozenset().union(*(theories[premise] for premise in premises))


@dataclass(slots=True)
class _Duplicates:
    """Remembers what was stated, to name the first statement that said the same."""

    exact: dict[str, str] = field(default_factory=dict)
    candidates: dict[str, list[tuple[str, Formula]]] = field(default_factory=dict)

    def flags(self, label: str, formula: Formula) -> list[str]:
        first = self.exact.setdefault(canonical(formula), label)
        if first != label:
            return [f"duplicate({tptp_name(first)})"]
        alike = self.candidates.setdefault(side_blind(formula), [])
        for earlier, earlier_formula in alike:
            if same_up_to_sides(earlier_formula, formula):
                return [f"duplicate_up_to_sides({tptp_name(earlier)})"]
        alike.append((label, formula))
        return []


def _equality_flags(role: str, formula: Formula) -> list[str]:
    if not is_tautology(formula):
        return []
    return ["tautology"] if role == "conjecture" else ["equality_rule"]


def _header(text: str, statements: Sequence[Statement], syntax_proofs: int) -> list[str]:
    version = _VERSION.search(text)
    if version is None:
        raise ParseError("the opening comment names no version", line=1, expected="Version of DATE")
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    comments = [
        "ql: quantum logic (ortholattices and stronger) in library order, converted from Metamath's ql.mm.",
        f"Source: ql.mm, version of {version[1]}, sha256 {digest}",
        "Licence: ql.mm by Norman Megill and its contributors is public domain under CC0 1.0; so is this file.",
        "Converter: python -m porism.bench.quantum_logic ql.mm ql.p.gz",
        f"Theorems (conjecture): {_count(statements, 'conjecture')}",
        f"Axioms: {_count(statements, 'axiom')}, definitions: {_count(statements, 'definition')}",
        f"Left out: {syntax_proofs} proofs that an expression is well formed",
        *(f"Flag {flag}: {count}" for flag, count in _flag_counts(statements).items()),
    ]
    return [f"% {comment}" for comment in comments]


def _count(statements: Sequence[Statement], role: str) -> int:
    return sum(statement.role == role for statement in statements)


def _flag_counts(statements: Sequence[Statement]) -> dict[str, int]:
    kinds = ("duplicate", "duplicate_up_to_sides", "tautology", "equality_rule")
    flags = [flag.partition("(")[0] for statement in statements for flag in statement.flags]
    return {kind: flags.count(kind) for kind in kinds}


def main(arguments: Sequence[str] | None = None) -> None:
    """Convert the file named first into the file named second."""
    parser = argparse.ArgumentParser(prog="python -m porism.bench.quantum_logic", description="Convert ql.mm to TPTP.")
    parser.add_argument("source", type=Path, help="ql.mm, as in the Debian package metamath-databases")
    parser.add_argument("output", type=Path, help="the gzipped TPTP file to write")
    names = parser.parse_args(arguments)
    try:
        source = names.source.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{names.source} cannot be read: {error.strerror}") from error
    names.output.write_bytes(pack(convert(source, path=str(names.source))))


if __name__ == "__main__":
    main()
