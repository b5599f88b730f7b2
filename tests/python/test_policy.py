"""What is tried next, and when experience has a say."""

from __future__ import annotations

import pytest

from porism import _core
from porism._experience import WARM_UP, Experience
from porism._policy import DEFAULT_SCHEDULE, Ranking, Rankings, Try, plan, slices

SIZE = 40


@pytest.fixture
def library() -> _core.Library:
    """Two axioms, then conjectures that each share a symbol with their neighbours."""
    axioms = "fof(x, axiom, base(zero)). fof(y, definition, base(one))."
    goals = (f"fof(t{at}, conjecture, p{at}(a) & p{at + 1}(a))." for at in range(SIZE))
    return _core.Library.parse("\n".join((axioms, *goals)))


def rankings(library: _core.Library, position: int, experience: Experience | None = None, **options) -> Rankings:
    return Rankings(library, library.goal(position), experience=experience or Experience(), **options)


def test_labels() -> None:
    assert [one.label for one in slices(Ranking.RECENT, 8, 16)] == ["recent 8", "recent 16"]
    assert Try(Ranking.ALL).label == "all"


def test_what_each_ranking_selects(library: _core.Library) -> None:
    goal = rankings(library, 20)
    assert goal.premises == list(range(20))
    assert goal.select(Try(Ranking.ALL)) == list(range(20))
    assert goal.select(Try(Ranking.AXIOMS)) == [0, 1]
    assert goal.select(Try(Ranking.AXIOMS, 1)) == [0]
    assert goal.select(Try(Ranking.RECENT, 3)) == [17, 18, 19]
    assert goal.select(Try(Ranking.SIMILARITY, 1)) == [19], "the neighbour shares a rare symbol"
    assert goal.select(Try(Ranking.MEMORY, 4)) == goal.select(Try(Ranking.SIMILARITY, 4)), "nothing is known yet"
    assert goal.select(Try(Ranking.OWN_PROOF)) == []


def test_what_may_not_be_used_is_never_selected(library: _core.Library) -> None:
    usable = [position % 2 == 0 for position in range(len(library))]
    goal = rankings(library, 20, usable=usable)
    for one in (*DEFAULT_SCHEDULE, Try(Ranking.AXIOMS), Try(Ranking.RECENT, 5)):
        assert all(position % 2 == 0 and position < 20 for position in goal.select(one))


def test_a_known_proof_is_tried_first_and_only_while_it_may_be_used(library: _core.Library) -> None:
    experience = Experience()
    experience.learn(library.goal(20), [0, 19])
    assert plan(DEFAULT_SCHEDULE, rankings(library, 20, experience))[0].premises == (0, 19)
    forbidden = [position != 19 for position in range(len(library))]
    assert rankings(library, 20, experience, usable=forbidden).select(Try(Ranking.OWN_PROOF)) == []


def test_a_plan_repeats_nothing_without_more_effort(library: _core.Library) -> None:
    planned = plan(DEFAULT_SCHEDULE, rankings(library, 5))
    # Five premises fit into the smallest slice, so only more effort makes another try.
    assert {one.premises for one in planned} == {(0, 1, 2, 3, 4)}
    efforts = [(one.attempt.generated, one.attempt.auto_schedule) for one in planned]
    assert efforts == sorted(set(efforts))


def test_experience_is_trusted_after_a_while_and_while_it_is_not_the_worse(library: _core.Library) -> None:
    def ranked(position: int) -> _core.Ranking:
        """A ranking in which everything before ``position`` stands, and nothing else."""
        return library.similarity(library.goal(position))

    experience = Experience()
    for position in range(2, 2 + WARM_UP):
        assert not experience.trusted
        experience.learn(library.goal(position), [0])
    assert experience.trusted
    experience.judge([30], memory=ranked(20), similarity=ranked(35))
    assert not experience.trusted, "similarity would have offered premise 30, the memory would not"
    for _ in range(3):
        experience.judge([30], memory=ranked(35), similarity=ranked(20))
    assert experience.trusted
