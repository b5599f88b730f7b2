"""The result of a comparison of recalls as tables."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from rivals.settings import LEVELS
from rivals.standings import WHOLE, best
from rivals.tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rivals.contest import Contest
    from rivals.standings import Ratio, Standing


def tables(contest: Contest) -> list[str]:
    """What came out on one set, and who is missing."""
    size = f"{contest.name}, {len(contest.vectors):,} rows"
    leading = best(contest.standings)
    at = {level: [one for (_, of), one in leading.items() if of == level] for level in LEVELS}
    return [
        *(_recalls(f"{size}: recall@10 >= {level:g}", standings) for level, standings in at.items()),
        _openings(f"{size}: open in a new process and answer, at {WHOLE:g}", contest, at[WHOLE]),
        _filtered(f"{size}: among a tenth of the rows, same setting", at[WHOLE]),
        _inserts(f"{size}: inserting, rows/s, one thread", contest),
        *contest.missing,
        "",
    ]


def ratio_table(found: Sequence[Ratio]) -> str:
    """Porism over each peer."""
    rows = [
        (
            one.measure,
            one.set,
            "" if one.level is None else f"{one.level:g}",
            one.peer,
            f"{one.value:.3g}x",
            f"[{one.low:.3g}, {one.high:.3g}]",
            "" if one.target is None else f"{'>=' if one.rate else '<='} {one.target:g}x",
            "" if one.met is None else "yes" if one.met else "no",
        )
        for one in found
    ]
    heads = ("measure", "set", "recall", "over", "ratio", "range", "target", "met")
    return table("Porism over each peer (rates: more is better; all else: less)", heads, rows, left=4)


def _recalls(title: str, standings: Sequence[Standing]) -> str:
    rows = [
        (
            one.variant,
            one.version,
            one.knob_setting,
            f"{one.recall:.4f}",
            f"{one.p50:,.1f}",
            f"[{min(one.p50_us):,.1f}, {max(one.p50_us):,.1f}]",
            f"{median(one.each('p99_us')):,.1f}",
            f"{median(one.tails):.2f}",
        )
        for one in sorted(standings, key=lambda one: one.p50)
    ]
    heads = ("contestant", "version", "setting", "recall", "p50 us", "range", "p99 us", "p99/p50")
    return table(title, heads, rows, left=3)


def _openings(title: str, contest: Contest, standings: Sequence[Standing]) -> str:
    rows = [
        (
            one.variant,
            f"{median(one.each('open_ms')):,.2f}",
            f"{median(one.each('first_ms')):,.2f}",
            f"{median(one.openings_ms):,.2f}",
            f"{median(one.bytes_a_row):,.0f}",
            f"{(median(one.each('loaded_kib')) - median(one.each('before_kib'))) / 1024:,.1f}",
            f"{one.rows / contest.builds[one.variant]['seconds']:,.0f}",
            str(contest.builds[one.variant]["threads"]),
        )
        for one in sorted(standings, key=lambda one: median(one.openings_ms))
    ]
    heads = ("contestant", "open ms", "first ms", "both", "bytes/row", "library MiB", "built rows/s", "by threads")
    return table(title, heads, rows)


def _filtered(title: str, standings: Sequence[Standing]) -> str:
    rows = []
    for one in standings:
        told = one.filtered
        if "p50_us" in told:
            cells = (f"{told['recall']:.4f}", f"{told['p50_us']:,.1f}", f"{told['p50_us'] / one.p50:.2f}x")
        else:
            cells = (str(told.get("unsupported", "")), "", "")
        rows.append((one.variant, one.knob_setting, *cells))
    return table(title, ("contestant", "setting", "recall", "p50 us", "over all rows"), rows, left=2)


def _inserts(title: str, contest: Contest) -> str:
    rows = [
        (one["variant"], *(f"{median(one[key]):,.0f}" if one[key] else "" for key in ("one_by_one", "at_once")))
        for one in contest.inserts
    ]
    return table(title, ("contestant", "one by one", "all at once"), rows)
