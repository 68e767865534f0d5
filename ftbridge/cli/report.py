"""``ftbridge report JOB -o FILE``."""

from __future__ import annotations

from pathlib import Path

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.files import atomic_write


@click.command()
@click.argument("job")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The page.")
@common
def command(session: Session, job: str, out: Path) -> None:
    """Write what became of JOB as one HTML page: data, cost, curves, evaluations. No data text."""
    page = session.bridge.report(job)
    with atomic_write(out) as stream:
        stream.write(page.encode())
    session.document({"job": session.bridge.job(job).id, "out": str(out)})
    session.lines(f"written: {out}")
