"""Damages copies of a memory and reads them, in a process that may die: ``trials.py PLAN FIRST`` prints a line a trial.

``run`` is the other side: it starts the process, and starts it again behind a trial that killed it.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from answers import read_all, wrong

SECONDS_PER_TRIAL = 20


@dataclass(frozen=True)
class Trial:
    """One way to damage a memory.

    Attributes:
        file: Which file is damaged.
        flip: The byte to change, and the bits to change in it.
        cut: The length to truncate to.
        swap: Files that are put in, from elsewhere: name in the memory, path.
    """

    file: str = ""
    flip: tuple[int, int] | None = None
    cut: int | None = None
    swap: dict[str, str] = field(default_factory=dict)

    def apply(self, store: Path) -> None:
        for name, source in self.swap.items():
            shutil.copyfile(source, store / name)
        if self.flip is not None or self.cut is not None:
            content = bytearray((store / self.file).read_bytes())
            if self.flip is not None:
                content[self.flip[0]] ^= self.flip[1]
            (store / self.file).write_bytes(content[: self.cut])


def run(folder: Path, store: Path, trials: list[Trial]) -> dict[int, dict[str, Any]]:
    """What is wrong after each trial, by its position; trials that go well are left out."""
    plan = folder / "plan.json"
    plan.write_text(json.dumps({"store": str(store), "trials": [asdict(trial) for trial in trials]}))
    found: dict[int, dict[str, Any]] = {}
    position = 0
    while position < len(trials):
        command = [sys.executable, str(Path(__file__)), str(plan), str(position)]
        child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        for line in child.stdout.splitlines():
            outcome = json.loads(line)
            if outcome:
                found[position] = outcome
            position += 1
        if position < len(trials):
            hung = child.returncode == -signal.SIGALRM
            found[position] = {"process": "hung" if hung else f"ended with status {child.returncode}"}
            position += 1
    return found


def main(plan_path: Path, first: int) -> None:
    plan = json.loads(plan_path.read_text())
    store = Path(plan["store"])
    right = read_all(_copy(store, plan_path.with_name("intact.porism")))
    work = plan_path.with_name("damaged.porism")
    for fields in plan["trials"][first:]:
        # Unhandled, it ends the process: a hang is a failure of one trial, not of all.
        signal.alarm(SECONDS_PER_TRIAL)
        Trial(**fields).apply(_copy(store, work))
        print(json.dumps(wrong(read_all(work), right)), flush=True)


def _copy(store: Path, target: Path) -> Path:
    if target.exists():
        for path in target.iterdir():
            path.unlink()
    target.mkdir(exist_ok=True)
    for path in store.iterdir():
        shutil.copyfile(path, target / path.name)
    return target


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
