"""What the comparison with other indexes decides by itself: vectors, settings, ratios. None of them is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rivals import indexes
from rivals.indexes import VARIANTS
from rivals.measures import TARGET_ROWS
from rivals.memory import takes_part
from rivals.settings import CLOSE, LEVELS, Seen, finalists, narrowest, reaching
from rivals.standings import (
    AT_ONCE,
    BYTES,
    GROWN,
    ONE_BY_ONE,
    OPEN,
    P50,
    REAL,
    TAIL,
    TARGETS,
    Standing,
    best,
    ratios,
    target,
)
from rivals.tables import table
from rivals.vectors import Growth, prepare, right, true_nearest


def unit(rows: int, seed: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    drawn = np.random.default_rng(seed).standard_normal((rows, 384)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "given.npy"
    np.save(path, unit(300, 5).astype(np.float16))
    return path


# --- vectors ----------------------------------------------------------------------------------------------------------


def test_what_is_grown_has_length_one() -> None:
    grown = Growth(unit(100, 1)).more(500, np.random.default_rng(2))
    assert grown.shape == (500, 384)
    assert grown.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(grown, axis=1), 1.0, atol=1e-5)


def test_growth_follows_its_seed() -> None:
    growth = Growth(unit(100, 1))
    first, again, other = (growth.more(50, np.random.default_rng(seed)) for seed in (2, 2, 3))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_is_grown_is_near_what_was_given() -> None:
    base = unit(100, 1)
    grown = Growth(base).more(200, np.random.default_rng(2))
    nearest = (grown @ base.T).max(axis=1)
    strangers = (unit(200, 9) @ base.T).max(axis=1)
    assert nearest.min() > strangers.max()


def test_queries_are_held_out(source: Path, tmp_path: Path) -> None:
    rows = prepare(source, None, 40, 1, tmp_path)
    vectors = np.load(rows.path)
    assert vectors.shape == (260, 384)
    assert rows.queries.shape == (40, 384)
    assert (rows.queries @ vectors.T).max() < 0.999


def test_a_set_is_the_same_when_it_is_taken_again(source: Path, tmp_path: Path) -> None:
    first = prepare(source, 1_000, 40, 1, tmp_path, grow_queries=True)
    kept = np.array(np.load(first.path))
    again = prepare(source, 1_000, 40, 1, tmp_path, grow_queries=True)
    (tmp_path / "anew").mkdir()
    anew = prepare(source, 1_000, 40, 1, tmp_path / "anew", grow_queries=True)
    assert kept.shape == (1_000, 384)
    for one in (again, anew):
        assert one.key == first.key
        np.testing.assert_array_equal(np.load(one.path), kept)
        np.testing.assert_array_equal(one.queries, first.queries)


def test_another_seed_is_another_set(source: Path, tmp_path: Path) -> None:
    assert prepare(source, 400, 40, 1, tmp_path).key != prepare(source, 400, 40, 2, tmp_path).key


def test_of_equal_rows_either_is_right() -> None:
    vectors = unit(50, 3)
    vectors[7] = vectors[8]
    query = vectors[8]
    last = float(true_nearest(vectors, query[None], 1)[0, -1])
    assert right(vectors, query, last, [7]) == right(vectors, query, last, [8]) == 1
    assert right(vectors, query, last, [9]) == 0
    assert right(vectors, query, last, [7, 7, 7]) == 1


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 2, 7, 50])
def test_the_narrowest_is_found_wherever_it_is(steps: int) -> None:
    settings = list(range(10, 10 + steps))
    for first in range(10, 10 + steps):
        assert narrowest(settings, lambda setting, first=first: float(setting >= first), 0.99) == first
    assert narrowest(settings, lambda setting: 0.5, 0.99) is None


def test_few_settings_are_looked_at() -> None:
    looked: list[float] = []

    def recall_at(setting: float) -> float:
        looked.append(setting)
        return setting / 1_000

    assert narrowest(range(1_000), recall_at, 0.95) == 950
    assert len(looked) <= 11


def test_the_narrowest_that_was_seen_to_reach_it_counts_whatever_the_noise() -> None:
    seen = {10.0: Seen(0.94, 50.0, 100), 12.0: Seen(0.96, 80.0, 100), 14.0: Seen(0.97, 70.0, 100)}
    assert reaching(seen, 0.95) == 12.0
    assert reaching(seen, 0.99) is None


def test_of_each_peer_the_fastest_and_those_close_to_it_run() -> None:
    took = {"a fast": 100.0, "a close": 100.0 * CLOSE, "a slow": 101.0 * CLOSE, "b": 900.0, "c": 1.0}
    seen = {name: {16.0: Seen(0.9 if name == "c" else 0.96, us, 100)} for name, us in took.items()}
    peers = {name: name.split()[0] for name in took}
    assert finalists(seen, peers, 0.95) == {"a fast": ("a", 16.0), "a close": ("a", 16.0), "b": ("b", 16.0)}


def test_every_variant_can_be_found_and_goes_from_narrow_to_wide() -> None:
    folder = Path(indexes.__file__).parent
    assert len({variant.slug for variant in VARIANTS.values()}) == len(VARIANTS)
    for variant in VARIANTS.values():
        assert (folder / f"{variant.module}.py").exists()
        assert variant.settings is None or list(variant.settings) == sorted(set(variant.settings))
    assert [variant.name for variant in VARIANTS.values() if variant.ours] == ["porism"]


def test_a_library_or_a_kind_of_its_indexes_can_be_named() -> None:
    def taken(only: list[str] | None, rows: int) -> set[str]:
        return {VARIANTS[name].peer for name in VARIANTS if takes_part(name, only, rows)}

    assert taken(["faiss IVF"], 1_000) == {"porism", "faiss IVF"}
    assert {"porism", "faiss IVF", "faiss HNSW"} < taken(["faiss"], 1_000)
    assert taken(None, TARGET_ROWS) == {variant.peer for variant in VARIANTS.values()}
    assert not takes_part("hnswlib M=32", None, TARGET_ROWS)


# --- ratios -----------------------------------------------------------------------------------------------------------


def standing(peer: str, p50_us: list[float], *, rows: int = 1_000, level: float = 0.99, variant: str = "") -> Standing:
    """One that takes as long to open as to answer, and has a page a row."""
    rounds = [
        {"p50_us": us, "p99_us": 2 * us, "recall": level, "open_ms": us, "first_ms": us}
        | {"loaded_kib": 100, "resident_kib": 100 + 4 * rows}
        for us in p50_us
    ]
    return Standing(variant or peer, peer, {peer: "1.0"}, level, "ef", 16, rows, rounds)


def found(of_set: str, *standings: Standing, inserts: tuple[dict[str, Any], ...] = ()) -> dict[tuple[str, str], Any]:
    return {(one.measure, one.peer): one for one in ratios(of_set, standings, inserts)}


def test_the_fastest_variant_stands_for_its_peer() -> None:
    slow, fast = standing("hnswlib", [90.0], variant="slow"), standing("hnswlib", [80.0], variant="fast")
    assert best([slow, fast]) == {("hnswlib", 0.99): fast}


def test_a_ratio_is_of_medians_and_its_range_of_rounds() -> None:
    one = found(REAL, standing("porism", [30.0, 40.0, 50.0]), standing("hnswlib", [100.0, 80.0, 100.0]))
    ratio = one[P50, "hnswlib"]
    assert (ratio.value, ratio.low, ratio.high) == (0.4, 0.3, 0.5)
    assert (ratio.target, ratio.met) == (0.45, True)
    assert one[BYTES, "hnswlib"].value == 1.0
    assert one[BYTES, "hnswlib"].theirs == 4_096
    assert one[BYTES, "hnswlib"].met is False
    assert (one[TAIL, "porism"].value, one[TAIL, "porism"].met) == (2.0, False)
    assert one[OPEN, "hnswlib"].target is None


def test_the_targets_of_the_grown_set_hold_at_their_size() -> None:
    for rows, limit in ((1_000, None), (TARGET_ROWS, 0.01)):
        one = found(GROWN, standing("porism", [1.0], rows=rows), standing("hnswlib", [2.0], rows=rows))
        assert one[OPEN, "hnswlib"].target == limit
    assert target(P50, "hnswlib", GROWN, TARGET_ROWS, 0.95) == 0.8
    assert target(P50, "usearch", GROWN, TARGET_ROWS, 0.95) is None


def test_rates_are_to_be_high() -> None:
    empty = {"version": "1.0", "rows": 1_000, "at_once": [7.0]}
    ours = empty | {"peer": "porism", "variant": "porism", "one_by_one": [4_000.0, 4_200.0]}
    theirs = empty | {"peer": "hnswlib", "variant": "hnswlib M=16", "one_by_one": [100.0, 100.0]}
    static = empty | {"peer": "faiss IVF", "variant": "faiss IVF", "one_by_one": []}
    one = found(REAL, inserts=(ours, theirs, static))
    assert one[ONE_BY_ONE, "hnswlib"].value == 41.0
    assert one[ONE_BY_ONE, "hnswlib"].met is True
    assert one[AT_ONCE, "hnswlib"].met is False
    assert (ONE_BY_ONE, "faiss IVF") not in one


def test_without_porism_nothing_is_compared() -> None:
    assert found(REAL, standing("hnswlib", [2.0])) == {}


def test_every_target_is_of_a_peer_and_a_level_that_exist() -> None:
    peers = {variant.peer for variant in VARIANTS.values()}
    for one in TARGETS:
        assert one.peer in peers
        assert one.level in (None, *LEVELS)


# --- tables -----------------------------------------------------------------------------------------------------------


def test_a_table_aligns_names_left_and_numbers_right() -> None:
    lines = table("title", ("name", "us"), [("a", "1.0"), ("longer", "100.0")]).splitlines()
    assert lines == ["title", "name       us", "------  -----", "a         1.0", "longer  100.0"]


def test_a_table_of_nothing_is_nothing() -> None:
    assert table("title", ("name",), []) == ""
