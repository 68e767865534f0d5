"""``ftbridge cancel JOB``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common


@click.command()
@click.argument("job")
@common
def command(session: Session, job: str) -> None:
    """Stop JOB for good. Before it was created this costs nothing."""
    found = session.bridge.job(job).cancel()
    session.document(found.to_dict())
    session.lines(f"{found.id} {found.state}" + (", stopping" if found.row.stopping else ""))
