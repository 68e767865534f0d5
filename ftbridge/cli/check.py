"""``ftbridge check DATA``."""

from __future__ import annotations

from pathlib import Path

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.dataset import CheckReport


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--structure-only", is_flag=True, help="Leave the quality judgement out.")
@click.option("--max-errors", default=20, show_default=True, help="How many bad lines to name.")
@common
def command(session: Session, data: Path, structure_only: bool, max_errors: int) -> int:
    """Validate DATA line by line and judge its quality."""
    report = session.bridge.check(data, structure_only=structure_only, max_errors=max_errors)
    session.document(_document(report))
    for bad in report.errors:
        session.lines(f"{data}:{bad.line}: {bad.message}")
    if report.error_count > len(report.errors):
        session.lines(f"... and {report.error_count - len(report.errors)} more bad lines")
    session.table(
        ("warning", "count", "first lines", "what it means"),
        [(w.code, w.count, ", ".join(map(str, w.lines)), w.message) for w in report.warnings],
    )
    session.lines(f"{report.examples:,} examples of kind {report.kind}, {report.bytes:,} bytes")
    return 0 if report.ok else 3


def _document(report: CheckReport) -> dict[str, object]:
    return {
        "kind": str(report.kind),
        "examples": report.examples,
        "bytes": report.bytes,
        "errors": [{"line": bad.line, "message": bad.message} for bad in report.errors],
        "error_count": report.error_count,
        "warnings": [vars(warning) for warning in report.warnings],
        "tokens": {"characters": report.characters},
    }
