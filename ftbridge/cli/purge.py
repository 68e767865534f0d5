"""``ftbridge purge JOB``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common


@click.command()
@click.argument("job")
@click.option("--record", is_flag=True, help="The vendor's record of the job too.")
@common
def command(session: Session, job: str, record: bool) -> None:
    """Delete JOB's training data at the vendor, unless another unfinished job needs it."""
    found = session.bridge.job(job)
    if record:
        found.delete()
    purged, kept = found.purge()
    session.document(
        {
            "job": found.id,
            "purged": [{"file": file.remote_id, "bytes": file.bytes} for file in purged],
            "kept": [{"file": file.remote_id, "needed_by": file.needed_by} for file in kept],
        }
    )
    for file in purged:
        session.lines(f"deleted {file.remote_id}")
    for file in kept:
        session.lines(f"kept {file.remote_id}: {', '.join(file.needed_by)} need it")
    if not purged and not kept:
        session.lines("nothing of this job is left there")
