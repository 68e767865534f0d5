"""``ftbridge move JOB --to PROVIDER``."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from ftbridge import registry
from ftbridge.cli import plan as plans
from ftbridge.cli.session import Session, money
from ftbridge.cli.session import command as common
from ftbridge.cli.watch import follow
from ftbridge.cli.wishes import how_to_train, pairs
from ftbridge.errors import UsageError
from ftbridge.jobs.control import require_allowed
from ftbridge.jobs.move import Move


@click.command()
@click.argument("job")
@click.option("--to", required=True, help="The provider to go to; see `ftbridge providers`.")
@click.option("--model", help="Base model there; the same family if left out, else the default.")
@click.option("--adapter", help="lora, qlora or full; the job's if left out.")
@click.option("--data", type=click.Path(path_type=Path), help="The job's file, if it has moved.")
@click.option("--validation", metavar="FILE|SHARE", help="Likewise, or a share like 0.1.")
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
    to: str,
    submitting: bool,
    yes: bool,
    again: bool,
    watching: bool,
    **wanted: Any,
) -> int:
    """Plan JOB's data and spec at another provider, with everything that changes.

    Nothing is sent unless --submit, --yes or --watch says so; options win over what JOB had.
    """
    wanted["options"] = pairs(wanted["options"], "--option")
    return go(ctx, session, Going(submitting, yes, watching, again), job, to, wanted)


@dataclass(frozen=True)
class Going:
    """How far to go: only show, submit and ask, submit without asking, stay until the end; and
    whether once more, though the same plan has ended."""

    submitting: bool
    yes: bool
    watching: bool
    again: bool

    def __bool__(self) -> bool:
        return self.submitting or self.yes or self.watching


def go(
    ctx: click.Context,
    session: Session,
    going: Going,
    job: str,
    to: str,
    wanted: dict[str, Any],
) -> int:
    """Plan a job anew at a provider; show that, or do it."""
    bills = registry.load(to).bills
    if going and bills and not going.yes and not session.interactive:
        raise UsageError(
            f"{to} bills; without a terminal that needs --yes",
            hint="add --yes, or look first without --submit",
            where="--yes",
        )
    moved = session.bridge.move(job, to=to, **wanted)
    ready = f"{_typed(ctx)} --submit"
    if not going:
        session.document(_document(moved, ready))
        _show(session, moved)
        session.lines(f"do it with: {ready}")
        return moved.plan.refusal.exit_code if moved.plan.refusal else 0
    require_allowed(moved.plan)
    if bills and not going.yes:
        _show(session, moved)
        cost = money(moved.plan.usd.low, moved.plan.usd.high)
        click.confirm(f"Spend {cost} USD at {to}?", abort=True, err=True)
    made = session.bridge.submit(moved.plan, again=going.again)
    if going.watching:
        return follow(session, made)
    session.document(_document(moved, ready) | made.to_dict())
    session.lines(f"{made.id} {made.state}; follow it with `ftbridge watch {made.id}`")
    return 0


def _document(moved: Move, ready: str) -> dict[str, Any]:
    """The JSON form; ``error`` as in ``plan``, where the plan may not be submitted."""
    row, plan = moved.job, plans.document(moved.plan)
    refusal = {"error": plan.pop("error")} if "error" in plan else {}
    keys = ("provider", "model", "method", "adapter")
    return {
        "from": {"job": row.id} | {key: getattr(row, key) for key in keys},
        "to": {key: plan[key] for key in keys},
        "plan": plan,
        "changes": [change.to_dict() for change in moved.changes],
        "submit": ready,
    } | refusal


def _show(session: Session, moved: Move) -> None:
    plans.show(session, moved.plan)
    session.table(
        ("what changes", "from", "to", "why"),
        [
            (change.name, _amount(change.before), _amount(change.after), change.note)
            for change in moved.changes
        ],
    )


def _amount(value: Any) -> Any:
    """A change's side for people: money in words."""
    if not isinstance(value, dict):
        return value
    low, high = (
        None if usd is None else Decimal(str(usd)) for usd in (value["low"], value["high"])
    )
    known = f"{money(low, high)} USD" if high is not None else "unknown"
    billed = value.get("billed")
    return known if billed is None else f"{known}, billed {billed:.2f}"


def _typed(ctx: click.Context) -> str:
    """The command as it was typed, without what makes it act."""
    words = ["ftbridge", str(ctx.info_name)]
    for parameter in ctx.command.params:
        name, value = str(parameter.name), ctx.params.get(str(parameter.name))
        if name in ("as_json", "submitting", "yes", "again", "watching") or value in (
            None,
            False,
            (),
        ):
            continue
        if isinstance(parameter, click.Argument):
            words.append(str(value))
        elif value is True:
            words.append(parameter.opts[0])
        else:
            for item in value if isinstance(value, tuple) else (value,):
                words += [parameter.opts[0], str(item)]
    return shlex.join(words)
