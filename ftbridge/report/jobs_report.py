"""The overview of jobs: where they stand, what they cost by month, what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ftbridge.cost.reconcile import CostGroup, JobCost, group
from ftbridge.cost.table import amount
from ftbridge.cost.types import Span
from ftbridge.job import Job
from ftbridge.jobs.ledger.deployments import Serving
from ftbridge.jobs.states import FINAL, State
from ftbridge.report.money import span
from ftbridge.report.parts import Bars, Report, Section, Table, Text

ERROR_LETTERS = 300


def jobs_report(
    jobs: Sequence[Job],
    costs: Sequence[JobCost],
    evaluated: Mapping[str, Mapping[str, Any]],
    serving: Serving,
) -> Report:
    """The report.

    Args:
        jobs: newest first, as they were at the last look.
        costs: of each, in the same order.
        evaluated: the latest evaluation by job.
        serving: what is deployed.
    """
    if not jobs:
        return Report("Jobs", [Section("Jobs", [Text("None.")])])
    active = [job for job in jobs if job.state not in FINAL]
    return Report(
        "Jobs",
        [
            _states(jobs),
            Section("Not ended", [_table("Jobs that have not ended", active, costs, evaluated)]
                    if active else [Text("Every job has ended.")]),
            *_serving(serving, {job.id for job in jobs}),
            _money(costs),
            Section("All jobs", [_table("All jobs, newest first", jobs, costs, evaluated)]),
            *_failed(jobs),
        ],
    )  # fmt: skip


def _states(jobs: Sequence[Job]) -> Section:
    counted = Counter((job.provider, job.state) for job in jobs)
    states = [state for state in State if any(s == state for _, s in counted)]
    rows = [
        (provider, *(counted[provider, state] for state in states))
        for provider in sorted({provider for provider, _ in counted})
    ]
    heads = ("provider", *map(str, states))
    return Section("States", [
        Text(f"{len(jobs):,} jobs, as they were at the last look."),
        Table(heads, rows, "Jobs by provider and state", range(1, len(heads))),
    ])  # fmt: skip


def _table(
    caption: str,
    jobs: Sequence[Job],
    costs: Sequence[JobCost],
    evaluated: Mapping[str, Mapping[str, Any]],
) -> Table:
    known = {cost.job: cost for cost in costs}
    heads = ("job", "provider", "base model", "method", "state", "made", "estimate USD",
             "billed USD", "verdict", "tuned model")  # fmt: skip
    rows = [
        (job.id, job.provider, job.row.model, f"{job.row.method}, {job.row.adapter}", job.state,
         job.row.created_at[:16], *_usd(known[job.id]), _verdict(evaluated.get(job.id)), job.model)
        for job in jobs
    ]  # fmt: skip
    return Table(heads, rows, caption, (6, 7))


def _usd(cost: JobCost) -> tuple[str, str]:
    if not cost.bills:
        return _estimate(cost.estimate), "no bill"
    return _estimate(cost.estimate), "not known" if cost.billed is None else amount(cost.billed)


def _estimate(known: Span | None) -> str:
    return "unknown" if known is None else span(known.low, known.high)


def _verdict(result: Mapping[str, Any] | None) -> str | None:
    if result is None:
        return None
    sides = [result["baseline"]["value"], result["tuned"]["value"]]
    if result.get("metrics", [{}])[0].get("unit", "share") == "share":
        return f"{result['verdict']}: {sides[0]:.0%} to {sides[1]:.0%}"
    return f"{result['verdict']}: {sides[0]:.4g} to {sides[1]:.4g}"


def _serving(serving: Serving, shown: set[str]) -> Iterator[Section]:
    rows = [
        (job, row.model, row.state,
         amount(row.usd_per_hour), row.created_at[:16])
        for job, running in serving.running.items() if job in shown
        for row in running
    ]  # fmt: skip
    if rows:
        heads = ("job", "model", "state", "USD an hour", "since")
        yield Section("Deployed", [Table(heads, rows, "Deployments, billed by the hour", (3,))])


def _money(costs: Sequence[JobCost]) -> Section:
    months = group(costs, "month")
    bars = [(found.key, _amounts(found)) for found in months]
    heads = ("month", "jobs", "estimated USD", "billed USD", "ended without a bill",
             "deployments USD", "median error of estimates")  # fmt: skip
    return Section("Money by month", [
        Bars("USD by month of the job", ("estimated, upper", "billed"), bars),
        Table(heads, [_month(found) for found in months], "Estimates and bills by month",
              range(1, len(heads))),
    ])  # fmt: skip


def _amounts(found: CostGroup) -> tuple[float | None, float | None]:
    """None where nothing of it is known."""
    estimated = None if found.unestimated == found.jobs else float(found.estimated.high)
    return estimated, float(found.billed) if found.reconciled or found.billed else None


def _month(found: CostGroup) -> tuple[Any, ...]:
    unknown = f" + {found.unestimated} unknown" if found.unestimated else ""
    median = found.median_error
    return (
        found.key,
        found.jobs,
        span(found.estimated.low, found.estimated.high) + unknown,
        amount(found.billed),
        found.unbilled,
        amount(found.hosting) + (" + unknown" if found.unpriced_hosting else ""),
        None if median is None else f"{Decimal(median):+.1%}",
    )


def _failed(jobs: Sequence[Job]) -> Iterator[Section]:
    rows = [
        (job.id, job.provider, str((job.row.error or {}).get("message", ""))[:ERROR_LETTERS])
        for job in jobs
        if job.row.error
    ]
    if rows:
        heads = ("job", "provider", "what it said")
        yield Section("Failed", [Table(heads, rows, "Jobs with an error")])
