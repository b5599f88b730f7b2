"""The report of a run: one HTML file that needs nothing else, no network and no scripts."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from porism.bench._statistics import (
    LEVEL,
    MINUS,
    RESAMPLES,
    SUMMARY,
    comparisons,
    contest,
    headline,
    probability,
    signed,
    summary,
)
from porism.bench._svg import Bar, Curve, bars, learning_curve, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from porism.bench.results import ArmResult, Outcome, Run

#: The known arms keep their colours from report to report; others take what is left, in turn.
_TONES = {"none": "grey", "similarity": "orange", "full": "blue"}
_SPARE_TONES = ("green", "purple")
#: Premises listed for one proof; the JSON lines hold all of them.
_PREMISES_SHOWN = 16


def write_report(run: Run, path: Path) -> None:
    """Writes the report of ``run`` to ``path``, in place of what stands there.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_text(render_report(run), encoding="utf-8")


def render_report(run: Run) -> str:
    """The report as HTML. Every name in it is treated as hostile."""
    sections = (
        _section("Arms", _arms(run)),
        _section("Learning curve", _curve(run)),
        _section("Which try won", _winners(run)),
        _section("Arm against arm", _pairs(run)),
        _section("Every problem", _problems(run)),
        _section("Settings and versions", _settings(run)),
        _section("How to reproduce", _reproduce(run)),
        _section("What was checked, and what was not", _CHECKED),
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{_POLICY}\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{plain(run.title)}: Porism bench</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<header>\n<p class="muted">Porism bench · {plain(run.stream)}</p>\n<h1>{plain(run.title)}</h1>\n'
        f'<p class="headline">{plain(headline(run), 1000)}</p>\n'
        f'<p class="muted">Started {plain(run.started)}, took {_duration(run.wall_seconds)}.</p>\n</header>\n'
        f"<main>\n{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def _section(heading: str, content: str) -> str:
    return f"<section>\n<h2>{heading}</h2>\n{content}\n</section>\n"


def _table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "numbers") -> str:
    """A table whose first column names its rows; the cells are HTML already."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in header)
    body = "\n".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    return (
        f'<div class="wide"><table class="{kind}">\n<caption>{caption}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _tones(run: Run) -> dict[str, str]:
    """The colour class of each arm."""
    others = [arm.arm for arm in run.arms if arm.arm not in _TONES]
    return _TONES | {name: _SPARE_TONES[number % len(_SPARE_TONES)] for number, name in enumerate(others)}


def _arms(run: Run) -> str:
    tones = _tones(run)
    rows = [
        (f'<span class="dot {tones[name]}"></span>{plain(name)}', *map(plain, cells)) for name, *cells in summary(run)
    ]
    caption = "Only what was re-proved counts as solved. Seconds are wall time; their median is over problems."
    return _table(caption, SUMMARY, rows) + _troubles(run)


def _troubles(run: Run) -> str:
    """What a reader must know before believing the counts; empty when nothing went wrong."""
    notes = []
    if len({tuple(outcome.index for outcome in arm.outcomes) for arm in run.arms}) > 1:
        notes.append("The arms were not given the same problems; pairs are compared on the problems that both have.")
    for arm in run.arms:
        errors = sum(outcome.error is not None for outcome in arm.outcomes)
        refuted = sum(outcome.refuted for outcome in arm.outcomes)
        unconfirmed = sum(outcome.proved and not outcome.reproved for outcome in arm.outcomes)
        for count, what in (
            (errors, "ended in an error, which says nothing about the problem"),
            (refuted, "refuted or disputed by a prover"),
            (unconfirmed, "proved but not re-proved"),
        ):
            if count:
                notes.append(f"{plain(arm.arm)}: {count:,} {what}.")
    return f'<ul class="notes">{"".join(f"<li>{note}</li>" for note in notes)}</ul>' if notes else ""


def _curve(run: Run) -> str:
    numbers = [outcome.index for arm in run.arms for outcome in arm.outcomes]
    if not numbers:
        return "<p>No problem was run.</p>"
    tones = _tones(run)
    solved = {arm.arm: {outcome.index: int(outcome.solved) for outcome in arm.outcomes} for arm in run.arms}
    curves = [_cumulative(name, tones[name], gains) for name, gains in solved.items()]
    difference = None
    if pair := contest(run):
        claimant, baseline = (arm.arm for arm in pair)
        shared = solved[claimant].keys() & solved[baseline].keys()
        gains = {number: solved[claimant][number] - solved[baseline][number] for number in shared}
        difference = _cumulative(f"{claimant} {MINUS} {baseline}", tones[claimant], gains)
    description = plain(headline(run), 1000)
    drawing = learning_curve(curves, difference, (min(numbers), max(numbers)), description)
    return (
        f'<div class="wide"><figure>{drawing}<figcaption>Solved means proved and re-proved. '
        "If learning helps, the line of the arm that learns leaves the others behind as its memory grows."
        "</figcaption></figure></div>"
    )


def _cumulative(name: str, tone: str, gains: dict[int, int]) -> Curve:
    """The running sum of ``gains`` by number of theorem, at the numbers where it changes."""
    steps = []
    total = 0
    for number, gain in sorted(gains.items()):
        total += gain
        if gain:
            steps.append((number, total))
    return Curve(name, tone, steps)


def _winners(run: Run) -> str:
    wins = [_wins(arm) for arm in run.arms]
    longest = max((row.value for rows in wins for row in rows), default=0)
    tones = _tones(run)
    panels = "".join(
        f'<div><h3 class="{tones[arm.arm]}">{plain(arm.arm)}</h3>'
        + bars(f"wins-{number}", rows, longest, tones[arm.arm], f"Which try won: {arm.arm}")
        + "</div>"
        for number, (arm, rows) in enumerate(zip(run.arms, wins, strict=True))
    )
    return (
        f'<figure><div class="panels">{panels}</div><figcaption>Problems solved by each try, of the problems on which '
        "it was made, in the order of the schedule.</figcaption></figure>"
    )


def _wins(arm: ArmResult) -> list[Bar]:
    made = Counter(attempt.label for outcome in arm.outcomes for attempt in outcome.attempts)
    won = Counter(outcome.winner for outcome in arm.outcomes if outcome.solved)
    order = {attempt.label: None for outcome in _longest_first(arm.outcomes) for attempt in outcome.attempts}
    return [Bar(label, won[label], made[label]) for label in order]


def _longest_first(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Those with most tries first: they show the order of the schedule."""
    return sorted(outcomes, key=lambda outcome: -len(outcome.attempts))


