"""Candidates for Rocq that try to be taken for proofs, to touch the host, or to spoil the process for the next.

Each file of ``rocq/`` opens with what it tries. Then it says what it is put under (header, statement, name), and what
must come of it: ``never: proved``, or the level of ``trust`` that it deserves at most.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from porism import Pool, Trust, Verdict, sandbox_report
from porism.provers import Rocq
from porism.provers._driver import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTACKS = sorted((Path(__file__).parent / "rocq").glob("*.v"))
HEADER = "From Coq Require Import Lia.\n"
_DIRECTIVE = re.compile(r"^\(\* (header|statement|name|never|trust|deadline|touches): (.*) \*\)\n", re.MULTILINE)


def _confined() -> bool:
    report = sandbox_report()
    return all(report.holds(name) for name in ("privileges", "files", "network", "calls", "together"))


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    # On a machine that grants no sandbox the attacks on trust can be tried all the same.
    rocq = Rocq(memory_mb=1500) if _confined() else Rocq(memory_mb=1500, sandbox=None)
    try:
        rocq.version()
    except Exception as error:
        pytest.skip(f"no Rocq: {error}")
    with Pool([rocq], workers=1) as opened:
        yield opened


def test_there_are_attacks() -> None:
    assert len(ATTACKS) > 50
    assert all(path.read_text(encoding="utf-8").startswith("(* ") for path in ATTACKS)


@pytest.mark.parametrize("trust", [Trust.L0, Trust.L3])
@pytest.mark.parametrize("path", ATTACKS, ids=lambda path: path.stem)
def test_it_is_reported_at_no_level_that_it_does_not_deserve(
    pool: Pool, tmp_path: Path, path: Path, trust: Trust
) -> None:
    text = path.read_text(encoding="utf-8").partition("\n")[2]
    said = dict(_DIRECTIVE.findall(text))
    job = Job(
        candidate=_DIRECTIVE.sub("", text).replace("@", str(tmp_path)),
        statement=said.get("statement"),
        header=HEADER + said.get("header", ""),
        name=said.get("name"),
        prover="Rocq",
        trust=trust,
    )
    check = pool.check(job, deadline_s=float(said.get("deadline", 60)))

    if "never" in said:
        assert check.verdict is not Verdict.PROVED, check
        assert check.verdict is not Verdict.REFUTED, check
    else:
        assert check.trust <= int(said["trust"]), check
    assert check.detail or check.verdict is Verdict.PROVED
    assert "touches" not in said or not (tmp_path / said["touches"]).exists()

    # Whoever comes next is served as if nothing had been.
    assert (
        pool.check("lia.", statement="forall n : nat, n < n + 1", header=HEADER, prover="Rocq").verdict
        is Verdict.PROVED
    )
    assert (
        pool.check("lia.", statement="forall n : nat, n < n", header=HEADER, prover="Rocq").verdict is Verdict.REJECTED
    )
