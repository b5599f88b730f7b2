"""What was acknowledged is seen: by every recall that begins afterwards, in every process, whatever happens between."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest

from porism import Fact, Memory, Vectors, where

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DIMENSION = 8
OWN = Vectors("own", DIMENSION)

COMMON = """
import sys
import numpy as np
from porism import Fact, Memory, Vectors

def vector(number):
    return np.random.default_rng(number).standard_normal(8)

memory = Memory.open(sys.argv[1], embedder=Vectors("own", 8), timeout_s=60)
"""

# Is told of a record, looks for it, stores another one, and tells of that.
PARTNER = (
    COMMON
    + """
number = 1_000_000
for line in sys.stdin:
    command, *words = line.split()
    if command == "see":
        wanted, seed = map(int, words)
        hits = memory.recall(vector=vector(seed), k=1)
        assert hits.ids.tolist() == [wanted], (wanted, hits)
        number += 1
        print(memory.insert(Fact(f"partner {number}"), vector=vector(number)).id, number, flush=True)
    elif command == "miss":
        gone, seed = map(int, words)
        assert gone not in memory.recall(vector=vector(seed), k=3).ids.tolist(), gone
        print("missed", flush=True)
    elif command == "tidy":
        memory.compact()
        print("tidied", flush=True)
    elif command == "again":
        memory.close()
        memory = Memory.open(sys.argv[1], embedder=Vectors("own", 8), timeout_s=60)
        print("opened", flush=True)
"""
)

# Stores records as fast as it can, and says so after each.
WRITER = (
    COMMON
    + """
number = int(sys.argv[2])
while True:
    stored = memory.insert(Fact(f"writer {number}"), vector=vector(number))
    print(stored.id, number, flush=True)
    number += 1
    if number % 40 == 0:
        memory.flush()
    if number % 90 == 0:
        memory.forget(stored.id)
        print("forgot", stored.id, flush=True)
        memory.compact()
"""
)


def vector(number: int) -> np.ndarray:
    return np.random.default_rng(number).standard_normal(DIMENSION)


class Child:
    """A process that answers lines with lines."""

    def __init__(self, script: str, *arguments: object) -> None:
        command = [sys.executable, "-c", script, *map(str, arguments)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def say(self, *words: object) -> None:
        assert self.process.stdin is not None
        print(*words, file=self.process.stdin, flush=True)

    def hear(self) -> list[str]:
        assert self.process.stdout is not None
        return self.process.stdout.readline().split()

    def ask(self, *words: object) -> list[str]:
        self.say(*words)
        answer = self.hear()
        assert answer, f"it ended with status {self.process.wait()}"
        return answer


@contextmanager
def child(script: str, *arguments: object) -> Iterator[Child]:
    partner = Child(script, *arguments)
    try:
        yield partner
    finally:
        partner.process.kill()
        partner.process.communicate()


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path / "m.porism", embedder=OWN, timeout_s=60) as memory:
        yield memory


def nearest(memory: Memory, number: int) -> list[int]:
    return memory.recall(vector=vector(number), k=1).ids.tolist()


def is_alive(memory: Memory, number: int) -> bool:
    return bool(memory.find(where(ids=[number])))


def test_two_processes_see_each_commit_of_the_other(memory: Memory) -> None:
    """Three thousand commits; the log is folded, begun anew and cut off on the way, and the rows are written anew."""
    with child(PARTNER, memory.path) as partner:
        for number in range(1500):
            mine = memory.insert(Fact(f"mine {number}"), vector=vector(number)).id
            theirs, seed = map(int, partner.ask("see", mine, number))
            assert nearest(memory, seed) == [theirs]
            if number % 7 == 6:
                memory.forget(theirs)
                assert partner.ask("miss", theirs, seed) == ["missed"]
                assert theirs not in memory.recall(vector=vector(seed), k=3).ids.tolist()
                memory.restore(theirs)
                assert nearest(memory, seed) == [theirs]
                memory.forget(theirs)
            if number % 50 == 49:
                memory.flush()
            if number % 300 == 299:
                assert partner.ask("tidy") == ["tidied"]
                memory.compact()
            if number % 400 == 399:
                assert partner.ask("again") == ["opened"]
    assert memory.verify().clean


def test_what_a_killed_writer_acknowledged_is_seen(memory: Memory) -> None:
    memory.insert(Fact("first"), vector=vector(0))
    assert nearest(memory, 0) == [1]
    number = 1
    for round_ in range(8):
        with child(WRITER, memory.path, number) as writer:
            forgotten = set()
            for _ in range(20 + 13 * round_):
                words = writer.hear()
                if words[0] == "forgot":
                    forgotten.add(int(words[1]))
                    continue
                last, number = map(int, words)
                seen = nearest(memory, number)
                assert seen == [last] or not is_alive(memory, last)
            writer.process.send_signal(signal.SIGKILL)
            writer.process.wait()
            for words in map(str.split, writer.process.stdout or []):
                # What was said before it died counts; a line may be cut off.
                if len(words) == 2 and words[0] != "forgot":
                    last, number = map(int, words)
        found = memory.recall(vector=vector(number), k=1).ids.tolist()
        assert found == [last] or not is_alive(memory, last)
        assert not forgotten & set(memory.recall(vector=vector(number), k=10_000).ids.tolist())
        mine = memory.insert(Fact(f"after {round_}"), vector=vector(2_000_000 + round_)).id
        assert nearest(memory, 2_000_000 + round_) == [mine]
        number += 2
    assert memory.verify().clean


def test_handles_of_one_process_see_each_other(memory: Memory) -> None:
    with Memory.open(memory.path, embedder=OWN) as other, Memory.open(memory.path, read_only=True) as reader:
        for number in range(300):
            writer = (memory, other)[number % 2]
            stored = writer.insert(Fact(f"fact {number}"), vector=vector(number)).id
            for handle in (memory, other, reader):
                assert nearest(handle, number) == [stored]
            if number % 100 == 99:
                assert writer.build_index()
            if number % 30 == 29:
                writer.forget(stored)
                writer.compact()
                for handle in (memory, other, reader):
                    assert nearest(handle, number) != [stored]
