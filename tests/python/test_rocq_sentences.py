"""Where sentences of Rocq end: by example, against Rocq itself on scripts made at random, and on hostile text."""

from __future__ import annotations

import contextlib
import random
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from porism._errors import InputError
from porism.provers._rocq_sentences import place, sentences, statement, unfit_in_proof, unfit_in_text

if TYPE_CHECKING:
    from pathlib import Path


def texts(script: str) -> list[str]:
    return [one.text for one in sentences(script)]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", []),
        ("lia.", ["lia."]),
        (" lia .\n", ["lia ."]),
        ("a. b.c d.\tA.b.", ["a.", "b.c d.", "A.b."]),
        ("(* a. (* b. *) *) lia. (* c *)", ["lia."]),
        ("a (* b. *) c.", ["a (* b. *) c."]),
        ('idtac "a. b ""c. """.', ['idtac "a. b ""c. """.']),
        ('(* "*)" a. *) b.', ["b."]),
        ("- lia. + -- auto. *** x.", ["-", "lia.", "+", "--", "auto.", "***", "x."]),
        ("{ lia. } 1: { auto. } [goal]: { x. }", ["{", "lia.", "}", "1: {", "auto.", "}", "[goal]: {", "x.", "}"]),
        ("{ - { a. } }", ["{", "-", "{", "a.", "}", "}"]),
        ("exact {| f := 1 |}.", ["exact {| f := 1 |}."]),
        ("rewrite <- a, -> b.", ["rewrite <- a, -> b."]),
        ("auto with *. a + b.", ["auto with *.", "a + b."]),
        ("a... b.", ["a...", "b."]),
        ("all: lia. 1-2, 4: auto. !: x.", ["all: lia.", "1-2, 4: auto.", "!: x."]),
        ("exact 1.5. x.", ["exact 1.5.", "x."]),
        ("exact (é.π). λ.", ["exact (é.π).", "λ."]),
        ('Notation "x .. y" := (a .. (b) ..). c.', ['Notation "x .. y" := (a .. (b) ..).', "c."]),
    ],
)
def test_sentences_end_where_rocq_ends_them(script: str, expected: list[str]) -> None:
    found = sentences(script)
    assert [one.text for one in found] == expected
    assert all(script.startswith(one.text, one.start) for one in found)


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("lia", "line 1, column 1: no period ends"),
        ("a.\n  b.(* c *)", "line 2, column 3: no period ends"),
        ("a. (* b", "line 1, column 4: a comment is not closed"),
        ('a. (* " *) b.', "comment is not closed"),
        ('a "b.', "line 1, column 3: a string is not closed"),
        ('a """ b.', "string is not closed"),
        ("a.\n\0", "line 2, column 1: Rocq cannot read the character"),
        ("a\ud800.", "cannot read"),
        ("{ a. }}x", "no period ends"),
        ("a.\x0bb", "cannot read"),
    ],
)
def test_what_has_no_end_is_refused(script: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        sentences(script)


def test_places_count_lines_and_characters_from_one() -> None:
    script = "é.\n  ab."
    assert [place(script, one.start) for one in sentences(script)] == [(1, 1), (2, 3)]


# --- Rocq itself ------------------------------------------------------------------------------------------------------

_BLANKS = (" ", "\n", "\t", "\r\n", "  ", " (* c. *) ", ' (* "*)" (* n. *) *)\n', " (**) ")
_TACTICS = (
    "idtac",
    'idtac "a. "" (* b"',
    "exact I",
    "exact(I)",
    "idtac;idtac",
    "auto with *",
    "do 2 idtac",
    "try (idtac)",
)
_MARKS = ("-", "+", "*", "--", "++", "**")


def _proof(draw: random.Random, depth: int) -> list[str]:
    """A proof of ``True`` as its sentences."""
    steps = [f"{draw.choice(_TACTICS[:2])}." for _ in range(draw.randrange(3))]
    if depth and draw.random() < 0.6:
        inner = [_proof(draw, depth - 1), _proof(draw, depth - 1)]
        goals = ["split."]
        frames = draw.choice(("brace", "number"))
        for part in inner:
            opening = "{" if frames == "brace" else draw.choice(("1: {", "1:{", "1 : {"))
            goals += [opening, *part, "}"]
        return [*steps, "cut (True /\\ True).", "{", "intros _.", "exact I.", "}", *goals]
    return [*steps, draw.choice(("exact I.", "exact(I).", "idtac;exact I.", "exact (Logic.I)."))]


def _script(draw: random.Random) -> str:
    parts: list[str] = []
    for number in range(12):
        marks = draw.sample(_MARKS, 1)[0]
        body = draw.choice((_proof(draw, 3), ["split.", marks, "exact I.", marks, *_proof(draw, 0)]))
        goal = "True /\\ True" if body[0] == "split." and body[1] == marks else "True"
        parts += [f"Lemma é{number} : {goal}.", "Proof.", *body, "Qed."]
    return "".join(part + draw.choice(_BLANKS) for part in parts)


@pytest.mark.skipif(shutil.which("coqc") is None, reason="Rocq is not installed")
@pytest.mark.parametrize("seed", range(4))
def test_rocq_ends_sentences_at_the_same_places(tmp_path: Path, seed: int) -> None:
    script = _script(random.Random(seed))
    source = tmp_path / "script.v"
    source.write_bytes(script.encode())
    ran = subprocess.run(
        ["coqc", "-q", "-noglob", "-time", source],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    # "Chars 12 - 20 [...]": in bytes.
    theirs = [
        tuple(map(int, match)) for match in re.findall(r"^Chars (\d+) - (\d+) \[", ran.stdout, flags=re.MULTILINE)
    ]
    ours = []
    for one in sentences(script):
        start = len(script[: one.start].encode())
        ours.append((start, start + len(one.text.encode())))
    assert ours == theirs


# --- hostile text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{" * 100_000,
        "(*" * 100_000,
        '"' * 100_001,
        "a." * 100_000,
        "1:{" * 60_000,
        "(**)" * 60_000,
        "[x]:{" * 40_000,
        "((" * 90_000,
    ],
    ids=lambda text: text[:6],
)
def test_much_of_anything_is_read_in_one_pass(text: str) -> None:
    # Quadratic work on these would take minutes, which the limit of every test ends.
    for read in (sentences, statement):
        with contextlib.suppress(InputError):
            read(text)


