"""``ftbridge submit DATA --provider P``."""

from __future__ import annotations

from typing import Any

import click

from ftbridge import registry
from ftbridge.choose import AUTO
from ftbridge.cli.plan import show
from ftbridge.cli.session import Session, money
from ftbridge.cli.session import command as common
from ftbridge.cli.watch import follow
from ftbridge.cli.wishes import make, wishes
from ftbridge.errors import UsageError
from ftbridge.jobs.control import require_allowed
from ftbridge.jobs.plan import Plan


@click.command()
@wishes
@click.option("--again", is_flag=True, help="Once more, though the same plan has ended.")
@click.option("--yes", is_flag=True, help="Do not ask before money is spent.")
@click.option("--watch", "watching", is_flag=True, help="Stay until the final state.")
@common
def command(session: Session, again: bool, yes: bool, watching: bool, **wanted: Any) -> int:
    """Train on DATA at a provider. The same plan is never paid for twice."""
    auto = wanted["provider"] == AUTO
    bills = auto or registry.load(wanted["provider"]).bills
    if bills and not yes and not session.interactive:
        who = "what auto chooses may bill" if auto else f"{wanted['provider']} bills"
        raise UsageError(
            f"{who}; without a terminal that needs --yes",
            hint="add --yes, or look first with `ftbridge plan`",
            where="--yes",
        )
    plan = make(session, wanted)
    require_allowed(plan)
    chosen = {"chosen": plan.warnings[0]} if auto else {}
    session.lines(*chosen.values())
    if plan.bills and not yes:
        _confirm(session, plan)
    for warning in plan.warnings:
        session.note(f"warning: {warning}")
    job = session.bridge.submit(plan, again=again)
    if watching:
        return follow(session, job)
    session.document(job.to_dict() | chosen)
    session.lines(f"{job.id} {job.state}; follow it with `ftbridge watch {job.id}`")
    return 0


def _confirm(session: Session, plan: Plan) -> None:
    show(session, plan)
    cost = money(plan.usd.low, plan.usd.high)
    click.confirm(f"Spend {cost} USD at {plan.spec.provider}?", abort=True, err=True)
