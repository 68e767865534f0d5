"""``ftbridge redact DATA -o OUT``."""

from __future__ import annotations

from pathlib import Path

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cli.source import opened, source
from ftbridge.dataset.redact import redact


@click.command()
@source
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The copy.")
@common
def command(
    session: Session, data: str, form: str | None, mapping: tuple[str, ...], out: Path
) -> None:
    """Write a copy of DATA with placeholders for secrets and personal data.

    The same value becomes the same placeholder (<EMAIL_1>) all through the file. The report
    says what was replaced and where, never the value. Rules find what has a form: names and
    addresses in running text stay.
    """
    done = redact(opened(data, form, mapping), out)
    session.document(
        {
            "written": done.path,
            "examples": done.rows,
            "changed": done.changed,
            "redacted": [vars(found) for found in done.findings],
        }
    )
    session.table(
        ("kind", "replaced", "different values", "first lines"),
        [(f.kind, f.count, f.placeholders, ", ".join(map(str, f.lines))) for f in done.findings],
    )
    session.lines(f"{done.path}\t{done.changed:,} of {done.rows:,} examples changed")
