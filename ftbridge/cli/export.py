"""``ftbridge export JOB|DATA --to TRAINER -o DIR``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cli.wishes import hyperparameters


@click.command()
@click.argument("what", metavar="JOB|DATA")
@click.option("--to", required=True, metavar="TRAINER",
              help="axolotl, llamafactory, torchtune, trl or unsloth.")  # fmt: skip
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="A new folder.")
@click.option("--model", help="Base weights: a folder or a hub id; the job's if left out.")
@click.option("--adapter", help="lora, qlora or full; the job's if left out, else lora.")
@click.option("--validation", metavar="FILE", help="Held-out rows; the job's if left out.")
@hyperparameters
@click.option("--seed", type=int, help="For the same result again.")
@click.option("--allow-lossy", is_flag=True, help="Go on where that trainer's data lose something.")
@common
def command(
    session: Session, what: str, to: str, out: Path, seed: int | None, **wanted: Any
) -> None:
    """Write a config and data that another trainer takes, for a team that runs it already.

    Nothing is sent and nothing trained. Every value is printed with its origin; what that trainer
    has no key for is named.
    """
    made = session.bridge.hand_over(what, to=to, out=out, seed=seed, **wanted)
    session.document(made.to_dict())
    session.table(
        ("value", "", "origin"), [(name, s.value, s.origin) for name, s in made.settings.items()]
    )
    if made.left_out:
        session.lines(f"no key in {to}'s config, its own default holds: {', '.join(made.left_out)}")
    for lost in made.losses:
        session.lines(f"lost: {lost.message} ({lost.count} examples)")
    session.lines(f"{made.written:,} examples in {out}; start it with: {made.command}")
