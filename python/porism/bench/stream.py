"""Streams: problems in the order of a library, each with the premises that may be used for it.

A stream hands over one TPTP text with all formulas of its library, in order; formula ``i`` of that text is *position*
``i`` everywhere. Only earlier formulas may help with a goal, so what is allowed is a prefix, less what is never a
premise (`Stream.premise_mask`), less what belongs to another theory than this goal (`Item.forbidden`).
"""

from __future__ import annotations

import functools
import gzip
import importlib.resources
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from porism._errors import InputError, ParseError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Item:
    """One problem of a stream.

    Attributes:
        index: 1-based number among all problems of the library, so that it stays the same in every cut and sample.
        name: The name of the goal, without quotes.
        goal: The formula to prove, in TPTP, without name and role.
        position: The place of the goal among the formulas; only what stands before it may be a premise.
        human: Names of the premises in the human proof, as the library gives them, allowed here or not.
        article: The article or section that the goal belongs to: problems of one article are not independent.
        theory: Special axioms on which the human proof rests; empty where a library has no such distinction.
        forbidden: Positions that may not be used for this goal although the stream's mask admits them.
    """

    index: int
    name: str
    goal: str
    position: int
    human: tuple[str, ...]
    article: str | None
    theory: frozenset[str] = frozenset()
    forbidden: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Problems in library order, and the library that they stand in.

    Attributes:
        name: A short name for records.
        title: What exactly was chosen, for people.
        library_text: A TPTP text with every formula of the library in order.
        names: The name of every formula, without quotes, by position.
        items: The problems, in order of position.
        premise_mask: Read-only; for every position, whether it may be a premise at all.
        axiom_positions: Positions of the axioms and definitions that the mask admits.
    """

    name: str
    title: str
    library_text: str
    names: tuple[str, ...]
    items: tuple[Item, ...]
    premise_mask: NDArray[np.bool_]
    axiom_positions: tuple[int, ...]

    def pool(self, item: Item) -> list[int]:
        """The positions that may be used for ``item``, in order."""
        earlier = np.flatnonzero(self.premise_mask[: item.position]).tolist()
        return [position for position in earlier if position not in item.forbidden]


# --- ql: quantum logic, bundled ---------------------------------------------------------------------------------------

Setting = Literal["library", "theory"]

# Declared temporary in the source; later theorems live in mixed theories, some of which collapse to Boolean algebra.
_CLEAN_END = "ax-oadist"
_QL_LINE = re.compile(
    r"fof\((?P<name>\S+), (?P<role>axiom|definition|conjecture), (?P<formula>.*), file\('ql\.mm',(?P=name)\), "
    r"\[section\('(?P<section>.*)'\), premises\(\[(?P<premises>.*)\]\), "
    r"theory\(\[(?P<theory>.*)\]\), flags\(\[(?P<flags>.*)\]\)\]\)\."
)


class _Statement(NamedTuple):
    name: str
    role: str
    formula: str
    section: str
    premises: tuple[str, ...]
    theory: frozenset[str]
    flags: frozenset[str]


def ql(*, first: int = 1, last: int | None = None, cleaned: bool = True, setting: Setting = "library") -> Stream:
    """Quantum logic: theorems of ortholattices and orthomodular lattices, from the library that ships with Porism.

    Args:
        first: Number of the first theorem, counted from 1 in library order before anything is dropped.
        last: Number of the last theorem; ``None`` takes all: 927 if cleaned, 1,138 if not.
        cleaned: End before ``ax-oadist``; drop duplicates and tautologies, as problems and as premises; and drop the
            rules of equality as premises. Otherwise every theorem is a problem and everything earlier a premise.
        setting: ``library`` allows everything earlier. ``theory`` forbids what rests on a special axiom that the human
            proof of the goal does not use, because with it the problem is easy for the wrong reason.

    Raises:
        InputError: The range is empty or leaves the library, or the setting is unknown.
    """
    if setting not in ("library", "theory"):
        raise InputError(f'setting is {setting!r}; it must be "library" or "theory"')
    text, statements = _quantum_logic()
    theorems = [position for position, statement in enumerate(statements) if statement.role == "conjecture"]
    if cleaned:
        end = next(position for position, statement in enumerate(statements) if statement.name == _CLEAN_END)
        theorems = [position for position in theorems if position < end]
    last = len(theorems) if last is None else last
    _check_range(first, last, len(theorems), cleaned=cleaned)
    usable = [not (cleaned and statement.flags) for statement in statements]
    items = [
        _quantum_item(index, position, statements[position], setting)
        for index, position in enumerate(theorems[first - 1 : last], start=first)
        if usable[position]
    ]
    return Stream(
        name="ql",
        title=f"quantum logic, theorems {first}-{last}, {'cleaned' if cleaned else 'uncleaned'}, {setting} setting",
        library_text=text,
        names=tuple(statement.name for statement in statements),
        items=tuple(items),
        premise_mask=_mask(usable),
        axiom_positions=_axiom_positions(usable, goals={p for p, s in enumerate(statements) if s.role == "conjecture"}),
    )


@functools.cache
def _quantum_logic() -> tuple[str, tuple[_Statement, ...]]:
    packed = importlib.resources.files("porism.data").joinpath("ql.p.gz").read_bytes()
    text = gzip.decompress(packed).decode("ascii")
    return text, tuple(_quantum_statements(text))


def _quantum_statements(text: str) -> Iterable[_Statement]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("%"):
            continue
        match = _QL_LINE.fullmatch(line)
        if match is None:
            raise _malformed("ql.p.gz", number, "an annotated fof statement", line)
        yield _Statement(
            name=match["name"].strip("'"),
            role=match["role"],
            formula=match["formula"],
            section=re.sub(r"\\(.)", r"\1", match["section"]),
            premises=tuple(_unquoted(match["premises"])),
            theory=frozenset(_unquoted(match["theory"])),
            flags=frozenset(flag for flag in match["flags"].split(",") if flag),
        )


def _unquoted(names: str) -> list[str]:
    # Metamath labels hold neither commas nor quotes, so splitting is exact.
    return [name.strip("'") for name in names.split(",") if name]


def _quantum_item(index: int, position: int, statement: _Statement, setting: Setting) -> Item:
    return Item(
        index=index,
        name=statement.name,
        goal=statement.formula,
        position=position,
        human=statement.premises,
        article=statement.section,
        theory=statement.theory,
        forbidden=_outside(statement.theory) if setting == "theory" else frozenset(),
    )


@functools.cache
def _outside(theory: frozenset[str]) -> frozenset[int]:
    """Positions of everything that rests on an axiom outside a theory; few theories occur, so goals share the sets."""
    _, statements = _quantum_logic()
    return frozenset(position for position, statement in enumerate(statements) if not statement.theory <= theory)


def _check_range(first: int, last: int, count: int, *, cleaned: bool) -> None:
    if not 1 <= first <= last <= count:
        kind = f"cleaned library, which ends before {_CLEAN_END}," if cleaned else "library"
        raise InputError(f"theorems {first}-{last} were asked for; the {kind} has theorems 1-{count}")


# --- mptp2078: Mizar, from a folder of the user -----------------------------------------------------------------------

_MPTP_FILES = ("00allformulas", "FormulasInMMLOrder", "ProblemsInMMLOrder", "bushy_premises.txt")
_MPTP_LINE = re.compile(r"fof\((?P<name>\w+),\s*\w+,\s*(?P<formula>.*)\)\.\s*")


class _MizarStatement(NamedTuple):
    line: str
    formula: str


def mptp2078(data_dir: str | os.PathLike[str], *, sample: int | None = None, seed: int | None = None) -> Stream:
    """MPTP2078: 2,078 theorems of 33 Mizar articles, each with everything before it ("chainy").

    Args:
        data_dir: The folder with ``00allformulas``, ``FormulasInMMLOrder``, ``ProblemsInMMLOrder`` and
            ``bushy_premises.txt``. Its licence does not let Porism bundle it; ``docs/ql.md`` says where it is found.
        sample: Take so many problems at random, in library order.
        seed: Decides the sample; the same seed draws the same problems.

    Raises:
        InputError: The folder or a file is missing, or the sample cannot be drawn.
        ParseError: A line is malformed or names an unknown formula.
    """
    folder = Path(data_dir)
    statements = _mizar_statements(folder)
    names = tuple(name for _, name in _lines(folder, "FormulasInMMLOrder"))
    for number, name in enumerate(names, start=1):
        if name not in statements:
            raise _malformed(folder / "FormulasInMMLOrder", number, "the name of a formula in 00allformulas", name)
    positions = {name: position for position, name in enumerate(names)}
    formulas = [statements[name].formula for name in names]
    items = tuple(_mizar_items(folder, positions, formulas))
    # A type fact without content is stated as `$true`.
    usable = [formula != "$true" for formula in formulas]
    chosen = _sampled(items, sample, seed)
    return Stream(
        name="mptp2078",
        title=f"MPTP2078 chainy, {len(chosen)} of {len(items)} problems" + ("" if sample is None else f", seed {seed}"),
        library_text="".join(f"{statements[name].line}\n" for name in names),
        names=names,
        items=chosen,
        premise_mask=_mask(usable),
        axiom_positions=_axiom_positions(usable, goals={item.position for item in items}),
    )


def _mizar_statements(folder: Path) -> dict[str, _MizarStatement]:
    statements = {}
    for number, line in _lines(folder, "00allformulas"):
        match = _MPTP_LINE.fullmatch(line)
        if match is None:
            raise _malformed(folder / "00allformulas", number, "fof(name, role, formula).", line)
        statements[match["name"]] = _MizarStatement(line, match["formula"].strip())
    return statements


def _mizar_items(folder: Path, positions: dict[str, int], formulas: Sequence[str]) -> Iterable[Item]:
    human = _bushy_premises(folder, positions)
    for index, (number, problem) in enumerate(_lines(folder, "ProblemsInMMLOrder"), start=1):
        article, _, name = problem.partition("__")
        if name not in positions:
            raise _malformed(folder / "ProblemsInMMLOrder", number, "article__name of a known formula", problem)
        yield Item(index, name, formulas[positions[name]], positions[name], human.get(problem, ()), article)


def _bushy_premises(folder: Path, positions: dict[str, int]) -> dict[str, tuple[str, ...]]:
    premises = {}
    for number, line in _lines(folder, "bushy_premises.txt"):
        problem, *names = line.split()
        unknown = next((name for name in names if name not in positions), None)
        if unknown is not None:
            raise _malformed(folder / "bushy_premises.txt", number, "names of known formulas", unknown)
        premises[problem] = tuple(names)
    return premises


def _sampled(items: Sequence[Item], size: int | None, seed: int | None) -> tuple[Item, ...]:
    if size is None:
        return tuple(items)
    if seed is None:
        raise InputError("a sample needs a seed, so that the same problems can be drawn again")
    if not 1 <= size <= len(items):
        raise InputError(f"a sample of {size} was asked for; the stream has {len(items)} problems")
    return tuple(items[place] for place in sorted(random.Random(seed).sample(range(len(items)), size)))


# --- what both need ---------------------------------------------------------------------------------------------------


def _mask(usable: Sequence[bool]) -> NDArray[np.bool_]:
    mask = np.array(usable, dtype=np.bool_)
    mask.setflags(write=False)
    return mask


def _axiom_positions(usable: Sequence[bool], goals: set[int]) -> tuple[int, ...]:
    return tuple(position for position, admitted in enumerate(usable) if admitted and position not in goals)


def _lines(folder: Path, name: str) -> list[tuple[int, str]]:
    """The lines of a file that are not blank, with their 1-based numbers."""
    try:
        text = (folder / name).read_text(encoding="utf-8")
    except OSError as error:
        message = (
            f"{folder / name} cannot be read ({error.strerror}): expected a folder of MPTP2078 with "
            f"{', '.join(_MPTP_FILES)}; docs/ql.md says where to get it"
        )
        raise InputError(message) from error
    return [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]


def _malformed(path: str | Path, line: int, expected: str, found: str) -> ParseError:
    message = f"{path}, line {line}: expected {expected}, found {found[:80]!r}"
    return ParseError(message, path=str(path), line=line, column=1, expected=expected, found=found[:80])
