"""``ftbridge purge JOB``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.jobs.purging import Deletion


@click.command()
@click.argument("job")
@click.option("--model", is_flag=True, help="The tuned model at the vendor too.")
@click.option("--record", is_flag=True, help="The vendor's record of the job too.")
@common
def command(session: Session, job: str, model: bool, record: bool) -> None:
    """Delete JOB's training data at the vendor, unless another unfinished job needs it.

    What was deleted is read back, and the proof is kept in the account (`ftbridge egress list`).
    The converted copies and the replies of its evaluations here go too. Exit 1 where the vendor
    still has something.
    """
    found = session.bridge.job(job)
    if record:
        found.delete()
    done = found.purge(model=model)
    done.require_all(found.id)
    session.document(done.to_dict(found.id))
    for item in [*done.files, *([done.model] if done.model else [])]:
        session.lines(f"deleted {item.remote_id} {_proof(item)}")
    for file in done.kept:
        session.lines(f"kept {file.remote_id}: {', '.join(file.needed_by)} need it")
    if not done.files and not done.kept:
        session.lines("nothing of this job is left there")


def _proof(item: Deletion) -> str:
    return "(read back: gone)" if item.verified else "(by the vendor's word)"
