"""``ftbridge download JOB -o DIR``."""

from __future__ import annotations

from pathlib import Path

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common


@click.command()
@click.argument("job")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="A new folder.")
@click.option("--merged", is_flag=True, help="Merge the adapter into the 16-bit base.")
@common
def command(session: Session, job: str, out: Path, merged: bool) -> None:
    """Bring the weights of JOB's model to a folder."""
    path = session.bridge.job(job).download(out, merged=merged)
    session.document({"job": job, "path": str(path), "merged": merged})
    session.lines(str(path))
