"""``ftbridge check DATA``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cli.source import opened, source
from ftbridge.dataset import CheckReport, Dataset
from ftbridge.files import atomic_write

if TYPE_CHECKING:
    from ftbridge.evaluate.traffic import Coverage


@click.command()
@source
@click.option("--structure-only", is_flag=True, help="Leave the quality judgement out.")
@click.option("--max-errors", default=20, show_default=True, type=click.IntRange(0),
              help="How many bad lines to name.")  # fmt: skip
@click.option("--provider", metavar="P", help="Also name what this provider would reject.")
@click.option("--validation", metavar="FILE", help="Also find what leaks into this file.")
@click.option("--traffic", metavar="FILE",
              help="Also: do the inputs cover these real ones, as diverse?")  # fmt: skip
@click.option("--html", type=click.Path(path_type=Path), help="Write the report as a page.")
@common
def command(
    session: Session,
    data: str,
    form: str | None,
    mapping: tuple[str, ...],
    structure_only: bool,
    max_errors: int,
    provider: str | None,
    validation: str | None,
    traffic: str | None,
    html: Path | None,
) -> int:
    """Validate DATA line by line and judge its quality. No finding shows a value."""
    dataset = opened(data, form, mapping)
    report = session.bridge.check(
        dataset,
        structure_only=structure_only,
        max_errors=max_errors,
        provider=provider,
        validation=Dataset(validation) if validation else None,
    )
    if html:
        from ftbridge.dataset.quality.page import page

        with atomic_write(html) as stream:
            stream.write(page(report, Path(data).name).encode())
    covered = session.bridge.coverage(dataset, traffic) if traffic and report.ok else None
    told = {"traffic": covered.to_dict()} if covered else {}
    session.document(_document(report, html) | told)
    _show(session, report, data, html)
    if covered:
        _show_traffic(session, covered)
    return 0 if report.ok else 3


def _show(session: Session, report: CheckReport, data: str, html: Path | None) -> None:
    for bad in report.errors:
        session.lines(f"{data}:{bad.line}: {bad.message}")
    if report.error_count > len(report.errors):
        session.lines(f"... and {report.error_count - len(report.errors)} more bad lines")
    session.table(
        ("warning", "count", "first lines", "what it means, what to do"),
        [(w.code, w.count, ", ".join(map(str, w.lines)), w.message) for w in report.warnings],
    )
    session.lines(f"{report.examples:,} examples of kind {report.kind}, {report.bytes:,} bytes")
    if report.tokens:
        found = report.tokens
        session.lines(f"{found.span} tokens in one pass ({found.label}: {found.counter})")
    if report.examples:
        session.lines(report.advice)
    if html:
        session.lines(f"written: {html}")


def _show_traffic(session: Session, found: Coverage) -> None:
    low, high = found.ci
    session.lines(
        f"{found.verdict}: {found.covered:.0%} ({low:.0%} to {high:.0%}) of {found.traffic:,} real "
        f"inputs have a near one here (cosine {found.threshold:.2f} or more); diversity "
        f"{found.diversity:.2f} against {found.traffic_diversity:.2f}"
    )
    if found.lines:
        more = ", ..." if found.uncovered > len(found.lines) else ""
        shown = ", ".join(map(str, found.lines)) + more
        session.lines(f"{found.uncovered:,} are like nothing here, on lines {shown}")


def _document(report: CheckReport, html: Path | None) -> dict[str, object]:
    return {
        "kind": str(report.kind),
        "examples": report.examples,
        "bytes": report.bytes,
        "errors": [{"line": bad.line, "message": bad.message} for bad in report.errors],
        "error_count": report.error_count,
        "warnings": [vars(warning) for warning in report.warnings],
        "advice": report.advice,
        "tokens": ({} if report.characters is None else {"characters": report.characters})
        | (report.tokens.document() if report.tokens else {}),
    } | ({"html": html} if html else {})
