"""``porism memory``, as a shell sees it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from porism._errors import NotAMemoryError
from porism._memory import Memory
from porism._types import Lemma
from porism.cli.memory import app


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "lemmas.porism"
    with Memory.open(path) as memory:
        memory.insert(Lemma("![X]: f(X,e)=X", name="[bold]right_identity"))
    return path


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def test_stats(path: Path) -> None:
    assert json.loads(run("stats", path, "--json"))["records"] == 1
    assert "lemma" in run("stats", path)


def test_recall(path: Path) -> None:
    line = json.loads(run("recall", path, "![X]: f(e,X)=X", "-k", 3, "--json"))
    assert (line["id"], line["kind"]) == (1, "lemma")
    assert line["score"] > 0
    assert "[bold]" in run("recall", path, "![X]: f(e,X)=X"), "a name is text, not markup"


def test_recall_of_nothing_is_exit_code_1(tmp_path: Path) -> None:
    Memory.open(tmp_path / "empty.porism").close()
    assert run("recall", tmp_path / "empty.porism", "p", "--json", code=1) == ""


def test_export(path: Path, tmp_path: Path) -> None:
    run("export", path, "--output", tmp_path / "dump.jsonl")
    lines = (tmp_path / "dump.jsonl").read_text(encoding="utf-8").splitlines()
    assert run("export", path).splitlines() == lines
    assert [json.loads(line)["type"] for line in lines] == ["header", "record"]


def test_verify_tells_sound_from_damaged(path: Path) -> None:
    assert json.loads(run("verify", path, "--json"))["clean"]
    rows = path / "rows-000001.f32"
    good = rows.read_bytes()
    rows.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert "damaged" in run("verify", path, code=1)
    rows.write_bytes(good[:70])
    assert not json.loads(run("verify", path, "--json", code=1))["clean"]


def test_a_missing_memory_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotAMemoryError):
        run("stats", tmp_path / "absent")
    assert list(tmp_path.iterdir()) == []


def test_forget_restore_history_and_compact(path: Path) -> None:
    assert "would be forgotten: 1" in run("forget", path, 1, "--dry-run")
    assert json.loads(run("forget", path, 1, "--reason", "a [test]", "--json"))["ids"] == [1]
    assert run("forget", path, 1, code=1).startswith("forgotten: none")
    assert "a [test]" in run("history", path, 1)
    assert run("recall", path, "f", "--json", code=1) == ""
    assert json.loads(run("recall", path, "f", "--at", 1, "--json"))["id"] == 1
    assert run("restore", path, 1) == "restored: 1\n"
    assert run("restore", path, 1, code=1) == "restored: none\n"
    changes = [json.loads(line)["action"] for line in run("history", path, 1, "--json").splitlines()]
    assert changes == ["inserted", "forgotten", "restored"]
    run("forget", path, 1)
    assert json.loads(run("compact", path, "--json"))["dropped"] == 1


def test_import_and_purge(path: Path, tmp_path: Path) -> None:
    run("export", path, "--output", tmp_path / "dump.jsonl")
    copy = tmp_path / "copy.porism"
    assert run("import", copy, tmp_path / "dump.jsonl").startswith("1 records new, 0 known")
    found = run("recall", copy, "right_identity", "--view", "words", "--view", "symbols", "--kind", "lemma", "--json")
    assert json.loads(found)["id"] == 1
    assert "would be purged: 1" in run("purge", copy, 1, "--dry-run")
    assert json.loads(run("purge", copy, 1, "--json")) == {"ids": [1], "unsupported": []}
    assert json.loads(run("stats", copy, "--json"))["records"] == 0


def test_an_old_format_is_upgraded(tmp_path: Path) -> None:
    old = tmp_path / "old.porism"
    shutil.copytree(Path(__file__).resolve().parents[1] / "assets" / "format-1.porism", old)
    assert run("upgrade", old) == "upgraded from format 1\n"
    assert run("verify", old).startswith("sound 4 records, 4 rows")
