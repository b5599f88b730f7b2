"""A progress bar on standard error."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress(what: str, total: int, *, hidden: bool = False) -> Iterator[Callable[[str], None]]:
    """Shows a bar while the block runs; what it yields is called once for each thing done, with a few words.

    Nothing is shown when standard error is no terminal, or when ``hidden`` asks for that.
    """
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.fields[what]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
        console=console,
        disable=hidden or not console.is_terminal,
    ) as bar:
        task = bar.add_task("", total=total, what=what)
        yield lambda words: bar.update(task, advance=1, description=words)
