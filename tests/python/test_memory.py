"""The memory as users see it."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from porism import _core
from porism._errors import DamagedError, FormatError, InputError, NotAMemoryError, PorismError, StoreIOError
from porism._memory import Memory
from porism._types import (
    Axiom,
    Candidate,
    Definition,
    Fact,
    Kind,
    Lemma,
    Receipt,
    Record,
    Settlement,
    Status,
    Theorem,
    Verdict,
)

if TYPE_CHECKING:
    from pathlib import Path

HASH = _core.content_hash(b"claim")
RECEIPT = Receipt(claim_hash=HASH, certificate_hash=HASH, checker="z3", checker_version="4.13")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lemmas.porism"


@pytest.fixture
def memory(path: Path) -> Memory:
    return Memory.open(path)


# --- records ----------------------------------------------------------------------------------------------------------


def test_a_record_comes_back_as_it_went_in(memory: Memory, path: Path) -> None:
    inserted = memory.insert(Lemma("![X]: f(X,e)=X", name="right_identity", source="groups"))
    memory.close()
    with Memory.open(path) as again:
        stored = again.get(inserted.id)
    assert inserted.new
    assert (stored.kind, stored.statement, stored.name) == (Kind.LEMMA, "![X]: f(X,e)=X", "right_identity")
    assert (stored.source, stored.namespace, stored.status, stored.inserts) == ("groups", "", Status.CONJECTURAL, 1)


@pytest.mark.parametrize("make", [Axiom, Definition, Fact, Lemma, Theorem])
def test_every_maker_names_its_kind(memory: Memory, make: type[Record]) -> None:
    record = make("p")  # type: ignore[call-arg]
    assert memory.get(memory.insert(record).id).kind == make.__name__.lower()


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_stored(memory: Memory, kind: Kind) -> None:
    assert memory.get(memory.insert(Record("p", kind=kind)).id).kind is kind


def test_an_unknown_kind_is_told_the_known_ones(memory: Memory) -> None:
    with pytest.raises(InputError, match=r'unknown kind "lema": expected one of axiom, definition, lemma'):
        memory.insert(Record("p", kind="lema"))  # type: ignore[arg-type]


def test_the_same_statement_is_counted(memory: Memory) -> None:
    first = memory.insert(Lemma("![X]: p(X)"))
    again = memory.insert(Theorem("! [Y] : ( p(Y) )"))
    assert (again.id, again.new) == (first.id, False)
    assert memory.get(first.id).inserts == 2
    assert memory.insert(Lemma("![X]: p(X)", name="other")).new
    assert memory.insert(Lemma("![X]: p(X)", namespace="team")).new


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (Lemma("  "), "empty"),
        (Lemma("x" * (16 << 20) + "x"), "16777217 bytes, the limit is 16777216"),
        (Lemma("p", name="n" * 70_000), "name has 70000 bytes"),
        (Lemma("p", status=Status.VERIFIED), "receipt"),
    ],
    ids=["empty", "long", "long name", "verified"],
)
def test_what_cannot_be_stored_is_refused_and_does_no_harm(memory: Memory, record: Record, message: str) -> None:
    with pytest.raises(InputError, match=message):
        memory.insert_many([Lemma("good"), record])
    assert memory.stats().records == 0


def test_find_narrows_by_everything_given(memory: Memory) -> None:
    memory.insert_many([Lemma("p", name="a", source="s"), Lemma("q", name="a", source="t"), Lemma("r", source="s")])
    assert [record.statement for record in memory.find(name="a")] == ["p", "q"]
    assert [record.statement for record in memory.find(source="s")] == ["p", "r"]
    assert [record.statement for record in memory.find(name="a", source="t")] == ["q"]
    assert len(memory.find()) == 3
    assert memory.find(namespace="elsewhere") == []


def test_a_record_that_does_not_exist_is_named(memory: Memory) -> None:
    with pytest.raises(InputError, match="there is no record 7"):
        memory.get(7)


# --- recall -----------------------------------------------------------------------------------------------------------


def test_recall_is_a_list_with_arrays(memory: Memory) -> None:
    near = memory.insert(Lemma("![X]: f(X,e)=X", name="right_identity"))
    memory.insert(Lemma("?[Y]: in(Y,union(Y))"))
    hits = memory.recall("![X]: f(e,X)=X", k=8)
    assert len(hits) == 2
    assert hits.ids.dtype.kind == "i"
    assert hits.scores.dtype == np.float32
    assert hits.ids[0] == near.id
    assert hits.scores[0] > hits.scores[1]
    assert hits.snapshot == memory.stats().generation == 2
    assert hits[0].record.name == "right_identity"
    assert hits[-1].score == pytest.approx(hits.scores[1])
    assert [hit.record for hit in hits] == list(hits.records)
    assert hits[:1] == (hits[0],)
    with pytest.raises(ValueError, match="read-only"):
        hits.ids[0] = 5


def test_recall_of_nothing_finds_nothing(memory: Memory) -> None:
    assert len(memory.recall("p")) == 0
    memory.insert(Lemma("p"))
    assert len(memory.recall("...")) == 0
    assert len(memory.recall("p", k=0)) == 0
    with pytest.raises(InputError, match="k=-1"):
        memory.recall("p", k=-1)


def test_unknown_keywords_raise(memory: Memory) -> None:
    with pytest.raises(TypeError):
        memory.recall("p", limit=3)  # type: ignore[call-arg]


# --- evidence and events ----------------------------------------------------------------------------------------------


def test_only_a_receipt_verifies(memory: Memory) -> None:
    goal, premise = (one.id for one in memory.insert_many([Theorem("p"), Lemma("q")]))
    memory.evidence(goal, verdict=Verdict.PROVED, prover="E", used=[premise], seconds=0.5)
    assert memory.get(goal).status is Status.CHECKED
    number = memory.evidence(goal, verdict=Verdict.PROVED, prover="E", reprover="z3", receipt=RECEIPT)
    assert memory.get(goal).status is Status.VERIFIED
    claimed, confirmed = memory.evidence_for(goal)
    assert (claimed.used, claimed.receipt, claimed.seconds) == ((premise,), None, 0.5)
    assert (confirmed.id, confirmed.receipt, confirmed.reprover) == (number, RECEIPT, "z3")
    assert memory.evidence_for(premise) == []
    assert len(memory.evidence_for()) == 2


def test_a_receipt_with_a_wrong_hash_is_refused(memory: Memory) -> None:
    goal = memory.insert(Theorem("p")).id
    bad = Receipt("abc", HASH, "z3", "4.13")
    with pytest.raises(InputError, match="claim hash"):
        memory.evidence(goal, verdict=Verdict.PROVED, prover="E", receipt=bad)
    assert memory.get(goal).status is Status.CONJECTURAL


def test_an_event_settles_once(memory: Memory) -> None:
    goal, shown, withheld = (one.id for one in memory.insert_many([Theorem("p"), Lemma("q"), Lemma("r")]))
    candidates = (Candidate(shown, 0.9, slot=0, propensity=0.9), Candidate(withheld, 0.4, propensity=0.1))
    event = memory.log_event(goal, candidates=candidates, snapshot=1, policy="top", seed=3)
    assert memory.event(event).candidates == candidates
    assert memory.stats().events_pending == 1

    settled = memory.settle(event, verdict=Verdict.PROVED, attempts=2, seconds=1.5, used=[shown, shown])
    assert settled == Settlement(Verdict.PROVED, 2, 1.5, (shown,))
    assert memory.settle(event, verdict=Verdict.PROVED, attempts=2, seconds=1.5, used=[shown]) == settled
    with pytest.raises(InputError, match="settled as proved and cannot be settled as unknown"):
        memory.settle(event, verdict=Verdict.UNKNOWN, attempts=2, seconds=1.5)
    assert memory.events()[0].settlement == settled


@pytest.mark.parametrize("propensity", [0.0, -1.0, 1.1, float("nan")])
def test_a_propensity_is_a_probability(memory: Memory, propensity: float) -> None:
    goal = memory.insert(Theorem("p")).id
    with pytest.raises(InputError, match="propensity"):
        memory.log_event(goal, candidates=[Candidate(goal, 1.0, propensity=propensity)], snapshot=1, policy="top")


# --- the whole --------------------------------------------------------------------------------------------------------


def test_stats_count_what_is_there(memory: Memory) -> None:
    memory.insert_many([Lemma("p"), Lemma("q"), Axiom("r")])
    stats = memory.stats()
    assert (stats.records, stats.rows, stats.generation) == (3, 3, 1)
    assert stats.by_kind == {"axiom": 1, "lemma": 2}
    assert stats.by_status == {"conjectural": 3}
    assert stats.size_bytes["rows-000001.f32"] == 64 + 3 * 4 * stats.dimension


def test_export_to_a_file_and_to_a_path_agree(memory: Memory, tmp_path: Path) -> None:
    goal = memory.insert(Lemma("p")).id
    memory.evidence(goal, verdict=Verdict.PROVED, prover="E", receipt=RECEIPT)
    memory.log_event(goal, candidates=[], snapshot=1, policy="none")
    buffer = io.BytesIO()
    memory.export(buffer)
    memory.export(tmp_path / "dump.jsonl")
    assert (tmp_path / "dump.jsonl").read_bytes() == buffer.getvalue()
    lines = [json.loads(line) for line in buffer.getvalue().splitlines()]
    assert [line["type"] for line in lines] == ["header", "record", "evidence", "event", "change"]
    assert lines[2]["receipt"]["claim_hash"] == HASH


def test_exported_vectors_are_unit_vectors(memory: Memory) -> None:
    memory.insert(Lemma("![X]: f(X,e)=X"))
    buffer = io.BytesIO()
    memory.export(buffer, vectors=True)
    line = json.loads(buffer.getvalue().splitlines()[1])
    vector = np.frombuffer(base64.b64decode(line["vector"]), dtype="<f4")
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-6)


def test_what_the_callers_file_raises_is_not_hidden(memory: Memory) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        memory.export(Full())


def test_a_closed_memory_refuses(memory: Memory) -> None:
    memory.close()
    memory.close()
    with pytest.raises(InputError, match="closed"):
        memory.insert(Lemma("p"))


def test_what_is_no_memory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAMemoryError, match=r"catalog\.sqlite"):
        Memory.open(tmp_path)
    with pytest.raises(NotAMemoryError, match="nothing is there"):
        Memory.open(tmp_path / "absent", create=False)
    with pytest.raises(InputError, match="timeout_s"):
        Memory.open(tmp_path / "new", timeout_s=-1.0)
    with pytest.raises(StoreIOError):
        Memory.open(tmp_path / "no" / "such" / "folder")
    assert list(tmp_path.iterdir()) == []


def test_a_newer_format_is_refused(memory: Memory, path: Path) -> None:
    memory.close()
    catalog = bytearray((path / "catalog.sqlite").read_bytes())
    catalog[60:64] = (99).to_bytes(4, "big")  # SQLite's user_version
    (path / "catalog.sqlite").write_bytes(catalog)
    with pytest.raises(FormatError, match="format 99, but this version reads formats up to 2"):
        Memory.open(path)


def test_a_read_only_memory_refuses_to_write(memory: Memory, path: Path) -> None:
    memory.insert(Lemma("p"))
    with Memory.open(path, read_only=True) as reader:
        assert len(reader.recall("p")) == 1
        with pytest.raises(StoreIOError, match="read-only"):
            reader.insert(Lemma("q"))


def test_threads_share_a_memory(memory: Memory) -> None:
    def work(thread: int) -> None:
        for number in range(20):
            memory.insert(Lemma(f"p{thread}_{number}(a)"))
            assert len(memory.recall("p0_0(a)", k=1)) == 1

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert memory.stats().records == 80
    assert memory.verify().clean


def test_writers_of_several_processes_take_turns(memory: Memory, path: Path) -> None:
    code = (
        "import sys; from porism._memory import Memory; from porism._types import Lemma\n"
        "with Memory.open(sys.argv[1], timeout_s=60) as memory:\n"
        "    for number in range(25): memory.insert(Lemma(f'p{sys.argv[2]}_{number}(a)'))\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, str(path), str(child)]) for child in range(3)]
    assert [child.wait(timeout=120) for child in children] == [0, 0, 0]
    assert memory.stats().records == 75
    assert memory.verify().clean


# --- damage -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def rows(path: Path) -> Path:
    """The file of rows of a memory with three records."""
    with Memory.open(path) as memory:
        memory.insert_many([Lemma("p(a)"), Lemma("q(b)"), Lemma("r(c)")])
    return path / "rows-000001.f32"


def test_every_damaged_byte_of_the_header_is_reported(path: Path, rows: Path) -> None:
    good = rows.read_bytes()
    for place in range(64):
        rows.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        with pytest.raises((DamagedError, FormatError), match=r"rows-000001\.f32"):
            Memory.open(path)


def test_a_damaged_row_is_reported_and_never_served(path: Path, rows: Path) -> None:
    good = rows.read_bytes()
    for place in [64, 67, 64 + 1024, len(good) // 2, len(good) - 1]:
        rows.write_bytes(good[:place] + bytes([good[place] ^ 0x10]) + good[place + 1 :])
        with Memory.open(path) as memory:
            with pytest.raises(DamagedError, match=r"rows-000001\.f32: damaged at row"):
                memory.recall("p(a)", k=1)
            report = memory.verify()
            assert [finding.file for finding in report.findings] == [str(rows)]


def test_a_truncated_file_is_reported(path: Path, rows: Path) -> None:
    good = rows.read_bytes()
    for length in [0, 1, 63, 64, 65, len(good) // 2, len(good) - 1]:
        rows.write_bytes(good[:length])
        with pytest.raises(DamagedError, match=r"rows-000001\.f32"):
            Memory.open(path)
    rows.unlink()
    with pytest.raises(DamagedError, match="missing"):
        Memory.open(path)


def test_a_damaged_catalog_gives_an_error_or_the_truth(path: Path, rows: Path) -> None:
    with Memory.open(path) as memory:
        truth = memory.find()
    catalog = path / "catalog.sqlite"
    good = catalog.read_bytes()
    refused = 0
    for place in range(0, len(good), 97):
        catalog.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        try:
            with Memory.open(path) as memory:
                assert memory.find() == truth or not memory.verify().clean, f"byte {place}"
        except PorismError:
            refused += 1
        for log in path.glob("catalog.sqlite-*"):
            log.unlink()
    assert refused, "no damage was ever noticed"
