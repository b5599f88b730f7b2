"""Times LRAT and DRAT checking against other checkers: ``python -m rivals.certificates --help``.

Times are of the processor; scaling is measured by the clock. Every contestant must accept every proof, or the run
stops. The others are programs in a folder of the user's: ``lrat-trim``, ``lrat-check``, ``drat-trim``, ``cake_lpr``;
who is not there is left out. A solver that writes LRAT, CaDiCaL 2 or newer, makes the proofs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from rivals import instances
from rivals.check import measure
from rivals.machine import describe

_CHECK = """
import sys
from porism._certificates import check_certificate
certified = check_certificate(sys.argv[2], problem=sys.argv[1], threads=int(sys.argv[3]))
assert certified.accepted, certified
"""

#: What a contestant may take, as a multiple of another's time: from the design of the checkers.
TARGETS = {
    ("lrat", "lrat-trim"): 1.0,
    ("lrat", "cake_lpr"): 0.15,
    ("lrat", "lrat-check"): 0.35,
    ("blrat", "lrat-trim"): 1.0,
    ("drat", "drat-trim"): 1.5,
}


def contestants(folder: Path, kind: str) -> dict[str, list[list[str | Path]]]:
    """For each contestant, its commands, of which the fastest counts; the formula and the proof follow."""
    ours: dict[str, list[list[str | Path]]] = {"porism": [[sys.executable, "-c", _CHECK]]}
    others: dict[str, list[list[str | Path]]] = {
        "lrat-trim": [[folder / "lrat-trim"], [folder / "lrat-trim", "-S"]] if "lrat" in kind else [],
        "lrat-check": [[folder / "lrat-check"]] if kind == "lrat" else [],
        "cake_lpr": [[folder / "cake_lpr"]] if kind == "lrat" else [],
        "drat-trim": [[folder / "drat-trim"]] if kind == "drat" else [],
    }
    found = {name: commands for name, commands in others.items() if commands and Path(commands[0][0]).exists()}
    return ours | found


def accepted(name: str, command: list[str | Path]) -> float:
    """Processor seconds of a check that must succeed."""
    if name == "porism":
        return measure(command)[0]
    before = os.times()
    ran = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    after = os.times()
    if "VERIFIED" not in ran.stdout or "NOT VERIFIED" in ran.stdout:
        message = f"{name} refused: {ran.stdout[-300:]}"
        raise SystemExit(message)
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)


def proofs(folder: Path, cadical: str, bits: list[int]) -> list[tuple[Path, Path]]:
    """Formulas and proofs of all kinds, made once."""
    made = []
    texts = {f"multiplier-{size}": instances.multiplier(size) for size in bits}
    texts["random-225"] = instances.random_3sat(225, 1010, 1)
    for name, text in texts.items():
        formula = folder / f"{name}.cnf"
        formula.write_text(text)
        for suffix, options in (("lrat", ["--lrat", "--no-binary"]), ("blrat", ["--lrat"]), ("drat", ["--no-binary"])):
            proof = folder / f"{name}.{suffix}"
            if not proof.exists():
                solved = subprocess.run([cadical, "-q", *options, formula, proof], capture_output=True, check=False)
                if solved.returncode != 20:
                    message = f"{cadical} does not refute {formula}: exit code {solved.returncode}"
                    raise SystemExit(message)
            made.append((formula, proof))
    return made


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    folder: Path = arguments.build_folder
    folder.mkdir(parents=True, exist_ok=True)
    empty = statistics.median(
        measure([sys.executable, "-c", "import porism._certificates"])[0] for _ in range(arguments.rounds)
    )
    rows = []
    for formula, proof in proofs(folder, arguments.cadical, arguments.bits):
        kind = proof.suffix[1:]
        seconds: dict[str, list[float]] = {}
        for _ in range(arguments.rounds):
            for name, commands in contestants(arguments.rivals, kind).items():
                ends: list[str | Path] = [formula, proof, *(["1"] if name == "porism" else [])]
                taken = min(accepted(name, [*command, *ends]) for command in commands)
                # Starting Python and loading the package is no part of a check.
                seconds.setdefault(name, []).append(taken - (empty if name == "porism" else 0))
        median = {name: statistics.median(times) for name, times in seconds.items()}
        rows.append({"proof": proof.name, "bytes": proof.stat().st_size, "cpu_s": median})
    largest = max(proofs(folder, arguments.cadical, arguments.bits), key=lambda pair: pair[1].stat().st_size)
    return {"machine": describe(), "rows": rows, "wall_s": scaling(*largest, arguments.rounds)}


def scaling(formula: Path, proof: Path, rounds: int) -> dict[int, float]:
    """Seconds by the clock, by how many cores work."""
    from porism._certificates import check_certificate

    taken: dict[int, list[float]] = {}
    cores = len(os.sched_getaffinity(0))
    for _ in range(rounds):
        for threads in (count for count in (1, 2, 4, 8, 16) if count <= cores):
            started = time.perf_counter()
            check_certificate(proof, problem=formula, threads=threads)
            taken.setdefault(threads, []).append(time.perf_counter() - started)
    return {threads: min(times) for threads, times in taken.items()}


def show(result: dict[str, Any]) -> None:
    table = Table("proof", "MB", "porism, CPU s", "others, CPU s (we take so many times theirs; target)")
    for row in result["rows"]:
        ours = row["cpu_s"]["porism"]
        kind = row["proof"].rsplit(".", 1)[1]
        others = [
            f"{name} {theirs:.2f} ({ours / theirs:.2f}; {TARGETS.get((kind, name), '-')})"
            for name, theirs in row["cpu_s"].items()
            if name != "porism"
        ]
        table.add_row(row["proof"], f"{row['bytes'] / 1e6:.1f}", f"{ours:.3f}", ", ".join(others))
    console = Console(width=160)
    console.print(table)
    console.print("by the clock, by threads:", {threads: round(wall, 3) for threads, wall in result["wall_s"].items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rivals", type=Path, default=Path("rivals"), help="the folder with the other checkers")
    parser.add_argument("--cadical", default=shutil.which("cadical") or "cadical", help="a solver that writes LRAT")
    parser.add_argument("--build-folder", type=Path, default=Path(".certificates"), help="where proofs are kept")
    parser.add_argument("--bits", type=int, nargs="*", default=[6, 7, 8], help="sizes of multipliers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="write the result as JSON")
    arguments = parser.parse_args()
    result = run(arguments)
    show(result)
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