def _pairs(run: Run) -> str:
    rows = [
        (
            f"{plain(pair.first)} {MINUS} {plain(pair.second)}",
            f"{pair.both:,}",
            f"{pair.only_first:,}",
            f"{pair.only_second:,}",
            f"{pair.neither:,}",
            f"<strong>{signed(pair.difference)}</strong>",
            f"{signed(pair.low)} to {signed(pair.high)}",
            plain(probability(pair.p)),
        )
        for pair in comparisons(run)
    ]
    if not rows:
        return "<p>There is only one arm, so there is nothing to compare.</p>"
    caption = (
        f"Problems solved by two arms, A {MINUS} B. The probability is McNemar's, exact and two-sided, not corrected "
        "for the number of pairs. The interval is a percentile bootstrap of the difference, with "
        f"{RESAMPLES:,} resamples from a fixed seed, of whole articles where there are any. "
        f"A difference is called significant when p is below {LEVEL:g} and the interval leaves out 0."
    )
    header = (f"A {MINUS} B", "both", "only A", "only B", "neither", "difference", "95 % interval", "McNemar")
    return _table(caption, header, rows)


def _problems(run: Run) -> str:
    by_number: dict[int, dict[str, Outcome]] = {}
    for arm in run.arms:
        for outcome in arm.outcomes:
            by_number.setdefault(outcome.index, {})[arm.arm] = outcome
    everything = [outcomes for _, outcomes in sorted(by_number.items())]
    disputed = [row for row in everything if len({outcome.solved for outcome in row.values()}) > 1]
    names = [arm.arm for arm in run.arms]
    return _problem_list("Problems on which the arms differ", disputed, names) + _problem_list(
        "All problems", everything, names
    )


def _problem_list(title: str, problems: Sequence[dict[str, Outcome]], arms: Sequence[str]) -> str:
    rows = []
    for outcomes in problems:
        one = next(iter(outcomes.values()))
        article = "" if one.article is None else f" <small>{plain(one.article, 40)}</small>"
        rows.append((f"{one.index}", plain(one.name, 60) + article, *(_cell(outcomes.get(arm)) for arm in arms)))
    caption = "The try that won, and the premises that its proof uses."
    table = _table(caption, ("#", "theorem", *map(plain, arms)), rows, kind="problems")
    return f"<details><summary>{title} ({len(problems):,})</summary>\n{table}\n</details>\n"


def _cell(outcome: Outcome | None) -> str:
    """How one arm fared on one problem."""
    if outcome is None:
        return "not run"
    if outcome.error is not None:
        return f"error: {plain(outcome.error, 120)}"
    if not outcome.proved:
        return "refuted" if outcome.refuted else "not proved"
    premises = " ".join(plain(name, 40) for name in outcome.used[:_PREMISES_SHOWN])
    more = len(outcome.used) - _PREMISES_SHOWN
    rest = f" and {more:,} more" if more > 0 else ""
    doubt = "" if outcome.solved else ", not re-proved"
    return f"{plain(outcome.winner or 'proved', 40)}{doubt} <small>{premises}{rest}</small>"


def _settings(run: Run) -> str:
    rows = [(plain(key), plain(_value(value), 1000)) for key, value in run.settings.items()]
    return _table("What the run was given, and what it ran on.", ("setting", "value"), rows, kind="settings")


