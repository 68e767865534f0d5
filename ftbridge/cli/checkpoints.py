"""``ftbridge checkpoints JOB``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common


@click.command()
@click.argument("job")
@common
def command(session: Session, job: str) -> None:
    """The states of JOB's model so far. One that has a name answers under PROVIDER:NAME."""
    found = session.bridge.job(job)
    points = found.checkpoints()
    session.document({"job": found.id, "checkpoints": [vars(point) for point in points]})
    session.table(
        ("step", "created", "checkpoint", "model"),
        [
            (point.step, (point.created_at or "")[:19], point.id, point.model or "-")
            for point in points
        ],
    )
    if not points:
        session.lines("no checkpoint yet")
