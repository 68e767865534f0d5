"""Self-contained HTML pages: no script, nothing fetched, readable in the dark and on paper.

Every text is escaped here, in one place; what is markup already says so by its type.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

STYLE = """
:root {
  color-scheme: light dark; --line: #d0d0d8; --soft: #5c5c66; --bad: #b3261e; --good: #1b6e3c
}
@media (prefers-color-scheme: dark) {
  :root { --line: #3c3c46; --soft: #a4a4b0; --bad: #ff8a80; --good: #7ed99b }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
p.ok { color: var(--good) } p.bad { color: var(--bad) } p.note, summary { color: var(--soft) }
table { border-collapse: collapse; width: 100% }
caption { text-align: left; color: var(--soft) }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid var(--line) }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
code { overflow-wrap: anywhere } .scroll { overflow-x: auto }
svg { width: 100%; height: auto } svg text { font: 11px system-ui; fill: currentColor }
svg .grid { stroke: var(--line) } svg .name { font-size: 12px }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; font-size: .9rem }
@media print {
  body { margin: 0; max-width: none; font-size: 11pt } tr, svg { break-inside: avoid }
}
"""


class Markup(str):
    """Text that is HTML already."""


def html(value: Any) -> str:
    """A value as HTML; None is a dash."""
    if isinstance(value, Markup):
        return value
    return "-" if value is None else escape(str(value))


def document(title: str, body: Iterable[str]) -> str:
    """A whole page, its heading included."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{''.join(body)}</main></body></html>\n"
    )


def section(title: str, *content: str) -> str:
    """A part of a page under a heading."""
    return f"<section><h2>{escape(title)}</h2>{''.join(content)}</section>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph; ``kind`` is ok, bad, note or nothing."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    numbers: Iterable[int] = (),
    caption: str = "",
) -> str:
    """A table. ``numbers`` are the columns set to the right; no heads where all are empty."""
    right = set(numbers)
    titles = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    head = f"<thead><tr>{titles}</tr></thead>" if any(columns) else ""
    lines = []
    for row in rows:
        cells = (
            f"<td{' class=number' if place in right else ''}>{html(value)}</td>"
            for place, value in enumerate(row)
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    label = f"<caption>{escape(caption)}</caption>" if caption else ""
    # A table that scrolls must be reachable by keyboard.
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption or "table")}">'
        f"<table>{label}{head}<tbody>{''.join(lines)}</tbody></table></div>"
    )


def details(summary: str, *content: str) -> str:
    """What is shown when it is asked for."""
    return f"<details><summary>{escape(summary)}</summary>{''.join(content)}</details>"
