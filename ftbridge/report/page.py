"""A report as one self-contained HTML page; under every drawing stands its table."""

from __future__ import annotations

from html import escape

from ftbridge import clock, pages
from ftbridge.pages import Markup
from ftbridge.report import curve
from ftbridge.report.parts import Bars, Chart, Drawing, Part, Report, Section, Table, Text


def page(report: Report) -> str:
    """The whole document."""
    return pages.document(
        report.title,
        [
            *(_section(section) for section in report.sections),
            pages.paragraph(f"Made by ftbridge on {clock.today()}.", "note"),
        ],
    )


def _section(section: Section) -> str:
    return pages.section(section.title, *(_part(part) for part in section.parts))


def _part(part: Part) -> str:
    if isinstance(part, Text):
        return pages.paragraph(part.text, part.kind)
    if isinstance(part, Table):
        return _table(part)
    return _drawn(part) + _table(part.table())


def _drawn(part: Drawing) -> Markup:
    if isinstance(part, Chart):
        return curve.chart(part)
    return curve.bars(part) if isinstance(part, Bars) else curve.intervals(part)


def _table(table: Table) -> str:
    rows = table.rows
    if table.texts:
        rows = [[_text(cell) for cell in row] for row in rows]
    made = pages.table(table.heads, rows, numbers=table.numbers, caption=table.caption)
    return pages.details(table.folded, made) if table.folded else made


def _text(cell: object) -> Markup:
    # A text that scrolls must be reachable by keyboard.
    return Markup(f'<pre tabindex="0">{escape("-" if cell is None else str(cell))}</pre>')
