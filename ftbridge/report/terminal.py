"""A report as lines on a terminal; curves are drawn by plotille."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from ftbridge.errors import NotInstalled
from ftbridge.report.parts import Chart

WIDTH, HEIGHT = 72, 14
SHORTEST = 20
ROOM = 1.02
"""Above the highest value, which would not be drawn on the edge itself."""
COLOURS = ("cyan", "yellow", "green", "magenta", "red", "white", "blue", "bright_black")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def require_plots() -> None:
    """Raise NotInstalled where nothing can be drawn."""
    if find_spec("plotille") is None:
        raise NotInstalled(
            "plots on a terminal need plotille, which is not installed",
            hint="pip install 'ftbridge[plots]'",
        )


def plot(chart: Chart, *, columns: int = 100) -> str:
    """A chart of braille dots, its title above and the names of its lines below.

    Coloured on a terminal alone, as plotille finds it (``NO_COLOR`` and ``FORCE_COLOR`` hold), so
    that several lines carry letters too.

    Args:
        columns: of the terminal.

    Raises:
        NotInstalled: without plotille.
    """
    require_plots()
    import plotille

    figure = plotille.Figure()
    figure.width, figure.height = max(SHORTEST, min(WIDTH, columns - 24)), HEIGHT
    figure.color_mode = "names"
    figure.x_label, figure.y_label = chart.across, "value"
    figure.x_ticks_fkt, figure.y_ticks_fkt = _whole, _short
    figure.set_x_limits(
        min_=0, max_=ROOM * max(1, *(x for points in _drawn(chart) for x, _ in points))
    )
    figure.set_y_limits(*_span(chart))
    for index, (name, points) in enumerate(chart.series.items()):
        if points:
            xs, ys = zip(*points, strict=True)
            letter = LETTERS[index] if len(xs) == 1 or len(chart.series) > 1 else None
            colour = COLOURS[index % len(COLOURS)]
            figure.plot(xs, ys, label=name, lc=colour, marker=letter)
    return f"{chart.title}\n{figure.show(legend=True)}"


def _drawn(chart: Chart) -> Iterator[Sequence[tuple[int, float]]]:
    return (points for points in chart.series.values() if points)


def _span(chart: Chart) -> tuple[float, float]:
    values = [value for points in _drawn(chart) for _, value in points]
    low, high = min(values), max(values)
    if low == high:  # a flat line has a scale too
        low, high = low - abs(low) * 0.1 - 1e-9, high + abs(high) * 0.1 + 1e-9
    return low, low + (high - low) * ROOM


def _whole(value: Any, _: Any) -> str:
    return f"{value:.0f}"


def _short(value: Any, _: Any) -> str:
    return f"{value:.4g}"
