"""``ftbridge tokens DATA``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cli.source import opened, source


@click.command()
@source
@click.option("--provider", metavar="P", help="Count as this provider bills.")
@click.option("--model", metavar="M", help="A model of that provider, or any open model's name.")
@click.option("--fast", is_flag=True, help="From a sample of the lines, with a 95 % interval.")
@click.option("--workers", type=click.IntRange(1), help="Processes; all cores if left out.")
@common
def command(
    session: Session,
    data: str,
    form: str | None,
    mapping: tuple[str, ...],
    provider: str | None,
    model: str | None,
    fast: bool,
    workers: int | None,
) -> None:
    """Count the tokens of DATA, frames and tools included, and say how good the count is."""
    found = session.bridge.tokens(
        opened(data, form, mapping), provider=provider, model=model, fast=fast, workers=workers
    )
    session.document(found.document())
    parts = [(name, value) for name, value in (("frame", found.frame), ("tools", found.tools))]
    session.table(
        ("", "tokens"),
        [
            ("one pass", found.span),
            *((f"of that {name}", f"{value:,}") for name, value in parts if value is not None),
            ("grade", found.label),
            ("counted with", found.counter),
        ],
    )
