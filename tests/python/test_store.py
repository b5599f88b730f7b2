"""The store as Python sees it: own vectors, conditions, transactions, snapshots, and what must be refused."""

from __future__ import annotations

import gc
import shutil
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import porism
from porism import (
    Action,
    BudgetError,
    ConflictError,
    Fact,
    FormatError,
    InputError,
    Kind,
    Lemma,
    LockedError,
    Memory,
    NotAMemoryError,
    Status,
    Vectors,
    Verdict,
    where,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RECEIPT = porism.Receipt("0" * 64, "0" * 64, "z3", "4.13")
THREE = Vectors("three", 3)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path / "m.porism") as memory:
        yield memory


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Memory]:
    """A memory of the caller's own vectors."""
    with Memory.open(tmp_path / "own.porism", embedder=THREE) as memory:
        yield memory


# --- vectors


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
@pytest.mark.parametrize("order", ["C", "F", "every second"])
def test_vectors_of_the_caller(own: Memory, dtype: str, order: str) -> None:
    vectors = np.eye(3, dtype=dtype)
    vectors = np.repeat(vectors, 2, axis=0)[::2] if order == "every second" else np.array(vectors, order=order)
    own.insert_many([Fact("x"), Fact("y"), Fact("z")], vectors=vectors)
    hits = own.recall(vector=np.array([0, 5, 1], dtype=dtype), k=2)
    assert hits.ids.tolist() == [2, 3]
    assert hits.scores[0] == pytest.approx(5 / np.sqrt(26))
    assert hits.ids.dtype == np.int64
    assert hits.scores.dtype == np.float32


