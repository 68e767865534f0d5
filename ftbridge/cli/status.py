"""``ftbridge status JOB``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
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
    session.table(("", ""), [(name, value) for name, value in content.items() if value])