def _value(value: object) -> str:
    """A setting as people write it."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return json.dumps(value, ensure_ascii=False, default=str)


def _reproduce(run: Run) -> str:
    command = run.settings.get("command")
    how = f"<pre><code>{plain(command, 2000)}</code></pre>" if command else "<p>Run it with the settings above.</p>"
    return (
        f"{how}<p>Limits are counted in generated clauses, not in seconds, so that the same versions find the same "
        "proofs on a slower machine; the seconds will differ.</p>"
    )


def _duration(seconds: float) -> str:
    """``4 min 12 s``, or ``0.3 s``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest} s"


#: Should a name slip through the escaping after all, the browser still loads and runs nothing.
_POLICY = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"

_CHECKED = """<dl>
<dt>Proved</dt><dd>E claims a proof from the premises that it was given.</dd>
<dt>Re-proved</dt><dd>Z3 or cvc5 found that the premises which E used are enough.
Only these problems are counted as solved.</dd>
<dt>Not checked</dt><dd>The steps of E's proof. All provers read the translation that Porism wrote, so a mistake in it
would mislead them alike. That a problem was not solved within the limit does not mean that it has no proof.</dd>
<dt>Compared</dt><dd>McNemar's test takes problems as independent of one another. In a library they are not quite,
and an arm that learns carries luck from one to the next.</dd>
</dl>"""

_STYLE = """
:root { color-scheme: light dark; --page: #fdfdfb; --ink: #1c2128; --soft: #5a626c; --rule: #d9dcd8; --wash: #f3f4f0;
  --grey: #626a74; --orange: #b34700; --blue: #0068a8; --green: #00735a; --purple: #98407a; }
@media (prefers-color-scheme: dark) { :root { --page: #14171c; --ink: #e6e8ea; --soft: #a0a8b2; --rule: #343a43;
  --wash: #1d2128; --grey: #a9b1bb; --orange: #f0a04b; --blue: #62b8ee; --green: #3cc79c; --purple: #e39ac6; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2.5rem 1.25rem 4rem; background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { margin: 0 0 .75rem; font-size: 2rem; line-height: 1.2; letter-spacing: -.01em; }
h2 { margin: 3rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--rule); font-size: 1.25rem; }
h3 { margin: 0 0 .25rem; font-size: 1rem; }
p, figure { margin: 0 0 .75rem; }
.headline { max-width: 46rem; font-size: 1.25rem; line-height: 1.45; text-wrap: pretty; }
.muted, small, caption, figcaption { color: var(--soft); }
caption, figcaption { max-width: 46rem; font-size: .875rem; text-align: left; }
caption { padding-bottom: .5rem; }
figcaption { padding-top: .5rem; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
thead th { color: var(--soft); font-size: .875rem; font-weight: 500; vertical-align: bottom; }
tbody th { font-weight: 600; white-space: nowrap; }
th:first-child { padding-left: 0; }
.numbers td, .numbers th + th { text-align: right; }
.numbers td { white-space: nowrap; }
.problems { font-size: .8125rem; }
.problems tbody th { color: var(--soft); font-weight: 400; }
.problems small { display: block; line-height: 1.35; overflow-wrap: anywhere; }
.settings td { overflow-wrap: anywhere; }
.notes { padding-left: 1.1rem; font-size: .9375rem; }
.grey { --tone: var(--grey); } .orange { --tone: var(--orange); } .blue { --tone: var(--blue); }
.green { --tone: var(--green); } .purple { --tone: var(--purple); }
.dot { display: inline-block; width: .7em; height: .7em; margin-right: .5em; border-radius: 50%;
  background: var(--tone); }
h3[class] { color: var(--tone); }
svg { display: block; width: 100%; height: auto; font-size: 13px; fill: var(--ink); }
.wide svg { min-width: 38rem; }
.panels { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); }
.panels svg { max-width: 25rem; }
svg .muted { fill: var(--soft); }
svg .strong, svg .label { font-weight: 600; }
svg .label, svg .bar { fill: var(--tone); }
.line { fill: none; stroke: var(--tone); stroke-width: 2.25; stroke-linejoin: round; }
.line.orange { stroke-dasharray: 7 3; } .line.grey { stroke-dasharray: 2 3; }
.line.purple { stroke-dasharray: 9 3 2 3; }
.area { fill: var(--tone); opacity: .14; }
.grid { stroke: var(--rule); } .axis { stroke: var(--soft); }
details { margin: .5rem 0; }
summary { padding: .35rem 0; cursor: pointer; font-weight: 600; }
pre { margin: 0 0 .75rem; padding: .8rem 1rem; border-radius: 6px; background: var(--wash); white-space: pre-wrap;
  overflow-wrap: anywhere; font-size: .875rem; }
dt { font-weight: 600; } dd { margin: 0 0 .6rem; max-width: 46rem; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } h2 { margin-top: 1.5rem; break-after: avoid; }
  figure, tr, .numbers { break-inside: avoid; } .wide { overflow: visible; } .wide svg { min-width: 0; }
  .dot, svg, pre { print-color-adjust: exact; } }
"""
