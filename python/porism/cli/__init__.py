"""The ``porism`` command: one file a subcommand.

Exit codes: 0 solved or fine, 1 not solved or not fine, 2 usage or input error, 130 interrupted. With ``check``, 2 also
means that something was not decided.
"""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from porism import __version__
from porism._errors import PorismError
from porism.cli import bench, check, doctor, memory, solve

app = typer.Typer(
    name="porism",
    help="A memory for mathematical reasoning that learns from what is proved.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("solve")(solve.solve)
app.command("check")(check.check_file)
app.command("doctor")(doctor.doctor)
app.add_typer(memory.app, name="memory")
app.add_typer(bench.app, name="bench")

#: What a shell expects of a program that Ctrl-C ended.
INTERRUPTED = 130


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"porism {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """A memory for mathematical reasoning that learns from what is proved."""


def main() -> NoReturn:
    """Runs the command line; every error that Porism raises on purpose is one line on standard error."""
    try:
        app()
    except PorismError as error:
        print(f"porism: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("porism: interrupted; what was settled before is kept", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has gone; there is nobody left to tell.
        sys.stderr.close()
        sys.exit(1)
    sys.exit(0)
