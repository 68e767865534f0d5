"""``ftbridge status JOB``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session, deployed
from ftbridge.cli.session import command as common


@click.command()
@click.argument("job")
@common
def command(session: Session, job: str) -> None:
    """Look once at JOB, at its provider."""
    found = session.bridge.job(job)
    found.refresh()
    content = found.to_dict() | {"warnings": found.warnings()}
    session.document(content)
    running = [("deployed", deployed(row)) for row in found.deployments()]
    del content["deployments"]
    session.table(("", ""), [(name, value) for name, value in content.items() if value] + running)
