"""``ftbridge track JOB... --to mlflow|wandb``."""

from __future__ import annotations

import click

from ftbridge.cli.session import Session
from ftbridge.cli.session import command as common
from ftbridge.cli.wishes import pairs
from ftbridge.tracking import TRACKERS, to_json


@click.command()
@click.argument("jobs", nargs=-1, metavar="JOB...")
@click.option("--to", required=True, type=click.Choice(TRACKERS), help="The tracker.")
@click.option("--tag", metavar="K=V", help="All jobs with this tag, such as sweep=ID.")
@click.option("--project", default="ftbridge", show_default=True,
              help="MLflow's experiment, W&B's project.")  # fmt: skip
@click.option("--where", metavar="URI|DIR",
              help="MLflow's tracking URI, W&B's folder; else by its own settings.")  # fmt: skip
@click.option("--offline", is_flag=True, help="W&B: write a folder for `wandb sync`.")
@common
def command(
    session: Session,
    jobs: tuple[str, ...],
    to: str,
    tag: str | None,
    project: str,
    where: str | None,
    offline: bool,
) -> None:
    """Settings, curves, evaluations and costs of JOBs to a tracker; no row and no path of the data.

    A job is one run there; told again, only what is new is added.
    """
    wanted = next(iter(pairs((tag,), "--tag").items())) if tag else None
    found = session.bridge.track(
        jobs, to=to, tag=wanted, project=project, where=where, offline=offline
    )
    session.document(to_json(found))
    session.table(("job", "run", "where"), [(each.job, each.run, each.where) for each in found])
