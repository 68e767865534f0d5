"""A check report as one self-contained HTML page: no script, nothing fetched, no values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ftbridge.pages import document, paragraph, section, table

if TYPE_CHECKING:
    from ftbridge.dataset.check import CheckReport


def page(report: CheckReport, name: str) -> str:
    """The report on the file of this name."""
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
    return document(
        f"Data check: {name}",
        [
            paragraph(f"The file {verdict}.", "ok" if report.ok else "bad"),
            table(("", ""), facts, caption="The file"),
            _section("Bad lines", ("line", "what is wrong"), errors, 0),
            _section(
                "Findings", ("finding", "count", "first lines", "what it does, what to do"),
                warnings, 1,
            ),
        ],
    )  # fmt: skip


def _section(
    title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], number: int
) -> str:
    return section(
        title, table(heads, rows, numbers=(number,), caption=title) if rows else paragraph("None.")
    )
