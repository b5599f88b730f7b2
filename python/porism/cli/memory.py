"""``porism memory``: what a memory holds, what it recalls, and whether it is sound."""

from __future__ import annotations

import json as json_module
import sys
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from porism import metamath
from porism._errors import DamagedError
from porism._memory import Memory, upgrade
from porism._where import where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from porism._types import IndexReport, Report, Stats

app = typer.Typer(help="Look into a memory.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="The memory, a directory such as lemmas.porism.")]
Ids = Annotated[list[int], typer.Argument(help="Numbers of records.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing, only say what would be.")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


class View(StrEnum):
    """How to look."""

    DENSE = "dense"
    SYMBOLS = "symbols"
    WORDS = "words"


def _open(path: Path, *, write: bool = False) -> Memory:
    return Memory.open(path, create=False, read_only=not write)


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
    view: Annotated[
        list[View] | None, typer.Option(help="How to look; repeat for several, which are fused. dense by default.")
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only records of this kind; repeat for several.")] = None,
    status: Annotated[str | None, typer.Option(help='Only of this status, or better: ">=checked".')] = None,
    namespace: Annotated[str | None, typer.Option(help="Only of this part of the memory.")] = None,
    share: Annotated[
        float, typer.Option("--recall", min=0, max=1, help="The share of the nearest to be found; 1 is exact.")
    ] = 0.99,
    at: Annotated[int | None, typer.Option(help="What was alive at this generation.")] = None,
    json: Json = False,
) -> None:
    """Print the records nearest to a goal.

    Exit code 0: something was found; 1: nothing; 2: usage or input error.
    """
    conditions = where(kind=kind or (), status=status or (), namespace=namespace)
    views: list[Any] = [one.value for one in view or [View.DENSE]]
    with _open(file) as memory:
        hits = list(memory.recall(goal, k=k, recall=share, where=conditions, views=views, at=at))
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


@app.command("import")
def load(
    file: Annotated[Path, typer.Argument(help="The memory; made if nothing is there.")],
    source: Annotated[Path, typer.Argument(help="What porism memory export has written, or Metamath (.mm).")],
    namespace: Annotated[str, typer.Option(help="For a database: which part of the memory its facts belong to.")] = "",
    json: Json = False,
) -> None:
    """Store everything that an export holds: all of it or, on error, nothing.

    Of a Metamath database, the proofs are checked and the facts are stored. A memory that is made for it has the
    embedder tokens-v1, which sees symbols.

    Exit code 0: stored; 1: stored, but not every proof was accepted; 2: usage or input error.
    """
    if source.suffix == ".mm":
        done_all = _remember(file, source, namespace, json)
        raise typer.Exit(0 if done_all else 1)
    if namespace:
        raise typer.BadParameter("an export says itself where its records belong", param_hint="--namespace")
    with Memory.open(file) as memory:
        done = memory.load(source)
    text = f"{done.new} records new, {done.known} known; {done.evidence} pieces of evidence, {done.events} events"
    _say(json, asdict(done), text + ("; history and snapshots taken over" if done.history else ""))


@app.command()
def forget(
    file: File,
    ids: Ids,
    reason: Annotated[str, typer.Option(help="What the history will say.")] = "",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """See records no more: no search finds them, until they are restored.

    Exit code 0: some were alive; 1: none was; 2: usage or input error.
    """
    with _open(file, write=not dry_run) as memory:
        done = memory.forget(ids, reason=reason, dry_run=dry_run)
    _say(json, asdict(done), f"{_done('forgotten', dry_run)}: {_listed(done.ids)} ({done.size_bytes:,} bytes)")
    raise typer.Exit(0 if done.ids else 1)


@app.command()
def restore(file: File, ids: Ids, json: Json = False) -> None:
    """See forgotten or merged records again.

    Exit code 0: some were dead; 1: none was; 2: usage or input error.
    """
    with _open(file, write=True) as memory:
        done = memory.restore(ids)
    _say(json, {"ids": done}, f"restored: {_listed(done)}")
    raise typer.Exit(0 if done else 1)


@app.command()
def purge(file: File, ids: Ids, dry_run: DryRun = False, json: Json = False) -> None:
    """Remove records with all that was recorded for them, for good."""
    with _open(file, write=not dry_run) as memory:
        done = memory.purge(ids, dry_run=dry_run)
    text = f"{_done('purged', dry_run)}: {_listed(done.ids)}; losing support: {_listed(done.unsupported)}"
    _say(json, asdict(done), text)


@app.command()
def history(
    file: File, record: Annotated[int, typer.Argument(help="The number of a record.")], json: Json = False
) -> None:
    """Print what happened to a record."""
    with _open(file) as memory:
        changes = memory.history(record)
    if json:
        for change in changes:
            typer.echo(json_module.dumps(asdict(change)))
        return
    table = Table("generation", "when", "what", "detail")
    for change in changes:
        when = datetime.fromtimestamp(change.created_ms / 1000, UTC).isoformat(sep=" ", timespec="seconds")
        table.add_row(str(change.generation), when, change.action, escape(change.detail))
    Console().print(table)


@app.command()
def index(
    file: File,
    build: Annotated[bool, typer.Option("--build", help="Make an index of all records first.")] = False,
    json: Json = False,
) -> None:
    """Print what the index of a memory is, and what each recall takes."""
    with _open(file, write=build) as memory:
        if build:
            with Console(stderr=True).status("making an index ...") if not json else nullcontext():
                memory.build_index()
        found = memory.index()
    if json:
        typer.echo(json_module.dumps(asdict(found)))
    else:
        Console().print(_index_table(file, found))


@app.command()
def compact(file: File, json: Json = False) -> None:
    """Drop for good what was forgotten before every snapshot, and free its bytes."""
    with _open(file, write=True) as memory:
        done = memory.compact()
    text = f"{done.dropped} records dropped; {done.bytes_before:,} bytes before, {done.bytes_after:,} after"
    _say(json, asdict(done), text)


@app.command("upgrade")
def upgrade_command(file: File, json: Json = False) -> None:
    """Rewrite a memory of an older format in the current one; nobody may have it open."""
    found = upgrade(file)
    _say(json, {"from": found}, f"upgraded from format {found}")


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


def _remember(file: Path, source: Path, namespace: str, json: bool) -> bool:
    library = metamath.open(source)
    known = Memory.open(file, embedder=None if file.exists() else "tokens-v1")
    with known as memory, Console(stderr=True).status("checking ...") if not json else nullcontext() as status:

        def tell(done: int, total: int) -> None:
            if status is not None:
                status.update(f"{done:,} of {total:,} assertions")

        done = library.remember(memory, source=source.name, namespace=namespace, progress=tell)
    report = done.report
    text = (
        f"{done.new} records new, {done.known} known; {done.evidence} pieces of evidence; "
        f"{report.accepted} of {report.proofs} proofs accepted"
    )
    values = {
        "new": done.new,
        "known": done.known,
        "evidence": done.evidence,
        "proofs": report.proofs,
        "accepted": report.accepted,
        "faults": list(report.faults),
        "unsupported": done.unsupported,
    }
    _say(json, values, text)
    return not report.faults


def _say(json: bool, values: dict[str, Any], text: str) -> None:
    if json:
        typer.echo(json_module.dumps(values))
    else:
        Console(soft_wrap=True).print(text, highlight=False)


def _done(what: str, dry_run: bool) -> str:
    return f"would be {what}" if dry_run else what


def _listed(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids)) or "none"


def _stats_table(file: Path, found: Stats) -> Table:
    caption = f"generation {found.generation} (visible from {found.horizon}), {found.embedder}"
    table = Table("what", "count", title=escape(str(file)), caption=caption)
    table.columns[1].justify = "right"
    table.add_row("records", str(found.records))
    for word, count in (*found.by_kind.items(), *found.by_status.items()):
        table.add_row(f"  {word}", str(count))
    table.add_row("forgotten or merged", str(found.dead))
    table.add_row("evidence", str(found.evidence))
    table.add_row("events pending", str(found.events_pending))
    table.add_row("events settled", str(found.events_settled))
    table.add_row(f"rows of {found.dimension}", str(found.rows))
    for name, size in found.size_bytes.items():
        table.add_row(f"bytes of {name}", f"{size:,}")
    return table


def _index_table(file: Path, found: IndexReport) -> Table:
    made = f"index {found.number}, {found.size_bytes:,} bytes" if found.number else "no index"
    caption = (
        f"{made}; {found.indexed:,} of {found.rows:,} rows in {found.clusters:,} clusters; searched with {found.isa}"
    )
    table = Table(
        "up to k", "recall", "measured", "queries", "clusters", "width", title=escape(str(file)), caption=caption
    )
    for column in table.columns:
        column.justify = "right"
    for one in found.promises:
        numbers = (f"{one.recall:.3f}", f"{one.measured:.3f}", str(one.queries), str(one.probes), f"{one.width:.1f}")
        table.add_row(str(one.k), *numbers)
    return table


def _print_report(report: Report) -> None:
    out = Console(soft_wrap=True)
    for finding in report.findings:
        out.print(f"[red]damaged[/] {escape(f'{finding.file}: {finding.place}: {finding.reason}')}")
    if report.clean:
        out.print(f"[green]sound[/] {report.records} records, {report.rows} rows")
