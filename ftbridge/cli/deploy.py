"""``ftbridge deploy REF``."""

from __future__ import annotations

from decimal import Decimal

import click

from ftbridge.cli.session import Session, deployed
from ftbridge.cli.session import command as common
from ftbridge.cli.wishes import pairs
from ftbridge.errors import UsageError
from ftbridge.jobs.deploying import require_known


@click.command()
@click.argument("ref")
@click.option("--option", "options", multiple=True, metavar="K=V", help="Vendor-only setting.")
@click.option("--allow-unknown-cost", is_flag=True, help="Go on where no price is known.")
@click.option("--yes", is_flag=True, help="Do not ask before money is spent.")
@common
def command(
    session: Session, ref: str, options: tuple[str, ...], allow_unknown_cost: bool, yes: bool
) -> None:
    """Make the tuned model of REF (a job, alias or provider:model) answer.

    What an hour costs is shown first; it is billed until `ftbridge undeploy`.
    """
    given = pairs(options, "--option")
    rate = session.bridge.usd_per_hour(ref, given)
    require_known(rate, allow_unknown_cost)
    if rate != 0 and not yes:
        _confirm(session, ref, rate)
    row = session.bridge.deploy(ref, options=given, allow_unknown_cost=allow_unknown_cost)
    session.document({"job": row.job_id, "provider": row.provider, **row.to_dict()})
    session.lines(f"{row.name} {deployed(row)}; stop it with `ftbridge undeploy {ref}`")


def _confirm(session: Session, ref: str, rate: Decimal | None) -> None:
    price = "an unknown price" if rate is None else f"{rate:.2f} USD"
    if not session.interactive:
        raise UsageError(
            f"each hour costs {price}; without a terminal that needs --yes",
            hint="add --yes",
            where="--yes",
        )
    click.confirm(f"Deploy {ref} for {price} an hour, asked or idle?", abort=True, err=True)
