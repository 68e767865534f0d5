"""``ftbridge costs``."""

from __future__ import annotations

from typing import Any

import click

from ftbridge.cli.session import Session, money
from ftbridge.cli.session import command as common
from ftbridge.cli.wishes import pairs
from ftbridge.cost.reconcile import CostGroup, JobCost, group


@click.command()
@click.option("--by", default="month", show_default=True,
              help="month, provider, model or tag:NAME.")  # fmt: skip
@click.option("--provider", help="Only jobs of this provider.")
@click.option("--tag", metavar="K=V", help="Only jobs with this tag.")
@click.option("--since", metavar="DATE", help="Only jobs made on or after this day.")
@click.option("--jobs", "each", is_flag=True, help="Also each job: estimate, bill, error.")
@common
def command(session: Session, by: str, each: bool, tag: str | None, **wanted: Any) -> None:
    """What jobs cost, against what was estimated, and how good the estimates were."""
    mark = next(iter(pairs((tag,), "--tag").items())) if tag else None
    costs = session.bridge.costs(tag=mark, **wanted)
    groups = group(costs, by)
    jobs = {"jobs": [_job(cost) for cost in costs]} if each else {}
    session.document({"by": by, "costs": [_group(item) for item in groups]} | jobs)
    session.table(
        (by, "jobs", "estimated USD", "billed USD", "no bill yet", "hosting USD", "in bounds",
         "median error", "newest errors"),
        [_row(item) for item in groups],
    )  # fmt: skip
    if each:
        session.table(
            ("job", "provider", "model", "state", "estimated USD", "billed USD", "error", "price"),
            [_job_row(cost) for cost in costs],
        )


def _group(item: CostGroup) -> dict[str, Any]:
    errors = [{"job": job, "error": error} for job, error in item.errors]
    return vars(item) | {"estimated": item.estimated.model_dump(), "errors": errors}


def _job(cost: JobCost) -> dict[str, Any]:
    return vars(cost) | {
        "estimate": cost.estimate and cost.estimate.model_dump(),
        "error": cost.error,
        "inside": cost.inside,
        "token_error": cost.token_error,
    }


def _row(item: CostGroup) -> tuple[Any, ...]:
    unknown = f" + {item.unestimated} unknown" if item.unestimated else ""
    hidden = f" + {item.unpriced_hosting} unknown" if item.unpriced_hosting else ""
    left = money(item.unbilled_high, item.unbilled_high)
    return (
        item.key,
        item.jobs,
        money(item.estimated.low, item.estimated.high) + unknown,
        f"{item.billed:.2f}",
        f"{item.unbilled} (up to {left})" if item.unbilled else None,
        f"{item.hosting:.2f}{hidden}" if item.hosting or hidden else None,
        f"{item.inside} of {item.reconciled}" if item.reconciled else None,
        _share(item.median_error),
        " ".join(_share(error) or "" for _, error in item.errors),
    )


def _job_row(cost: JobCost) -> tuple[Any, ...]:
    estimate = cost.estimate
    return (
        cost.job,
        cost.provider,
        cost.model,
        cost.state,
        money(estimate.low if estimate else None, estimate.high if estimate else None),
        None if cost.billed is None else f"{cost.billed:.2f}",
        _share(cost.error),
        "over 90 days old" if cost.stale else None,
    )


def _share(error: Any) -> str | None:
    return None if error is None else f"{error:+.1%}"
