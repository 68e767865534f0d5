"""``ftbridge retirements``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common


@click.command()
@click.option("--within", type=int, metavar="DAYS", help="Only what ends in so many days.")
@common
def command(session: Session, within: int | None) -> None:
    """Which jobs and tuned models stop working, when, by which source, and how to move them."""
    found = session.bridge.retirements(within)
    session.document({"retirements": [item.to_dict() for item in found]})
    session.table(
        ("date", "days", "job", "provider", "model", "what ends", "source", "move"),
        [
            (
                item.ending.day,
                item.days,
                item.job,
                item.provider,
                item.model or item.base_model,
                item.ending.what,
                f"{item.ending.source}, seen {item.ending.as_of}",
                item.move,
            )
            for item in found
        ],
    )
