"""``ftbridge report JOB [-o FILE]``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.files import atomic_write

if TYPE_CHECKING:
    from ftbridge.report.parts import Part, Report


@click.command()
@click.argument("job")
@click.option("-o", "--out", type=click.Path(path_type=Path),
              help="Write it as an HTML page; else it is shown here.")  # fmt: skip
@click.option("--examples/--no-examples", default=None,
              help="Rows side by side: those of public data are shown unless declined, of internal "
              "data if asked for, others never.")  # fmt: skip
@click.option("--months", type=click.IntRange(1), help="Price the model's use over so many (12).")
@click.option("--calls-per-month", type=click.IntRange(1), help="How often it is called.")
@common
def command(
    session: Session,
    job: str,
    out: Path | None,
    examples: bool | None,
    months: int | None,
    calls_per_month: int | None,
) -> None:
    """What became of JOB: data, plan and bill, curves, evaluations, cost over months."""
    from ftbridge.report.parts import document

    found = session.bridge.job_report(
        job, examples=examples, months=months, calls_per_month=calls_per_month
    )
    name = session.bridge.job(job).id
    if out is None:
        session.document({"job": name, **document(found)})
        _show(session, found)
        return
    from ftbridge.report.page import page

    with atomic_write(out) as stream:
        stream.write(page(found).encode())
    session.document({"job": name, "out": str(out)})
    session.lines(f"written: {out}")


def _show(session: Session, report: Report) -> None:
    session.lines(report.title)
    for section in report.sections:
        session.lines("", f"== {section.title}")
        for part in section.parts:
            _part(session, part)


def _part(session: Session, part: Part) -> None:
    from ftbridge.report.parts import Chart, Table, Text

    if isinstance(part, Text):
        session.lines(part.text)
        return
    if isinstance(part, Chart):
        session.plot(part)
        return
    table = part if isinstance(part, Table) else part.table()
    session.table(table.heads, table.rows)
