"""The drawings of the report: inline SVG, coloured by the classes of the page so that they follow its light or dark."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from porism.bench._statistics import MINUS, signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDTH = 860
_LEFT, _RIGHT = 48, 150
_LINE_HEIGHT = 17


def plain(text: object, longest: int = 200) -> str:
    """Makes ``text`` harmless in HTML and in SVG: escaped, on one line, no longer than ``longest``.

    Names come from files that anyone may have written. What does not print is replaced: control characters, lone
    surrogates, marks that turn the direction of writing.
    """
    shown = str(text)
    if len(shown) > longest:
        shown = f"{shown[: longest - 1]}…"
    return html.escape("".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in shown))


@dataclass(frozen=True, slots=True)
class Curve:
    """A count that changes in steps.

    Attributes:
        name: What stands beside its end.
        tone: The class that colours it.
        steps: Where it changes, and to what; positions ascend.
    """

    name: str
    tone: str
    steps: Sequence[tuple[int, int]]

    @property
    def last(self) -> int:
        """Its last value."""
        return self.steps[-1][1] if self.steps else 0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: ``value`` of ``total``."""

    name: str
    value: int
    total: int


@dataclass(frozen=True, slots=True)
class _Scale:
    """Maps ``low … high`` to ``start … end`` pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / ((self.high - self.low) or 1) * (self.end - self.start)

    def ticks(self, at_most: int) -> list[int]:
        """Round whole numbers inside."""
        least = max((self.high - self.low) / at_most, 1)
        power = 10 ** math.floor(math.log10(least))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)
        return list(range(math.ceil(self.low / step) * step, math.floor(self.high) + 1, step))


def learning_curve(curves: Sequence[Curve], difference: Curve | None, span: tuple[int, int], description: str) -> str:
    """Draws what each arm had solved by each theorem and, below on the same axis, the difference between two of them.

    Args:
        curves: One for each arm.
        difference: The lower panel; left out when ``None``.
        span: Numbers of the first and the last theorem.
        description: The same in words, for who does not see it.
    """
    first, last = span
    x = _Scale(first - 1, last, _LEFT, _WIDTH - _RIGHT)
    y = _Scale(0, max(1, *(curve.last for curve in curves)), 300, 26)
    parts = [_heading("Problems solved so far", 14), _grid(x, y), *(_step_line(curve, x, y) for curve in curves)]
    parts += _end_labels(curves, x.end, y)
    bottom = 300
    if difference is not None:
        values = [0, *(value for _, value in difference.steps)]
        room = max(1, max(values) - min(values)) * 0.08
        lower = _Scale(min(values) - room, max(values) + room, 466, 376)
        parts += [_heading(f"Difference so far: {difference.name}", 362), _grid(x, lower, at_most=3)]
        parts += [_area(difference, x, lower), _step_line(difference, x, lower)]
        parts.append(_label(x.end + 8, lower(difference.last), signed(difference.last), difference.tone))
        bottom = 466
    middle = (x.start + x.end) / 2
    parts += [_axis_numbers(x, bottom + 18), _text(middle, bottom + 40, "Number of the theorem", "middle")]
    return _drawing("curve", (_WIDTH, bottom + 50), "Learning curve", description, parts)


def bars(key: str, rows: Sequence[Bar], longest: int, tone: str, title: str) -> str:
    """Draws one bar a row; drawings that share ``longest`` can be compared by eye.

    Args:
        key: What tells its identifiers from those of other drawings.
        rows: The bars, from top to bottom.
        longest: The value whose bar fills the width.
        tone: The class that colours them.
        title: What the drawing shows.
    """
    names, width, row_height = 104, 290, 26
    x = _Scale(0, max(1, longest), names, width - 78)
    parts = []
    for number, row in enumerate(rows):
        middle = number * row_height + row_height / 2
        end = x(row.value)
        parts.append(_text(names - 8, middle + 4, plain(row.name, 16), "end"))
        parts.append(
            f'<rect class="bar {tone}" x="{names}" y="{middle - 8:g}" width="{end - names:.1f}" height="16" rx="2"/>'
            f'<text x="{end + 6:.1f}" y="{middle + 4:g}"><tspan class="strong">{row.value:,}</tspan>'
            f'<tspan class="muted"> of {row.total:,}</tspan></text>'
        )
    parts.append(f'<path class="axis" d="M{names} 0V{len(rows) * row_height}"/>')
    description = "; ".join(f"{plain(row.name)}: {row.value} of {row.total}" for row in rows) or "no tries"
    return _drawing(key, (width, max(1, len(rows)) * row_height), plain(title), description, parts)


def _drawing(key: str, size: tuple[float, float], title: str, description: str, parts: Iterable[str]) -> str:
    width, height = size
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-labelledby="{key}-title {key}-description">'
        f'<title id="{key}-title">{title}</title><desc id="{key}-description">{description}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _grid(x: _Scale, y: _Scale, at_most: int = 5) -> str:
    """Thin lines across, numbered at the left; the one at zero is stronger."""
    return "".join(
        f'<path class="{"grid" if tick else "axis"}" d="M{x.start:g} {y(tick):.1f}H{x.end:g}"/>'
        + _text(x.start - 8, y(tick) + 4, f"{tick:,}".replace("-", MINUS), "end")
        for tick in y.ticks(at_most)
    )


def _axis_numbers(x: _Scale, y: float) -> str:
    return "".join(_text(x(tick), y, f"{tick:,}", "middle") for tick in x.ticks(8))


def _step_path(curve: Curve, x: _Scale, y: _Scale) -> str:
    steps = "".join(f"H{x(position):.1f}V{y(value):.1f}" for position, value in curve.steps)
    return f"M{x.start:g} {y(0):.1f}{steps}H{x.end:g}"


def _step_line(curve: Curve, x: _Scale, y: _Scale) -> str:
    return f'<path class="line {curve.tone}" d="{_step_path(curve, x, y)}"/>'


def _area(curve: Curve, x: _Scale, y: _Scale) -> str:
    return f'<path class="area {curve.tone}" d="{_step_path(curve, x, y)}V{y(0):.1f}Z"/>'


def _end_labels(curves: Sequence[Curve], x: float, y: _Scale) -> list[str]:
    """Names at the ends of the lines, pushed down where they would overlap."""
    labels = []
    free = -math.inf
    for curve in sorted(curves, key=lambda curve: -curve.last):
        place = max(y(curve.last), free)
        labels.append(_label(x + 8, place, f"{plain(curve.name, 14)} {curve.last:,}", curve.tone))
        free = place + _LINE_HEIGHT
    return labels


def _label(x: float, y: float, text: str, tone: str) -> str:
    return f'<text class="label {tone}" x="{x:g}" y="{y + 5:.1f}">{text}</text>'


def _heading(text: str, y: float) -> str:
    return f'<text class="strong" x="0" y="{y:g}">{plain(text)}</text>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="muted" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
