"""Drawings as inline SVG: no script, colours by class, so that each mode has its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from ftbridge.pages import DASHES, Markup, colour_class
from ftbridge.report.parts import Bars, Chart, Intervals, Points

WIDTH, HEIGHT = 760, 260
LEFT, RIGHT, TOP, BOTTOM = 70, 200, 16, 34
GRID = 4
MOST = 800
"""Points drawn of one series; more cannot be told apart on 490 pixels."""
ROW = 26
"""Height of a row of intervals."""
LETTERS = 24
"""Of a name that fit beside the lines."""


def chart(drawing: Chart) -> Markup:
    """Lines over x; empty series are left out."""
    drawn = {name: _thinned(points) for name, points in drawing.series.items() if points}
    values = [value for points in drawn.values() for _, value in points]
    last = max(x for points in drawn.values() for x, _ in points)
    low, high = min(values), max(values)
    if low == high:
        low, high = low - abs(low) * 0.1 - 1e-9, high + abs(high) * 0.1 + 1e-9
    parts = [*_grid(low, high), *_across(last, drawing.across)]
    for index, (name, points) in enumerate(drawn.items()):
        parts += _line(points, index, low, high, last)
        parts += _key(name, index, DASHES[index % len(DASHES)])
    return _svg(drawing.title, HEIGHT, parts)


def intervals(drawing: Intervals) -> Markup:
    """A dot for each value on a bar for its interval."""
    height = TOP + ROW * len(drawing.rows) + BOTTOM
    left = 220
    span = WIDTH - left - 40
    parts = []
    for step in range(5):
        x = left + span * step / 4
        parts.append(
            f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{height - BOTTOM}" class="grid"/>'
            f'<text x="{x:.1f}" y="{height - 14}" text-anchor="middle">{step / 4:.0%}</text>'
        )
    for index, row in enumerate(drawing.rows):
        y = TOP + ROW * (index + 0.5)
        x1, x, x2 = (left + span * share for share in (row.low, row.value, row.high))
        colour = colour_class(index % 2)
        parts.append(
            f'<text x="{left - 12}" y="{y + 4:.1f}" text-anchor="end" class="name">'
            f"{escape(_short(row.name, 34))}</text>"
            f'<line x1="{x1:.1f}" y1="{y:.1f}" x2="{max(x2, x1 + 1):.1f}" y2="{y:.1f}" '
            f'class="line {colour}" stroke-width="4"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" class="dot {colour}"/>'
        )
    return _svg(drawing.title, height, parts)


def bars(drawing: Bars) -> Markup:
    """Bars side by side for each category; what is not known has none."""
    known = [value for _, values in drawing.rows for value in values if value is not None]
    top = max([*known, 0.0]) or 1.0
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(drawing.rows))
    width = slot * 0.7 / len(drawing.names)
    parts = _grid(0.0, top)
    for place, (name, values) in enumerate(drawing.rows):
        for index, value in enumerate(values):
            if value is not None:
                x, y = LEFT + slot * (place + 0.15) + width * index, _y(value, 0.0, top)
                parts.append(
                    f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                    f'height="{max(0.5, HEIGHT - BOTTOM - y):.1f}" class="dot '
                    f'{colour_class(index)}"/>'
                )
        if place % math.ceil(len(drawing.rows) / 8) == 0:
            middle = LEFT + slot * (place + 0.5)
            parts.append(
                f'<text x="{middle:.1f}" y="{HEIGHT - 16}" text-anchor="middle">'
                f"{escape(name)}</text>"
            )
    for index, name in enumerate(drawing.names):
        parts += _key(name, index, "")
    return _svg(drawing.title, HEIGHT, parts)


def _svg(title: str, height: float, parts: Sequence[str]) -> Markup:
    return Markup(
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )


def _line(points: Points, index: int, low: float, high: float, last: int) -> list[str]:
    colour, dash = colour_class(index), DASHES[index % len(DASHES)]
    path = " ".join(f"{_x(x, last):.1f},{_y(value, low, high):.1f}" for x, value in points)
    x, value = points[-1]
    # One point makes no line: it is shown as a dot.
    return [
        f'<polyline points="{path}" class="line {colour}" stroke-width="1.8" '
        f'stroke-dasharray="{dash}"/>',
        f'<circle cx="{_x(x, last):.1f}" cy="{_y(value, low, high):.1f}" r="2.5" '
        f'class="dot {colour}"/>',
    ]


def _key(name: str, index: int, dash: str) -> list[str]:
    """A name in the key beside the drawing, with a piece of its line."""
    x, y = WIDTH - RIGHT + 10, TOP + 16 * (index + 1)
    return [
        f'<line x1="{x}" y1="{y - 4}" x2="{x + 22}" y2="{y - 4}" stroke-width="3" '
        f'class="line {colour_class(index)}" stroke-dasharray="{dash}"/>'
        f'<text x="{x + 28}" y="{y}" class="name"><title>{escape(name)}</title>'
        f"{escape(_short(name, LETTERS))}</text>"
    ]


def _grid(low: float, high: float) -> list[str]:
    parts = []
    for step in range(GRID + 1):
        value = low + (high - low) * step / GRID
        y = _y(value, low, high)
        parts.append(
            f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" class="grid"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.4g}</text>'
        )
    return parts


def _across(last: int, name: str) -> list[str]:
    parts = [
        f'<text x="{_x(x, last):.1f}" y="{HEIGHT - 16}" text-anchor="middle">{x}</text>'
        for x in sorted({0, last // 2, last})
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [
        *parts,
        f'<text x="{middle}" y="{HEIGHT - 2}" text-anchor="middle">{escape(name)}</text>',
    ]


def _thinned(points: Points) -> Points:
    """At most ``MOST`` points, the last one among them."""
    every = math.ceil(len(points) / MOST)
    return [*points[:-1:every], points[-1]]


def _short(name: str, letters: int) -> str:
    return name if len(name) <= letters else name[: letters - 1] + "…"


def _x(x: int, last: int) -> float:
    return LEFT + x / max(1, last) * (WIDTH - LEFT - RIGHT)


def _y(value: float, low: float, high: float) -> float:
    return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)
