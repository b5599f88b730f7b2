"""The language of ``ql.mm``: its terms and statements, as a parser, a TPTP printer and two decisions.

Terms are infix and fully parenthesised; the orthocomplement ``'`` stands behind its argument. Three oddities:
``C`` is both a relation (``a C b``) and an operation (``C ( a , b )``); ``==OA`` takes three arguments
(``( a == c ==OA b )``) or four (``( a == c , d ==OA b )``); and ``==`` opens both of these besides being an operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, NoReturn

from porism._errors import ParseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OPERATIONS = {
    "v": "join",
    "^": "meet",
    "==": "biconditional",
    "=<2": "le_term",
    **{f"->{kind}": f"imp{kind}" for kind in range(6)},
    **{f"=={kind}": f"ident{kind}" for kind in range(6)},
    "<->1": "biconditional1",
    "<->3": "biconditional3",
    "u3": "join3",
    "^3": "meet3",
}
CONSTANTS = {"0": "zero", "1": "one"}
RELATIONS = {"=": "=", "=<": "le", "C": "commutes"}


@dataclass(frozen=True, slots=True)
class Term:
    """A term or an atom in TPTP names: a symbol and its arguments. A variable is a symbol in upper case."""

    symbol: str
    arguments: tuple[Term, ...] = ()

    def __str__(self) -> str:
        if self.symbol == "=":
            left, right = self.arguments
            return f"{left} = {right}"
        if not self.arguments:
            return self.symbol
        return f"{self.symbol}({','.join(map(str, self.arguments))})"

    @property
    def is_variable(self) -> bool:
        """Whether it is a metavariable of the library."""
        return self.symbol[0].isupper()

    def subterms(self) -> Iterator[Term]:
        """Every subterm, arguments before the terms they stand in, itself last; repeated as often as it occurs."""
        for argument in self.arguments:
            yield from argument.subterms()
        yield self


@dataclass(frozen=True, slots=True)
class Formula:
    """Hypotheses that imply a conclusion, for all values of the metavariables."""

    hypotheses: tuple[Term, ...]
    conclusion: Term

    def __str__(self) -> str:
        body = str(self.conclusion)
        if len(self.hypotheses) == 1:
            body = f"( {self.hypotheses[0]} => {body} )"
        elif self.hypotheses:
            body = f"( ( {' & '.join(map(str, self.hypotheses))} ) => {body} )"
        variables = self.variables()
        return f"! [{','.join(variables)}] : {body}" if variables else body

    @property
    def atoms(self) -> tuple[Term, ...]:
        """The hypotheses in order, then the conclusion."""
        return (*self.hypotheses, self.conclusion)

    def variables(self) -> list[str]:
        """The metavariables in order of first occurrence."""
        terms = (term for atom in self.atoms for term in atom.subterms())
        return list(dict.fromkeys(term.symbol for term in terms if term.is_variable))


def parse_formula(
    hypotheses: Sequence[Sequence[str]], conclusion: Sequence[str], variables: frozenset[str], *, label: str = ""
) -> Formula:
    """Read the symbols of a statement; every part begins with ``|-``.

    Raises:
        ParseError: A part is not in the language of ``ql.mm``; the column counts symbols.
    """
    read = [_Parser(tuple(symbols), variables, label).atom() for symbols in (*hypotheses, conclusion)]
    return Formula(tuple(read[:-1]), read[-1])


@dataclass(slots=True)
class _Parser:
    symbols: tuple[str, ...]
    variables: frozenset[str]
    label: str
    place: int = 0

    def atom(self) -> Term:
        self._expect("|-")
        left = self._term()
        relation = self._take()
        if relation not in RELATIONS:
            self._fail("a relation: " + ", ".join(RELATIONS))
        right = self._term()
        if self.place < len(self.symbols):
            self._take()
            self._fail("the end of the statement")
        return Term(RELATIONS[relation], (left, right))

    def _term(self) -> Term:
        term = self._without_complement()
        while self._peek() == "'":
            self._take()
            term = Term("ortho", (term,))
        return term

    def _without_complement(self) -> Term:
        symbol = self._take()
        if symbol in self.variables:
            return Term(symbol.upper())
        if symbol in CONSTANTS:
            return Term(CONSTANTS[symbol])
        if symbol == "C":
            return self._commutator()
        if symbol != "(":
            self._fail("a term")
        return self._infix()

    def _commutator(self) -> Term:
        self._expect("(")
        left = self._term()
        self._expect(",")
        right = self._term()
        self._expect(")")
        return Term("commutator", (left, right))

    def _infix(self) -> Term:
        left = self._term()
        operation = self._take()
        if operation not in OPERATIONS:
            self._fail("an operation")
        right = self._term()
        term = Term(OPERATIONS[operation], (left, right))
        if operation == "==" and self._peek() in {",", "==OA"}:
            term = self._orthoarguesian(left, right)
        self._expect(")")
        return term

    def _orthoarguesian(self, left: Term, middle: Term) -> Term:
        # The arguments keep the order in which they are written, so `( a == c ==OA b )` is (a, c, b).
        arguments = [left, middle]
        if self._peek() == ",":
            self._take()
            arguments.append(self._term())
        self._expect("==OA")
        arguments.append(self._term())
        return Term(f"ident_oa{len(arguments)}", tuple(arguments))

    def _peek(self) -> str:
        return self.symbols[self.place] if self.place < len(self.symbols) else ""

    def _take(self) -> str:
        symbol = self._peek()
        self.place += 1
        return symbol

    def _expect(self, symbol: str) -> None:
        if self._take() != symbol:
            self._fail(symbol)

    def _fail(self, expected: str) -> NoReturn:
        found = self.symbols[self.place - 1] if self.place <= len(self.symbols) else "the end"
        raise ParseError(
            f"{self.label or 'statement'}: expected {expected} at symbol {self.place}, found {found}",
            line=1,
            column=self.place,
            expected=expected,
            found=found,
        )


def canonical(formula: Formula) -> str:
    """The same text for two formulas exactly if they differ by a renaming of their variables."""
    names = {variable: f"X{number}" for number, variable in enumerate(formula.variables())}
    atoms = [_renamed(atom, names) for atom in formula.atoms]
    return str(Formula(tuple(atoms[:-1]), atoms[-1]))


def side_blind(formula: Formula) -> str:
    """A text that formulas share if they are the same up to renaming and sides: cheap, and necessary only."""
    return " ".join(_blind(atom) for atom in formula.atoms)


def _blind(term: Term) -> str:
    if term.is_variable:
        return "X"
    arguments = [_blind(argument) for argument in term.arguments]
    if term.symbol == "=":
        arguments.sort()
    return f"{term.symbol}({','.join(arguments)})"


def same_up_to_sides(one: Formula, other: Formula) -> bool:
    """Whether the formulas differ only by a renaming of variables and by swapping the sides of equations."""
    # Which variable comes first depends on the sides, so every choice of them is tried.
    wanted = canonical(one)
    choices = product(*(_orientations(atom) for atom in other.atoms))
    return any(canonical(Formula(atoms[:-1], atoms[-1])) == wanted for atoms in choices)


def _orientations(atom: Term) -> tuple[Term, ...]:
    if atom.symbol != "=":
        return (atom,)
    left, right = atom.arguments
    return (atom, Term("=", (right, left)))


def _renamed(term: Term, names: dict[str, str]) -> Term:
    arguments = tuple(_renamed(argument, names) for argument in term.arguments)
    return Term(names.get(term.symbol, term.symbol), arguments)


def is_tautology(formula: Formula) -> bool:
    """Whether the formula follows from no axioms at all, by the laws of equality alone.

    Its variables are universally quantified outside, so in its negation they are constants and every atom is ground:
    congruence closure over the subterms decides the question.
    """
    congruence = _Congruence()
    for atom in formula.hypotheses:
        congruence.merge(*congruence.equation(atom))
    goal = congruence.equation(formula.conclusion)
    congruence.close()
    return congruence.same(*goal)


class _Congruence:
    """Classes of ground terms under some equations, closed under: equal arguments give equal values.

    A term is known by its number, which ``_numbers`` keeps under its symbol and the numbers of its arguments.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, tuple[int, ...]], int] = {}
        self._parents: list[int] = []

    def equation(self, atom: Term) -> tuple[int, int]:
        """An atom as an equation: a relation other than ``=`` is a function whose value is true."""
        if atom.symbol == "=":
            left, right = atom.arguments
            return self._number(left), self._number(right)
        return self._number(atom), self._number(Term("$true"))

    def merge(self, left: int, right: int) -> bool:
        left, right = self._find(left), self._find(right)
        self._parents[left] = right
        return left != right

    def same(self, left: int, right: int) -> bool:
        return self._find(left) == self._find(right)

    def close(self) -> None:
        while self._pass():
            pass

    def _pass(self) -> bool:
        first_with: dict[tuple[str, tuple[int, ...]], int] = {}
        merged = False
        for (symbol, arguments), number in self._numbers.items():
            signature = (symbol, tuple(map(self._find, arguments)))
            merged |= self.merge(number, first_with.setdefault(signature, number))
        return merged

    def _number(self, term: Term) -> int:
        key = (term.symbol, tuple(map(self._number, term.arguments)))
        if key not in self._numbers:
            self._numbers[key] = len(self._parents)
            self._parents.append(len(self._parents))
        return self._numbers[key]

    def _find(self, number: int) -> int:
        while self._parents[number] != number:
            number = self._parents[number]
        return number
