"""``ftbridge rerun JOB --data NEW``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ftbridge.cli.move import Going, go
from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cli.wishes import how_to_train, pairs


@click.command()
@click.argument("job")
@click.option("--data", required=True, type=click.Path(path_type=Path), help="The new file.")
@click.option("--validation", metavar="FILE|SHARE", help="The job's file if left out, or a share.")
@how_to_train
@click.option("--submit", "submitting", is_flag=True, help="Do it; asks before money is spent.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--again", is_flag=True, help="Do it once more, though the same plan has ended.")
@click.option("--watch", "watching", is_flag=True, help="Do it and stay until the final state.")
@common
@click.pass_context
def command(
    ctx: click.Context,
    /,
    session: Session,
    job: str,
    submitting: bool,
    yes: bool,
    again: bool,
    watching: bool,
    **wanted: Any,
) -> int:
    """Plan JOB again on new data: same place, model and settings; the new job remembers it.

    Nothing is sent unless --submit, --yes or --watch says so; options win over what JOB had.
    """
    found = session.bridge.job(job)
    wanted["options"] = pairs(wanted["options"], "--option")
    going = Going(submitting, yes, watching, again)
    return go(ctx, session, going, found.id, found.provider, wanted)
