"""Times recall, Porism against indexes of vectors: ``python -m rivals.memory --help``."""

from __future__ import annotations

import argparse
import datetime
import json
import tempfile
from pathlib import Path

from rivals.contest import Conditions, Contest, say
from rivals.indexes import VARIANTS
from rivals.machine import describe, hurry, pin
from rivals.recall_report import ratio_table, tables
from rivals.standings import GROWN, REAL, ratios
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
    parser.add_argument("--inserts", type=int, default=10_000, help="rows to insert; 0: none")
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
    print(*(part for contest in contests for part in tables(contest)), ratio_table(found), sep="\n")
    told = ("processor", "cores", "pinned_core", "nice", "load_before", "memory_gib", "kernel", "python")
    print("; ".join(f"{name.replace('_', ' ')} {machine[name]}" for name in told))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


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
