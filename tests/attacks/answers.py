"""A small memory, and a fixed set of reads that between them show all of it."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from porism._errors import StoreError
from porism._memory import Memory
from porism._types import Candidate, Definition, Lemma, Receipt, Theorem, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOAL = "![X]: f(X,e) = X"


def make(path: Path, letter: str = "f") -> None:
    """Makes a memory with a bit of everything; ``letter`` tells two of them apart."""
    with Memory.open(path) as memory:
        ids = [
            memory.insert(record).id
            for record in (
                Theorem(f"![X]: {letter}(X,e) = X", name="right_identity", source="groups.ax", namespace="groups"),
                Lemma(f"![X]: {letter}(e,X) = X", name="left_identity", source="groups.ax"),
                Definition(f"{letter}(a,b) = c"),
                Lemma(f"p{letter}(a) | q(a)", name="choice", namespace="logic"),
                Lemma(f"every {letter} is even in English"),
            )
        ]
        memory.insert(Definition(f"{letter}(a,b) = c"))
        hashes = "0123456789abcdef" * 4, "fedcba9876543210" * 4
        proof = memory.evidence(
            ids[0],
            verdict=Verdict.PROVED,
            prover="E",
            prover_version="3.2",
            used=ids[1:3],
            label="fused-64",
            seconds=0.25,
            reprover="z3",
            reprover_version="4.13",
            receipt=Receipt(*hashes, "z3", "4.13"),
        )
        memory.evidence(ids[3], verdict=Verdict.TIMEOUT, prover="E", seconds=2.0)
        candidates = [Candidate(ids[1], 0.75, slot=0), Candidate(ids[2], 0.5, propensity=0.125)]
        event = memory.log_event(ids[0], candidates=candidates, snapshot=2, policy="top", seed=7)
        memory.settle(event, verdict=Verdict.PROVED, attempts=3, seconds=1.5, used=ids[1:2], evidence=proof)
        memory.log_event(ids[3], candidates=candidates[:1], snapshot=3, policy="random")


def _export(memory: Memory, *, vectors: bool) -> list[Any]:
    lines = io.BytesIO()
    memory.export(lines, vectors=vectors)
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def _recall(memory: Memory, goal: str) -> list[Any]:
    hits = memory.recall(goal, k=4)
    return [hits.snapshot, hits.ids.tolist(), hits.scores.tolist(), [asdict(record) for record in hits.records]]


def _stats(memory: Memory) -> dict[str, Any]:
    # The sizes of files are what they are.
    return {name: value for name, value in asdict(memory.stats()).items() if name != "size_bytes"}


READS: dict[str, Callable[[Memory], Any]] = {
    "generation": lambda memory: memory.generation,
    "find": lambda memory: [asdict(record) for record in memory.find()],
    "find by name": lambda memory: [asdict(record) for record in memory.find(name="choice")],
    "find by source": lambda memory: [asdict(record) for record in memory.find(source="groups.ax")],
    "find by namespace": lambda memory: [asdict(record) for record in memory.find(namespace="logic")],
    "get": lambda memory: [asdict(record) for record in memory.get_many([5, 1, 3])],
    "recall": lambda memory: _recall(memory, GOAL),
    "recall words": lambda memory: _recall(memory, "even English"),
    "evidence": lambda memory: [asdict(one) for one in memory.evidence_for()],
    "evidence for a goal": lambda memory: [asdict(one) for one in memory.evidence_for(1)],
    "events": lambda memory: [asdict(one) for one in memory.events()],
    "event": lambda memory: asdict(memory.event(1)),
    "stats": _stats,
    "export": lambda memory: _export(memory, vectors=False),
    "export vectors": lambda memory: _export(memory, vectors=True),
}


def read_all(path: Path) -> dict[str, Any]:
    """What each read answers, as JSON knows it; or how it was refused, in one text that begins with ``error:``."""
    try:
        memory = Memory.open(path, create=False)
    except StoreError as error:
        return {"open": _refusal(path, error)}
    answers: dict[str, Any] = {}
    with memory:
        for name, read in READS.items():
            try:
                answers[name] = json.loads(json.dumps(read(memory)))
            except StoreError as error:
                answers[name] = _refusal(path, error)
            except BaseException as error:  # A panic of the core is no `Exception`.
                answers[name] = f"{type(error).__name__}: {error}"
        try:
            findings = memory.verify().findings
            answers["verify"] = [f"error: {one.file}: {one.place}: {one.reason}" for one in findings]
        except StoreError as error:
            answers["verify"] = _refusal(path, error)
    return answers


def _refusal(path: Path, error: StoreError) -> str:
    if str(path) not in str(error):
        return f"{type(error).__name__} names no file: {error}"
    return f"error: {error}"


def wrong(answers: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """The answers that are neither right nor refused as damaged. A check that finds damage is always right."""
    return {
        name: answer
        for name, answer in answers.items()
        if not (isinstance(answer, str) and answer.startswith("error:"))
        and not (name == "verify" and all(one.startswith("error:") for one in answer))
        and answer != right.get(name)
    }
