"""``ftbridge events JOB``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common


@click.command()
@click.argument("job")
@common
def command(session: Session, job: str) -> None:
    """What happened in JOB, oldest first."""
    found = session.bridge.job(job)
    if not found.row.is_final:
        found.refresh()
    events = [event for _, event in found.events()]
    session.document({"job": found.id, "events": [vars(event) for event in events]})
    session.table(
        ("time", "level", "step", "message"),
        [(event.time[:19], event.level, event.step, event.message) for event in events],
    )
