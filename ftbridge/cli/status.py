"""``ftbridge status JOB``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ftbridge.cli.session import Session, deployed
from ftbridge.cli.session import command as common

if TYPE_CHECKING:
    from ftbridge.job import Job
    from ftbridge.report.parts import Chart


@click.command()
@click.argument("job")
@click.option("--plot", is_flag=True, help="Also draw its curves: loss, learning rate and others.")
@common
def command(session: Session, job: str, plot: bool) -> None:
    """Look once at JOB, at its provider."""
    found = session.bridge.job(job)
    found.refresh()
    content = found.to_dict() | {"warnings": found.warnings()}
    drawn = curves(found) if plot else []
    if plot:
        content["curves"] = [
            {"title": chart.title, "series": dict(chart.series)} for chart in drawn
        ]
    session.document(content)
    running = [("deployed", deployed(row)) for row in found.deployments()]
    for name in ("deployments", "curves"):
        content.pop(name, None)
    session.table(("", ""), [(name, value) for name, value in content.items() if value] + running)
    if plot and not drawn:
        session.lines("no measured values yet")
    for chart in drawn:
        session.plot(chart)


def curves(job: Job) -> list[Chart]:
    """The charts of what it measured so far."""
    from ftbridge.report.curves import charts

    return list(charts(job.metrics()))
