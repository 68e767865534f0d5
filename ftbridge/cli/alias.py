"""``ftbridge alias [NAME [JOB]]``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common


@click.command()
@click.argument("name", required=False)
@click.argument("job", required=False)
@click.option("--reason", help="Why, where no evaluation says `better`; kept in the history.")
@common
def command(session: Session, name: str | None, job: str | None, reason: str | None) -> None:
    """Let NAME mean the model of JOB, once an evaluation says that it is better.

    A name stands wherever a model is asked for. Without JOB: what NAME (or every name) means now
    and has meant.
    """
    bridge = session.bridge
    made = [bridge.alias(name, job, reason=reason)] if name and job else bridge.aliases(name)
    session.document({"aliases": [each.to_dict() for each in made]})
    session.table(
        ("alias", "job", "since", "until", "reason"),
        [(a.name, a.job, a.since, a.until or "now", a.reason) for a in made],
    )
