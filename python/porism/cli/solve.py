"""``porism solve PATH``: a problem, or a library in order."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from porism.cli.progress import progress

if TYPE_CHECKING:
    from porism._solve import Result, Solver


def solve(
    path: Annotated[
        Path, typer.Argument(help="A TPTP problem, a file with several conjectures, or a folder of problems in order.")
    ],
    memory: Annotated[
        Path | None, typer.Option("--memory", "-m", help="Recall from and settle to this memory; made if missing.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Wall seconds for one goal.")] = 60.0,
    attempts: Annotated[int | None, typer.Option(min=1, help="Tries for one goal.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Provers at once; all cores by default.")] = None,
    proof: Annotated[bool, typer.Option("--proof", help="Print the derivation of a solved problem.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a goal, on standard output.")] = False,
) -> None:
    """Solve a problem, or a library of problems in order; every proof is checked by a second prover.

    Exit code 0: everything solved; 1: something not solved; 2: usage or input error.
    """
    from porism import _core
    from porism._ledger import Ledger
    from porism._memory import Memory
    from porism._solve import Budget, Solver

    library = _core.Library.read(path)
    budget = Budget(seconds=seconds, attempts=attempts)
    store = None if memory is None else Memory.open(memory)
    try:
        ledger = None if store is None else Ledger(store, library, source=path.name)
        with Solver(library, budget=budget, ledger=ledger, workers=workers) as solver:
            results = _run(solver, json=json)
    finally:
        if store is not None:
            store.close()
    if not json:
        _print_summary(results, proof=proof)
    raise typer.Exit(0 if all(result.solved for result in results) else 1)


def _run(solver: Solver, *, json: bool) -> list[Result]:
    """Solves the goals one by one, with a line or a bar for each."""
    results: list[Result] = []
    goals = solver.library.goals()
    with progress("solving", len(goals), hidden=json or len(goals) == 1) as advance:
        for goal in goals:
            result = solver.solve(goal)
            results.append(result)
            advance(f"{sum(done.solved for done in results)} solved, {result.name}")
            if json:
                typer.echo(jsonlib.dumps(asdict(result), default=str))
    return results


def _print_summary(results: list[Result], *, proof: bool) -> None:
    if len(results) == 1:
        _print_result(results[0], proof=proof)
        return
    table = Table("verdict", "goals", title=f"{len(results)} goals")
    for verdict in sorted({result.verdict for result in results}):
        table.add_row(str(verdict), str(sum(result.verdict is verdict for result in results)))
    claimed = sum(result.proved and not result.reproved for result in results)
    if claimed:
        table.add_row("claimed, not re-proved", str(claimed))
    Console().print(table)


def _print_result(result: Result, *, proof: bool) -> None:
    out = Console(highlight=False)
    # Provers put their name into their version.
    checker = result.receipt.checker_version if result.receipt else ""
    if result.reproved:
        out.print(f"[green]proved[/] {result.name} in {result.seconds:.2f} s by the try [bold]{result.winner}[/]")
        out.print(f"re-proved by {checker} from the {len(result.used)} premises used: {', '.join(result.used)}")
    elif result.proved:
        out.print(f"[yellow]claimed[/] {result.name}: E found a proof, but no second prover confirmed it")
    elif result.solved:
        out.print(f"[red]refuted[/] {result.name} in {result.seconds:.2f} s: it does not follow from the premises")
    else:
        out.print(f"[yellow]unknown[/] {result.name} after {len(result.attempts)} tries and {result.seconds:.2f} s")
    if result.disputed:
        out.print("[red]disputed[/]: the second prover contradicts the first; please report this problem")
    if proof and result.proof:
        out.print(result.proof, markup=False)
