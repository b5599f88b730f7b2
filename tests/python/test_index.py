"""The index of vectors: the recall that it promises, what it must see at once, and what must not disturb it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from porism import AsyncMemory, Fact, InputError, LockedError, Memory, StoreIOError, Vectors, where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from porism import Hits, Where

DIMENSION = 32
OWN = Vectors("own", DIMENSION)
ROWS = 6000
CENTRES = np.random.default_rng(1).standard_normal((40, DIMENSION))


def draw(count: int, seed: int) -> np.ndarray:
    """Vectors around forty centres."""
    random = np.random.default_rng(seed)
    noise = random.standard_normal((count, DIMENSION))
    return (CENTRES[random.integers(len(CENTRES), size=count)] + 0.9 * noise).astype(np.float32)


VECTORS = draw(ROWS, 2)
HELD_OUT = draw(250, 3)


def facts(first: int, count: int) -> list[Fact]:
    """Half of them in one namespace, one in a hundred from one source, and one with a name."""
    return [
        Fact(
            f"fact {number}",
            name="needle" if number == 4321 else None,
            namespace="even" if number % 2 == 0 else "odd",
            source="rare" if number % 100 == 7 else None,
        )
        for number in range(first, first + count)
    ]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed memory of six thousand records with an index."""
    path = tmp_path_factory.mktemp("sealed") / "m.porism"
    with Memory.open(path, embedder=OWN) as memory:
        memory.insert_many(facts(0, ROWS), vectors=VECTORS)
        assert memory.build_index()
        assert not memory.build_index()
    return path


@pytest.fixture
def memory(sealed: Path, tmp_path: Path) -> Iterator[Memory]:
    """A copy of it, open."""
    shutil.copytree(sealed, tmp_path / "m.porism")
    with Memory.open(tmp_path / "m.porism") as memory:
        yield memory


def indexes(memory: Memory) -> list[str]:
    return sorted(path.name for path in Path(memory.path).glob("index-*.*"))


def as_bytes(hits: Hits) -> tuple[bytes, bytes]:
    return hits.ids.tobytes(), hits.scores.tobytes()


def check_promise(memory: Memory, k: int, promised: float, conditions: Where | None = None) -> None:
    """Most of what an exact search finds is found, as promised, and nothing else."""
    exact = memory.recall_many(vectors=HELD_OUT, k=k, recall=1, where=conditions)
    found = memory.recall_many(vectors=HELD_OUT, k=k, recall=promised, where=conditions)
    assert [len(hits) for hits in found] == [len(hits) for hits in exact]
    shares = []
    for right, hits in zip(exact, found, strict=True):
        assert len(set(hits.ids.tolist())) == len(hits)
        assert (np.diff(hits.scores) <= 0).all()
        scores = dict(zip(right.ids.tolist(), right.scores.tolist(), strict=True))
        both = [one for one in zip(hits.ids.tolist(), hits.scores.tolist(), strict=True) if one[0] in scores]
        assert all(scores[number] == score for number, score in both)
        shares.append(len(both) / max(len(right), 1))
    error = 3 * max(np.std(shares) / np.sqrt(len(shares)), 1 / k / len(shares))
    assert np.mean(shares) + error >= promised, f"recall@{k} is {np.mean(shares)} ± {error}, {promised} was promised"


# --- the promise


def test_an_exact_recall_is_what_numpy_finds(memory: Memory) -> None:
    unit = VECTORS / np.linalg.norm(VECTORS.astype(np.float64), axis=1, keepdims=True)
    for query in HELD_OUT[:40]:
        products = unit @ (query / np.linalg.norm(query.astype(np.float64)))
        hits = memory.recall(vector=query, k=10, recall=1)
        assert np.allclose(hits.scores, np.sort(products)[::-1][:10], atol=1e-6)
        assert np.allclose(products[hits.ids - 1], hits.scores, atol=1e-6)


