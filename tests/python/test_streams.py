"""Streams: order, what may be a premise, samples, and the words of their errors."""

from __future__ import annotations

import numpy as np
import pytest

from porism._errors import InputError, ParseError
from porism.bench.stream import Stream, mptp2078, ql

FORMULAS = {
    "d1_sets": "! [A] : p(A)",
    "dt_k1_sets": "$true",
    "t1_sets": "p(a)",
    "t2_sets": "(! [A, B] : (p(A) => p(B)) )",
    "d2_more": "q(a)",
    "t1_more": "q(a) & p(a)",
}
PROBLEMS = ["sets__t1_sets", "sets__t2_sets", "more__t1_more"]
BUSHY = ["sets__t1_sets d1_sets dt_k1_sets", "sets__t2_sets d1_sets", "more__t1_more d2_more t1_sets"]


@pytest.fixture
def mizar(tmp_path):
    write(tmp_path, "00allformulas", [f"fof({name}, axiom, {text})." for name, text in sorted(FORMULAS.items())])
    write(tmp_path, "FormulasInMMLOrder", FORMULAS)
    write(tmp_path, "ProblemsInMMLOrder", PROBLEMS)
    write(tmp_path, "bushy_premises.txt", BUSHY)
    return tmp_path


def write(folder, name, lines):
    (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def position_of(stream: Stream, name: str) -> int:
    return stream.names.index(name)


# --- ql ---------------------------------------------------------------------------------------------------------------


def test_ql_counts():
    assert len(ql().items) == 861
    assert len(ql(cleaned=False).items) == 1138
    # Four rules of equality are dropped, and ax-oa6, which a theorem before it has already proved.
    assert len(ql().axiom_positions) == 43
    assert len(ql(cleaned=False).axiom_positions) == 48


@pytest.mark.parametrize("cleaned", [True, False])
def test_ql_positions_count_the_formulas_of_the_text(cleaned):
    stream = ql(cleaned=cleaned)
    formulas = [line for line in stream.library_text.splitlines() if line.startswith("fof(")]
    assert len(formulas) == len(stream.names) == len(stream.premise_mask) == 1186
    for item in stream.items:
        assert formulas[item.position].startswith((f"fof({item.name}, conj", f"fof('{item.name}', conj"))
        assert f", {item.goal}, file(" in formulas[item.position]


def test_ql_items_are_in_library_order():
    positions = [item.position for item in ql().items]
    assert positions == sorted(set(positions))


def test_ql_index_survives_a_cut():
    whole = {item.index: item.name for item in ql(cleaned=False).items}
    part = ql(first=361, last=510, cleaned=False).items
    assert [item.index for item in part] == list(range(361, 511))
    assert all(whole[item.index] == item.name for item in part)
    assert all(whole[item.index] == item.name for item in ql(first=361, last=510).items)


def test_ql_human_premises_are_known_and_earlier():
    stream = ql(cleaned=False)
    place = {name: position for position, name in enumerate(stream.names)}
    assert all(place[premise] < item.position for item in stream.items for premise in item.human)


def test_ql_uncleaned_allows_everything_earlier():
    stream = ql(cleaned=False, first=400, last=400)
    (item,) = stream.items
    assert stream.pool(item) == list(range(item.position))


def test_ql_cleaned_drops_duplicates_tautologies_and_rules():
    stream = ql()
    dropped = ["ax-r1", "ax-r2", "ax-r4", "ax-r5", "id", "cm", "3tr2", "con3"]
    assert not any(stream.premise_mask[position_of(stream, name)] for name in dropped)
    assert not {item.name for item in stream.items} & set(dropped)
    assert all(stream.premise_mask[item.position] for item in stream.items)
    assert stream.items[-1].position < position_of(stream, "ax-oadist")


def test_ql_theory_setting_forbids_other_theories():
    stream = ql(setting="theory")
    theory = {item.position: item.theory for item in stream.items}
    for item in stream.items[::20]:
        pool = stream.pool(item)
        assert all(theory.get(position, frozenset()) <= item.theory for position in pool)
        assert (position_of(stream, "ax-r3") in pool) == ("ax-r3" in item.theory)


def test_ql_theory_setting_keeps_the_human_premises():
    stream = ql(setting="theory")
    place = {name: position for position, name in enumerate(stream.names)}
    assert not any(place[premise] in item.forbidden for item in stream.items for premise in item.human)


def test_ql_mask_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        ql().premise_mask[0] = False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"first": 0}, "theorems 1-927"),
        ({"first": 5, "last": 4}, "theorems 5-4"),
        ({"last": 928}, "ends before ax-oadist"),
        ({"last": 1139, "cleaned": False}, "theorems 1-1138"),
        ({"setting": "wide"}, "wide"),
    ],
)
def test_ql_refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        ql(**arguments)


# --- mptp2078 ---------------------------------------------------------------------------------------------------------


def test_mptp_order_and_pool(mizar):
    stream = mptp2078(mizar)
    assert stream.names == tuple(FORMULAS)
    assert stream.library_text.splitlines() == [f"fof({name}, axiom, {text})." for name, text in FORMULAS.items()]
    assert [(item.index, item.name, item.article, item.position) for item in stream.items] == [
        (1, "t1_sets", "sets", 2),
        (2, "t2_sets", "sets", 3),
        (3, "t1_more", "more", 5),
    ]
    assert [stream.pool(item) for item in stream.items] == [[0], [0, 2], [0, 2, 3, 4]]
    assert stream.axiom_positions == (0, 4)
    assert stream.premise_mask.dtype == np.bool_


def test_mptp_keeps_goal_and_human_premises(mizar):
    item = mptp2078(mizar).items[1]
    assert item.goal == FORMULAS["t2_sets"].strip()
    assert item.human == ("d1_sets",)


def test_mptp_sample_is_decided_by_its_seed(mizar):
    drawn = [item.name for item in mptp2078(mizar, sample=2, seed=7).items]
    assert drawn == [item.name for item in mptp2078(mizar, sample=2, seed=7).items]
    samples = {tuple(item.index for item in mptp2078(mizar, sample=2, seed=seed).items) for seed in range(20)}
    assert samples == {(1, 2), (1, 3), (2, 3)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample": 2}, "seed"),
        ({"sample": 4, "seed": 1}, "sample of 4 .* 3 problems"),
        ({"sample": 0, "seed": 1}, "sample of 0"),
    ],
)
def test_mptp_refuses_a_sample(mizar, arguments, message):
    with pytest.raises(InputError, match=message):
        mptp2078(mizar, **arguments)


@pytest.mark.parametrize("name", ["00allformulas", "FormulasInMMLOrder", "ProblemsInMMLOrder", "bushy_premises.txt"])
def test_mptp_names_a_missing_file(mizar, name):
    (mizar / name).unlink()
    with pytest.raises(InputError, match=rf"{name} cannot be read .*docs/ql\.md"):
        mptp2078(mizar)


@pytest.mark.parametrize(
    ("name", "lines", "line"),
    [
        ("00allformulas", ["fof(a, axiom, p).", "not a formula"], 2),
        ("FormulasInMMLOrder", ["d1_sets", "unknown"], 2),
        ("ProblemsInMMLOrder", ["sets__t1_sets", "t2_sets"], 2),
        ("bushy_premises.txt", ["sets__t1_sets d1_sets", "", "sets__t2_sets unknown"], 3),
    ],
)
def test_mptp_names_a_malformed_line(mizar, name, lines, line):
    write(mizar, name, lines)
    with pytest.raises(ParseError, match=rf"{name}, line {line}") as caught:
        mptp2078(mizar)
    assert caught.value.line == line
