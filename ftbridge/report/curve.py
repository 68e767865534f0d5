"""Measured values over steps as a line chart: inline SVG, no script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from ftbridge.cost.chart import COLOURS, DASHES
from ftbridge.pages import Markup

WIDTH, HEIGHT = 760, 260
LEFT, RIGHT, TOP, BOTTOM = 70, 130, 16, 34
GRID = 4
MOST = 800
"""Points drawn of one series; more cannot be told apart on 560 pixels."""

Points = Sequence[tuple[int, float]]


def curve(series: Mapping[str, Points], title: str) -> str:
    """The chart of some series of (step, value), each finite; empty series are left out."""
    drawn = {name: _thinned(points) for name, points in series.items() if points}
    values = [value for points in drawn.values() for _, value in points]
    last = max(step for points in drawn.values() for step, _ in points)
    low, high = min(values), max(values)
    if low == high:
        low, high = low - abs(low) * 0.1 - 1e-9, high + abs(high) * 0.1 + 1e-9
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>',
        *_grid(low, high, last),
    ]
    for index, (name, points) in enumerate(drawn.items()):
        parts += _line(name, points, index, low, high, last)
    return Markup("".join([*parts, "</svg>"]))


def _line(name: str, points: Points, index: int, low: float, high: float, last: int) -> list[str]:
    colour, dash = COLOURS[index % len(COLOURS)], DASHES[index % len(DASHES)]
    path = " ".join(f"{_x(step, last):.1f},{_y(value, low, high):.1f}" for step, value in points)
    step, value = points[-1]
    x, y = _x(step, last), _y(value, low, high)
    # One point makes no line: it is shown as a dot.
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8" '
        f'stroke-dasharray="{dash}"/>',
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>',
        f'<text x="{WIDTH - RIGHT + 8}" y="{TOP + 14 * (index + 1)}" fill="{colour}" '
        f'class="name">{escape(name)}</text>',
    ]


def _grid(low: float, high: float, last: int) -> list[str]:
    parts = []
    for step in range(GRID + 1):
        value = low + (high - low) * step / GRID
        y = _y(value, low, high)
        parts.append(
            f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" class="grid"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.4g}</text>'
        )
    for step in sorted({0, last // 2, last}):
        x = _x(step, last)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 16}" text-anchor="middle">{step}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 2}" text-anchor="middle">step</text>')
    return parts


def _thinned(points: Points) -> Points:
    """At most ``MOST`` points, the last one among them."""
    every = math.ceil(len(points) / MOST)
    return [*points[:-1:every], points[-1]]


def _x(step: int, last: int) -> float:
    return LEFT + step / max(1, last) * (WIDTH - LEFT - RIGHT)


def _y(value: float, low: float, high: float) -> float:
    return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)
