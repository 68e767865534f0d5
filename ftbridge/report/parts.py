"""What a report is made of, before it is a page, lines on a terminal or JSON.

A drawing carries its values: whoever shows it shows its table too, so that no figure is seen by
the eye alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

ROWS_SHOWN = 200
"""Rows of a drawing's table; what lies between is left out, and that is said."""

Points = Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Text:
    """A sentence. ``kind`` is ok, bad, note or nothing."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under heads (all empty: names and values). ``numbers`` are columns set to the right.

    ``folded`` is what stands in its place on a page until it is opened; ``texts`` says that its
    cells hold whole texts, whose line breaks matter.
    """

    heads: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    caption: str
    numbers: Sequence[int] = ()
    folded: str = ""
    texts: bool = False


@dataclass(frozen=True)
class Chart:
    """Lines of (x, y), each finite. ``across`` names x."""

    title: str
    series: Mapping[str, Points]
    across: str = "step"

    def table(self) -> Table:
        """Its values; every so-manieth x where there are many."""
        xs = sorted({x for points in self.series.values() for x, _ in points})
        every = max(1, math.ceil(len(xs) / ROWS_SHOWN))
        chosen = sorted({*xs[::every], xs[-1]})
        columns = [dict(points) for points in self.series.values()]
        rows = [
            (x, *("" if x not in column else f"{column[x]:.6g}" for column in columns))
            for x in chosen
        ]
        said = "" if every == 1 else f", every {every}th {self.across}"
        heads = (self.across, *self.series)
        return Table(heads, rows, f"{self.title}{said}", range(len(heads)), folded="the values")


@dataclass(frozen=True)
class Interval:
    """A measured share (0..1) with its 95 % interval."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Intervals:
    """Shares with their intervals, one under the other on one scale from 0 to 1."""

    title: str
    rows: Sequence[Interval]

    def table(self) -> Table:
        """Its values."""
        rows = [(r.name, f"{r.value:.1%}", f"{r.low:.1%}", f"{r.high:.1%}") for r in self.rows]
        return Table(("", "value", "from", "to"), rows, self.title, (1, 2, 3), folded="the values")


@dataclass(frozen=True)
class Bars:
    """Amounts side by side for each category; None is not known, and not drawn."""

    title: str
    names: tuple[str, ...]
    rows: Sequence[tuple[str, tuple[float | None, ...]]]

    def table(self) -> Table:
        """Its values."""
        rows = [
            (name, *("unknown" if value is None else f"{value:,.4g}" for value in values))
            for name, values in self.rows
        ]
        heads = ("", *self.names)
        return Table(heads, rows, self.title, range(1, len(heads)), folded="the values")


Drawing: TypeAlias = Chart | Intervals | Bars
Part: TypeAlias = Text | Table | Drawing


@dataclass(frozen=True)
class Section:
    """Parts under a heading."""

    title: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Report:
    """A title and what stands under it."""

    title: str
    sections: Sequence[Section]


def document(report: Report) -> dict[str, Any]:
    """The JSON form: each part as an object with its ``type``."""
    return {
        "title": report.title,
        "sections": [
            {"title": section.title, "parts": [_part(part) for part in section.parts]}
            for section in report.sections
        ],
    }


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text, "kind": part.kind}
    if isinstance(part, Table):
        return _rows(part) | {"type": "table"}
    return _rows(part.table()) | {"type": type(part).__name__.lower()}


def _rows(table: Table) -> dict[str, Any]:
    rows = [[None if cell is None else str(cell) for cell in row] for row in table.rows]
    return {"caption": table.caption, "heads": list(table.heads), "rows": rows}
