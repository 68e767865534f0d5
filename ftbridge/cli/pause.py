"""``ftbridge pause JOB``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common


@click.command()
@click.argument("job")
@common
def command(session: Session, job: str) -> None:
    """Stop JOB so that `ftbridge resume` lets it go on."""
    found = session.bridge.job(job).pause()
    session.document(found.to_dict())
    session.lines(f"{found.id} {found.state}" + (", stopping" if found.row.stopping else ""))
