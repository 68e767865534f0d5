"""Estimates against bills: what jobs were expected to cost, what they cost, and how far off it was.

    error = billed / middle of the estimate's training lines - 1

A job without a bill is counted and named, never taken for free; hosting and use are no part of a
job's bill and are left out of its estimate here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any

from ftbridge import clock
from ftbridge.cost.types import Span
from ftbridge.errors import UsageError
from ftbridge.jobs.billing import BILLED
from ftbridge.jobs.ledger import JobRow
from ftbridge.jobs.ledger.deployments import DeploymentRow, DeploymentState

MICRO = Decimal(1_000_000)
RECENT = 5
"""Errors that are shown one by one."""


@dataclass(frozen=True)
class JobCost:
    """One job's estimate and bill in USD; None where one is not known. Errors are shares.

    ``hosting`` is what its deployments have cost so far by the hour's price when they were made;
    ``unpriced_hosting`` counts those whose price nobody knew.
    """

    job: str
    provider: str
    model: str
    month: str
    tags: dict[str, str]
    state: str
    bills: bool
    estimate: Span | None
    billed: Decimal | None
    tokens: tuple[int, int]
    billed_tokens: int | None
    stale: bool
    started: bool = True
    hosting: Decimal = Decimal(0)
    unpriced_hosting: int = 0

    @property
    def error(self) -> Decimal | None:
        """How far the bill is from the middle of the estimate, as a signed share."""
        if self.billed is None or self.estimate is None:
            return None
        middle = (self.estimate.low + self.estimate.high) / 2
        return self.billed / middle - 1 if middle else None

    @property
    def inside(self) -> bool | None:
        """Whether the bill lies between the bounds, to the micro-USD that bills are kept in."""
        if self.billed is None or self.estimate is None:
            return None
        return self.estimate.low - 1 / MICRO <= self.billed <= self.estimate.high + 1 / MICRO

    @property
    def token_error(self) -> float | None:
        """How far the billed tokens are from the middle of the counted ones."""
        middle = sum(self.tokens) / 2
        return None if not self.billed_tokens or not middle else self.billed_tokens / middle - 1


@dataclass(frozen=True)
class CostGroup:
    """Jobs that have something in common: how many, what they cost, how good the estimates were.

    ``billed`` sums the jobs with a bill; ``unbilled`` counts ended ones without, whose upper
    estimate is ``unbilled_high`` (None where one of them has none). ``errors`` are the newest.
    """

    key: str
    jobs: int
    estimated: Span
    unestimated: int
    billed: Decimal
    unbilled: int
    unbilled_high: Decimal | None
    reconciled: int
    inside: int
    median_error: Decimal | None
    worst_error: Decimal | None
    hosting: Decimal
    unpriced_hosting: int
    errors: tuple[tuple[str, Decimal], ...]


KEYS: dict[str, Callable[[JobCost], str]] = {
    "month": lambda cost: cost.month,
    "provider": lambda cost: cost.provider,
    "model": lambda cost: f"{cost.provider}:{cost.model}",
}
"""What jobs can be grouped by, besides ``tag:NAME``."""


def job_cost(row: JobRow, deployments: Sequence[DeploymentRow] = ()) -> JobCost:
    """What the ledger knows of one job's cost; ``deployments`` are those of its model."""
    hosted = [_hosted(item) for item in deployments if item.state != DeploymentState.FAILED]
    plan = json.loads(row.plan)
    usd, tokens = plan["usd"], plan["tokens"]
    lines = [line for line in usd["lines"] if line.get("training", line["name"] != "hosting")]
    known = usd["low"] is not None
    return JobCost(
        job=row.id,
        provider=row.provider,
        model=row.model,
        month=row.created_at[:7],
        tags=json.loads(row.spec)["tags"],
        state=str(row.state),
        bills=bool(plan["bills"]),
        estimate=Span(low=_sum(lines, "low"), high=_sum(lines, "high")) if known else None,
        billed=None if row.billed_micro is None else row.billed_micro / MICRO,
        tokens=(tokens["low"] * tokens["n_epochs"], tokens["high"] * tokens["n_epochs"]),
        billed_tokens=row.billed_tokens,
        stale=any(line["stale"] for line in lines),
        started=row.remote_id is not None,
        hosting=sum((usd for usd in hosted if usd is not None), Decimal(0)),
        unpriced_hosting=sum(usd is None for usd in hosted),
    )


def group(costs: Iterable[JobCost], by: str) -> list[CostGroup]:
    """The jobs by month, provider, model or a tag (``tag:NAME``), in the order of the keys.

    Raises:
        UsageError: where ``by`` is none of these.
    """
    key = _key(by)
    found: dict[str, list[JobCost]] = {}
    for cost in costs:
        found.setdefault(key(cost), []).append(cost)
    return [_group(name, found[name]) for name in sorted(found)]


def _key(by: str) -> Callable[[JobCost], str]:
    kind, colon, name = by.partition(":")
    if kind == "tag" and colon and name:
        return lambda cost: cost.tags.get(name, "-")
    if by not in KEYS:
        raise UsageError(
            f"jobs cannot be grouped by `{by}`",
            hint=f"one of: {', '.join(KEYS)}, tag:NAME",
            where="by",
        )
    return KEYS[by]


def _group(name: str, costs: Sequence[JobCost]) -> CostGroup:
    """``costs`` come newest first."""
    open_ = [c for c in costs if c.bills and c.started and c.billed is None and c.state in BILLED]
    highs = [c.estimate.high if c.estimate else None for c in open_]
    known = [high for high in highs if high is not None]
    errors = [(c.job, c.error) for c in costs if c.error is not None]
    spans = [c.estimate for c in costs if c.estimate]
    shares = [error for _, error in errors if error is not None]
    return CostGroup(
        key=name,
        jobs=len(costs),
        estimated=Span(
            low=sum((span.low for span in spans), Decimal(0)),
            high=sum((span.high for span in spans), Decimal(0)),
        ),
        unestimated=len(costs) - len(spans),
        billed=sum((c.billed for c in costs if c.billed is not None), Decimal(0)),
        unbilled=len(open_),
        unbilled_high=sum(known, Decimal(0)) if len(known) == len(highs) else None,
        reconciled=len(shares),
        inside=sum(bool(c.inside) for c in costs),
        median_error=median(shares) if shares else None,
        worst_error=max(shares, key=abs, default=None),
        hosting=sum((c.hosting for c in costs), Decimal(0)),
        unpriced_hosting=sum(c.unpriced_hosting for c in costs),
        errors=tuple((job, error) for job, error in errors[:RECENT] if error is not None),
    )


def _hosted(deployment: DeploymentRow) -> Decimal | None:
    """USD from when it was made to its end, or to now."""
    rate = deployment.usd_per_hour
    if rate is None:
        return None
    until = clock.parse(deployment.ended_at) if deployment.ended_at else clock.now()
    seconds = (until - clock.parse(deployment.created_at)).total_seconds()
    return rate * Decimal(max(0, round(seconds))) / 3600


def _sum(lines: Sequence[dict[str, Any]], side: str) -> Decimal:
    return sum((Decimal(line[side]) for line in lines), Decimal(0))
