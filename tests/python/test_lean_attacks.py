"""Candidates that try to pass without a proof: `tests/attacks/lean`, read and judged one by one.

Each file opens with what it tries, then says how it is handed over (`as:`), what it claims to prove (`statement:`),
which verdicts are right, and what it would leave behind if it could. None is proved above L0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lean_program import HEADER, build, library

import porism
from porism.provers import Job, Lean, LeanServer, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from porism.provers import Driver

FOLDER = Path(__file__).resolve().parents[1] / "attacks" / "lean"
FILES = sorted(FOLDER.glob("*.lean"))

# Long enough for a busy machine; only what never ends takes so long.
DEADLINE_S = 60.0
SHORT_DEADLINE_S = 6.0


def stem(path: Path) -> str:
    return path.stem


@dataclass(frozen=True)
class Attack:
    kind: str
    statement: str | None
    verdicts: frozenset[str]
    leaves: str | None
    text: str


def read(path: Path, folder: Path) -> Attack:
    text = path.read_text(encoding="utf-8")
    says = dict(re.findall(r"^-- (as|statement|verdict|leaves): (.*)$", text, re.MULTILINE))
    # What the file says of itself is no part of the candidate.
    candidate = re.sub(r"\A(?:-- .*\n)+", "", text).replace("FOLDER", str(folder))
    return Attack(says["as"], says.get("statement"), frozenset(says["verdict"].split()), says.get("leaves"), candidate)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("lean"))


@pytest.fixture(scope="module", params=[Lean, LeanServer], ids=["batch", "server"])
def pool(request: pytest.FixtureRequest, program: Path) -> Iterator[porism.Pool]:
    driver: Driver = request.param(program, read=[library()], memory_mb=600)
    with porism.Pool([driver], workers=1) as pool:
        yield pool


@pytest.mark.parametrize("path", FILES, ids=stem)
def test_no_attack_is_believed(pool: porism.Pool, path: Path, tmp_path: Path) -> None:
    attack = read(path, tmp_path)
    endless = "timeout" in attack.verdicts
    job = Job(
        candidate=attack.text,
        statement=attack.statement,
        header=HEADER,
        name="goal",
        prover=pool.provers[0].name,
        trust=porism.Trust.L2 if attack.kind == "proof" else porism.Trust.L0,
        options={"whole": True} if attack.kind == "whole" else {},
    )
    check = pool.check(job, deadline_s=SHORT_DEADLINE_S if endless else DEADLINE_S)
    assert check.verdict.value in attack.verdicts, check
    if check.verdict is Verdict.PROVED:
        assert check.trust is porism.Trust.L0
    if attack.leaves:
        assert not (tmp_path / attack.leaves).exists()


@pytest.mark.parametrize(
    "path", [path for path in FILES if "-- leaves:" in path.read_text()], ids=lambda path: path.stem
)
def test_what_attacks_leave_is_left_without_a_sandbox(program: Path, path: Path, tmp_path: Path) -> None:
    attack = read(path, tmp_path)
    with porism.Pool([Lean(program, sandbox=None)], workers=1) as pool:
        pool.check(attack.text, header=HEADER, name="goal", prover="Lean")
    assert attack.leaves
    assert (tmp_path / attack.leaves).exists()