def test_any_text_is_read_or_refused() -> None:
    draw = random.Random(7)
    pieces = [
        ".",
        " ",
        "(*",
        "*)",
        '"',
        "{",
        "}",
        "-",
        "1:",
        "[",
        "]",
        "a",
        "Qed",
        "é",
        "\n",
        "...",
        "..",
        "\0",
        "'",
        "#",
    ]
    for _ in range(3000):
        script = "".join(draw.choices(pieces, k=draw.randrange(12)))
        try:
            found = sentences(script)
        except InputError:
            continue
        # Nothing is lost, and each one stands by itself.
        rest = script
        for one in reversed(found):
            assert script.startswith(one.text, one.start)
            assert texts(one.text) == [one.text] or one.text == "}"
            rest = rest[: one.start] + rest[one.start + len(one.text) :]
        assert not sentences(rest)


# --- what a sentence may do -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sentence",
    [
        "lia.",
        "(lia).",
        "[> idtac | ].",
        "Std.apply x.",
        "1: lia.",
        "all: { ",
        "- ",
        "Qed.",
        "Proof using x.",
        "Show.",
        "_x.",
        "λ.",
    ],
)
def test_tactics_may_stand_in_a_proof(sentence: str) -> None:
    assert [unfit_in_proof(one) for one in sentences(sentence.replace("all: {", "1: {"))] == [None]


@pytest.mark.parametrize(
    "sentence",
    [
        *(
            "Admitted.",
            "Axiom a : False.",
            "Set X.",
            "#[local] Set X.",
            "1: Check x.",
            "1-2, 3: Print x.",
            "[a]: Check x.",
        ),
        *("Time Qed.", "Fail lia.", 'Proof Mode "Ltac2".', "Abort.", '"a".', "`x.", "(* c *) Load x."),
    ],
)
def test_commands_may_not(sentence: str) -> None:
    assert [one for one in map(unfit_in_proof, sentences(sentence)) if one is not None]


@pytest.mark.parametrize(
    "sentence",
    [
        *('Redirect "a" Print x.', 'Time Redirect "a" Print x.', "Timeout 3 Load x.", "Local Declare ML Module x."),
        *(
            "#[local] Cd x.",
            "#[a] #[b(c)] Drop.",
            "Add Rec LoadPath x.",
            "Recursive Extraction x.",
            "Separate Extraction x.",
        ),
    ],
)
def test_texts_may_not_reach_out(sentence: str) -> None:
    assert [one for one in map(unfit_in_text, sentences(sentence)) if one is not None]


@pytest.mark.parametrize("text", ["x = y", "forall x, (x) = x (* a. *)", '"a. " = b', "let '(a, b) := c in a"])
def test_statements_stay_as_they_are(text: str) -> None:
    assert statement(text) == text


@pytest.mark.parametrize("text", ["", "(* a *)", "a. b", "a) : (b", "(a", "a)", 'a "b', "(* a", "a.\n"])
def test_what_is_more_or_less_than_a_statement_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        statement(text)