@pytest.mark.parametrize(
    ("vectors", "complaint"),
    [
        (np.ones((2, 3), dtype=np.int64), "int64: expected float32, float16 or float64"),
        (np.array([["a", "b", "c"]] * 2), "expected float32"),
        (np.ones((2, 3), dtype=complex), "complex128"),
        (np.ones((2, 4), dtype=np.float32), r"shape \(2, 4\), expected \(2, 3\)"),
        (np.ones((1, 3), dtype=np.float32), r"shape \(1, 3\)"),
        (np.ones(6, dtype=np.float32), r"shape \(6,\)"),
        (np.full((2, 3), np.nan, dtype=np.float32), "NaN at place 0"),
        (np.full((2, 3), np.inf), "inf at place 0"),
        (np.full((2, 3), 1e300), "inf at place 0"),
        (None, "has no function|not built in"),
    ],
)
def test_bad_vectors_are_refused_by_name(own: Memory, vectors: Any, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        own.insert_many([Fact("x"), Fact("y")], vectors=vectors)
    assert own.stats().records == own.generation == 0


def test_the_zero_vector_is_stored_and_near_to_nothing(own: Memory) -> None:
    own.insert(Fact("nowhere"), vector=np.zeros(3))
    assert own.recall(vector=[1.0, 0.0, 0.0]).scores.tolist() == [0.0]
    assert len(own.recall(vector=[0.0, 0.0, 0.0])) == 0


def test_float32_is_read_where_it_lies(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).standard_normal((2000, 512), dtype=np.float32)
    facts = [Fact(f"fact {number}") for number in range(len(rows))]
    with Memory.open(tmp_path / "m.porism", embedder=Vectors("wide", 512)) as memory:
        gc.collect()
        tracemalloc.start()
        memory.insert_many(facts, vectors=rows)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < rows.nbytes / 2, "numpy made no copy"


def test_an_embedder_with_a_function_is_asked(tmp_path: Path) -> None:
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        return np.array([[len(text), 1.0] for text in texts])

    path = tmp_path / "m.porism"
    with Memory.open(path, embedder=Vectors("length", 2, embed)) as memory:
        memory.insert_many([Fact("a"), Fact("a long text of many words")])
        assert memory.recall("b", k=1).ids.tolist() == [1]
        with memory.transaction() as transaction:
            late = transaction.insert(Fact("cc"))
        assert memory.recall("dd", k=1).ids.tolist() == [late.id]
    assert asked == ["a", "a long text of many words", "b", "cc", "dd"]
    with Memory.open(path) as memory:
        assert memory.stats().embedder == "length", "by default it is the one that the memory was made with"
        with pytest.raises(InputError, match="the embedder length is not built in"):
            memory.recall("b")
    for other in ("symbols-v1", Vectors("length", 3), Vectors("width", 2)):
        with pytest.raises(FormatError, match="made with the"):
            Memory.open(path, embedder=other)
    with pytest.raises(InputError, match="no built-in embedder 'symbol'"):
        Memory.open(path, embedder="symbol")


def test_new_vectors_for_all(memory: Memory) -> None:
    memory.insert_many([Lemma("![X]: p(X)"), Lemma("q(a)")])
    memory.forget(2)
    other = Memory.open(memory.path)
    assert memory.reembed(Vectors("two", 2, lambda texts: [[1.0, float("q" in text)] for text in texts])) == 2
    assert memory.restore(2) == (2,)
    assert memory.recall("q", k=1).ids.tolist() == [2]
    assert memory.stats().dimension == 2
    with pytest.raises(FormatError, match="made with the embedder two, but opened with symbols-v1"):
        other.recall("q")
    other.close()
    memory.reembed("words-v1")
    assert memory.recall("q a", k=1).ids.tolist() == [2]
    assert memory.verify().clean
    with pytest.raises(InputError, match="has no function"):
        memory.reembed(THREE)


# --- conditions, views, near-duplicates


def test_conditions(memory: Memory) -> None:
    memory.insert(Lemma("p(a)", name="first", namespace="team"))
    memory.insert(Fact("p(b)", status=Status.CHECKED))
    memory.insert(porism.Axiom("p(c)"))
    cases = [
        (where(kind=Kind.LEMMA), [1]),
        (where(kind={"fact", "axiom"}), [2, 3]),
        (where(status=">=checked"), [2]),
        (where(status="conjectural", namespace=""), [3]),
        (where(name="first"), [1]),
        (where(ids=np.array([3, 1])), [1, 3]),
        (where(since=datetime(2100, 1, 1, tzinfo=UTC)), []),
        (where(before=datetime(2100, 1, 1, tzinfo=UTC), kind="lemma"), [1]),
    ]
    for conditions, expected in cases:
        assert [one.id for one in memory.find(conditions)] == expected
        assert sorted(memory.recall("p(a)", where=conditions).ids.tolist()) == expected


def test_conditions_that_cannot_be_honoured_raise(memory: Memory) -> None:
    with pytest.raises(InputError, match="unknown kind 'lema'"):
        where(kind="lema")
    with pytest.raises(InputError, match="unknown status 'prooved'"):
        where(status=">=prooved")
    with pytest.raises(InputError, match="no time zone"):
        where(since=datetime(2026, 1, 1))
    with pytest.raises(InputError, match=r"expected what porism.where"):
        memory.recall("p", where={"kind": "lemma"})
    with pytest.raises(InputError, match="unknown view"):
        memory.recall("p", views=["smell"])
    with pytest.raises(InputError, match="at least one view"):
        memory.recall("p", views=[])
    with pytest.raises(InputError, match="a text or a vector"):
        memory.recall()
    with pytest.raises(TypeError):
        where(colour="red")
    with pytest.raises(TypeError):
        memory.recall("p", limit=3)


def test_views_are_fused(memory: Memory) -> None:
    memory.insert(Fact("every finite group of prime order is cyclic"))
    memory.insert(Lemma("![X,Y]: times(X,Y) = times(Y,X)", name="commutativity"))
    assert memory.recall("a cyclic group", views=["words"])[0].record.id == 1
    assert memory.recall("![A]: times(A,e) = A", views=["symbols"], k=1).ids.tolist() == [2]
    fused = memory.recall("commutativity, times", views=["dense", "words", "symbols"])
    assert fused.ids[0] == 2


def test_near_duplicates_are_named(memory: Memory) -> None:
    memory.insert(Fact("a group has exactly one unit"))
    inserted = memory.insert(Fact("A group has exactly ONE unit!"), near=0.95)
    assert (inserted.new, inserted.near) == (True, (1,))
    assert memory.insert(Fact("rings are different"), near=0.95).near == ()
    same = memory.insert(Fact("a  group has exactly one unit"), near=0.95)
    assert (same.id, same.new, same.near) == (1, False, (2,))


# --- life of a record


def test_forget_restore_history(memory: Memory) -> None:
    memory.insert_many([Lemma("p(a)"), Lemma("q(b)"), Fact("r(c)")])
    planned = memory.forget(where(kind="lemma"), dry_run=True)
    assert planned.ids == (1, 2)
    assert memory.stats().records == 3
    assert memory.forget(where(kind="lemma"), reason="wrong") == planned
    assert memory.forget([1, 2]).ids == ()
    assert [one.id for one in memory.find()] == [3]
    assert memory.get(1).died == 2
    assert memory.insert(Lemma("p(a)")).forgotten
    assert memory.restore([1, 3]) == (1,)
    assert [change.action for change in memory.history(1)] == [Action.INSERTED, Action.FORGOTTEN, Action.RESTORED]
    assert memory.history(1)[1].detail == "wrong"
    with pytest.raises(InputError, match="no record 9"):
        memory.forget(9)


def test_time_travel(memory: Memory) -> None:
    memory.insert(Lemma("p(a)"))
    memory.evidence(1, verdict=Verdict.PROVED, prover="E", receipt=RECEIPT)
    assert memory.snapshot("proved") == 2
    memory.forget(1)
    memory.insert(Lemma("p(b)"))
    assert memory.recall("p(a)", at=2).ids.tolist() == [1]
    assert [one.id for one in memory.find(at=1)] == [1]
    assert memory.get(1, at=1).status is Status.CONJECTURAL
    assert memory.recall("p(a)", at=2)[0].record.status is Status.VERIFIED
    assert memory.find(at=0) == []
    assert [(one.name, one.generation) for one in memory.snapshots()] == [("proved", 2)]
    with pytest.raises(InputError, match="generation 9 cannot be seen: this memory reaches from 0 to 4"):
        memory.recall("p", at=9)
    memory.drop_snapshot("proved")
    assert memory.compact().dropped == 0, "the only proof of a fact is never dropped"


def test_compaction_frees_bytes(memory: Memory) -> None:
    memory.insert_many(Fact(f"number {number} " + "x" * 1000) for number in range(1000))
    memory.forget(range(2, 1001))
    done = memory.compact()
    assert done.dropped == 999
    assert done.bytes_after < done.bytes_before / 5
    assert memory.recall("number", k=9).ids.tolist() == [1]


def test_merge_and_purge(memory: Memory) -> None:
    memory.insert_many([Lemma("![X]: p(X)", name="a"), Lemma("![Y]: p(Y)", name="b"), Lemma("q(c)")])
    memory.evidence(2, verdict=Verdict.PROVED, prover="E", used=[3], receipt=RECEIPT)
    assert memory.merge(2, 1) == 1
    assert memory.get(2).merged_into == 1
    assert memory.get(1).status is Status.VERIFIED
    assert len(memory.evidence_for(1)) == 1
    assert memory.purge(3, dry_run=True) == porism.Purged((3,), (2,))
    assert memory.purge(3).ids == (3,)
    with pytest.raises(InputError, match="no record 3"):
        memory.get(3)
    assert memory.verify().clean


def test_transactions(memory: Memory) -> None:
    memory.insert(Lemma("old(a)"))
    with memory.transaction(expect=1) as transaction:
        new = transaction.insert(Lemma("new(a)"))
        proof = transaction.evidence(new, verdict=Verdict.PROVED, prover="E", used=[1])
        gone = transaction.forget(1, reason="superseded")
        with pytest.raises(InputError, match="not committed yet"):
            _ = new.id
        assert memory.generation == 1
    assert (new.id, proof.id, gone.ids, memory.generation) == (2, 1, (1,), 2)
    stale = memory.transaction(expect=1)
    transaction = stale.__enter__()
    transaction.insert(Lemma("late(a)"))
    with pytest.raises(ConflictError, match="at generation 2, the transaction expects 1"):
        stale.__exit__(None, None, None)
    impossible = memory.transaction()
    transaction = impossible.__enter__()
    transaction.insert(Lemma("never(b)"))
    transaction.merge(2, 99)
    with pytest.raises(InputError, match="no record 99"):
        impossible.__exit__(None, None, None)
    with pytest.raises(ZeroDivisionError):
        given_up(memory)
    assert [one.id for one in memory.find()] == [2]


def given_up(memory: Memory) -> None:
    with memory.transaction() as transaction:
        transaction.insert(Lemma("never(a)"))
        _ = 1 / 0


def test_export_and_load(memory: Memory, tmp_path: Path) -> None:
    memory.insert_many([Lemma("p(a)"), Lemma("q(b)")])
    memory.evidence(1, verdict=Verdict.PROVED, prover="E", used=[2], receipt=RECEIPT)
    memory.snapshot("before")
    memory.forget(2)
    memory.export(tmp_path / "dump.jsonl", vectors=True)
    with Memory.open(tmp_path / "copy.porism", embedder="words-v1") as copy:
        assert copy.load(tmp_path / "dump.jsonl") == porism.Imported(2, 0, 1, 0, history=True)
        assert [one.id for one in copy.find()] == [1]
        assert copy.get(1).status is Status.VERIFIED
        with (tmp_path / "dump.jsonl").open("rb") as file:
            assert copy.load(file) == porism.Imported(0, 2, 1, 0, history=False)
        assert [one.id for one in copy.find(at=copy.snapshots()[0].generation)] == [1, 2]
        assert copy.history(2) == memory.history(2)
        (tmp_path / "bad.jsonl").write_text("{}")
        with pytest.raises(InputError, match="line 1"):
            copy.load(tmp_path / "bad.jsonl")
        with pytest.raises(porism.StoreIOError, match="cannot read"):
            copy.load(tmp_path / "absent.jsonl")


# --- budgets, formats, bad input


def test_the_budget_and_who_minds_it(tmp_path: Path) -> None:
    asked: list[BudgetError] = []

    def mind(memory: Memory, error: BudgetError) -> bool:
        asked.append(error)
        memory.forget([one.id for one in memory.find()][:-10])
        return memory.compact().dropped > 0

    facts = [Fact(f"fact {number} " + "x" * 5000) for number in range(400)]
    with Memory.open(tmp_path / "m.porism", budget_bytes=1_500_000, on_budget=mind) as memory:
        for fact in facts:
            memory.insert(fact)
        assert 0 < len(asked) < 20
        assert memory.recall(facts[-1].statement, k=1).ids.tolist() == [400]
        assert memory.verify().clean
    with (
        Memory.open(tmp_path / "n.porism", budget_bytes=400_000) as memory,
        pytest.raises(BudgetError, match="the budget is"),
    ):
        memory.insert_many(facts)


def test_an_older_format_is_named_and_upgraded(tmp_path: Path) -> None:
    asset = Path(__file__).resolve().parents[1] / "assets" / "format-1.porism"
    path = tmp_path / "old.porism"
    shutil.copytree(asset, path)
    with pytest.raises(FormatError, match="porism memory upgrade"):
        Memory.open(path)
    assert porism.upgrade(path) == 1
    with Memory.open(path) as memory:
        assert memory.get(3).status is Status.VERIFIED
        assert memory.recall("![X]: f(X,e) = X", k=1)[0].record.name == "right_identity"
    with pytest.raises(NotAMemoryError):
        porism.upgrade(tmp_path)


def test_a_text_that_is_too_long_is_refused(memory: Memory) -> None:
    with pytest.raises(InputError, match="the limit is 16777216"):
        memory.insert(Fact("x" * (100 << 20)))
    memory.insert(Fact("short"))
    assert memory.verify().clean


def test_an_unknown_durability_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='unknown durability "always": expected one of process, power, none'):
        Memory.open(tmp_path / "m.porism", durability="always")
    assert not (tmp_path / "m.porism").exists()


