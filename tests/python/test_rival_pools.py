"""The comparison of pools of Lean REPLs: how answers are judged, and that ours takes part."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

import pytest
from rivals.pool import burst_text, median
from rivals.pools import Answer, understood
from rivals.pools.porism_pool import PorismPool
from rivals.pools.porism_queue import PorismQueue
from rivals.pools.stage import build
from rivals.pools.trial import WrongAnswerError, agree, burst, expect, question

if TYPE_CHECKING:
    from pathlib import Path


def test_questions_differ_and_a_third_is_false() -> None:
    asked = [question(number, 0.0) for number in range(300)]
    assert len({body for body, _ in asked}) == 300
    assert 60 < sum(not wanted.accepted for _, wanted in asked) < 140


def test_an_answer_to_another_question_stops_the_run() -> None:
    with pytest.raises(WrongAnswerError, match="'7'"):
        expect(Answer(True, "7"), Answer(True, "8"))


def test_answers_of_the_repl_are_understood() -> None:
    said = {"severity": "info", "data": "3"}
    assert understood({"env": 1, "messages": [said]}) == Answer(True, "3")
    assert understood({"env": 1, "messages": [{"severity": "error", "data": "no"}, said]}) == Answer(False, "3")
    assert understood({"message": "Unknown environment."}) == Answer(False, "")


@pytest.mark.parametrize("ours", [PorismPool, PorismQueue])
def test_ours_answers_right(ours: type[PorismPool | PorismQueue], tmp_path: Path) -> None:
    async def run() -> None:
        pool = ours()
        await pool.open(build(tmp_path), 2)
        options = argparse.Namespace(requests=40, seconds=60.0, work_s=0.0)
        assert await agree(pool, options) == {"agreed": 40}
        assert (await burst(pool, options))["answered"] == 40
        await pool.close()

    asyncio.run(run())


def test_a_burst_that_froze_is_told() -> None:
    rounds = [{"burst 10": {"answered": 10, "last_ms": 5.0}}, {"burst 10": {"answered": 6, "last_ms": 3.0}}]
    assert burst_text(rounds, 10) == "6 to 10 of 10 answered"
    assert burst_text(rounds[:1], 10) == "last after 5 ms"
    assert median([{"latency": {"failed": "why"}}], "latency", "p50_ms") is None
