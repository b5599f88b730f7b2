"""``porism memory``: what a memory holds, what it recalls, and whether it is sound."""

from __future__ import annotations

import json as json_module
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from porism._errors import DamagedError
from porism._memory import Memory

if TYPE_CHECKING:
    from porism._types import Report, Stats

app = typer.Typer(help="Look into a memory.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="The memory, a directory such as lemmas.porism.")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


def _open(path: Path) -> Memory:
    return Memory.open(path, read_only=True)


@app.command()
def stats(file: File, json: Json = False) -> None:
    """Print what a memory holds, in numbers."""
    with _open(file) as memory:
        found = memory.stats()
    if json:
        typer.echo(json_module.dumps(asdict(found)))
    else:
        Console().print(_stats_table(file, found))


@app.command()
def recall(
    file: File,
    goal: Annotated[str, typer.Argument(help="A TPTP formula, or any other text.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many records.")] = 8,
    json: Json = False,
) -> None:
    """Print the records nearest to a goal.

    Exit code 0: something was found; 1: nothing; 2: usage or input error.
    """
    with _open(file) as memory:
        hits = list(memory.recall(goal, k=k))
    if json:
        for hit in hits:
            typer.echo(json_module.dumps({**asdict(hit.record), "score": hit.score}))
    elif hits:
        table = Table("id", "score", "kind", "status", "name", "statement")
        for hit in hits:
            record = hit.record
            cells = (record.kind, record.status, record.name or "", record.statement)
            table.add_row(str(record.id), f"{hit.score:.3f}", *map(escape, cells))
        Console().print(table)
    raise typer.Exit(0 if hits else 1)


@app.command()
def export(
    file: File,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write; standard output by default.")
    ] = None,
    vectors: Annotated[bool, typer.Option("--vectors", help="Write the vectors too, in base64.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The export is JSON lines with or without this.")] = False,
) -> None:
    """Write everything as lines of JSON."""
    with _open(file) as memory:
        memory.export(sys.stdout.buffer if output is None else output, vectors=vectors)


@app.command()
def verify(file: File, json: Json = False) -> None:
    """Check every page, reference, record and vector.

    Exit code 0: sound; 1: damaged; 2: usage or input error.
    """
    try:
        with _open(file) as memory:
            report = memory.verify()
    except DamagedError as error:
        # So damaged that it does not open: that is an answer too.
        if json:
            typer.echo(json_module.dumps({"clean": False, "error": str(error)}))
        else:
            Console().print(f"[red]damaged[/] {escape(str(error))}")
        raise typer.Exit(1) from error
    if json:
        typer.echo(json_module.dumps({"clean": report.clean, **asdict(report)}))
    else:
        _print_report(report)
    raise typer.Exit(0 if report.clean else 1)


def _stats_table(file: Path, found: Stats) -> Table:
    table = Table("what", "count", title=escape(str(file)), caption=f"generation {found.generation}, {found.embedder}")
    table.columns[1].justify = "right"
    table.add_row("records", str(found.records))
    for word, count in (*found.by_kind.items(), *found.by_status.items()):
        table.add_row(f"  {word}", str(count))
    table.add_row("evidence", str(found.evidence))
    table.add_row("events pending", str(found.events_pending))
    table.add_row("events settled", str(found.events_settled))
    table.add_row(f"rows of {found.dimension}", str(found.rows))
    for name, size in found.size_bytes.items():
        table.add_row(f"bytes of {name}", f"{size:,}")
    return table


def _print_report(report: Report) -> None:
    out = Console(soft_wrap=True)
    for finding in report.findings:
        out.print(f"[red]damaged[/] {escape(f'{finding.file}: {finding.place}: {finding.reason}')}")
    if report.clean:
        out.print(f"[green]sound[/] {report.records} records, {report.rows} rows")
