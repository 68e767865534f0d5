"""A check report as one self-contained HTML page: no script, nothing fetched, no values."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ftbridge.dataset.check import CheckReport

_STYLE = """
:root {
  color-scheme: light dark; --line: #d0d0d8; --soft: #5c5c66; --bad: #b3261e; --good: #1b6e3c
}
@media (prefers-color-scheme: dark) {
  :root { --line: #3c3c46; --soft: #a4a4b0; --bad: #ff8a80; --good: #7ed99b }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
p.verdict.ok { color: var(--good) } p.verdict.bad { color: var(--bad) }
table { border-collapse: collapse; width: 100% }
caption { text-align: left; color: var(--soft) }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid var(--line) }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
code { overflow-wrap: anywhere } .scroll { overflow-x: auto }
@media print { body { margin: 0; max-width: none; font-size: 11pt } tr { break-inside: avoid } }
"""


def page(report: CheckReport, name: str) -> str:
    """The report on the file of this name. Every inserted text is escaped in one place."""
    verdict = "can be trained on" if report.ok else "cannot be trained on as it is"
    facts = [
        ("kind", report.kind),
        ("examples", f"{report.examples:,}"),
        ("bad lines", f"{report.error_count:,}"),
        ("bytes", f"{report.bytes:,}"),
        ("characters", "-" if report.characters is None else f"{report.characters:,}"),
        ("size", report.advice),
    ]
    errors = [(f"{bad.line:,}", bad.message) for bad in report.errors]
    hidden = report.error_count - len(report.errors)
    if hidden > 0:
        errors.append(("", f"and {hidden:,} more bad lines"))
    warnings = [
        (w.code, f"{w.count:,}", ", ".join(map(str, w.lines)), w.message) for w in report.warnings
    ]
    body = [
        f"<h1>Data check: {escape(name)}</h1>",
        f'<p class="verdict {"ok" if report.ok else "bad"}">The file {escape(verdict)}.</p>',
        _table("The file", ("", ""), facts, numbers=()),
        _section("Bad lines", _table("", ("line", "what is wrong"), errors, numbers=(0,)), errors),
        _section(
            "Findings",
            _table(
                "",
                ("finding", "count", "first lines", "what it does, what to do"),
                warnings,
                numbers=(1,),
            ),
            warnings,
        ),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Data check: {escape(name)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _section(title: str, table: str, rows: list[Any]) -> str:
    content = table if rows else "<p>None.</p>"
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _table(
    caption: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]], numbers: tuple[int, ...]
) -> str:
    titles = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    head = f"<thead><tr>{titles}</tr></thead>" if any(columns) else ""
    lines = []
    for row in rows:
        cells = (
            f"<td{' class=number' if place in numbers else ''}>{escape(str(value))}</td>"
            for place, value in enumerate(row)
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    label = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<div class="scroll"><table>{label}{head}<tbody>{"".join(lines)}</tbody></table></div>'
