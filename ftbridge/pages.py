"""Self-contained HTML pages: no script, nothing fetched, readable in the dark and on paper.

Every text is escaped here, in one place; what is markup already says so by its type.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

COLOURS = (
    ("#0072b2", "#56b4e9"), ("#b8500c", "#ff9d5c"), ("#00795a", "#4fd1a5"),
    ("#a8487d", "#f0a3cb"), ("#7a5d00", "#e3c44d"), ("#1b6f9c", "#9fd4ff"),
    ("#7f3fbf", "#c4a1ff"), ("#5c5c66", "#b5b5bf"),
)  # fmt: skip
"""Of lines, on light and on dark paper: at least 3:1 against it (WCAG 2.2, 1.4.11), and told
apart by people who see colours differently (after Okabe and Ito); dashes help too."""
DASHES = ("", "7 3", "2 3", "9 3 2 3")


def colour_class(index: int) -> str:
    """The class that gives a part of a drawing its colour."""
    return f"c{index % len(COLOURS)}"


def _palette(mode: int) -> str:
    return " ".join(f"--c{index}: {pair[mode]};" for index, pair in enumerate(COLOURS))


LIGHT = f"--line: #d0d0d8; --soft: #5c5c66; --bad: #b3261e; --good: #1b6e3c; {_palette(0)}"
DARK = f"--line: #3c3c46; --soft: #a4a4b0; --bad: #ff8a80; --good: #7ed99b; {_palette(1)}"
STYLE = (
    f"""
:root {{ color-scheme: light dark; {LIGHT} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {DARK} }} }}
"""
    + """
html { background: Canvas; color: CanvasText }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
p.ok { color: var(--good) } p.bad { color: var(--bad) }
p.note, summary, small { color: var(--soft) }
table { border-collapse: collapse; width: 100% }
caption { text-align: left; color: var(--soft) }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid var(--line) }
tbody th { font-weight: normal; color: var(--soft) }
.number { text-align: right } td.number { font-variant-numeric: tabular-nums; white-space: nowrap }
code { overflow-wrap: anywhere } .scroll { overflow-x: auto } .old { color: var(--bad) }
svg { width: 100%; height: auto } svg text { font: 11px system-ui; fill: currentColor }
svg .grid { stroke: var(--line) } svg .name { font-size: 12px }
svg .line { stroke: var(--c); fill: none } svg .dot { fill: var(--c) }
svg .mark { fill: Canvas; stroke: var(--c); stroke-width: 2 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; font-size: .9rem }
td pre { max-height: 20rem; overflow-y: auto }
@media print {
  :root { color-scheme: light only }
  body { margin: 0; max-width: none; font-size: 11pt } tr, svg { break-inside: avoid }
  h2, caption { break-after: avoid } .scroll { overflow: visible } td pre { max-height: none }
  details::details-content { content-visibility: visible; block-size: auto }
}
"""
    + " ".join(f".c{index} {{ --c: var(--c{index}) }}" for index in range(len(COLOURS)))
)
"""Paper is always light, and shows what is folded on a screen."""


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
    """A table. ``numbers`` are the columns set to the right.

    Where all heads are empty there are none, and the first cell of a row is its head.
    """
    right, named = set(numbers), any(columns)
    titles = "".join(
        f'<th scope="col"{_side(place in right)}>{escape(column)}</th>' if column else "<td></td>"
        for place, column in enumerate(columns)
    )
    head = f"<thead><tr>{titles}</tr></thead>" if named else ""
    lines = []
    for row in rows:
        cells = (
            f"<td{_side(place in right)}>{html(value)}</td>"
            if named or place
            else f'<th scope="row">{html(value)}</th>'
            for place, value in enumerate(row)
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    label = f"<caption>{escape(caption)}</caption>" if caption else ""
    # A table that scrolls must be reachable by keyboard.
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption or "table")}">'
        f"<table>{label}{head}<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _side(right: bool) -> str:
    return ' class="number"' if right else ""


def details(summary: str, *content: str) -> str:
    """What is shown when it is asked for."""
    return f"<details><summary>{escape(summary)}</summary>{''.join(content)}</details>"
