"""``porism bench STREAM``: arms against each other, at equal numbers of tries."""

from __future__ import annotations

import contextlib
import json as jsonlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from rich.console import Console

from porism._errors import InputError
from porism.bench.stream import Setting
from porism.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from porism.bench.stream import Stream

app = typer.Typer(help="Run a stream of problems, arm by arm, and report.", no_args_is_help=True)

Arms = Annotated[list[str] | None, typer.Option("--arm", help="An arm to run; repeat for several. All by default.")]
First = Annotated[int, typer.Option(min=1, help="Number of the first theorem.")]
Last = Annotated[int | None, typer.Option(min=1, help="Number of the last theorem.")]
Sample = Annotated[int | None, typer.Option(min=1, help="Run a random sample of so many problems.")]
Seed = Annotated[int, typer.Option(help="Seed of the sample.")]
Clauses = Annotated[int, typer.Option(min=1, help="Generated clauses that each try may cost.")]
Memory = Annotated[Path | None, typer.Option("--memory", "-m", help="Keep the memory of the learning arm here.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Provers at once; all cores by default.")]
Out = Annotated[Path | None, typer.Option(help="Write one JSON line a problem here instead of to standard output.")]
Report = Annotated[Path | None, typer.Option(help="Write an HTML report here.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as a JSON line on standard output too.")]

ARMS = ("none", "similarity", "full")


@app.command("ql")
def ql(
    arm: Arms = None,
    first: First = 1,
    last: Last = None,
    raw: Annotated[bool, typer.Option("--raw", help="Keep duplicates, tautologies and special axioms.")] = False,
    setting: Annotated[
        Setting, typer.Option(help="library: all earlier statements; theory: only what the goal's own theory proves.")
    ] = "library",
    clauses: Clauses = 20_000,
    memory: Memory = None,
    workers: Workers = None,
    out: Out = None,
    report: Report = None,
    json: Json = False,
) -> None:
    """The bundled quantum logic library (ql.mm of Metamath), theorem by theorem."""
    from porism.bench import stream

    chosen = stream.ql(first=first, last=last, cleaned=not raw, setting=setting)
    settings: dict[str, object] = {"first": first, "last": last, "raw": raw, "setting": setting, "clauses": clauses}
    _bench(chosen, arm, clauses, settings, memory=memory, workers=workers, out=out, report=report, json=json)


@app.command("mptp2078")
def mptp2078(
    data: Annotated[Path, typer.Option(help="The folder of the MPTP2078 data set.")],
    arm: Arms = None,
    sample: Sample = None,
    seed: Seed = 2078,
    clauses: Clauses = 10_000,
    memory: Memory = None,
    workers: Workers = None,
    out: Out = None,
    report: Report = None,
    json: Json = False,
) -> None:
    """MPTP2078, large problems: 2,078 Mizar theorems, each with everything before it."""
    from porism.bench import stream

    chosen = stream.mptp2078(data, sample=sample, seed=seed)
    settings: dict[str, object] = {"sample": sample, "seed": seed, "clauses": clauses}
    _bench(chosen, arm, clauses, settings, memory=memory, workers=workers, out=out, report=report, json=json)


def _bench(
    stream: Stream,
    names: list[str] | None,
    clauses: int,
    settings: dict[str, object],
    *,
    memory: Path | None,
    workers: int | None,
    out: Path | None,
    report: Path | None,
    json: bool,
) -> None:
    from porism.bench import runner
    from porism.bench.arms import arm
    from porism.bench.report import write_report
    from porism.bench.results import Outcome
    from porism.bench.table import render_table

    arms = [arm(stream.name, name).with_limit(clauses) for name in names or ARMS]
    settings = {**settings, "command": f"porism {' '.join(sys.argv[1:])}"}
    solved: dict[str, int] = {}
    with (
        _lines(out) as lines,
        progress(stream.name, len(arms) * len(stream.items)) as advance,
    ):

        def on_outcome(outcome: Outcome) -> None:
            solved[outcome.arm] = solved.get(outcome.arm, 0) + outcome.solved
            print(jsonlib.dumps(outcome.to_json()), file=lines, flush=True)
            advance(f"{outcome.arm}: {solved[outcome.arm]} solved")

        run = runner.run(stream, arms, memory=memory, workers=workers, settings=settings, on_outcome=on_outcome)
    if json:
        summary = {
            one.arm: {"problems": len(one.outcomes), "proved": one.proved, "reproved": one.reproved} for one in run.arms
        }
        typer.echo(jsonlib.dumps({"summary": summary, "settings": run.settings, "wall_seconds": run.wall_seconds}))
    Console(stderr=out is None).print(render_table(run))
    if report is not None:
        with _asking_for_a_place(report):
            report.parent.mkdir(parents=True, exist_ok=True)
            write_report(run, report)
        Console(stderr=True).print(f"report: {report}")


@contextlib.contextmanager
def _lines(path: Path | None) -> Iterator[TextIO]:
    """Where the lines go: a file, or standard output."""
    if path is None:
        yield sys.stdout
        return
    with _asking_for_a_place(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = path.open("w", encoding="utf-8")
    with opened:
        yield opened


@contextlib.contextmanager
def _asking_for_a_place(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {error.strerror}; name a file in a folder that can be written"
        ) from error
