"""A line chart of USD over months as inline SVG, without a script and without a font of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from ftbridge.pages import DASHES, colour_class

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 70, 200, 20, 40
GRID = 5
LETTERS = 30
"""That fit into ``RIGHT`` at the size of a name."""


@dataclass(frozen=True)
class Line:
    """USD after m months: ``start + monthly x m``. ``marks``: months at which it pays."""

    name: str
    start: Decimal
    monthly: Decimal
    mark: Decimal | None = None
    mark_label: str = ""
    bold: bool = False

    def at(self, months: Decimal) -> Decimal:
        """USD spent by then."""
        return self.start + self.monthly * months


def chart(lines: Sequence[Line], months: int, title: str) -> str:
    """The SVG. Every line carries its name at its right end; the marks are circles."""
    top = max((line.at(Decimal(months)) for line in lines), default=Decimal(1)) or Decimal(1)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>',
        *_grid(top, months),
    ]
    heights = _labels([_y(line.at(Decimal(months)), top) for line in lines])
    for index, line in enumerate(lines):
        parts += _drawn(line, index, months, top, heights[index])
    return "".join([*parts, "</svg>"])


def _grid(top: Decimal, months: int) -> list[str]:
    parts = []
    right = WIDTH - RIGHT
    for step in range(GRID + 1):
        usd = top * step / GRID
        y = _y(usd, top)
        parts.append(
            f'<line x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" class="grid"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{usd:,.0f}</text>'
        )
    for month in range(0, months + 1, max(1, months // 12)):
        x = _x(Decimal(month), months)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 18}" text-anchor="middle">{month}</text>')
    middle = (LEFT + right) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 3}" text-anchor="middle">months</text>')
    parts.append(f'<text x="4" y="{TOP - 8}">USD spent</text>')
    return parts


def _drawn(line: Line, index: int, months: int, top: Decimal, label: float) -> list[str]:
    colour = colour_class(index)
    dash = DASHES[index // 2 % len(DASHES)]
    width = 3 if line.bold else 1.8
    x1, x2 = _x(Decimal(0), months), _x(Decimal(months), months)
    y1, y2 = _y(line.start, top), _y(line.at(Decimal(months)), top)
    parts = [
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="line {colour}" '
        f'stroke-width="{width}" stroke-dasharray="{dash}"/>',
        f'<line x1="{x2 + 6:.1f}" y1="{label:.1f}" x2="{x2 + 18:.1f}" y2="{label:.1f}" '
        f'class="line {colour}" stroke-width="3"/>'
        f'<text x="{x2 + 22:.1f}" y="{label + 4:.1f}" class="name">'
        f"<title>{escape(line.name)}</title>{escape(_short(line.name))}</text>",
    ]
    if line.mark is not None and line.mark <= months:
        x, y = _x(line.mark, months), _y(line.at(line.mark), top)
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" class="mark {colour}">'
            f"<title>{escape(line.mark_label)}</title></circle>"
            f'<text x="{x:.1f}" y="{y - 9:.1f}" text-anchor="middle">'
            f"{escape(line.mark_label)}</text>"
        )
    return parts


def _short(name: str) -> str:
    """As much of a name as fits beside the lines."""
    return name if len(name) <= LETTERS else name[: LETTERS - 1] + "…"


def _labels(wanted: Sequence[float], gap: float = 14) -> list[float]:
    """Heights near the wanted ones, at least ``gap`` apart, so that names do not cover others."""
    placed = [0.0] * len(wanted)
    last = float("-inf")
    for index in sorted(range(len(wanted)), key=lambda i: wanted[i]):
        last = max(wanted[index], last + gap)
        placed[index] = last
    over = max(0.0, last - (HEIGHT - BOTTOM))
    return [height - over for height in placed]


def _x(month: Decimal, months: int) -> float:
    return LEFT + float(month) / max(1, months) * (WIDTH - LEFT - RIGHT)


def _y(usd: Decimal, top: Decimal) -> float:
    return TOP + float(1 - usd / top) * (HEIGHT - TOP - BOTTOM)