@pytest.mark.parametrize("durability", ["process", "power", "none"])
def test_every_durability_stores(tmp_path: Path, durability: Any) -> None:
    with Memory.open(tmp_path / "m.porism", durability=durability) as memory:
        memory.insert_many(Fact(f"fact {number}") for number in range(100))
        memory.flush()
    with Memory.open(tmp_path / "m.porism") as memory:
        assert memory.stats().records == 100


# --- many at once


def test_a_killed_holder_of_the_lock_does_not_block(tmp_path: Path) -> None:
    """The write lock and the turnstile are the operating system's: they go with the process that held them."""
    path = tmp_path / "m.porism"
    Memory.open(path).close()
    script = (
        "import fcntl, sys, time\n"
        "file = open(sys.argv[1] + '/writer.lock', 'r+')\n"
        "fcntl.flock(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "time.sleep(600)\n"
    )
    with Memory.open(path, timeout_s=0.2) as memory:
        memory.insert(Fact("before"))
        holder = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockedError, match=r"did not let go within 0\.2 s"):
            memory.insert(Fact("blocked"))
        assert memory.recall("before", k=1).ids.tolist() == [1], "readers are not blocked"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
        assert memory.insert(Fact("after")).new


WORKER = """
import random, sys, time
from porism import Fact, Lemma, Memory
path, role, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
memory = Memory.open(path, timeout_s=30)
end, count, longest, seen = time.monotonic() + seconds, 0, 0.0, 0
while time.monotonic() < end:
    if role.startswith("writer"):
        memory.insert_many([Fact(f"{role} {count} {part}") for part in range(3)])
        if count % 40 == 39:
            memory.forget([one.id for one in memory.find(name="none")])
            memory.compact()
        count += 1
    else:
        started = time.process_time()
        hits = memory.recall(f"writer1 {count}", k=5)
        texts = [hit.record.statement for hit in hits]
        longest = max(longest, time.process_time() - started)
        # All three records of a commit are seen, or none.
        assert memory.stats().records % 3 == 0
        generation = memory.generation
        assert generation >= seen, (generation, seen)
        seen, count = generation, count + 1
print(role, count, longest)
"""


def test_two_writers_and_four_readers(tmp_path: Path) -> None:
    """No update is lost, nothing torn is seen, and compaction goes on meanwhile."""
    path = tmp_path / "m.porism"
    Memory.open(path).close()
    roles = ["writer1", "writer2", *(f"reader{number}" for number in range(4))]
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(path), role, "5"], stdout=subprocess.PIPE, text=True)
        for role in roles
    ]
    said = [worker.communicate(timeout=120)[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 6
    counts = {role: int(count) for role, count, _ in said}
    assert all(counts.values()), counts
    with Memory.open(path) as memory:
        found = {one.statement for one in memory.find()}
        expected = {
            f"{role} {count} {part}" for role in roles[:2] for count in range(counts[role]) for part in range(3)
        }
        assert found == expected
        assert memory.verify().clean


def test_other_threads_go_on_while_the_core_works(memory: Memory) -> None:
    memory.insert_many(Fact(f"fact {number}") for number in range(3000))
    ticks = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0)

    thread = threading.Thread(target=tick)
    thread.start()
    memory.verify()
    before = ticks
    memory.verify()
    done.set()
    thread.join()
    assert ticks > before, "the interpreter's lock was free"
