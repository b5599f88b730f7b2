"""The report of a run: its numbers, its honesty, and that hostile names stay harmless."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from rich.console import Console
from scipy.stats import binomtest

from porism._types import Verdict
from porism.bench._statistics import compare, headline, mcnemar
from porism.bench.report import render_report, write_report
from porism.bench.results import ArmResult, Attempt, Outcome, Run
from porism.bench.table import render_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title></svg><script>alert('x')</script>\x00\u202e\ud800"


def _attempt(label: str) -> Attempt:
    return Attempt(label=label, premises=32, szs="Theorem", verdict=Verdict.PROVED, seconds=0.1, generated=1000)


def outcome(arm: str, index: int, solved: bool, **changes: object) -> Outcome:
    label = "similarity 32" if solved else "all"
    values: dict[str, object] = {
        "stream": "ql",
        "arm": arm,
        "index": index,
        "name": f"theorem{index}",
        "article": None,
        "proved": solved,
        "reproved": solved,
        "refuted": False,
        "winner": label if solved else None,
        "used": ("ax-a1", "ax-a2") if solved else (),
        "by": "z3" if solved else None,
        "attempts": (_attempt(label),),
        "rank_seconds": 0.001,
        "seconds": 0.25,
        "error": None,
    }
    return Outcome(**(values | changes))  # type: ignore[arg-type]


def arm(name: str, solved: Iterable[int], problems: int = 20) -> ArmResult:
    chosen = set(solved)
    return ArmResult(name, tuple(outcome(name, index, index in chosen) for index in range(1, problems + 1)))


def run(*arms: ArmResult, title: str = "Quantum logic", **settings: object) -> Run:
    return Run("ql", title, dict(settings), arms, "2026-01-02T03:04:05+00:00", 252.0)


THREE = run(arm("none", range(1, 4)), arm("similarity", range(1, 11)), arm("full", range(1, 13)), clauses=20_000)


def drawings(report: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(drawing) for drawing in re.findall(r"<svg.*?</svg>", report, flags=re.DOTALL)]


# --- statistics -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second", "expected"), [(10, 2, 0.0386), (0, 0, 1.0), (5, 5, 1.0), (5, 0, 0.0625)])
def test_mcnemar_has_the_known_values(first: int, second: int, expected: float) -> None:
    assert mcnemar(first, second) == pytest.approx(expected, abs=5e-5)


def test_mcnemar_is_the_binomial_test() -> None:
    for first in range(12):
        for second in range(1, 12):
            assert mcnemar(first, second) == pytest.approx(binomtest(first, first + second).pvalue)


def test_mcnemar_takes_large_counts() -> None:
    assert 0 <= mcnemar(1400, 600) < 1e-40


def test_pairs_are_compared_on_common_problems() -> None:
    found = compare(arm("full", [1, 2, 3, 9], problems=10), arm("none", [3, 4], problems=5))
    assert (found.both, found.only_first, found.only_second, found.neither) == (1, 2, 1, 1)
    assert found.low <= found.difference <= found.high


def test_the_interval_is_the_same_every_time_and_has_the_right_width() -> None:
    pair = arm("full", range(1, 61), problems=200), arm("none", range(41, 81), problems=200)
    found = compare(*pair)
    assert found == compare(*pair)
    # 40 problems won and 20 lost: the standard deviation of the difference is sqrt(60 - 20**2 / 200).
    assert (found.low, found.high) == pytest.approx((20 - 1.96 * 58**0.5, 20 + 1.96 * 58**0.5), abs=1)


def test_articles_are_drawn_whole() -> None:
    def by_article(name: str, solved: Iterable[int]) -> ArmResult:
        chosen = set(solved)
        return ArmResult(name, tuple(outcome(name, n, n in chosen, article=f"a{(n - 1) // 10}") for n in range(1, 101)))

    clustered = compare(by_article("full", range(1, 31)), by_article("none", []))
    alone = compare(arm("full", range(1, 31), problems=100), arm("none", [], problems=100))
    assert clustered.high - clustered.low > 2 * (alone.high - alone.low)


# --- the headline -----------------------------------------------------------------------------------------------------


def test_the_headline_says_what_was_found() -> None:
    assert headline(THREE) == (
        "full solved 12 of 20, similarity 10, none 3; difference full \N{MINUS SIGN} similarity: +2 "
        "(95 % interval 0 to +5), exact McNemar p = 0.5: not a significant difference."
    )


def test_it_claims_an_effect_only_against_both_others() -> None:
    others = arm("none", range(1, 4), 60), arm("similarity", range(1, 11), 60)
    ahead = arm("full", range(1, 41), 60)
    assert "full improves on every other arm" in headline(run(*others, ahead))
    assert "improves" not in render_report(run(others[0], ahead))
    assert "improves" not in render_report(run(others[0], arm("similarity", range(1, 40), 60), ahead))
    assert "improves" not in render_report(run(arm("none", range(1, 50), 60), others[1], ahead))


def test_a_single_problem_proves_nothing() -> None:
    single = run(arm("none", [], 1), arm("similarity", [], 1), arm("full", [1], 1))
    assert "not a significant difference" in headline(single)


def test_a_loss_is_called_a_loss() -> None:
    assert "full solved significantly fewer" in headline(run(arm("similarity", range(1, 16)), arm("full", range(1, 4))))


def test_proved_alone_is_not_solved() -> None:
    unconfirmed = ArmResult("full", (outcome("full", 1, True, reproved=False),))
    assert headline(run(unconfirmed)) == "full solved 0 of 1."
    assert "similarity 32, not re-proved" in render_report(run(unconfirmed))


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shown",
    [
        THREE,
        run(),
        run(ArmResult("full", ())),
        run(arm("full", [])),
        run(arm("full", [1], 1)),
        run(arm("none", [], 1), arm("full", [], 1)),
        run(arm("none", []), arm("full", [3], 7), arm("placebo", [4]), arm("oracle", [5])),
    ],
    ids=["three arms", "nothing", "no problems", "none solved", "one problem", "two arms", "unequal arms"],
)
def test_every_drawing_is_well_formed_and_described(shown: Run) -> None:
    report = render_report(shown)
    for drawing in drawings(report):
        assert drawing.get("role") == "img"
        assert drawing.findtext(f"{SVG}title")
        assert drawing.findtext(f"{SVG}desc")
    identifiers = re.findall(r'\bid="([^"]+)"', report)
    assert len(identifiers) == len(set(identifiers))


def test_the_numbers_stand_in_the_tables() -> None:
    report = render_report(THREE)
    rows = {
        row[0]: row[1:]
        for line in re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", report)
        if (row := [re.sub("<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", line)])
    }
    assert rows["full"] == ["20", "20", "12", "12", "2", "0.25", "5.0"]
    assert rows["full \N{MINUS SIGN} none"] == ["3", "9", "0", "8", "+9", "+5 to +13", "p = 0.0039"]
    assert rows["clauses"] == ["20000"]


def test_the_curve_ends_at_the_counts() -> None:
    curve = drawings(render_report(THREE))[0]
    labels = [text.text for text in curve.iter(f"{SVG}text") if "label" in text.get("class", "")]
    assert labels == ["full 12", "similarity 10", "none 3", "+2"]


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    bad = outcome(HOSTILE, 1, True, name=HOSTILE, article=HOSTILE, winner=HOSTILE, used=(HOSTILE,) * 40)
    attempt = Attempt(label=HOSTILE, premises=1, szs="", verdict=Verdict.UNKNOWN, seconds=0.0, generated=1)
    failed = outcome(HOSTILE, 2, False, error=HOSTILE, attempts=(attempt,))
    path = tmp_path / "report.html"
    shown = run(
        ArmResult(HOSTILE, (bad, failed)), arm("full", [1]), title=HOSTILE, **{HOSTILE: [HOSTILE], "command": HOSTILE}
    )
    write_report(shown, path)
    report = path.read_text(encoding="utf-8")
    assert "<script" not in report
    assert not set(report) & set("\x00\u202e\ud800")
    assert report.count("</title>") == 1 + report.count("<svg")
    assert drawings(report)


def test_it_needs_nothing_else() -> None:
    report = render_report(THREE).replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|//|url\(|@import|<(script|link|img|iframe)\b|\b(src|href)=", report)


def test_a_large_run_stays_small() -> None:
    premises = tuple(f"t{number}_some_article" for number in range(30))
    arms = [
        ArmResult(name, tuple(outcome(name, n, n % 3 > 0, used=premises, article="some_article") for n in range(2078)))
        for name in ("none", "similarity", "full")
    ]
    assert len(render_report(run(*arms)).encode()) < 3_000_000


def test_the_terminal_shows_the_same_numbers() -> None:
    written = io.StringIO()
    console = Console(width=140, file=written)
    console.print(render_table(run(arm("[red]full[/]", [1, 2]))))
    console.print(render_table(THREE))
    shown = written.getvalue()
    assert re.search(r"full +│ +20 │ +20 │ +12 │ +12 │ +2 │ +0\.25 │ +5\.0", shown)
    assert "[red]full[/]" in shown
