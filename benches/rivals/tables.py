"""Tables as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """A title, a line of heads, and a line a row; the first ``left`` columns are aligned left, the others right.

    Nothing at all when there are no rows.
    """
    if not rows:
        return ""
    widths = [max(len(line[column]) for line in (heads, *rows)) for column in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(padded).rstrip()

    return "\n".join([title, line(heads), "  ".join("-" * width for width in widths), *map(line, rows), ""])
