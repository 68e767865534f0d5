"""``ftbridge split DATA --validation SHARE``."""

from __future__ import annotations

from pathlib import Path

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cli.source import opened, source
from ftbridge.dataset import split


@click.command()
@source
@click.option("--validation", default=0.1, show_default=True, help="Share that is held out.")
@click.option("--seed", default=0, show_default=True, help="Another seed, another split.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Folder; else DATA's name with .split."
)
@common
def command(
    session: Session,
    data: str,
    form: str | None,
    mapping: tuple[str, ...],
    validation: float,
    seed: int,
    out: Path | None,
) -> None:
    """Split DATA into train.jsonl and validation.jsonl, the same way every time, leak-free.

    Equal and nearly equal rows, rows that ask the same and rows of one `metadata.group` stay
    on one side; where the answers are labels, each label gets its share.
    """
    parts = split(opened(data, form, mapping), validation, seed, out or _beside(data))
    session.document(parts._asdict() | {"seed": seed, "share": validation})
    session.lines(
        f"{parts.train}\t{parts.train_rows:,} rows",
        f"{parts.validation}\t{parts.validation_rows:,} rows",
        f"{parts.families:,} families of alike rows, none on both sides",
    )


def _beside(data: str) -> Path:
    """A folder here, named after the file, wherever the file is."""
    return Path(f"{Path(data).name.split('.')[0] or 'data'}.split")
