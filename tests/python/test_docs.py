"""What the documentation shows is what runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "examples" / "README.md"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_examples_run(example: Path, tmp_path: Path) -> None:
    if example.name == "read_format.py":
        run(EXAMPLES[0].with_name("remember.py"), tmp_path)
    expected = {
        "check_once.py": "4 entries, 2 of 6 requests answered",
        "check_requests.py": "'': an empty proof",
        "check_with_pool.py": "the winner is number 7",
        "read_format.py": "2 commutativity: ![X, Y]: f(X, Y) = f(Y, X)  (a vector of length 1.000)",
        "remember.py": "right_identity",
        "solve.py": "by the try own proof",
        "stand_ins.py": "exit 3\nno answer in time",
    }[example.name]
    assert expected in run(example, tmp_path)


def run(example: Path, folder: Path) -> str:
    """What the example prints about a memory in ``folder``."""
    done = subprocess.run(
        [sys.executable, example, folder / "lemmas.porism"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_program_in_the_description_of_the_format_is_the_example() -> None:
    page = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
    assert (ROOT / "examples" / "read_format.py").read_text(encoding="utf-8") in page


def test_python_in_the_readme_is_taken_from_the_examples() -> None:
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert shown
    programs = [example.read_text(encoding="utf-8") for example in EXAMPLES]
    for block in shown:
        assert any(block in program for program in programs), block


def test_python_in_the_guide_to_the_queue_is_taken_from_the_example() -> None:
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "queue.md").read_text(encoding="utf-8"), re.DOTALL)
    program = (ROOT / "examples" / "check_requests.py").read_text(encoding="utf-8")
    assert shown
    assert [block for block in shown if block not in program] == []


def test_the_guide_to_stand_ins_shows_what_they_answer() -> None:
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    shown = re.search(r"```python\n(.*?)```\n\nprints\n\n```\n(.*?)```", page, re.DOTALL)
    example = ROOT / "examples" / "stand_ins.py"
    assert shown
    assert shown[1] in example.read_text(encoding="utf-8")
    assert subprocess.check_output([sys.executable, example], text=True, timeout=60) == shown[2]


def test_python_in_the_guide_to_verdicts_is_taken_from_the_example() -> None:
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8"), re.DOTALL)
    program = (ROOT / "examples" / "check_once.py").read_text(encoding="utf-8")
    assert shown
    assert [block for block in shown if block not in program] == []


def test_python_in_the_guide_to_the_pool_is_taken_from_the_example() -> None:
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "pool.md").read_text(encoding="utf-8"), re.DOTALL)
    program = (ROOT / "examples" / "check_with_pool.py").read_text(encoding="utf-8")
    assert shown
    assert [block for block in shown if block not in program] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [to for to in targets if "://" not in to and not (page.parent / to).exists()]
    assert not missing