@pytest.mark.parametrize("k", [1, 10, 100, 300])
@pytest.mark.parametrize("promised", [0.8, 0.95, 0.99, 0.9999])
def test_the_promise_is_kept_on_queries_that_were_held_out(memory: Memory, k: int, promised: float) -> None:
    assert memory.index().indexed == ROWS
    check_promise(memory, k, promised)
    measured = memory.measure_recall(k=k, recall=promised, vectors=HELD_OUT)
    assert (measured.k, measured.queries) == (k, len(HELD_OUT))
    assert measured.low <= measured.recall <= measured.high
    assert measured.high >= promised


@pytest.mark.parametrize(
    "conditions",
    [where(namespace="even"), where(source="rare"), where(name="needle"), where(ids=range(200, 3900))],
    ids=["half", "one in a hundred", "one", "six of ten"],
)
def test_the_promise_is_kept_behind_conditions(memory: Memory, conditions: Where) -> None:
    for promised in (0.9, 0.99):
        check_promise(memory, 10, promised, conditions)
    admitted = {one.id for one in memory.find(conditions)}
    assert all(set(hits.ids.tolist()) <= admitted for hits in memory.recall_many(vectors=HELD_OUT, where=conditions))


def test_the_promise_outlives_forgetting_and_compaction(memory: Memory) -> None:
    gone = [number for number in range(1, ROWS + 1) if number % 5 != 0]
    at = memory.snapshot("before")
    memory.forget(gone)
    check_promise(memory, 10, 0.95)
    assert all(not set(gone) & set(hits.ids.tolist()) for hits in memory.recall_many(vectors=HELD_OUT))
    then = memory.recall_many(vectors=HELD_OUT, k=5, recall=1, at=at)
    assert {number % 5 for hits in then for number in hits.ids.tolist()} == set(range(5))
    memory.drop_snapshot("before")
    number = memory.index().number
    memory.compact()
    assert (memory.index().indexed, memory.index().rows) == (ROWS // 5, ROWS // 5), "the index was taken along"
    check_promise(memory, 10, 0.95)
    memory.insert_many(facts(ROWS, 50), vectors=draw(50, 4))
    assert memory.build_index()
    assert (memory.index().indexed, memory.index().number) == (ROWS // 5 + 50, number + 1)
    check_promise(memory, 10, 0.95)
    assert len(indexes(memory)) == 1
    assert memory.verify().clean


def test_one_query_that_is_asked_again_and_again_is_no_sample(memory: Memory) -> None:
    for _ in range(400):
        memory.recall(vector=HELD_OUT[0])
    memory.insert_many(facts(ROWS, 2), vectors=draw(2, 4))
    assert memory.build_index()
    assert all(promise.queries >= 100 for promise in memory.index().promises)
    check_promise(memory, 10, 0.99)


def test_the_queries_that_were_asked_are_measured(memory: Memory) -> None:
    with pytest.raises(InputError, match="there is no query to measure the recall with"):
        memory.measure_recall()
    with pytest.raises(InputError, match="there is no query to measure the recall with"):
        memory.measure_recall(vectors=np.zeros((3, DIMENSION)))
    for query in HELD_OUT[:50]:
        memory.recall(vector=query)
    assert memory.index().queries == 50
    assert memory.measure_recall(recall=0.9).queries == 50


# --- the same bytes

ASK = """
import sys, hashlib
import numpy as np
from porism import Memory
with Memory.open(sys.argv[1]) as memory:
    if "build" in sys.argv:
        memory.build_index()
    queries = np.load(sys.argv[2])
    print(memory.index().isa)
    for recall in (0.8, 0.99, 1):
        for hits in memory.recall_many(vectors=queries, k=20, recall=recall):
            print(hashlib.sha256(hits.ids.tobytes() + hits.scores.tobytes()).hexdigest())
"""


def ask(path: Path, queries: Path, *words: str, **environment: str) -> list[str]:
    command = [sys.executable, "-c", ASK, str(path), str(queries), *words]
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=240
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout.split()


def test_every_instruction_set_gives_the_same_bytes(tmp_path: Path) -> None:
    path, queries = tmp_path / "m.porism", tmp_path / "queries.npy"
    np.save(queries, HELD_OUT[:20])
    with Memory.open(path, embedder=OWN) as memory:
        memory.insert_many(facts(0, 1500), vectors=VECTORS[:1500])
        fastest = memory.index().isa
    every = ["portable", "avx2", "avx512"]
    answers, files = {}, {}
    for isa in every[: every.index(fastest) + 1]:
        copy = tmp_path / f"{isa}.porism"
        shutil.copytree(path, copy)
        used, *answers[isa] = ask(copy, queries, "build", PORISM_ISA=isa)
        assert used == isa
        (file,) = copy.glob("index-*.lsh")
        files[isa] = file.read_bytes()
    assert len({tuple(answer) for answer in answers.values()}) == len(set(files.values())) == 1


def test_an_unknown_instruction_set_is_refused_by_name(sealed: Path, cli: Any) -> None:
    script = (
        "import sys\nfrom porism import InputError, Memory\n"
        "try:\n    Memory.open(sys.argv[1])\nexcept InputError as error:\n    print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(sealed)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PORISM_ISA": "sse9"},
        timeout=240,
    )
    assert 'no instruction set is called "sse9"' in ran.stdout, ran
    assert "PORISM_ISA" in ran.stdout
    result = cli("memory", "stats", sealed, PORISM_ISA="sse9")
    assert result.returncode == 2, result
    assert "sse9" in result.stderr


def test_two_processes_read_the_same_bytes(memory: Memory, tmp_path: Path) -> None:
    queries = tmp_path / "queries.npy"
    np.save(queries, HELD_OUT[:20])
    first, second = (ask(Path(memory.path), queries) for _ in range(2))
    assert first == second
    assert len(first) == 61


@pytest.mark.parametrize("promised", [0.5, 0.99, 1])
def test_many_at_once_are_one_after_the_other(memory: Memory, promised: float) -> None:
    queries = np.vstack([HELD_OUT, np.zeros((1, DIMENSION)), HELD_OUT[:60]]).astype(np.float32)
    for conditions in (None, where(source="rare")):
        many = memory.recall_many(vectors=queries, k=7, recall=promised, where=conditions)
        ones = [memory.recall(vector=query, k=7, recall=promised, where=conditions) for query in queries]
        assert list(map(as_bytes, many)) == list(map(as_bytes, ones))
        assert {hits.snapshot for hits in [*many, *ones]} == {memory.generation}
    assert len(many[len(HELD_OUT)]) == 0, "the zero vector is near to nothing"
    assert memory.recall_many(vectors=np.zeros((0, DIMENSION))) == []
    assert memory.recall_many(vectors=HELD_OUT[:2], k=0)[1].ids.tolist() == []


def test_goals_are_embedded_many_at_once(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m.porism") as memory:
        memory.insert_many([Fact("a group has one unit"), Fact("a field has no zero divisors"), Fact("every ring")])
        goals = ["one unit", "zero divisors", "", "nothing of the kind"]
        many = memory.recall_many(goals, k=2)
        assert [as_bytes(memory.recall(goal, k=2)) for goal in goals] == list(map(as_bytes, many))
        assert memory.recall_many([]) == []
        assert memory.recall_many(iter(goals[:1]), k=1)[0].ids.tolist() == [1]


# --- what is new is seen, what is gone is not


def test_inserts_and_forgotten_records_count_at_once(memory: Memory) -> None:
    reader = Memory.open(memory.path, read_only=True)
    for number, vector in enumerate(draw(40, 5)):
        added = memory.insert(Fact(f"added {number}"), vector=vector).id
        for handle in (memory, reader):
            assert handle.recall(vector=vector, k=1, recall=0.8).ids.tolist() == [added]
            assert handle.recall_many(vectors=[vector], k=1)[0].ids.tolist() == [added]
        nearest = memory.recall(vector=HELD_OUT[number], k=1, recall=0.8).ids.tolist()
        memory.forget([*nearest, added])
        for handle in (memory, reader):
            for query in (vector, HELD_OUT[number]):
                assert not {*nearest, added} & set(handle.recall(vector=query, k=50, recall=0.8).ids.tolist())
    assert memory.index().indexed == reader.index().indexed == ROWS
    reader.close()


WATCHER = """
import sys
import numpy as np
from porism import Memory
with Memory.open(sys.argv[1], read_only=sys.argv[2] == "read") as memory:
    for _ in sys.stdin:
        memory.recall(vector=np.ones(32), k=1)
        index = memory.index()
        print(index.number, index.indexed, memory.generation, flush=True)
"""


@pytest.mark.parametrize("mode", ["read", "write"])
def test_an_index_that_another_process_made_is_seen_at_the_next_recall(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "m.porism"
    with Memory.open(path, embedder=OWN) as memory:
        memory.insert_many(facts(0, 1000), vectors=VECTORS[:1000])
        command = [sys.executable, "-c", WATCHER, str(path), mode]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as watcher:
            assert watcher.stdin is not None
            assert watcher.stdout is not None

            def look() -> list[int]:
                watcher.stdin.write("\n")
                return [int(word) for word in watcher.stdout.readline().split()]

            assert look() == [0, 0, 1]
            memory.build_index()
            assert look() == [1, 1000, 1], "no record was committed meanwhile"
            memory.insert(Fact("one more"), vector=VECTORS[1000])
            assert look() == [1, 1000, 2]
            memory.build_index()
            assert look() == [2, 1001, 2]
            watcher.stdin.close()
        assert watcher.returncode == 0


BUSY = """
import sys
import numpy as np
from porism import Fact, Memory
random = np.random.default_rng(9)
with Memory.open(sys.argv[1], timeout_s=60) as memory:
    for part in range(int(sys.argv[2])):
        rows = random.standard_normal((30, 32))
        ids = [one.id for one in memory.insert_many([Fact(f"busy {part} {row}") for row in range(30)], vectors=rows)]
        memory.forget(ids[:20])
        print(*ids[:20], flush=True)
        if part % 4 == 3:
            memory.compact()
        if part % 6 == 5:
            memory.build_index()
"""


def test_recalls_go_on_while_another_process_writes_compacts_and_indexes(memory: Memory) -> None:
    command = [sys.executable, "-c", BUSY, str(memory.path), "36"]
    dead: set[int] = set()
    recalls = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as busy:
        assert busy.stdout is not None
        for line in busy.stdout:
            dead |= set(map(int, line.split()))
            for query in HELD_OUT[recalls % 200 :][:5]:
                hits = memory.recall(vector=query, k=20, recall=0.9)
                assert len(hits) == 20
                assert not dead & set(hits.ids.tolist())
                recalls += 1
    assert busy.returncode == 0
    assert recalls == 36 * 5
    check_promise(memory, 10, 0.95)
    assert memory.verify().clean


def test_an_index_is_made_in_the_background_and_changes_no_exact_answer(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m.porism", embedder=OWN) as memory:
        memory.insert_many(facts(0, 3000), vectors=VECTORS[:3000])
        before = [as_bytes(memory.recall(vector=query, recall=1)) for query in HELD_OUT[:20]]
        while memory.index().indexed == 0:
            memory.recall(vector=HELD_OUT[21])
            time.sleep(0.01)
        assert memory.index().indexed == 3000
        assert [as_bytes(memory.recall(vector=query, recall=1)) for query in HELD_OUT[:20]] == before
        check_promise(memory, 10, 0.95)
        # Once more, with the index that there is, until it is too old.
        memory.insert_many(facts(3000, 3000), vectors=VECTORS[3000:])
        while memory.index().indexed < ROWS:
            memory.recall(vector=HELD_OUT[21])
            time.sleep(0.01)
        assert len(indexes(memory)) == 1
        check_promise(memory, 10, 0.95)


def test_closing_while_an_index_is_made_leaves_nothing_broken(tmp_path: Path) -> None:
    path = tmp_path / "m.porism"
    with Memory.open(path, embedder=OWN, durability="none") as memory:
        memory.insert_many(facts(0, 20_000), vectors=draw(20_000, 6))
    for pause in (0, 0.005, 0.05):
        memory = Memory.open(path)
        memory.recall(vector=HELD_OUT[0])
        time.sleep(pause)
        memory.close()
        assert not list(path.glob("*.new"))
    with Memory.open(path) as memory:
        assert memory.verify().clean
        exact = memory.recall(vector=HELD_OUT[0], recall=1)
        assert as_bytes(exact) == as_bytes(memory.recall(vector=HELD_OUT[0], recall=0.9999))


def test_a_builder_that_was_killed_leaves_nothing_that_stays(memory: Memory) -> None:
    (Path(memory.path) / "index-000001-000002.new").write_bytes(b"half of an index")
    assert as_bytes(memory.recall(vector=HELD_OUT[0])) == as_bytes(memory.recall(vector=HELD_OUT[0]))
    memory.insert_many(facts(ROWS, 1), vectors=draw(1, 7))
    assert memory.build_index()
    assert len(indexes(memory)) == 1


def test_only_one_makes_an_index(memory: Memory) -> None:
    import fcntl

    memory.insert(Fact("one more"), vector=HELD_OUT[0])
    with (Path(memory.path) / "index.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LockedError, match=r"index\.lock"):
            memory.build_index()
    assert memory.build_index()


def test_other_threads_go_on_meanwhile(memory: Memory) -> None:
    queries = np.tile(HELD_OUT, (8, 1))
    counts = []
    for work in (
        lambda: memory.recall_many(vectors=queries, k=50, recall=1),
        lambda: memory.measure_recall(vectors=queries, recall=0.9),
        lambda: memory.insert(Fact("another"), vector=HELD_OUT[1]) and memory.build_index(),
    ):
        ticks, done = 0, threading.Event()
        started = threading.Event()

        def tick(done: threading.Event = done, started: threading.Event = started) -> None:
            nonlocal ticks
            while not done.is_set():
                ticks += 1
                started.set()
                time.sleep(0)

        thread = threading.Thread(target=tick)
        thread.start()
        started.wait()
        before = ticks
        work()
        counts.append(ticks - before)
        done.set()
        thread.join()
    assert min(counts) > 0, "the interpreter's lock was free"


def test_threads_that_recall_see_one_memory(memory: Memory) -> None:
    right = [as_bytes(memory.recall(vector=query)) for query in HELD_OUT[:50]]
    wrong: list[object] = []

    def look() -> None:
        for query, expected in zip(HELD_OUT, right, strict=False):
            found = as_bytes(memory.recall(vector=query))
            if found != expected:
                wrong.append((found, expected))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- where nothing can be written


def test_a_memory_that_is_only_read_uses_the_index_and_makes_none(sealed: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.porism"
    shutil.copytree(sealed, path)
    with Memory.open(path, read_only=True) as memory:
        assert memory.index().indexed == ROWS
        check_promise(memory, 10, 0.95)
        with pytest.raises(StoreIOError, match="read-only"):
            memory.build_index()
        for file in path.glob("index-*.lsh"):
            file.unlink()
    with Memory.open(path, read_only=True) as memory:
        assert memory.index().indexed == 0
        check_promise(memory, 10, 0.95)
        assert indexes(memory) == []


def test_an_index_on_a_disk_that_is_read_only(small_disk: Path, read_only: Callable[[], None]) -> None:
    path = small_disk / "m.porism"
    with Memory.open(path, embedder=OWN) as memory:
        memory.insert_many(facts(0, 600), vectors=VECTORS[:600])
        assert memory.build_index()
        before = [as_bytes(memory.recall(vector=query)) for query in HELD_OUT[:20]]
    read_only()
    with Memory.open(path, read_only=True) as memory:
        assert memory.index().indexed == 600
        assert [as_bytes(memory.recall(vector=query)) for query in HELD_OUT[:20]] == before
    with Memory.open(path) as memory:
        assert [as_bytes(memory.recall(vector=query)) for query in HELD_OUT[:20]] == before
        with pytest.raises(StoreIOError):
            memory.build_index()


def fill(path: Path) -> None:
    """Takes all the room that is left."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)) == 4096:
            pass


def test_an_index_for_which_there_is_no_room(small_disk: Path) -> None:
    path = small_disk / "m.porism"
    with Memory.open(path, embedder=OWN) as memory:
        memory.insert_many(facts(0, 600), vectors=VECTORS[:600])
        memory.flush()
        before = as_bytes(memory.recall(vector=HELD_OUT[0], recall=1))
        filler = small_disk / "filler"
        fill(filler)
        with pytest.raises(StoreIOError):
            memory.build_index()
        assert not list(path.glob("*.new"))
        assert as_bytes(memory.recall(vector=HELD_OUT[0], recall=1)) == before
        filler.unlink()
        assert memory.build_index()
        assert memory.verify().clean


# --- the twin for asyncio, and bad input


def test_the_twin_for_asyncio(memory: Memory) -> None:
    async def run() -> None:
        async with AsyncMemory.open(memory.path) as twin:
            one = await twin.recall(vector=HELD_OUT[0], k=5, recall=0.9)
            assert as_bytes(one) == as_bytes(memory.recall(vector=HELD_OUT[0], k=5, recall=0.9))
            many = await twin.recall_many(vectors=HELD_OUT, k=5, recall=0.9)
            assert as_bytes(many[0]) == as_bytes(one)
            assert (await twin.measure_recall(vectors=HELD_OUT)).queries == len(HELD_OUT)
            assert (await twin.index()).indexed == ROWS
            assert not await twin.build_index()
            await twin.insert(Fact("one more"), vector=HELD_OUT[0])
            built, *hits = await asyncio.gather(
                twin.build_index(), *(twin.recall(vector=query, k=3) for query in HELD_OUT[:20])
            )
            assert built
            assert [len(one) for one in hits] == [3] * 20

    asyncio.run(run())


@pytest.mark.parametrize("recall", [1.5, -1, -1e-6, float("nan"), float("inf"), 1.0001])
def test_a_recall_that_is_no_share_is_refused(memory: Memory, recall: float) -> None:
    for ask_for in (
        lambda: memory.recall(vector=HELD_OUT[0], recall=recall),
        lambda: memory.recall("anything", views=["words"], recall=recall),
        lambda: memory.recall_many(vectors=HELD_OUT, recall=recall),
        lambda: memory.measure_recall(vectors=HELD_OUT, recall=recall),
    ):
        with pytest.raises(InputError, match="expected a share from 0 to 1"):
            ask_for()


@pytest.mark.parametrize(
    ("vectors", "complaint"),
    [
        (np.full((2, DIMENSION), np.nan, dtype=np.float32), "NaN"),
        (np.full((2, DIMENSION), np.inf, dtype=np.float32), "inf"),
        (np.ones((2, DIMENSION - 1), dtype=np.float32), r"shape \(2, 31\)"),
        (np.ones(DIMENSION, dtype=np.float32), r"shape \(32,\)"),
        (np.ones((2, 2, DIMENSION), dtype=np.float32), r"shape \(2, 2, 32\)"),
        (np.ones((2, DIMENSION), dtype=np.int64), "int64"),
        (np.float32(5), r"shape \(1,\)"),
        ("text", "expected"),
    ],
)
def test_vectors_that_cannot_be_looked_for_are_refused(memory: Memory, vectors: Any, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        memory.recall_many(vectors=vectors)
    with pytest.raises(InputError, match=complaint):
        memory.measure_recall(vectors=vectors)


def test_bad_numbers_and_nothing_to_look_for_are_refused(memory: Memory) -> None:
    for ask_for in (
        lambda: memory.recall(vector=HELD_OUT[0], k=-1),
        lambda: memory.recall_many(vectors=HELD_OUT, k=-1),
        lambda: memory.measure_recall(vectors=HELD_OUT, k=-1),
    ):
        with pytest.raises(InputError, match="k=-1: expected a number from 0"):
            ask_for()
    with pytest.raises(InputError, match="hand over goals or vectors"):
        memory.recall_many()
    with pytest.raises(InputError, match=r"has no function|not built in"):
        memory.recall_many(["a goal"])
    with pytest.raises(InputError, match="cannot be seen"):
        memory.recall_many(vectors=HELD_OUT, at=99)
    assert len(memory.recall(vector=HELD_OUT[0], k=10_000, recall=0.8)) == ROWS
    assert len(memory.recall(vector=HELD_OUT[0], k=10**9, recall=0.8)) == ROWS
