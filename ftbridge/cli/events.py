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
    found.refresh()  # of a job that has ended, only what a broken look may have left out
    events = [event for _, event in found.events()]
    session.document({"job": found.id, "events": [vars(event) for event in events]})
    session.table(
        ("time", "level", "step", "message"),
        [(event.time[:19], event.level, event.step, event.message) for event in events],
    )
