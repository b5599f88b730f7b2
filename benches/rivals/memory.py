"""Times recall, Porism against indexes of vectors: ``python -m rivals.memory --help``."""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import tempfile
from pathlib import Path

from rivals.contest import Conditions, Contest, say
from rivals.indexes import VARIANTS
from rivals.machine import describe, hurry, pin
from rivals.settings import LEVELS
from rivals.standings import GROWN, REAL, WHOLE, Ratio, best, ratios
from rivals.tables import table
from rivals.vectors import prepare

# A larger set is not inserted one by one: `make compare-store` does that.
_MOST_TO_INSERT = 100_000
# The options that a result names.
_TOLD = ("only", "queries", "rounds", "seconds", "inserts", "seed")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="compare-memory", description=__doc__.splitlines()[0])
    peers = sorted({variant.peer for variant in VARIANTS.values()})
    parser.add_argument("--vectors", type=Path, help="a .npy of unit vectors, [n, 384]; without it, some are made")
    parser.add_argument("--sets", nargs="+", choices=(REAL, GROWN), default=[REAL], help="the vectors given, and more")
    parser.add_argument("--grown", type=int, default=1_000_000, help="rows of the grown set")
    parser.add_argument("--only", nargs="+", metavar="PEER", help=f"beside porism; of {', '.join(peers)}")
    parser.add_argument("--queries", type=int, default=1_000, help="vectors that are held out, to ask for")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="a pass of one contestant over the queries, at most"
    )
    parser.add_argument("--inserts", type=int, default=20_000, help="rows to insert; 0: none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--core", type=int, default=1, help="the core that everything but building is pinned to")
    parser.add_argument("--cache", type=Path, help="keep sets and indexes there; without it they are thrown away")
    parser.add_argument("--build-only", action="store_true", help="make the sets and indexes, and stop")
    parser.add_argument("--only-built", action="store_true", help="leave out whose index is not in the cache")
    parser.add_argument("--keep-ours", action="store_true", help="take Porism's memory of an earlier run too")
    parser.add_argument("--out", type=Path, help="write the result there, as JSON")
    options = parser.parse_args()
    if min(options.rounds, options.grown, options.queries) < 1 or options.seconds <= 0 or options.inserts < 0:
        parser.error("rounds, queries and rows start at 1, and no limit is negative")
    if unknown := set(options.only or ()) - {peer.split()[0] for peer in peers} - set(peers):
        parser.error(f"--only: unknown: {', '.join(sorted(unknown))}; known: {', '.join(peers)}")
    return options


def takes_part(name: str, only: list[str] | None, rows: int) -> bool:
    """Porism always; of the others those that were named, by peer or by library, if the set is not too large."""
    variant = VARIANTS[name]
    named = not only or variant.peer in only or variant.peer.split()[0] in only
    return variant.ours or (named and rows <= variant.most_rows)


def _contest(name: str, options: argparse.Namespace, cache: Path) -> Contest:
    wanted = options.grown if name == GROWN else None
    say(f"{name}: preparing vectors")
    rows = prepare(options.vectors, wanted, options.queries, options.seed, cache, grow_queries=name == GROWN)
    conditions = Conditions(options.core, options.rounds, options.seconds, cache, options.keep_ours)
    size = int(rows.key.split("-")[0])
    return Contest(name, rows, [one for one in VARIANTS if takes_part(one, options.only, size)], conditions)


def _run(options: argparse.Namespace, cache: Path) -> None:
    contests = [_contest(name, options, cache) for name in options.sets]
    for contest in contests:
        contest.build(only_built=options.only_built)
    if options.build_only:
        return
    pin([options.core])
    hurry()
    machine = describe(cache, options.core)
    for contest in contests:
        contest.sweep()
        contest.run()
        contest.filter()
        if options.inserts and len(contest.vectors) <= _MOST_TO_INSERT:
            contest.insert(options.inserts)
    found = [one for contest in contests for one in ratios(contest.name, contest.standings, contest.inserts)]
    result = {
        "what": "recall",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine,
        "options": {name: getattr(options, name) for name in _TOLD},
        "sets": {contest.name: contest.as_json() for contest in contests},
        "comparisons": [one.as_json() for one in found],
    }
    for contest in contests:
        print(*_tables(contest), sep="\n")
    print(_ratios(found))
    told = ("processor", "cores", "pinned_core", "nice", "load_before", "memory_gib", "kernel", "python")
    print("; ".join(f"{name.replace('_', ' ')} {machine[name]}" for name in told))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _tables(contest: Contest) -> list[str]:
    """What came out on one set."""
    size = f"{contest.name}, {len(contest.vectors):,} rows"
    leading = best(contest.standings)
    tables = []
    for level in LEVELS:
        ranked = sorted((one for (_, at), one in leading.items() if at == level), key=lambda one: one.p50)
        rows = [
            (
                one.variant,
                one.version,
                one.knob_setting,
                f"{one.recall:.4f}",
                f"{one.p50:,.1f}",
                f"[{min(one.p50_us):,.1f}, {max(one.p50_us):,.1f}]",
                f"{statistics.median(one.each('p99_us')):,.1f}",
                f"{statistics.median(one.tails):.2f}",
            )
            for one in ranked
        ]
        heads = ("contestant", "version", "setting", "recall", "p50 us", "range", "p99 us", "p99/p50")
        tables.append(table(f"{size}: recall@10 >= {level:g}", heads, rows, left=3))
    whole = [one for (_, at), one in leading.items() if at == WHOLE]
    rows = [
        (
            one.variant,
            *(f"{statistics.median(one.each(key)):,.2f}" for key in ("open_ms", "first_ms")),
            f"{statistics.median(one.openings_ms):,.2f}",
            f"{statistics.median(one.bytes_a_row):,.0f}",
            f"{(statistics.median(one.each('loaded_kib')) - statistics.median(one.each('before_kib'))) / 1024:,.1f}",
            f"{one.rows / contest.builds[one.variant]['seconds']:,.0f}",
            str(contest.builds[one.variant]["threads"]),
        )
        for one in sorted(whole, key=lambda one: statistics.median(one.openings_ms))
    ]
    heads = ("contestant", "open ms", "first ms", "both", "bytes/row", "library MiB", "built rows/s", "by threads")
    tables.append(table(f"{size}: open in a new process and answer, at {WHOLE:g}", heads, rows))
    rows = []
    for one in whole:
        told = one.filtered
        if "p50_us" in told:
            cells = (f"{told['recall']:.4f}", f"{told['p50_us']:,.1f}", f"{told['p50_us'] / one.p50:.2f}x")
        else:
            cells = (told.get("unsupported", ""), "", "")
        rows.append((one.variant, one.knob_setting, *cells))
    heads = ("contestant", "setting", "recall", "p50 us", "over all rows")
    tables.append(table(f"{size}: among a tenth of the rows, same setting", heads, rows, left=2))
    rows = []
    for one in contest.inserts:
        rates = [f"{statistics.median(one[key]):,.0f}" if one[key] else "" for key in ("one_by_one", "at_once")]
        rows.append((one["variant"], *rates))
    heads = ("contestant", "one by one", "all at once")
    tables.append(table(f"{size}: inserting, rows/s, one thread", heads, rows))
    return [*tables, *contest.missing, ""]


def _ratios(found: list[Ratio]) -> str:
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


def main() -> None:
    options = _options()
    if options.cache:
        options.cache.mkdir(parents=True, exist_ok=True)
        _run(options, options.cache)
        return
    with tempfile.TemporaryDirectory(prefix="compare-memory-") as folder:
        _run(options, Path(folder))


if __name__ == "__main__":
    main()
