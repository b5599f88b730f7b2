"""One small problem, from the file to the receipt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import porism

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

GROUP = Path(__file__).resolve().parents[2] / "examples" / "group.p"


def test_solve(benchmark: BenchmarkFixture) -> None:
    result = benchmark.pedantic(porism.solve, args=(GROUP,), rounds=10, warmup_rounds=1)
    assert result.reproved
