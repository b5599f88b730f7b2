"""Metamath libraries from Python, and ``porism check``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

import porism
from porism import metamath
from porism.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGIC = """
$c ( ) -> |- wff $. $v p q r $. wp $f wff p $. wq $f wff q $. wr $f wff r $.
wi $a wff ( p -> q ) $. ${ mp.1 $e |- p $. mp.2 $e |- ( p -> q ) $. mp $a |- q $. $}
a1 $a |- ( p -> ( q -> p ) ) $. df-x $a |- ( q -> q ) $.
${ h $e |- p $. a1i $p |- ( q -> p ) $= wp wq wp wi h wp wq a1 mp $. $}
last $p |- ( r -> ( r -> r ) ) $= ( a1 ) AAB $.
"""
WRONG = LOGIC + "wrong $p |- ( p -> q ) $= wp wq a1 $.\n"
UNFINISHED = LOGIC + "open $p |- ( p -> q ) $= ? $.\n"
CASES = Path(__file__).resolve().parents[1] / "conformance" / "metamath"


@pytest.fixture
def library() -> metamath.Library:
    return metamath.parse(LOGIC)


def test_a_library_says_what_is_in_it(library: metamath.Library) -> None:
    assert len(library) == 12
    statement = library.statement("last")
    assert statement == metamath.Statement(11, "last", "$p", "|- ( r -> ( r -> r ) )")
    assert [one.label for one in library.statements()][:4] == ["wp", "wq", "wr", "wi"]
    assert library.citations("a1i") == ("wi", "mp", "a1")
    used = library.axioms("a1i")
    assert (used.axioms, used.definitions, used.syntax) == (("mp", "a1"), (), ("wi",))
    with pytest.raises(porism.InputError, match="no statement 'nothing'"):
        library.statement("nothing")


def test_all_proofs_are_checked(library: metamath.Library) -> None:
    heard: list[tuple[int, int]] = []
    report = library.check_all(threads=2, progress=lambda done, total: heard.append((done, total)))
    assert (report.decision, report.proofs, report.accepted) == (porism.Decision.ACCEPTED, 2, 2)
    assert (2, 2) in heard
    assert library.check_all(paranoid=True) == report


def test_an_exception_in_the_progress_ends_the_check(library: metamath.Library) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyError(done, total)

    with pytest.raises(KeyError):
        library.check_all(threads=1, progress=stop)


def test_one_new_proof(library: metamath.Library) -> None:
    assert library.check_one("|- ( r -> q )", "wq wr wq wi h.1 wq wr a1 mp", hypotheses={"h.1": "|- q"}).accepted
    checked = library.check_one("|- ( p -> ( q -> p ) )", b"wp a1")
    assert checked.decision is porism.Decision.REJECTED
    assert checked.fault is not None
    assert (checked.fault.code, checked.fault.label, checked.fault.step) == ("stack_underflow", "a1", 2)
    small = porism.CheckBudget(steps=2)
    assert library.check_one("|- ( p -> ( q -> p ) )", "wp wq a1", budget=small).decision is porism.Decision.UNDECIDED
    with pytest.raises(porism.InputError, match="negative"):
        library.check_one("|- p", "wp", budget=porism.CheckBudget(steps=-1))
    assert not library.check_one("|- ( p -> ( q -> p ) )", "wp wq a1", before="a1").accepted


def test_lemmas_go_on_top(library: metamath.Library) -> None:
    extended = library.extend("new", "|- ( p -> ( q -> p ) )", "wp wq a1")
    assert (library.depth, extended.depth) == (0, 1)
    assert extended.check_one("|- ( r -> ( q -> r ) )", "wr wq new").accepted
    assert not library.check_one("|- ( r -> ( q -> r ) )", "wr wq new").accepted
    with pytest.raises(porism.InputError, match="stack_underflow"):
        library.extend("new", "|- p", "a1")


def test_a_theorem_in_parts_can_be_checked_again(library: metamath.Library) -> None:
    theorem = library.theorem("last")
    assert theorem == metamath.Theorem("|- ( r -> ( r -> r ) )", "( a1 ) AAB", (), ())
    assert library.check_one(theorem.statement, theorem.proof).accepted
    assert library.theorem("a1i").hypotheses == ("|- p",)
    with pytest.raises(porism.InputError, match="no theorem"):
        library.theorem("a1")


def test_a_receipt_binds_claim_and_proof(library: metamath.Library) -> None:
    receipt = library.receipt("last")
    assert receipt.checker == "porism-metamath"
    assert len(receipt.claim_hash) == len(receipt.certificate_hash) == 64
    with pytest.raises(porism.InputError, match="no receipt"):
        metamath.parse(WRONG).receipt("wrong")
    with pytest.raises(porism.InputError, match="no receipt"):
        library.receipt("a1")


def test_a_snapshot_is_the_library(library: metamath.Library, tmp_path: Path) -> None:
    path = tmp_path / "logic.snapshot"
    library.save(path)
    opened = metamath.open(path)
    assert list(opened.statements()) == list(library.statements())
    assert opened.check_all() == library.check_all()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(porism.InputError, match="snapshot_unreadable"):
        metamath.open(path)


def test_what_is_no_database_is_an_error_with_a_place(tmp_path: Path) -> None:
    with pytest.raises(porism.ParseError, match="symbol_undeclared") as raised:
        metamath.parse("$c a $.\nx $a a b $.", label="two.mm")
    assert (raised.value.path, raised.value.line, raised.value.column) == ("two.mm", 2, 8)
    with pytest.raises(porism.InputError, match="cannot be read"):
        metamath.open(tmp_path / "missing.mm")


@pytest.mark.parametrize(("text", "exit_code"), [(LOGIC, 0), (WRONG, 1), (UNFINISHED, 2), ("$c a", 1)])
def test_the_command_exits_with_the_decision(text: str, exit_code: int, tmp_path: Path) -> None:
    path = tmp_path / "file.mm"
    path.write_text(text, encoding="ascii")
    ran = CliRunner().invoke(app, ["check", str(path)])
    assert ran.exit_code == exit_code, ran.output
    ran = CliRunner().invoke(app, ["check", "--json", "--paranoid", "--threads", "2", str(path)])
    assert ran.exit_code == exit_code, ran.output
    printed = json.loads(ran.output)
    assert printed["decision"] == ["accepted", "rejected", "undecided"][exit_code]
    assert len(printed["faults"]) == (exit_code > 0)


def test_other_files_are_not_guessed_at(tmp_path: Path) -> None:
    with pytest.raises(porism.InputError, match="no checker reads"):
        porism.check(tmp_path / "proof.txt")


# --- the cases that all runners share ---------------------------------------------------------------------------------


def cases() -> Iterator[tuple[str, str, str | None, dict[str, bytes]]]:
    """Name, verdict, code and texts of each case; `tests/conformance/metamath/README.md` says how they are written."""
    for path in sorted(CASES.glob("*.cases")):
        preludes: dict[str, str] = {}
        sections = path.read_text(encoding="ascii").split("\n=== ")[1:]
        for head, _, body in (section.partition("\n") for section in sections):
            if head.startswith("prelude "):
                preludes[head.split()[1]] = body + "\n"
        for head, _, body in (section.partition("\n") for section in sections):
            verdict, *words = head.split()
            if verdict == "prelude":
                continue
            code = None if verdict == "accepted" else words.pop(0)
            main, *others = f"\n{body}\n".split("\n--- ")
            texts = {"main.mm": "".join(preludes[word[1:]] for word in words[1:]) + main[1:] + "\n"}
            texts |= {name: text for name, _, text in (other.partition("\n") for other in others)}
            yield f"{path.stem}: {words[0]}", verdict, code, {name: unescape(text) for name, text in texts.items()}


def unescape(text: str) -> bytes:
    first, *rest = text.replace("\\\n", "").split("\\x")
    return first.encode("ascii") + b"".join(bytes.fromhex(part[:2]) + part[2:].encode("ascii") for part in rest)


def test_every_case_gets_its_verdict(tmp_path: Path) -> None:
    wrong = []
    count = 0
    for name, verdict, code, texts in cases():
        count += 1
        root = tmp_path / str(count) / "root"
        for file, text in texts.items():
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        report = porism.check(root / "main.mm", threads=1)
        worst = next(
            (one for one in report.faults.values() if one.decision is report.decision), porism.Checked(report.decision)
        )
        found = (str(worst.decision), worst.fault.code if worst.fault else None)
        if found != (verdict, code):
            wrong.append((name, found, (verdict, code)))
    assert wrong == []
    assert count >= 150
