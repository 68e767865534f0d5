"""``ftbridge delete REF``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.errors import UsageError


@click.command()
@click.argument("ref")
@click.option("--record", is_flag=True, help="The vendor's record of the job instead.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def command(session: Session, ref: str, record: bool, yes: bool) -> None:
    """Delete the tuned model of REF (a job, alias or provider:model) at the vendor, for good.

    The ledger keeps the job. Training data is `ftbridge purge`'s affair.
    """
    what = "the vendor's record of" if record else "the tuned model of"
    if not yes:
        if not session.interactive:
            raise UsageError(
                f"{what} {ref} cannot be brought back; without a terminal that needs --yes",
                hint="add --yes",
                where="--yes",
            )
        click.confirm(f"Delete {what} {ref}? It cannot be brought back.", abort=True, err=True)
    if record:
        job = session.bridge.job(ref)
        job.delete()
        deleted = str(job.row.remote_id)
    else:
        deleted = session.bridge.delete_model(ref)
    session.document({"deleted": deleted, "what": "record" if record else "model"})
    session.lines(f"deleted {deleted}")
