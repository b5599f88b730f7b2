"""A Metamath library in a memory: what its records say, which of them are verified, and what a second time changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

import porism
from porism import Kind, Memory, Status, metamath
from porism.cli.memory import app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOGIC = """
$c ( ) -> |- wff A. $. $v x p q r $. vx $f wff x $. wp $f wff p $. wq $f wff q $. wr $f wff r $.
wi $a wff ( p -> q ) $. ${ mp.1 $e |- p $. mp.2 $e |- ( p -> q ) $. mp $a |- q $. $}
a1 $a |- ( p -> ( q -> p ) ) $. df-x $a |- ( q -> q ) $.
${ $d x q $. gen.1 $e |- q $. gen $a |- A. x q $. $}
${ h $e |- p $. a1i $p |- ( q -> p ) $= wp wq wp wi h wp wq a1 mp $. $}
last $p |- ( r -> ( q -> q ) ) $= wq wq wi wr wq df-x a1i $.
"""
# A proof that is wrong, one that is right and rests on it, and one that is not finished.
FAULTY = """
wrong $p |- ( p -> q ) $= wp wq a1 $.
upon $p |- ( q -> ( p -> q ) ) $= wp wq wi wq wp wq wrong a1i $.
open $p |- ( q -> p ) $= ? $.
"""


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path / "facts.porism", embedder="tokens-v1") as memory:
        yield memory


def one(memory: Memory, name: str) -> porism.StoredRecord:
    (found,) = memory.find(name=name)
    return found


def test_assertions_become_records(memory: Memory) -> None:
    done = metamath.parse(LOGIC).remember(memory, source="logic.mm", namespace="logic")
    assert (done.new, done.known, done.evidence, done.unsupported) == (6, 0, 2, ())
    assert done.report.decision is porism.Decision.ACCEPTED
    said = {found.name: (found.kind, found.status, found.statement) for found in memory.find(namespace="logic")}
    assert said == {
        "mp": (Kind.AXIOM, Status.CONJECTURAL, "|- p & |- ( p -> q ) => |- q"),
        "a1": (Kind.AXIOM, Status.CONJECTURAL, "|- ( p -> ( q -> p ) )"),
        "df-x": (Kind.DEFINITION, Status.CONJECTURAL, "|- ( q -> q )"),
        "gen": (Kind.AXIOM, Status.CONJECTURAL, "|- q => |- A. x q $d x q"),
        "a1i": (Kind.THEOREM, Status.VERIFIED, "|- p => |- ( q -> p )"),
        "last": (Kind.THEOREM, Status.VERIFIED, "|- ( r -> ( q -> q ) )"),
    }
    assert {found.source for found in memory.find()} == {"logic.mm"}


def test_a_proof_is_evidence_with_what_it_cites(memory: Memory) -> None:
    library = metamath.parse(LOGIC)
    library.remember(memory, source="logic.mm")
    (evidence,) = memory.evidence_for(one(memory, "a1i").id)
    assert {found.name for found in memory.get_many(evidence.used)} == {"mp", "a1"}, "notation is no premise"
    assert evidence.receipt == library.receipt("a1i")
    assert (evidence.prover, evidence.reprover) == ("logic.mm", "porism-metamath")
    assert memory.evidence_for(one(memory, "a1").id) == []


def test_a_second_time_changes_nothing(memory: Memory) -> None:
    metamath.parse(LOGIC).remember(memory, source="logic.mm")
    before = memory.stats(), memory.find()
    again = metamath.parse(LOGIC).remember(memory, source="logic.mm")
    assert (again.new, again.known, again.evidence) == (0, 6, 0)
    assert (memory.find(), memory.stats().evidence) == (before[1], before[0].evidence)


def test_what_was_forgotten_stays_forgotten(memory: Memory) -> None:
    metamath.parse(LOGIC).remember(memory, source="logic.mm")
    memory.forget(one(memory, "last").id)
    again = metamath.parse(LOGIC).remember(memory, source="logic.mm")
    assert (again.new, again.evidence, memory.find(name="last")) == (0, 0, [])


def test_what_a_second_version_adds_is_added(memory: Memory) -> None:
    metamath.parse(LOGIC).remember(memory, source="logic.mm")
    more = metamath.parse(LOGIC + "more $p |- ( p -> ( r -> r ) ) $= wr wp last $.")
    again = more.remember(memory, source="logic.mm")
    assert (again.new, again.known, again.evidence) == (1, 6, 1)
    (evidence,) = memory.evidence_for(one(memory, "more").id)
    assert evidence.used == (one(memory, "last").id,)


def test_only_what_was_checked_is_verified(memory: Memory) -> None:
    done = metamath.parse(LOGIC + FAULTY).remember(memory, source="faulty.mm")
    assert set(done.report.faults) == {"wrong", "open"}
    assert done.unsupported == ("upon",)
    for name in ("wrong", "upon", "open"):
        assert one(memory, name).status is Status.CONJECTURAL
        assert memory.evidence_for(one(memory, name).id) == []
    assert one(memory, "last").status is Status.VERIFIED


def test_disjoint_variables_make_another_fact(memory: Memory) -> None:
    metamath.parse(LOGIC).remember(memory, source="one.mm")
    metamath.parse(LOGIC.replace("$d x q $.", "")).remember(memory, source="other.mm")
    assert {found.statement for found in memory.find(name="gen")} == {"|- q => |- A. x q $d x q", "|- q => |- A. x q"}


def test_progress_is_told_and_can_end_it(memory: Memory) -> None:
    heard: list[tuple[int, int]] = []
    metamath.parse(LOGIC).remember(memory, source="a", progress=lambda done, total: heard.append((done, total)))
    assert heard == [(6, 6)]

    def stop(done: int, total: int) -> None:
        raise KeyError(done, total)

    with pytest.raises(KeyError):
        metamath.parse(LOGIC).remember(memory, source="b", namespace="b", progress=stop)


def test_symbols_are_seen(memory: Memory) -> None:
    metamath.parse(LOGIC).remember(memory, source="logic.mm")
    assert next(iter(memory.recall("|- A. x p", k=1))).record.name == "gen"


@pytest.mark.parametrize(("text", "exit_code"), [(LOGIC, 0), (LOGIC + FAULTY, 1)])
def test_the_command(text: str, exit_code: int, tmp_path: Path) -> None:
    source, path = tmp_path / "logic.mm", tmp_path / "facts.porism"
    source.write_text(text, encoding="ascii")
    command = ["import", str(path), str(source)]
    ran = CliRunner().invoke(app, [*command, "--json"])
    assert ran.exit_code == exit_code, ran.output
    said = json.loads(ran.stdout)
    assert (said["new"], said["evidence"], said["faults"]) == (6 + 3 * exit_code, 2, ["wrong", "open"] * exit_code)
    ran = CliRunner().invoke(app, command)
    assert ran.stdout.startswith("0 records new"), ran.output
    with Memory.open(path, read_only=True) as memory:
        assert memory.stats().embedder == "tokens-v1"
