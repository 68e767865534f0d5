"""``ftbridge resume JOB``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cli.watch import follow


@click.command()
@click.argument("job")
@click.option("--watch", "watching", is_flag=True, help="Stay until the final state.")
@common
def command(session: Session, job: str, watching: bool) -> int:
    """Bring JOB forward: finish its submit, or let a paused or dead run go on."""
    found = session.bridge.job(job).resume()
    if watching:
        return follow(session, found)
    session.document(found.to_dict())
    session.lines(f"{found.id} {found.state}")
    return 0
