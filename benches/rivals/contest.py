"""One set of vectors and everyone who indexes it: built, swept, asked in rounds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rivals.indexes import PARTS, VARIANTS
from rivals.machine import all_cores
from rivals.settings import LEVELS, Seen, finalists
from rivals.standings import WHOLE, Standing, best
from rivals.trial import ALLOWED_PART, Trial
from rivals.vectors import right, true_nearest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rivals.indexes import Floats
    from rivals.vectors import Rows

K = 10
# Inserting is compared with more rounds and more care by `make compare-store`.
INSERT_ROUNDS = 3
_BUILT = "built.json"
_SWEPT = "swept.json"
# One thread each, whatever a library starts them with.
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


@dataclass
class Conditions:
    """What holds for every trial.

    Attributes:
        core: What everything but building is pinned to.
        rounds: How often each answers.
        seconds: How long one pass over the queries may take.
        cache: Where sets and indexes are kept.
        keep_ours: Take a memory of an earlier run, and what was seen of it.
    """

    core: int
    rounds: int
    seconds: float
    cache: Path
    keep_ours: bool


@dataclass
class Contest:
    """One set.

    Attributes:
        name: What tables call it.
        rows: Its vectors and queries.
        variants: Who takes part.
        conditions: What holds for every trial.
        builds: How each index was built.
        seen: What the sweep saw of each variant.
        standings: Who ran in the rounds, and how.
        inserts: Rates of inserting, of each peer's first variant.
        missing: Who is left out, and why.
    """

    name: str
    rows: Rows
    variants: list[str]
    conditions: Conditions
    builds: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: dict[str, dict[float, Seen]] = field(default_factory=dict)
    standings: list[Standing] = field(default_factory=list)
    inserts: list[dict[str, Any]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.vectors = np.asarray(np.load(self.rows.path, mmap_mode="r"))
        self.queries = self._file("asked", lambda: self.rows.queries)
        self.last = self._file("last", lambda: true_nearest(self.vectors, self.rows.queries, K)[:, -1])
        tenth = slice(ALLOWED_PART, None, PARTS)
        self.last_among = self._file(
            "last-among", lambda: true_nearest(np.array(self.vectors[tenth]), self.rows.queries, K)[:, -1]
        )

    def build(self, *, only_built: bool) -> None:
        """Makes the indexes that are not there, with all cores: nobody's search is timed yet."""
        for name in self.variants:
            variant, folder = VARIANTS[name], self._folder(name)
            built = folder / _BUILT
            stale = variant.ours and not self.conditions.keep_ours
            if stale or not self._fits(name, built):
                if only_built and not variant.ours:
                    self.missing.append(f"{name}: no index of it is there")
                    continue
                say(f"{self.name}: building {name}, {len(self.vectors):,} rows")
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                told = self._try("build", name, cores=all_cores())
                about = {"options": variant.options, "threads": len(all_cores()), **told}
                built.write_text(json.dumps(about) + "\n", encoding="utf-8")
            self.builds[name] = json.loads(built.read_text(encoding="utf-8"))

    def sweep(self) -> None:
        """Finds of each variant the setting that reaches each recall; of an index that is kept, once."""
        for name in self.builds:
            swept = self._folder(name) / _SWEPT
            if not swept.exists():
                say(f"{self.name}: sweeping {name}")
                swept.write_text(json.dumps(self._try("sweep", name)) + "\n", encoding="utf-8")
            told = json.loads(swept.read_text(encoding="utf-8"))["seen"]
            self.seen[name] = {float(setting): Seen(**one) for setting, one in told.items()}
            for level in LEVELS:
                if not any(one.recall >= level for one in self._reachable(name, level).values()):
                    most = max(one.recall for one in self.seen[name].values())
                    self.missing.append(f"{name}: never reaches {level:g}; at most {most:.4f}")

    def run(self) -> None:
        """Everyone answers in every round, and another one begins each."""
        peers = {name: VARIANTS[name].peer for name in self.seen}
        for level in LEVELS:
            seen = {name: self._reachable(name, level) for name in self.seen}
            for name, (peer, setting) in finalists(seen, peers, level).items():
                versions = self.builds[name]["versions"]
                knob = VARIANTS[name].knob
                self.standings.append(Standing(name, peer, versions, level, knob, setting, len(self.vectors)))
        for number in range(self.conditions.rounds):
            turn = number % max(1, len(self.standings))
            for one in self.standings[turn:] + self.standings[:turn]:
                told = self._try("ask", one.variant, setting=one.setting, order=number)
                told["recall"] = self._recall(told.pop("numbers"), told.pop("answers"))
                one.rounds.append(told)
                say(
                    f"{self.name}: round {number + 1}, {one.variant} at {one.level:g}: "
                    f"{told['p50_us']:,.1f} us, recall {told['recall']:.4f}"
                )

    def filter(self) -> None:
        """Those that lead at the higher recall search among a tenth of the rows."""
        for (_, level), one in best(self.standings).items():
            if level == WHOLE:
                say(f"{self.name}: filtering {one.variant}")
                one.filtered = self._try("ask_among", one.variant, setting=one.setting, last=str(self.last_among))

    def insert(self, rows: int) -> None:
        """Inserts into new indexes, in rounds."""
        firsts: dict[str, str] = {}
        for name in self.builds:
            firsts.setdefault(VARIANTS[name].peer, name)
        found: dict[str, dict[str, Any]] = {}
        for number in range(INSERT_ROUNDS):
            for peer, name in firsts.items():
                say(f"{self.name}: inserting, round {number + 1}, {name}")
                os.sync()
                told = self._try("insert", name, rows=rows)
                version = " ".join(self.builds[name]["versions"].values())
                empty = {"peer": peer, "variant": name, "version": version, "one_by_one": [], "at_once": []}
                kept = found.setdefault(peer, empty)
                kept["rows"] = told["rows"]
                kept["at_once"].append(told["at_once"])
                if "one_by_one" in told:
                    kept["one_by_one"].append(told["one_by_one"])
        self.inserts = list(found.values())

    def as_json(self) -> dict[str, Any]:
        swept = {
            name: [{"setting": setting, **vars(one)} for setting, one in settings.items()]
            for name, settings in self.seen.items()
        }
        return {
            "rows": len(self.vectors),
            "vectors": self.rows.about,
            "builds": self.builds,
            "swept": swept,
            "missing": self.missing,
            "standings": [one.as_json() for one in self.standings],
            "inserts": self.inserts,
        }

    def _fits(self, name: str, built: Path) -> bool:
        """Whether an index is there that what is installed has made, in the same shape."""
        if not built.exists():
            return False
        told = json.loads(built.read_text(encoding="utf-8"))
        return bool(
            told["options"] == VARIANTS[name].options and told["versions"] == self._try("probe", name)["versions"]
        )

    def _reachable(self, name: str, level: float) -> dict[float, Seen]:
        """What counts for a level: of one that is told the recall, only what it did when it was told that one."""
        seen = self.seen[name]
        if VARIANTS[name].settings is None:
            return {level: seen[level]} if level in seen else {}
        return seen

    def _recall(self, numbers: list[int], answers: list[list[int]]) -> float:
        last = np.load(self.last)
        found = sum(
            right(self.vectors, self.rows.queries[number], float(last[number]), answer)
            for number, answer in zip(numbers, answers, strict=True)
        )
        return found / (K * len(answers))

    def _try(self, task: str, name: str, *, cores: list[int] | None = None, **told: Any) -> dict[str, Any]:
        """Has a process do one task."""
        trial = Trial(
            task,
            name,
            str(self._folder(name)),
            cores or [self.conditions.core],
            str(self.rows.path),
            str(self.queries),
            **{"last": str(self.last), "k": K, "seconds": self.conditions.seconds} | told,
        )
        environment = os.environ | ({} if cores else _ONE_THREAD)
        command = [sys.executable, "-m", "rivals.trial", trial.encode()]
        ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=False)
        if ran.returncode:
            raise SystemExit(f"{name}: {task} ended with {ran.returncode}")
        answer: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        return answer

    def _folder(self, name: str) -> Path:
        return self.conditions.cache / f"index-{self.rows.key}-{VARIANTS[name].slug}"

    def _file(self, what: str, make: Callable[[], Floats]) -> Path:
        path = self.conditions.cache / f"{what}-{self.rows.key}.npy"
        if not path.exists():
            draft = path.with_suffix(".draft.npy")
            np.save(draft, make())
            draft.replace(path)
        return path


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
