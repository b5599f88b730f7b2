"""The result of a run on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from porism.bench._statistics import SUMMARY, headline, summary

if TYPE_CHECKING:
    from porism.bench.results import Run


def render_table(run: Run) -> Table:
    """One row an arm, with the headline below."""
    # Text, not str: a name in square brackets would be read as a style.
    table = Table(title=Text(run.title), caption=Text(headline(run)), caption_justify="left")
    for number, heading in enumerate(SUMMARY):
        table.add_column(heading, justify="right" if number else "left")
    for row in summary(run):
        table.add_row(*map(Text, row))
    return table
