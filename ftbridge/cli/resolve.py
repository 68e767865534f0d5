"""``ftbridge resolve JOB``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.jobs.control import require_one


@click.command()
@click.argument("job")
@click.option("--remote-id", metavar="ID", help="The vendor's job that JOB has become.")
@click.option("--none", "none", is_flag=True, help="The vendor has no such job.")
@common
def command(session: Session, job: str, remote_id: str | None, none: bool) -> None:
    """Settle JOB, whose create had no answer, by what you have seen at the vendor."""
    require_one(remote_id, none)
    found = session.bridge.job(job).resolve(remote_id)
    session.document(found.to_dict())
    way = f"; create it with `ftbridge resume {found.id}`" if none else ""
    session.lines(f"{found.id} {found.state}{way}")
